"""A table understood from the one before it: only the lines that are not in both are looked at.

Between two cuts some lines of the file change and all others stay letter by letter. Sums are corrected by those of the
lines that left and of those that came, which the engine adds up as it does for a whole table; all else that a line says
is taken over. The result is the one ``understand`` gives for the whole table, but for ``textos``, which has the new
lines only: tests hold it to that.
"""

from __future__ import annotations

import dataclasses
from collections import Counter, deque
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from pregon.prep.text import NO_UNIT
from pregon.tablas import estadistica
from pregon.tablas.fichas import SIN_CLAVE_ACTA, Entendidas, Fichas, Repetidas, understand_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pregon.prep.model import ActaTable

MAX_NEW = 0.5
"""Part of the lines that may be new: beyond it the whole table is as quick."""
_KEYS = ("nivel", "id", "tipo")


@dataclass(frozen=True, slots=True)
class Correspondencia:
    """Where each row of a table was in the one before: its place there, None for a line that was not there.

    ``nuevas``: places of those lines; ``idas``: places, in the table before, of the lines that are no longer there.
    """

    antes: Sequence[int | None]
    nuevas: Sequence[int]
    idas: Sequence[int]


def match(lines: Sequence[str], before: Sequence[str]) -> Correspondencia | None:
    """Pair equal lines, the first with the first; None where more than ``MAX_NEW`` of them are new: it does not pay."""
    where = dict(zip(before, range(len(before)), strict=True))
    antes = list(map(where.get, lines))
    kept = {place for place in antes if place is not None}
    nuevas = [place for place, old in enumerate(antes) if old is None]
    if len(where) != len(before) or len(kept) + len(nuevas) != len(lines):
        _pair_repeated(antes, lines, before)
        kept = {place for place in antes if place is not None}
        nuevas = [place for place, old in enumerate(antes) if old is None]
    if len(nuevas) > MAX_NEW * len(lines):
        return None
    return Correspondencia(antes, nuevas, [place for place in range(len(before)) if place not in kept])


def _pair_repeated(antes: list[int | None], lines: Sequence[str], before: Sequence[str]) -> None:
    """Put in ``antes`` the places of lines that come more than once on either side, in order."""
    repeated = {line for text in (lines, before) for line, n in Counter(text).items() if n > 1}
    places: dict[str, deque[int]] = {line: deque() for line in repeated}
    for place, line in enumerate(before):
        if line in repeated:
            places[line].append(place)
    for place, line in enumerate(lines):
        if line in repeated:
            antes[place] = places[line].popleft() if places[line] else None


def understand_next(
    table: ActaTable, lines: Sequence[str], before: Entendidas, found: Correspondencia, *, hilos: int | None = None
) -> Entendidas:
    """``table`` understood from the lines of the cut before it, what was made of them (with fichas) and their pairs.

    Both tables must have the same columns, delimiter, level and number of entidades, and no quoted cells.

    Raises:
        ComprobacionError: the engine failed.
    """
    changed = understand_rows(table, found.nuevas, [lines[place] for place in found.idas], hilos=hilos)
    fichas = _gathered(before.fichas, changed.fichas, found)
    faltas = {
        place: before.faltas[old] for place, old in enumerate(found.antes) if old is not None and old in before.faltas
    }
    return Entendidas(
        niveles=_corrected(before.niveles, changed.niveles),
        secciones=_corrected_sections(before.secciones, changed.secciones),
        estadistica=estadistica.corrected(before.estadistica, changed.estadistica),
        primeras=first_places(fichas.unidades),
        faltas=faltas | dict(changed.faltas),
        repetidas=_repeated(fichas),
        fichas=fichas,
        textos=changed.textos,
    )


def first_places(values: Sequence[str]) -> dict[str, int]:
    """The first place of each value but the empty one."""
    found = dict(zip(reversed(values), range(len(values) - 1, -1, -1), strict=True))
    found.pop("", None)
    return found


def _gathered(old: Fichas, new: Fichas, found: Correspondencia) -> Fichas:
    base = len(old.claves)
    places = list(found.antes)
    for number, place in enumerate(found.nuevas):
        places[place] = base + number
    if len(places) < 2:
        pick: Any = lambda column: tuple(column[place] for place in places)  # noqa: E731
    else:
        pick = itemgetter(*places)
    return Fichas(*(pick(getattr(old, field.name) + getattr(new, field.name)) for field in dataclasses.fields(Fichas)))


def _corrected(before: Iterable[Mapping[str, Any]], change: Iterable[Mapping[str, Any]]) -> tuple[dict[str, Any], ...]:
    sums = {tuple(row[name] for name in _KEYS): dict(row) for row in before}
    for row in change:
        key = tuple(row[name] for name in _KEYS)
        known = sums.get(key)
        if known is None:
            sums[key] = dict(row)
            continue
        for name, value in row.items():
            if value and name not in _KEYS:
                known[name] += value
    return tuple(row for key, row in sorted(sums.items()) if row["filas"] or key[0] == "total")


def _corrected_sections(
    before: Sequence[tuple[str, str, str]], change: Sequence[tuple[str, str, str]]
) -> tuple[tuple[str, str, str], ...]:
    sums = {row[:2]: row[2] for row in before}
    in_order = True
    for unit, section, text in change:
        values = map(int, text.split(","))
        old = sums.get((unit, section))
        total = list(values) if old is None else [n + m for n, m in zip(map(int, old.split(",")), values, strict=True)]
        in_order = in_order and old is not None
        if total[0]:
            sums[unit, section] = ",".join(map(str, total))
        else:
            sums.pop((unit, section), None)
    rows = sums.items() if in_order else sorted(sums.items())
    return tuple((*key, text) for key, text in rows)


def _repeated(fichas: Fichas) -> Repetidas:
    return Repetidas(_twice(fichas.claves), _twice(fichas.shas))


def _twice(values: Sequence[str]) -> tuple[tuple[str, int], ...]:
    """Values that come more than once, in the order in which they come first; those that are no value do not count."""
    if len(set(values)) == len(values):
        return ()
    return tuple(
        (value, n)
        for value, n in Counter(values).items()
        if n > 1 and value not in NO_UNIT and not value.startswith(SIN_CLAVE_ACTA)
    )
