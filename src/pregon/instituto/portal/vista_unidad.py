"""A part of a contest on the pages: a district or municipality, or an entidad federativa with its districts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pregon.instituto.portal import avance as strip
from pregon.instituto.portal import frases
from pregon.instituto.portal.formato import numero_unidad
from pregon.instituto.portal.formato import unidad as unit_name
from pregon.instituto.portal.mapa import tile_of
from pregon.instituto.portal.modelo import resultados
from pregon.instituto.portal.tarjetas import Tesela, shade
from pregon.instituto.portal.vista_consulta import entity_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pregon.instituto.elecciones import Unidad
    from pregon.instituto.portal.avance import Avance
    from pregon.instituto.portal.catalogo import Catalogo
    from pregon.instituto.portal.modelo import Resultados
    from pregon.instituto.portal.partidos import Actores
    from pregon.instituto.portal.tarjetas import Liderazgo
    from pregon.tablas.model import UnitTotals

INDICE = "index.html"
_SIN_UNIDAD = "sin-"


@dataclass(frozen=True)
class VistaUnidad:
    """A district or municipality."""

    id: str
    carpeta: str
    ruta: str
    palabra: str
    numero: str
    nombre: str
    avance: Avance
    resultados: Resultados

    @property
    def archivo(self) -> str:
        """The name of its data file, without extension: ``007``."""
        return file_id(self.id)

    @property
    def rotulo(self) -> str:
        """``Distrito 7``; the name alone where the file gives no number."""
        return f"{self.palabra} {self.numero}" if self.numero else self.nombre

    @property
    def titulo(self) -> str:
        """``7. Tenabo``."""
        return f"{self.numero}. {self.nombre}" if self.numero else self.nombre

    @property
    def sin_cambios(self) -> str:
        """What its page says, before an hour, where a later cut left it as it was: ``Distrito sin cambios``."""
        return f"{self.palabra} sin cambios" if self.numero else "Sin cambios"

    @property
    def con_nombres(self) -> bool:
        return self.resultados.con_nombres

    @property
    def titular(self) -> str:
        return frases.de_persona(self.resultados.cabeza, self.avance.porcentaje_contabilizadas)

    @property
    def lider(self) -> str:
        """Who is ahead, for the tile that only shows a colour."""
        head = self.resultados.cabeza
        if head.primero is None:
            return "sin actas contabilizadas"
        if head.estado == "empate":
            return "empate"
        return f"encabeza {frases.quien(head.primero)}, {head.primero.porcentaje} por ciento"

    @property
    def colores(self) -> tuple[str, ...]:
        """Colour classes of whoever is ahead: one per party of the line; none where nobody is."""
        head = self.resultados.cabeza
        if head.estado != "encabeza" or head.primero is None:
            return ()
        return tuple(party.color for party in head.primero.partidos)

    @property
    def tesela(self) -> Tesela:
        head = self.resultados.cabeza
        return Tesela(
            self.carpeta,
            self.numero,
            self.nombre,
            self.rotulo,
            self.lider,
            self.colores,
            ventaja=shade(head.puntos) if head.estado == "encabeza" else 0,
        )


@dataclass(frozen=True)
class VistaEntidad(VistaUnidad):
    """An entidad federativa of a federal contest.

    ``unidades``: what it has, in the order of their ids. ``carreras`` is the word for its races where each district of
    it is one; None where the entidad, or the nation, votes for the same people. ``liderazgos``, ``empates`` and
    ``sin_votos`` count those races.
    """

    unidades: tuple[VistaUnidad, ...] = ()
    carreras: Unidad | None = None
    liderazgos: tuple[Liderazgo, ...] = ()
    empates: int = 0
    sin_votos: int = 0

    @property
    def rotulo(self) -> str:
        return self.nombre

    @property
    def titulo(self) -> str:
        return self.nombre

    @property
    def tesela(self) -> Tesela:
        """Its tile on the map of the country, with its letters; a plain one for what is none of the 32."""
        place = tile_of(self.id)
        plain = super().tesela
        return plain if place is None else replace(plain, numero=place.siglas, lugar=place.clases)

    @property
    def demarcaciones(self) -> tuple[VistaUnidad, ...]:
        """Its districts: ``unidades`` without the actas of none."""
        return tuple(unit for unit in self.unidades if unit.numero)

    @property
    def mosaico(self) -> tuple[Tesela, ...]:
        """A tile of each of its districts."""
        return tuple(unit.tesela for unit in self.demarcaciones)

    @property
    def titular(self) -> str:
        if self.carreras is None:
            return super().titular
        return frases.de_unidades(
            [(entry.renglon.siglas, entry.unidades) for entry in self.liderazgos],
            len(self.demarcaciones),
            self.carreras,
            ties=self.empates,
            without_votes=self.sin_votos,
        )


def of_no_unit(identifier: str) -> bool:
    """Whether an id is of actas that belong to no district or municipality: ``sin-distrito``, ``09-sin-distrito``."""
    return _SIN_UNIDAD in identifier


def folder_of_unit(nivel: str, identifier: str) -> str:
    """The folder of a unit's page: ``distrito-001``; actas of no unit (id ``sin-distrito``) keep their id."""
    name = file_id(identifier)
    return name if of_no_unit(identifier) else f"{nivel}-{name}"


