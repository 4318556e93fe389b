"""One state of what the institute tells everybody, as values. Nothing here is confidential, nor can be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from datetime import datetime

    from pregon.instituto.registro.lista import Renglon

Fase: TypeAlias = Literal["antes", "noche", "cerrada"]
Situacion: TypeAlias = Literal[
    "al_dia",
    "atrasado",
    "parcial",
    "sin_respuesta",
    "en_revision",
    "sin_dato",
    "antes",
    "interrumpido",
    "no_valido",
    "concluido",
]
"""How a difusor is, for people: what is seen there, never why nor on what evidence."""
Desenlace: TypeAlias = Literal["tarde", "perdido", "pendiente"]
"""Of a late cut: it came later; its slot ended without it; it has not come yet."""

PALABRAS: dict[Situacion, str] = {
    "al_dia": "Al día",
    "atrasado": "Muestra un corte anterior",
    "parcial": "Desde algunas redes se ve un corte anterior",
    "sin_respuesta": "No responde por ahora",
    "en_revision": "El instituto revisa lo que muestra",
    "sin_dato": "Sin determinar",
    "antes": "Aún no comienza la publicación",
    "interrumpido": "Transmisión interrumpida",
    "no_valido": "Dejó de ser difusor oficial",
    "concluido": "Terminó el periodo de publicación",
}


@dataclass(frozen=True)
class Disponibilidad:
    """How much of a month a portal answered. ``mes``: ``AAAA-MM``; ``porcentaje``: of ``observado_s``, four decimals,
    truncated; None where nothing was observed."""

    mes: str
    porcentaje: str | None
    observado_s: int


@dataclass(frozen=True, kw_only=True)
class Difusor:
    """One difusor of the list and how it is. ``corte``: the one that it shows, where that is known and may be told.

    ``atraso_s``: seconds since the cut that it should show was signed, where it shows an older one. ``visto``: when it
    was looked at.
    """

    renglon: Renglon
    situacion: Situacion
    corte: int | None = None
    hora_corte: datetime | None = None
    atraso_s: int | None = None
    visto: datetime | None = None
    disponibilidad: tuple[Disponibilidad, ...] = ()


@dataclass(frozen=True)
class Actas:
    """What a cut counts of one contest."""

    esperadas: int
    capturadas: int
    contabilizadas: int


@dataclass(frozen=True, kw_only=True)
class Corte:
    """One signed cut. ``vence``: when it was promised; ``actas`` by contest, empty where its package did not tell."""

    corte: int
    hora_corte: datetime
    firmado: datetime
    vence: datetime
    tarde_s: int
    a_tiempo: bool
    actas: dict[str, Actas]


@dataclass(frozen=True, kw_only=True)
class Retraso:
    """A cut that did not come at its hour. ``texto``: what the signed notice told everybody; ``porque``: public words.

    ``corte`` and ``segundos``: which came in the end and how late; of one that has not come, how late it is by now.
    """

    vence: datetime
    desenlace: Desenlace
    porque: str
    corte: int | None = None
    segundos: int | None = None
    texto: str | None = None
    anunciado: datetime | None = None


@dataclass(frozen=True)
class Contienda:
    """One contest, as the newest cut calls it."""

    id: str
    titulo: str


@dataclass(frozen=True, kw_only=True)
class Noche:
    """How the night goes. ``cortes`` and ``retrasos``: oldest first. ``proximo``: when the next cut is promised."""

    fase: Fase
    inicio: datetime
    fin: datetime
    proximo: datetime | None
    contiendas: tuple[Contienda, ...] = ()
    cortes: tuple[Corte, ...] = ()
    retrasos: tuple[Retraso, ...] = ()

    @property
    def ultimo(self) -> Corte | None:
        """The newest cut."""
        return self.cortes[-1] if self.cortes else None

    @property
    def pendiente(self) -> Retraso | None:
        """The cut that the institute owes now."""
        last = self.retrasos[-1] if self.retrasos else None
        return last if last is not None and last.desenlace == "pendiente" else None


@dataclass(frozen=True, kw_only=True)
class Publico:
    """The whole state, at ``hora``. ``difusores`` by name."""

    hora: datetime
    noche: Noche
    difusores: tuple[Difusor, ...]
