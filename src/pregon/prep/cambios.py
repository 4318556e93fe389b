"""What changed between two cuts of one contest: actas that entered, were corrected, moved or left. Pure.

CLAVE_ACTA is not a key (real-data.md §4), so rows are paired in this order, each step on what the one before left:

1. Rows with the very same cells: nothing changed.
2. Same place and same claves; where several share them, first by image (SHA), then in the order of the file.
3. The same image elsewhere, where only one row has it on each side.
4. The same CLAVE_ACTA elsewhere, where only one row has it on each side.

Only actas that have arrived count: an expected one that is still pending neither enters nor leaves.
"""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from itertools import chain, compress
from operator import ne
from typing import TYPE_CHECKING

from pregon.prep.model import Acta, Cell, Estado
from pregon.prep.rows import actas

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence

    from pregon.prep.model import ActaTable

_BLANK = frozenset({"", "-", "--", "N/A", "n/a"})


@dataclasses.dataclass(frozen=True, slots=True)
class Celda:
    """One cell of an acta: its column, and what it said before and says now. A marker is its name."""

    columna: str
    antes: int | str
    despues: int | str


@dataclasses.dataclass(frozen=True, slots=True)
class Correccion:
    """An acta that had arrived and now says something else. ``acta`` is as it stands now."""

    acta: Acta
    celdas: tuple[Celda, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Movida:
    """An acta that now belongs to another unit, sección or casilla."""

    antes: Acta
    despues: Acta


@dataclasses.dataclass(frozen=True)
class Cambios:
    """What a cut brings over the one before it, in the order of its file. An acta may be both moved and corrected."""

    entraron: tuple[Acta, ...] = ()
    corregidas: tuple[Correccion, ...] = ()
    movidas: tuple[Movida, ...] = ()
    salieron: tuple[Acta, ...] = ()


def changes(
    antes: ActaTable, despues: ActaTable, *, distintas: tuple[Sequence[int], Sequence[int]] | None = None
) -> Cambios:
    """What changed from ``antes`` to ``despues``, two cuts of one contest in any dialect.

    ``distintas``: the places of the rows of each that step 1 leaves, from who has compared the files already; of no
    use, and not looked at, when the two tables do not have the same columns.
    """
    old, new = _different(antes, despues, distintas)
    pairs, gone, arrived = _pair(old, new)
    entered = [acta for acta in arrived if _here(acta)]
    left = [acta for acta in gone if _here(acta)]
    corrected: list[Correccion] = []
    moved: list[Movida] = []
    for before, now in pairs:
        if _here(before) and _here(now):
            if _place(before) != _place(now):
                moved.append(Movida(before, now))
            if cells := tuple(_cells(before, now)):
                corrected.append(Correccion(now, cells))
        elif _here(now):
            entered.append(now)
        elif _here(before):
            left.append(before)
    return Cambios(
        tuple(sorted(entered, key=_line)),
        tuple(sorted(corrected, key=lambda item: item.acta.linea)),
        tuple(sorted(moved, key=lambda item: item.despues.linea)),
        tuple(sorted(left, key=_line)),
    )


def _different(
    antes: ActaTable, despues: ActaTable, distintas: tuple[Sequence[int], Sequence[int]] | None
) -> tuple[list[Acta], list[Acta]]:
    """The actas of each side without those whose row is the same text on both (step 1)."""
    if antes.columnas != despues.columnas or antes.varias_entidades != despues.varias_entidades:
        return list(actas(antes)), list(actas(despues))
    if distintas is None:
        distintas = _unmatched(*_comparable(antes, despues))
    return list(actas(antes, distintas[0])), list(actas(despues, distintas[1]))


def _comparable(antes: ActaTable, despues: ActaTable) -> tuple[Sequence[Hashable], Sequence[Hashable]]:
    """The rows of each side, as lines where these say the same as their cells, which is much faster."""
    before, now = antes.crudas, despues.crudas
    if before is None or now is None or antes.dialecto.delimiter != despues.dialecto.delimiter:
        return antes.filas, despues.filas
    return before, now


def _unmatched(before: Sequence[Hashable], now: Sequence[Hashable]) -> tuple[list[int], list[int]]:
    """The places of the rows of each side that the other has not, or not as many times.

    Rows that are equal in the same place are taken out first: they take as many from both counts, and in two cuts of a
    contest they are nearly all.
    """
    shared = min(len(before), len(now))
    unlike = list(compress(range(shared), map(ne, before, now)))
    old = Counter(before[place] for place in chain(unlike, range(shared, len(before))))
    new = Counter(now[place] for place in chain(unlike, range(shared, len(now))))
    return _last(before, old - new), _last(now, new - old)


def _last(rows: Sequence[Hashable], surplus: Counter[Hashable]) -> list[int]:
    """The places of the ``surplus`` rows; of equal ones, the last, for the first are those that both sides have."""
    if not surplus:
        return []
    places = list(compress(range(len(rows)), map(surplus.__contains__, rows)))
    if len(places) == surplus.total():
        return places
    kept: list[int] = []
    for place in reversed(places):
        row = rows[place]
        if surplus[row]:
            surplus[row] -= 1
            kept.append(place)
    return kept[::-1]


def _pair(old: list[Acta], new: list[Acta]) -> tuple[list[tuple[Acta, Acta]], list[Acta], list[Acta]]:
    """Steps 2 to 4: the pairs, and what is left on each side."""
    pairs: list[tuple[Acta, Acta]] = []
    for key, several in ((_place_and_image, False), (_place, True), (_image, False), (_clave, False)):
        found, old, new = _step(old, new, key, several=several)
        pairs += found
    return pairs, old, new


def _step(
    old: list[Acta], new: list[Acta], key: Callable[[Acta], Hashable | None], *, several: bool
) -> tuple[list[tuple[Acta, Acta]], list[Acta], list[Acta]]:
    """Pair by ``key`` (None: none); where a key repeats, in order (``several``) or not at all."""
    left, right = _grouped(old, key), _grouped(new, key)
    pairs: list[tuple[Acta, Acta]] = []
    for value, before in left.items():
        now = right.get(value, [])
        if now and (several or len(before) == len(now) == 1):
            pairs += zip(before, now, strict=False)
    done_old, done_new = {id(before) for before, _ in pairs}, {id(now) for _, now in pairs}
    return pairs, [a for a in old if id(a) not in done_old], [a for a in new if id(a) not in done_new]


def _grouped(items: Iterable[Acta], key: Callable[[Acta], Hashable | None]) -> dict[Hashable, list[Acta]]:
    groups: dict[Hashable, list[Acta]] = defaultdict(list)
    for item in items:
        value = key(item)
        if value is not None:
            groups[value].append(item)
    return groups


def _place(acta: Acta) -> Hashable | None:
    if acta.clave_casilla in _BLANK and acta.clave_acta in _BLANK:
        return None  # fuera de catálogo: nothing tells one from another but its image
    where = (acta.unidad, acta.seccion, acta.tipo, acta.id_casilla, acta.ext_contigua)
    return (acta.clave_casilla, acta.clave_acta, *where)


def _place_and_image(acta: Acta) -> Hashable | None:
    place, image = _place(acta), _image(acta)
    return None if place is None or image is None else (place, image)


def _image(acta: Acta) -> Hashable | None:
    return None if acta.sha in _BLANK else acta.sha


def _clave(acta: Acta) -> Hashable | None:
    return None if acta.clave_acta in _BLANK else (acta.clave_casilla, acta.clave_acta)


def _here(acta: Acta) -> bool:
    return acta.estado is not Estado.PENDIENTE


def _line(acta: Acta) -> int:
    return acta.linea


def _cells(before: Acta, now: Acta) -> Iterator[Celda]:
    """The cells that differ among votes, totals, lista nominal, CONTABILIZADA and observaciones."""
    votes: Iterable[tuple[str, Cell | None, Cell]] = ()
    if before.columnas != now.columnas:
        old = dict(zip(before.columnas, before.votos, strict=True))
        votes = [(column, old.get(column), vote) for column, vote in zip(now.columnas, now.votos, strict=True)]
    elif before.votos != now.votos:
        votes = zip(now.columnas, before.votos, now.votos, strict=True)
    named: tuple[tuple[str, Cell | str | None, Cell | str | None], ...] = (
        *votes,
        ("TOTAL_VOTOS_ASENTADO", before.asentado, now.asentado),
        ("TOTAL_VOTOS_CALCULADO", before.calculado, now.calculado),
        ("LISTA_NOMINAL", before.lista_nominal, now.lista_nominal),
        ("OBSERVACIONES", before.observaciones, now.observaciones),
        ("CONTABILIZADA", before.contabilizada, now.contabilizada),
    )
    for column, was, value in named:
        if was is not None and value is not None and was != value:
            yield Celda(column, _shown(was), _shown(value))


def _shown(cell: Cell | str) -> int | str:
    return cell if isinstance(cell, int) else str(cell)