def file_id(identifier: str) -> str:
    """A unit id as part of a file name: ``7`` -> ``007``; anything unusual becomes hyphens."""
    text = identifier.strip()
    if text.isdecimal():
        return f"{int(text):03d}"
    safe = "".join(char if char.isascii() and char.isalnum() else "-" for char in text.lower()).strip("-")
    return safe or "sin-id"


def folder_of_entity(identifier: str) -> str:
    """The folder of the page of an entidad, by its id: ``entidad-09``."""
    return f"entidad-{identifier if identifier.isascii() and identifier.isalnum() else file_id(identifier)}"


def entity_of(identifier: str) -> str:
    """The entidad of a unit of a federal contest, by their ids: ``09-012`` -> ``09``."""
    return identifier.partition("-")[0]


@dataclass(frozen=True)
class Taller:
    """Makes the views of the parts of one contest. ``federal``: its file has several entidades."""

    contienda: str
    nivel: str
    palabra: str
    actores: Actores
    catalogo: Catalogo
    con_especiales: bool
    federal: bool

    def unit(self, unit: UnitTotals) -> VistaUnidad:
        """A district or municipality, or the actas of none."""
        folder = folder_of_unit(self.nivel, unit.id)
        local = unit.id.partition("-")[2] if self.federal else unit.id
        return VistaUnidad(
            id=unit.id,
            carpeta=folder,
            ruta=f"{self.contienda}/{folder}/{INDICE}",
            palabra=self.palabra,
            numero="" if of_no_unit(unit.id) else numero_unidad(local),
            nombre=unit_name(local, unit.nombre),
            avance=strip.of_unit(unit, con_especiales=self.con_especiales),
            resultados=resultados(unit, self.actores, self.catalogo, unit.id),
        )

    def entity(self, entity: UnitTotals, units: Sequence[VistaUnidad]) -> VistaEntidad:
        """An entidad with those of ``units`` that are its own."""
        folder = folder_of_entity(entity.id)
        return VistaEntidad(
            id=entity.id,
            carpeta=folder,
            ruta=f"{self.contienda}/{folder}/{INDICE}",
            palabra="Entidad",
            numero=numero_unidad(entity.id),
            nombre=entity_name(entity.id, unit_name(entity.id, entity.nombre)),
            avance=strip.of_unit(entity, con_especiales=self.con_especiales),
            resultados=resultados(entity, self.actores, self.catalogo, entity.id),
            unidades=tuple(unit for unit in units if entity_of(unit.id) == entity.id),
        )
