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
from itertools import compress
from operator import eq, itemgetter, ne
from typing import TYPE_CHECKING, Any, TypeVar

from pregon.prep.plain import differing
from pregon.prep.text import NO_UNIT
from pregon.tablas import estadistica
from pregon.tablas.fichas import SIN_CLAVE_ACTA, Entendidas, Fichas, Repetidas, understand_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pregon.prep.model import ActaTable
    from pregon.prep.plain import PlainRows

MAX_NEW = 0.5
"""Part of the lines that may be new: beyond it the whole table is as quick."""
_IN_PLACE = 8
"""One row of so many may differ in its place before pairs are sought elsewhere."""
_KEYS = ("nivel", "id", "tipo")
_L = TypeVar("_L", bytes, str)


@dataclass(frozen=True, slots=True)
class Correspondencia:
    """Where each row of a table was in the one before: its place there, None for a line that was not there.

    ``nuevas``: places of those lines; ``idas``: places, in the table before, of the lines that are no longer there.
    ``fijas``: each line that was there is where it was.
    """

    antes: Sequence[int | None]
    nuevas: Sequence[int]
    idas: Sequence[int]
    fijas: bool = False


def match_rows(rows: PlainRows, before: PlainRows) -> Correspondencia | None:
    """``match`` of the rows of two files of one form; nothing is made of those that stay where they were.

    The rows that came and those that left are kept in each (``PlainRows.keep``).
    """
    body, old = rows.body, before.body
    if body is None or old is None:
        return match(rows.lineas, before.lineas)
    apart = differing(body, old, most=body.filas // _IN_PLACE)
    if apart is None or not set(apart[0].values()).isdisjoint(apart[1].values()):
        lines, known = rows.cortadas, before.cortadas
        return None if lines is None or known is None else match(lines, known)
    rows.keep(apart[0])
    before.keep(apart[1])
    nuevas, idas = list(apart[0]), list(apart[1])
    return None if len(nuevas) > MAX_NEW * body.filas else _in_place(body.filas, nuevas, idas)


def match(lines: Sequence[_L], before: Sequence[_L]) -> Correspondencia | None:
    """Pair equal lines, those in the same place or else the first with the first; text or bytes on both sides.

    None where more than ``MAX_NEW`` of them are new: it does not pay.
    """
    shared: int = min(len(lines), len(before))
    unlike: list[int] = list(compress(range(shared), map(ne, lines, before)))
    nuevas, idas = [*unlike, *range(shared, len(lines))], [*unlike, *range(shared, len(before))]
    gone = {before[place] for place in idas}
    if any(lines[place] in gone for place in nuevas):  # some of them only moved
        return _match_anywhere(lines, before)
    return None if len(nuevas) > MAX_NEW * len(lines) else _in_place(len(lines), nuevas, idas)


def _in_place(rows: int, nuevas: Sequence[int], idas: Sequence[int]) -> Correspondencia:
    antes: list[int | None] = list(range(rows))
    for place in nuevas:
        antes[place] = None
    return Correspondencia(antes, nuevas, idas, fijas=True)


def _match_anywhere(lines: Sequence[_L], before: Sequence[_L]) -> Correspondencia | None:
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


def _pair_repeated(antes: list[int | None], lines: Sequence[_L], before: Sequence[_L]) -> None:
    """Put in ``antes`` the places of lines that come more than once on either side, in order."""
    repeated = {line for text in (lines, before) for line, n in Counter(text).items() if n > 1}
    places: dict[_L, deque[int]] = {line: deque() for line in repeated}
    for place, line in enumerate(before):
        if line in repeated:
            places[line].append(place)
    for place, line in enumerate(lines):
        if line in repeated:
            antes[place] = places[line].popleft() if places[line] else None


def understand_next(
    table: ActaTable, idas: Sequence[str], before: Entendidas, found: Correspondencia, *, hilos: int | None = None
) -> Entendidas:
    """``table`` understood from the cut before it: the lines that left, what was made of it (with fichas), their pairs.

    Both tables must have the same columns, delimiter, level and number of entidades, and no quoted cells.

    Raises:
        ComprobacionError: the engine failed.
    """
    changed = understand_rows(table, found.nuevas, idas, hilos=hilos)
    fichas = _gathered(before.fichas, changed.fichas, found)
    kept: Iterable[tuple[int, int | None]] = enumerate(found.antes)
    if found.fijas:
        kept = ((place, found.antes[place]) for place in before.faltas if place < len(found.antes))
    faltas = {place: before.faltas[old] for place, old in kept if old is not None and old in before.faltas}
    sections = _corrected_sections(before.secciones, changed.secciones)
    touched = frozenset(map(itemgetter(0, 1), changed.secciones))
    return Entendidas(
        niveles=_corrected(before.niveles, changed.niveles),
        secciones=sections,
        estadistica=estadistica.corrected(before.estadistica, changed.estadistica),
        primeras=first_places(fichas.unidades),
        faltas=faltas | dict(changed.faltas),
        repetidas=_repeated(fichas),
        fichas=fichas,
        textos=changed.textos,
        tocadas=touched if _same_sections(before.secciones, sections) else None,
    )


def first_places(values: Sequence[str]) -> dict[str, int]:
    """The first place of each value but the empty one."""
    found = dict(zip(reversed(values), range(len(values) - 1, -1, -1), strict=True))
    found.pop("", None)
    return found


def _gathered(old: Fichas, new: Fichas, found: Correspondencia) -> Fichas:
    columns = []
    for field in dataclasses.fields(Fichas):
        before: tuple[str, ...] = getattr(old, field.name)
        if found.fijas:
            column = [*before[: len(found.antes)], *[""] * (len(found.antes) - len(before))]
        else:
            column = ["" if place is None else before[place] for place in found.antes]
        for place, value in zip(found.nuevas, getattr(new, field.name), strict=True):
            column[place] = value
        columns.append(tuple(column))
    return Fichas(*columns)


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
    place_of = dict(zip(map(itemgetter(0, 1), before), range(len(before)), strict=True))
    rows: list[tuple[str, str, str] | None] = list(before)
    came = False
    for unit, section, text in change:
        values = map(int, text.split(","))
        place = place_of.get((unit, section))
        old = None if place is None else before[place][2]
        total = list(values) if old is None else [n + m for n, m in zip(map(int, old.split(",")), values, strict=True)]
        row = (unit, section, ",".join(map(str, total))) if total[0] else None
        if place is not None:
            rows[place] = row
        elif row is not None:
            rows.append(row)
            came = True
    left = [row for row in rows if row is not None]
    return tuple(sorted(left, key=itemgetter(0, 1)) if came else left)


def _same_sections(before: Sequence[tuple[str, str, str]], now: Sequence[tuple[str, str, str]]) -> bool:
    return len(before) == len(now) and all(map(eq, map(itemgetter(0, 1), before), map(itemgetter(0, 1), now)))


def _repeated(fichas: Fichas) -> Repetidas:
    return Repetidas(_twice(fichas.claves), _twice(fichas.shas))


def _twice(values: Sequence[str]) -> tuple[tuple[str, int], ...]:
    """Values that come more than once, in the order in which they come first; those that are no value do not count."""
    values = list(filter(None, values))
    if len(set(values)) == len(values):
        return ()
    return tuple(
        (value, n)
        for value, n in Counter(values).items()
        if n > 1 and value not in NO_UNIT and not value.startswith(SIN_CLAVE_ACTA)
    )
