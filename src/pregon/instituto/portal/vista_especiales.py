"""Special votes apart: casillas especiales, voto en el extranjero, anticipado… of each unit and of the whole contest.

They are in every total already; here they stand beside the votes of ordinary casillas (prep.md §5.1).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pregon.instituto.portal.formato import cantidad

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pregon.instituto.portal.modelo import Resultados
    from pregon.instituto.portal.partidos import Actores, Partido
    from pregon.instituto.portal.vistas import VistaContienda
    from pregon.tablas.model import ContestTotals, SpecialTotals, UnitTotals

CONTIENDA = ""
"""The key of the whole contest among the ids of its units."""
_NO_REGISTRADAS, _NULOS, _TOTAL = "no_registradas", "nulos", "total"


@dataclass(frozen=True)
class Modalidad:
    """A kind of special vote: its letter, its name, and how many of its actas are counted."""

    tipo: str
    nombre: str
    contabilizadas: int
    esperadas: int


@dataclass(frozen=True)
class FilaEspecial:
    """A line: its votes in ordinary casillas, in each of the kinds, and all. ``partidos``: none for the last lines."""

    clave: str
    partidos: tuple[Partido, ...]
    nombre: str | None
    ordinarias: int
    especiales: tuple[int, ...]
    total: int


@dataclass(frozen=True)
class VistaEspeciales:
    """The special votes of one scope. ``modalidades``: those with counted actas, which are the columns of ``filas``."""

    modalidades: tuple[Modalidad, ...]
    filas: tuple[FilaEspecial, ...]
    avance: str
    """How many actas of each kind are counted, in words."""


def vistas_especiales(view: VistaContienda, totals: ContestTotals, actores: Actores) -> dict[str, VistaEspeciales]:
    """The special votes of each unit and entidad by its id, and of the contest under ``CONTIENDA``; only where there
    are any.

    ``totals`` must be those of ``view``. What a vote column adds to may differ from unit to unit, so the whole is the
    sum of its units.
    """
    found: dict[str, VistaEspeciales] = {}
    whole: dict[str, Counter[str]] = {}
    by_unit: dict[str, dict[str, Counter[str]]] = {}
    for shown, unit in zip(view.unidades, totals.unidades, strict=True):
        if not unit.especiales:
            continue
        votes = {special.tipo: _by_candidatura(unit, special, actores) for special in unit.especiales}
        by_unit[unit.id] = votes
        _add(whole, votes)
        found[unit.id] = _view(shown.resultados, unit.candidaturas, unit.especiales, votes)
    for part, counts in zip(view.entidades, totals.entidades, strict=True):
        if counts.especiales:
            sums: dict[str, Counter[str]] = {}
            for one in part.unidades:
                _add(sums, by_unit.get(one.id, {}))
            found[counts.id] = _view(part.resultados, counts.candidaturas, counts.especiales, sums)
    if totals.entidad.especiales:
        found[CONTIENDA] = _view(view.resultados, totals.candidaturas, totals.entidad.especiales, whole)
    return found


def _add(sums: dict[str, Counter[str]], votes: Mapping[str, Counter[str]]) -> None:
    for kind, counted in votes.items():
        sums.setdefault(kind, Counter()).update(counted)


def _by_candidatura(unit: UnitTotals, special: SpecialTotals, actores: Actores) -> Counter[str]:
    """The votes of a kind by the candidatura that each column adds to in its unit."""
    counted: Counter[str] = Counter()
    for column, votes in special.contendientes.items():
        key = _NULOS if actores.nulos(column) else _NO_REGISTRADAS if actores.no_registradas(column) else ""
        counted[key or unit.suma_a.get(column, column)] += votes
    return counted


def _view(
    results: Resultados,
    candidaturas: Mapping[str, int],
    especiales: Sequence[SpecialTotals],
    votes: Mapping[str, Counter[str]],
) -> VistaEspeciales:
    kinds = tuple(
        Modalidad(special.tipo, special.nombre, special.actas.contabilizadas, special.actas.esperadas)
        for special in especiales
    )
    shown = tuple(kind for kind in kinds if kind.contabilizadas)
    apart = [votes[kind.tipo] for kind in shown]
    lines = [(line.clave, line.partidos, line.nombre, candidaturas[line.clave]) for line in results.candidaturas]
    rest = results.resumen
    lines += [
        (_NO_REGISTRADAS, (), "Candidaturas no registradas", rest.no_registradas),
        (_NULOS, (), "Votos nulos", rest.nulos),
    ]
    rows = [_row(key, parties, name, total, [counted[key] for counted in apart]) for key, parties, name, total in lines]
    rows.append(_row(_TOTAL, (), "Total", rest.total, [counted.total() for counted in apart]))
    return VistaEspeciales(shown, tuple(rows) if shown else (), _told(kinds))


def _row(key: str, parties: tuple[Partido, ...], name: str | None, total: int, apart: Sequence[int]) -> FilaEspecial:
    return FilaEspecial(key, parties, name, total - sum(apart), tuple(apart), total)


def _told(kinds: Iterable[Modalidad]) -> str:
    told = [
        f"{kind.nombre.lower()}, {kind.contabilizadas:,} de "
        f"{cantidad(kind.esperadas, 'acta contabilizada', 'actas contabilizadas')}"
        for kind in kinds
    ]
    text = "; ".join(told)
    return f"{text[0].upper()}{text[1:]}." if text else ""
