"""What a results table says, decided before any template: lines in order, percentages, bars, who leads and by how much.

Everything is a function of ``ContestTotals``; votes stay ``int`` and percentages come from ``trunc4`` over the total
of the actas contabilizadas, no registradas and nulos included (``prep.md`` §3). Bars are drawn in whole thousandths
of the leader's votes: they are a picture, the number beside them is the datum.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from pregon.instituto.portal.formato import candidatura as candidate_name
from pregon.prep.pendientes import is_placeholder
from pregon.prep.percent import trunc4

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pregon.instituto.portal.catalogo import Catalogo
    from pregon.instituto.portal.partidos import Actores, Partido
    from pregon.prep.candidaturas import Candidatura
    from pregon.tablas.model import ContestTotals, UnitTotals

ANCHO_BARRA = 1000
"""Width of the leader's bar, in the units of its drawing."""


@dataclass(frozen=True)
class Segmento:
    """A piece of a bar: where it begins, how wide it is (both of ``ANCHO_BARRA``) and its colour class."""

    x: int
    ancho: int
    color: str

    @property
    def desde(self) -> str:
        """Where it begins, as the page says it: ``55.5%``."""
        return percent_of(self.x, ANCHO_BARRA)

    @property
    def largo(self) -> str:
        """How wide it is, as the page says it."""
        return percent_of(self.ancho, ANCHO_BARRA)


@dataclass(frozen=True)
class Renglon:
    """One line of a results table. ``nombre`` is None where the catalogue names nobody; ``pendiente``, where it holds a
    placeholder instead."""

    clave: str
    partidos: tuple[Partido, ...]
    nombre: str | None
    suplente: str | None
    pendiente: bool
    votos: int
    porcentaje: str
    barra: tuple[Segmento, ...]
    encabeza: bool

    @property
    def siglas(self) -> str:
        """The letters of all its parties: ``PAN · PRI · PRD``."""
        return " · ".join(party.siglas for party in self.partidos)


@dataclass(frozen=True)
class Integracion:
    """What a coalition's votes are made of: a line per column of the acta, own votes first, then those marked for
    several of its parties at once. They add up to ``suma.votos``."""

    suma: Renglon
    partes: tuple[Renglon, ...]


@dataclass(frozen=True)
class Resumen:
    """Summary of the vote: for parties and candidaturas, for people not registered, null, and all."""

    acumulados: int
    no_registradas: int
    nulos: int
    total: int
    porcentaje_acumulados: str
    porcentaje_no_registradas: str
    porcentaje_nulos: str
    porcentaje_total: str


@dataclass(frozen=True)
class Cabeza:
    """Who is ahead, by how many votes (``diferencia``) and percentage points (``puntos``) over the second.

    ``empatadas``: all who have the most votes, where they are two or more.
    """

    estado: Literal["sin_votos", "empate", "encabeza"]
    primero: Renglon | None
    segundo: Renglon | None
    diferencia: int
    puntos: str
    empatadas: tuple[Renglon, ...] = ()


@dataclass(frozen=True)
class Resultados:
    """The results of one scope (an entity or a unit), by candidatura and by party, most votes first."""

    candidaturas: tuple[Renglon, ...]
    partidos: tuple[Renglon, ...]
    columnas: tuple[Renglon, ...]
    resumen: Resumen
    cabeza: Cabeza

    @cached_property
    def integraciones(self) -> tuple[Integracion, ...]:
        """Of each coalition whose columns add up to its votes. Over an entity they may not: a party of it may stand
        alone in some units, and then its own votes belong to two lines."""
        found: list[Integracion] = []
        for line in self.candidaturas:
            members = {party.clave for party in line.partidos}
            parts = tuple(part for part in self.columnas if {party.clave for party in part.partidos} <= members)
            if len(members) > 1 and sum(part.votos for part in parts) == line.votos:
                found.append(Integracion(line, parts))
        return tuple(found)

    @property
    def todo_integrado(self) -> bool:
        """Whether each coalition's columns are told by ``integraciones``: any other column is a line of its own."""
        return len(self.integraciones) == sum(len(line.partidos) > 1 for line in self.candidaturas)

    @property
    def hay_coaliciones(self) -> bool:
        """Whether some line joins several parties."""
        return any(len(line.partidos) > 1 for line in self.candidaturas)

    @property
    def con_nombres(self) -> bool:
        """Whether the catalogue names anybody here."""
        return any(line.nombre for line in self.candidaturas)


