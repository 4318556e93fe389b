"""«La noche hasta ahora»: how the capture and each contender went, cut by cut.

The figures are those of ``noche.json``.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from pregon.instituto.noche import ARCHIVO
from pregon.instituto.portal import formato
from pregon.instituto.portal.grafica import Grafica, Serie, ceiling, draw
from pregon.instituto.portal.vista_unidad import INDICE
from pregon.prep.percent import trunc4

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from pregon.instituto.noche import Entrada, Noche
    from pregon.instituto.portal.partidos import Actores, Partido
    from pregon.instituto.portal.vistas import VistaContienda

MAX_LINEAS = 6
"""Contenders with a line of their own."""
RECIENTES = 12
"""Cuts that the tables show at once; older ones are folded."""
_LETRAS = "ABCDEF"


@dataclass(frozen=True)
class Actor:
    """Whoever a line is of: its letter, its colour class, its parties and its person, None where nobody is named."""

    clave: str
    letra: str
    color: str
    partidos: tuple[Partido, ...]
    nombre: str | None

    @property
    def siglas(self) -> str:
        """``PAN · PRI · PRD``."""
        return " · ".join(party.siglas for party in self.partidos)


@dataclass(frozen=True)
class Valor:
    """What a cut says of a line: votes and percentage, or units; None where it did not have it."""

    letra: str
    votos: int | None
    porcentaje: str | None
    unidades: int | None


@dataclass(frozen=True)
class FilaCorte:
    """A cut. ``nuevas``: actas counted since the one before, None where that one is not known."""

    corte: int
    hora: str
    fecha: str
    iso: str
    esperadas: int
    capturadas: int
    porcentaje_capturadas: str
    contabilizadas: int
    porcentaje_contabilizadas: str
    nuevas: int | None
    participacion: str
    valores: tuple[Valor, ...]


@dataclass(frozen=True)
class VistaNoche:
    """The page of a contest's night. ``filas``: most recent first; charts are None with one cut only.

    ``contienden`` is None also where nobody has votes yet. ``otras``: contenders without a line of their own.
    """

    ruta: str
    archivo: str
    resumen: str
    filas: tuple[FilaCorte, ...]
    actores: tuple[Actor, ...]
    avance: Grafica | None
    contienden: Grafica | None
    por_unidades: bool
    unidades: int
    otras: int
    en_palabras_avance: str
    en_palabras_contienden: str
    esperas: tuple[str, ...]

    @property
    def recientes(self) -> tuple[FilaCorte, ...]:
        """Those shown at once."""
        return self.filas[:RECIENTES]

    @property
    def anteriores(self) -> tuple[FilaCorte, ...]:
        """Those folded."""
        return self.filas[RECIENTES:]


def vista_noche(view: VistaContienda, actores: Actores, night: Noche, zona: ZoneInfo) -> VistaNoche:
    """The page of the night of the contest in ``view``; ``night`` ends with the cut that is shown."""
    # Cut 0 is the package before the start: it says nothing of the night.
    cuts = [entry for entry in night.cortes if entry.corte > 0] or list(night.cortes)
    several = len(cuts) > 1
    by_units = not view.eleccion.unico_cargo
    people, others = _by_units(view, actores, cuts) if by_units else _by_votes(view)
    rows = _rows(cuts, night, people, zona, by_units=by_units)
    hours = [entry.hora.astimezone(zona) for entry in cuts]
    advance = people_chart = None
    if several:
        advance = draw(hours, _advance(rows), tope=100, pasos=4, unidad="")
        lines = _lines(rows, people)
        best = max((value or 0 for line in lines for value in line.valores), default=0)
        if best:
            top, parts = ceiling(best, percent=not by_units)
            people_chart = draw(hours, lines, tope=top, pasos=parts, unidad="")
    return VistaNoche(
        ruta=f"{view.id}/noche/{INDICE}",
        archivo=f"{view.datos}{ARCHIVO}",
        resumen=_summary(cuts, zona),
        filas=tuple(reversed(rows)),
        actores=people,
        avance=advance,
        contienden=people_chart,
        por_unidades=by_units,
        unidades=len(view.carreras),
        otras=others,
        en_palabras_avance=_told_advance(rows),
        en_palabras_contienden=_told_lines(rows, people, view.palabra_carrera.plural.lower() if by_units else ""),
        esperas=_waits(hours),
    )


def _by_votes(view: VistaContienda) -> tuple[tuple[Actor, ...], int]:
    """Those with most votes, and how many others have some."""
    voted = [line for line in view.resultados.candidaturas if line.votos]
    shown = voted[:MAX_LINEAS]
    names = [line.nombre if view.con_nombres else None for line in shown]
    return _actors([(line.clave, line.partidos) for line in shown], names), len(voted) - len(shown)


def _by_units(view: VistaContienda, actores: Actores, cuts: Sequence[Entrada]) -> tuple[tuple[Actor, ...], int]:
    """Who leads somewhere now, then who did earlier in the night; and how many more there are."""
    now = {entry.renglon.clave: entry.unidades for entry in view.liderazgos}
    best: dict[str, int] = {}
    for entry in cuts:
        for key, units in (entry.encabeza or {}).items():
            best[key] = max(best.get(key, 0), units)
    order = sorted((key for key, units in best.items() if units), key=lambda key: (-now.get(key, 0), -best[key]))
    shown = order[:MAX_LINEAS]
    people = _actors([(key, actores.partidos(key)) for key in shown], [None] * len(shown))
    return people, len(order) - len(shown)


def _actors(who: Sequence[tuple[str, tuple[Partido, ...]]], names: Sequence[str | None]) -> tuple[Actor, ...]:
    """With a colour each: that of one of its parties which no line above has, else a neutral one."""
    taken: set[str] = set()
    found = []
    for place, ((key, parties), name) in enumerate(zip(who, names, strict=True)):
        free = [party.color for party in parties if party.color not in taken]
        color = free[0] if free else f"t-{place + 1}"
        taken.add(color)
        found.append(Actor(key, _LETRAS[place], color, parties, name))
    return tuple(found)


def _rows(
    cuts: Sequence[Entrada], night: Noche, people: Sequence[Actor], zona: ZoneInfo, *, by_units: bool
) -> list[FilaCorte]:
    before = {b.corte: a.contabilizadas for a, b in zip(night.cortes, night.cortes[1:], strict=False)}
    before |= {entry.corte: 0 for entry in night.cortes[:1] if entry.corte <= 1}
    return [
        FilaCorte(
            corte=entry.corte,
            hora=formato.hora(entry.hora, zona),
            fecha=formato.fecha(entry.hora, zona),
            iso=entry.hora.astimezone(zona).isoformat(timespec="minutes"),
            esperadas=entry.esperadas,
            capturadas=entry.capturadas,
            porcentaje_capturadas=trunc4(entry.capturadas, entry.esperadas),
            contabilizadas=entry.contabilizadas,
            porcentaje_contabilizadas=trunc4(entry.contabilizadas, entry.esperadas),
            nuevas=entry.contabilizadas - before[entry.corte] if entry.corte in before else None,
            participacion=entry.participacion,
            valores=tuple(_value(entry, actor, by_units=by_units) for actor in people),
        )
        for entry in cuts
    ]


def _value(entry: Entrada, actor: Actor, *, by_units: bool) -> Valor:
    if by_units:
        return Valor(actor.letra, None, None, None if entry.encabeza is None else entry.encabeza.get(actor.clave))
    votes = entry.candidaturas.get(actor.clave)
    return Valor(actor.letra, votes, None if votes is None else trunc4(votes, entry.total_votos), None)


def _advance(rows: Sequence[FilaCorte]) -> tuple[Serie, ...]:
    last = rows[-1]
    captured = tuple(_hundredths(row.porcentaje_capturadas) for row in rows)
    counted = tuple(_hundredths(row.porcentaje_contabilizadas) for row in rows)
    return (
        Serie("capturadas", "A", "l-capturadas", captured, last.porcentaje_capturadas, "Capturadas"),
        Serie("contabilizadas", "B", "l-contabilizadas", counted, last.porcentaje_contabilizadas, "Contabilizadas"),
    )


def _lines(rows: Sequence[FilaCorte], people: Sequence[Actor]) -> tuple[Serie, ...]:
    found = []
    for place, actor in enumerate(people):
        values = [row.valores[place] for row in rows]
        last = next(
            (value for value in reversed(values) if value.votos is not None or value.unidades is not None), None
        )
        found.append(
            Serie(
                clave=actor.clave,
                letra=actor.letra,
                color=actor.color,
                valores=tuple(_drawn(value) for value in values),
                final="" if last is None else last.porcentaje or str(last.unidades),
                nombre=actor.siglas,
            )
        )
    return tuple(found)


def _drawn(value: Valor) -> int | None:
    if value.unidades is not None:
        return value.unidades * 100
    return None if value.porcentaje is None else _hundredths(value.porcentaje)


def _hundredths(percent: str) -> int:
    """``34.2139`` -> 3421, at most 100 %: more captured than expected is a matter for the table, not for a line."""
    whole, _, decimals = percent.partition(".")
    return min(int(whole) * 100 + int(decimals[:2]), 10_000)


def _summary(cuts: Sequence[Entrada], zona: ZoneInfo) -> str:
    first, last = cuts[0].hora, cuts[-1].hora
    if len(cuts) == 1:
        return f"Hasta ahora hay un solo corte, el de las {formato.hora(last, zona)}: aún no hay con qué compararlo."
    begun, ended = formato.fecha(first, zona), formato.fecha(last, zona)
    until = formato.hora(last, zona) if begun == ended else f"{formato.hora(last, zona)} del {ended}"
    return f"{len(cuts)} cortes, de las {formato.hora(first, zona)} del {begun} a las {until}."


def _told_advance(rows: Sequence[FilaCorte]) -> str:
    first, last = rows[0], rows[-1]
    return (
        f"Las actas capturadas pasaron de {formato.porcentaje(first.porcentaje_capturadas)} a "
        f"{formato.porcentaje(last.porcentaje_capturadas)} de las esperadas; las contabilizadas, de "
        f"{formato.porcentaje(first.porcentaje_contabilizadas)} a {formato.porcentaje(last.porcentaje_contabilizadas)}."
    )


def _told_lines(rows: Sequence[FilaCorte], people: Sequence[Actor], units: str) -> str:
    told = []
    for place, actor in enumerate(people):
        seen = [row.valores[place] for row in rows]
        shown = [value for value in seen if value.votos is not None or value.unidades is not None]
        if not shown:
            continue
        first, last = shown[0], shown[-1]
        if units:
            told.append(f"{actor.siglas}, de {first.unidades} a {last.unidades} {units}")
        else:
            told.append(
                f"{actor.siglas}, de {formato.porcentaje(first.porcentaje or '')} "
                f"a {formato.porcentaje(last.porcentaje or '')}"
            )
    return f"Del primer corte al último: {'; '.join(told)}." if told else ""


def _waits(hours: Sequence[datetime]) -> tuple[str, ...]:
    """Where no cut came for much longer than usual."""
    minutes = [int((b - a).total_seconds()) // 60 for a, b in pairwise(hours)]
    if not minutes:
        return ()
    usual = sorted(minutes)[len(minutes) // 2]
    return tuple(
        f"{a:%H:%M}{formato.NBSP}h y {b:%H:%M}{formato.NBSP}h"
        for a, b, wait in zip(hours, hours[1:], minutes, strict=False)
        if wait > usual * 2.5
    )
