"""What a paper is made of, and what it is when made: values that each module of this room takes and gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pregon.documentos.bloques import Documento, Firmante, Firmas

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from pregon.convocatoria.model import Convocatoria
    from pregon.convocatoria.solicitud.logo import Logo
    from pregon.difusor.formatos.solicitud import Solicitud
    from pregon.difusor.settings import DifusorSettings
    from pregon.documentos.bloques import Bloque
    from pregon.documentos.formas import Forma

RAYA = "____________________"
"""Stands in a sentence where nothing is known, for who writes by hand."""


@dataclass(frozen=True, kw_only=True)
class Blanco:
    """One blank: the path of its key in ``solicitud.toml``, and what it is, in the words of who asks."""

    ruta: str
    que: str


@dataclass(frozen=True, kw_only=True)
class Papel:
    """One paper. ``clave``: the stem of its file names. ``documentos``: by form; a sheet may be laid out as no page is.
    ``destino``: to whom it goes; ``vence``: until when. ``otros``: files that go with it, by name.
    """

    clave: str
    titulo: str
    documentos: Mapping[Forma, Documento]
    blancos: tuple[Blanco, ...] = ()
    destino: str | None = None
    vence: date | None = None
    otros: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Encargo:
    """What was asked for. ``fecha``: the day that the papers bear. ``ajustes`` None: there is no ``difusor.toml`` yet.

    ``logo`` None: there is none, or the call does not admit it.
    """

    solicitud: Solicitud
    convocatoria: Convocatoria
    fecha: date
    ajustes: DifusorSettings | None = None
    logo: Logo | None = None

    @property
    def instituto(self) -> str:
        """The institute's whole name."""
        return self.convocatoria.instituto_nombre or self.convocatoria.instituto

    @property
    def lugar(self) -> str | None:
        """Where letters are signed: as the file says, as the call says, or where the difusor is."""
        letter, place = self.convocatoria.carta, self.solicitud.domicilio
        if self.solicitud.oficio.lugar or (letter is not None and letter.lugar):
            return self.solicitud.oficio.lugar or (None if letter is None else letter.lugar)
        if place is not None and place.ciudad and place.estado:
            return f"{place.ciudad}, {place.estado}"
        return None

    def hoja(self, titulo: str, *bloques: Bloque, carta: bool = False, horizontal: bool = False) -> Documento:
        """A document with what all of them share. ``carta``: its title is not printed."""
        name = self.solicitud.nombre
        return Documento(
            titulo=titulo,
            autor=name or "Difusor",
            fecha=self.fecha,
            bloques=bloques,
            titulo_visible=not carta,
            encabezado=titulo,
            pie=" · ".join(one for one in (self.convocatoria.nombre, name) if one),
            horizontal=horizontal,
            simulacro=self.ajustes is not None and self.ajustes.ambiente == "simulacro",
        )

    def firmas(self) -> Firmas:
        """Room for who signs for the difusor."""
        name, office = self.solicitud.firmante
        return Firmas(firmantes=(Firmante(nombre=name, cargo=office),))

    def blancos(self, *asked: tuple[str, str | None, str]) -> tuple[Blanco, ...]:
        """A blank for each path whose value is None; with what it is."""
        return tuple(Blanco(ruta=path, que=what) for path, value, what in asked if not value)

    def blancos_de_firma(self) -> tuple[Blanco, ...]:
        """Those of who signs, at the keys that say it."""
        name, office = self.solicitud.firmante
        return self.blancos(("firma.nombre", name, "Quién firma"), ("firma.cargo", office, "Cargo de quien firma"))