def resultados(scope: ContestTotals | UnitTotals, actores: Actores, catalogo: Catalogo, unit: str | None) -> Resultados:
    """The results of ``scope``.

    Args:
        scope: totals of an entity or of a unit; its three dicts must each add up to the same total.
        actores: what the vote columns of the contest are.
        catalogo: who the candidates are.
        unit: the unit's id, or None at the level of the entity.
    """
    total = sum(scope.contendientes.values())
    blank = sum(votes for key, votes in scope.contendientes.items() if actores.no_registradas(key))
    null = sum(votes for key, votes in scope.contendientes.items() if actores.nulos(key))
    running = {
        key: votes
        for key, votes in scope.candidaturas.items()
        if actores.contiende(key) and (votes or catalogo.contends(unit, actores.miembros(key)))
    }
    # A party that presents nobody here and got nothing is no line of this unit.
    present = {member for key in running for member in actores.miembros(key)}
    parties = {key: votes for key, votes in scope.partidos.items() if votes or key in present}
    artist = _Tabla(actores, scope.contendientes, total)
    lines = artist.lines(running, split=True, people=lambda joined: catalogo.find(unit, joined))
    return Resultados(
        candidaturas=lines,
        partidos=artist.lines(parties),
        columnas=artist.lines(scope.contendientes, in_order=True),
        resumen=Resumen(
            acumulados=total - blank - null,
            no_registradas=blank,
            nulos=null,
            total=total,
            porcentaje_acumulados=trunc4(total - blank - null, total),
            porcentaje_no_registradas=trunc4(blank, total),
            porcentaje_nulos=trunc4(null, total),
            porcentaje_total=trunc4(total, total),
        ),
        cabeza=_leader(lines, total),
    )


@dataclass(frozen=True)
class _Tabla:
    """Makes the lines of one scope. ``columnas`` are its votes as the actas have them, for the pieces of the bars."""

    actores: Actores
    columnas: Mapping[str, int]
    total: int

    def lines(
        self,
        votes: Mapping[str, int],
        *,
        split: bool = False,
        in_order: bool = False,
        people: Callable[[tuple[str, ...]], Candidatura | None] = lambda _: None,
    ) -> tuple[Renglon, ...]:
        shown = [(key, number) for key, number in votes.items() if self.actores.contiende(key)]
        if not in_order:
            shown.sort(key=lambda pair: -pair[1])  # stable: equal votes keep the order of the acta
        best = max((number for _, number in shown), default=0)
        lines: list[Renglon] = []
        for key, number in shown:
            person = people(self.actores.miembros(key))
            parties = self.actores.partidos(key)
            lines.append(
                Renglon(
                    clave=key,
                    partidos=parties,
                    nombre=candidate_name(person.propietaria) if person else None,
                    suplente=candidate_name(person.suplente) if person else None,
                    pendiente=person is not None and is_placeholder(person.propietaria),
                    votos=number,
                    porcentaje=trunc4(number, self.total),
                    barra=self._bar(number, parties, best, split=split),
                    encabeza=number == best > 0,
                )
            )
        return tuple(lines)

    def _bar(self, votes: int, parties: Sequence[Partido], best: int, *, split: bool) -> tuple[Segmento, ...]:
        """A coalition's bar shows each member's own votes in its colour and the joint ones apart, when those add up."""
        if best == 0 or votes == 0:
            return ()
        if len(parties) == 1:
            return (Segmento(0, max(votes * ANCHO_BARRA // best, 1), parties[0].color),)
        parts = [(self.columnas.get(party.clave, 0), party.color) for party in parties]
        joint = votes - sum(number for number, _ in parts)
        # A party may stand alone in some units: then, over the entity, its own votes are not only this line's.
        parts = [*parts, (joint, "t-suma")] if split and joint >= 0 else [(votes, "t-suma")]
        segments: list[Segmento] = []
        seen = 0
        for number, color in parts:
            start = seen * ANCHO_BARRA // best
            seen += number
            width = seen * ANCHO_BARRA // best - start
            if width:
                segments.append(Segmento(start, width, color))
        return tuple(segments)


def percent_of(part: int, whole: int) -> str:
    """A length as CSS percentage with one decimal: ``55.5%``. Of pictures only; figures come from ``trunc4``."""
    units, rest = divmod(part * 1000 // whole, 10)
    return f"{units}.{rest}%" if rest else f"{units}%"


def _leader(lines: Sequence[Renglon], total: int) -> Cabeza:
    if not lines or lines[0].votos == 0:
        return Cabeza("sin_votos", None, None, 0, "0.0000")
    first = lines[0]
    second = lines[1] if len(lines) > 1 else None
    gap = first.votos - (second.votos if second else 0)
    tied = () if gap else tuple(line for line in lines if line.votos == first.votos)
    return Cabeza("empate" if tied else "encabeza", first, second, gap, trunc4(gap, total), tied)
