"""The files of secciones and actas: one per ten section numbers (``datos/<NNNN>/<contienda>/seccion/…``).

Their text is put together from that of each acta and the sums of each sección, as the engine gives them
(``tablas.fichas``): a national contest has 171,000 actas, and only the files of those that changed are made again.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeVar

from pregon.prep.rows import actas
from pregon.prep.text import natural
from pregon.tablas.fichas import SECCIONES_POR_HOJA, SIN_CLAVE_ACTA

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from typing import Self

    from pregon.prep.model import Acta, ActaTable
    from pregon.tablas.fichas import Fichas

FORMATO = "pregon/seccion/1"
_OTRAS = "otras"
_SECCIONES, _ACTAS, _FIRST_ID, _BETWEEN, _END = '"secciones":[', '],"casillas":[{"id":', '{"id":', '},{"id":', "}]}\n"
_FIRST = '"clave":'
_MAX_DIGITS = 9
_NUMERO = re.compile(r"\d{4}", re.ASCII)
_Row = TypeVar("_Row", bound=tuple[Any, ...])


@dataclass(slots=True)
class Hoja:
    """One file: the places of its actas in the file of the source, in its order, and its secciones (unit, id, sums)."""

    actas: list[int] = field(default_factory=list)
    secciones: list[tuple[str, str, str]] = field(default_factory=list)


def shard_of(seccion: str, entidad: str = "") -> str:
    """The file that holds a sección: its first number in four digits (``0118`` -> ``0100``), or ``otras``.

    Sección numbers begin again in each entidad, so in a federal file its id comes first: ``09-0100``.
    """
    numbered = seccion.isascii() and seccion.isdecimal() and len(seccion) <= _MAX_DIGITS
    name = f"{int(seccion) // SECCIONES_POR_HOJA * SECCIONES_POR_HOJA:04d}" if numbered else _OTRAS
    return f"{entidad}-{name}" if entidad else name


def places_of(hojas: Sequence[str]) -> dict[str, list[int]]:
    """The places of the actas of each file, in order; ``hojas`` is the file of each acta."""
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, name in enumerate(hojas):
        places[name].append(place)
    return dict(places)


def sheets(
    hojas: Sequence[str],
    secciones: Iterable[tuple[str, str, str]],
    primeras: Mapping[str, int],
    *,
    lugares: Mapping[str, list[int]] | None = None,
) -> dict[str, Hoja]:
    """What each file holds, by name; ``hojas`` is the file of each acta, the rest as in ``Entendidas``.

    ``lugares``: what ``places_of(hojas)`` gives, where it is known already.
    """
    found = {name: Hoja(here) for name, here in (lugares or places_of(hojas)).items()}
    # All actas of a unit are of one entidad, which begins the name of their files.
    entities = {unit: hojas[place].rpartition("-")[0] for unit, place in primeras.items()}
    for row in secciones:
        found[shard_of(row[1], entities[row[0]])].secciones.append(row)
    return found


def in_order(rows: Iterable[_Row]) -> list[_Row]:
    """Rows that begin with the id of a sección, by its number; ids of four digits, nearly all, are so by their text."""
    found = sorted(rows, key=itemgetter(0))
    if not all(map(_NUMERO.fullmatch, [row[0] for row in found])):
        found.sort(key=lambda row: natural(row[0]))
    return found


def sheet_text(sheet: Hoja, columnas: Sequence[str], nivel: str, items: Sequence[str]) -> bytes:
    """The bytes of one file. Votes are lists in the order of ``columnas``: several times smaller than objects.

    In an acta a vote is a count, or the name of the marker that the cell holds. ``items``: of each acta (``item``).
    """
    return (
        f'{{"formato":"{FORMATO}","columnas":[{",".join(map(quoted, columnas))}],{_SECCIONES}'
        f"{joined_items([_section(row, nivel) for row in _by_number(sheet.secciones)])}"
        f"{_ACTAS}{_BETWEEN.join(items)}{_END}"
    ).encode()


def amended(
    content: bytes, sheet: Hoja, nivel: str, tocadas: Collection[tuple[str, str]], items: Mapping[int, str]
) -> bytes | None:
    """A file made from that of the previous cut, which had the same secciones and actas in the same places.

    Args:
        content: the file of the previous cut.
        sheet: what it holds now.
        nivel: the level of its units.
        tocadas: unit and id of the secciones that may have other sums (of no matter which file).
        items: of the actas that changed, by place (``item``).

    Gives the bytes of ``sheet_text``, or None where ``content`` does not have as many secciones and actas.
    """
    above, _, below = content.decode().partition(_ACTAS)
    head, _, listed = above.partition(_SECCIONES)
    rows = _by_number(sheet.secciones)
    sections, actas = split_items(listed), below.removesuffix(_END).split(_BETWEEN)
    if len(sections) != len(rows) or len(actas) != len(sheet.actas):
        return None
    for place, row in enumerate(rows):
        if row[:2] in tocadas:
            sections[place] = _section(row, nivel)
    for place, text in items.items():
        actas[bisect_left(sheet.actas, place)] = text
    return f"{head}{_SECCIONES}{joined_items(sections)}{_ACTAS}{_BETWEEN.join(actas)}{_END}".encode()


def split_items(listed: str) -> list[str]:
    """The objects of a JSON list that all begin with their id, without the braces and key that part them. None holds
    these: its quotes are escaped."""
    return listed[len(_FIRST_ID) : -1].split(_BETWEEN) if listed else []


def joined_items(items: Sequence[str]) -> str:
    """What ``split_items`` parted, together again."""
    return f"{_FIRST_ID}{_BETWEEN.join(items)}}}" if items else ""


def _by_number(rows: Sequence[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """The secciones of a file (unit, id, sums) by their number, then by unit; nearly all are of one unit."""
    if len({row[0] for row in rows}) <= 1 and all(map(_NUMERO.fullmatch, map(itemgetter(1), rows))):
        return sorted(rows, key=itemgetter(1))
    return sorted(rows, key=lambda row: (natural(row[1]), natural(row[0])))


def item(identity: str | None, texto: str) -> str:
    """An acta within a file: its id, then its text (``Entendidas.textos``)."""
    return f"{quoted(identity)},{texto}"


def items_of(content: bytes) -> list[str]:
    """The items that ``sheet_text`` put into a file, in order. None holds what parts them: its quotes are escaped."""
    return content.decode().partition(_ACTAS)[2].removesuffix(_END).split(_BETWEEN)


def text_in(item: str) -> str:
    """The text of an item, without its id."""
    return f"{_FIRST}{item.partition(_FIRST)[2]}"


@dataclass(frozen=True, slots=True)
class Ids:
    """A stable id for each acta by its place, None outside the catalogue.

    It is CLAVE_ACTA. Published files repeat some (one casilla in two municipalities, votes from abroad): the first
    keeps it and the others take ``.2``, ``.3``… by unit, sección and casilla, then in the order of the file.
    ``repetidas`` are the ids of all those that share their key.
    """

    claves: Sequence[str]
    repetidas: Mapping[int, str]

    @classmethod
    def of(cls, table: ActaTable, fichas: Fichas) -> Self:
        """Those of a table."""
        claves = [clave.removeprefix(SIN_CLAVE_ACTA) for clave in fichas.claves]
        present = list(filter(None, claves))
        if len(set(present)) == len(present):
            return cls(claves, {})
        times = Counter(claves)
        repeated = [place for place, key in enumerate(claves) if key and times[key] > 1]
        same: dict[str, list[tuple[tuple[Any, ...], int]]] = {}
        for place, acta in zip(repeated, actas(table, repeated), strict=True):
            same.setdefault(claves[place], []).append((_order(acta), place))
        found: dict[int, str] = {}
        for key, places in same.items():
            for number, (_, place) in enumerate(sorted(places), start=1):
                found[place] = key if number == 1 else f"{key}.{number}"
        return cls(claves, found)

    def __getitem__(self, place: int) -> str | None:
        return self.repetidas.get(place) or self.claves[place] or None


def described(found: Mapping[str, Hoja]) -> list[dict[str, Any]]:
    """What ``indice.json`` says of each file, by name: ``desde`` and ``hasta`` are of the secciones with totals."""
    return [_described(name, found[name]) for name in sorted(found)]


def _described(name: str, sheet: Hoja) -> dict[str, Any]:
    ids = {section for _, section, _ in sheet.secciones}
    numbers = {text for text in ids if text.isascii() and text.isdecimal()}
    return {
        "archivo": f"seccion/{name}.json",
        "entidad": name.rpartition("-")[0] or None,
        "desde": min(numbers, key=int, default=None),
        "hasta": max(numbers, key=int, default=None),
        "secciones": len(ids),
        "actas": len(sheet.actas),
    }


def _section(row: tuple[str, str, str], nivel: str) -> str:
    unit, section, sums = row
    expected, captured, counted, lista, total, votes = sums.split(",", 5)
    return (
        f'{quoted(section)},"{nivel}":{quoted(unit)},"lista_nominal":{lista},"total_votos":{total},'
        f'"actas":{{"esperadas":{expected},"capturadas":{captured},"contabilizadas":{counted}}},"votos":[{votes}]'
    )


def quoted(value: str | None) -> str:
    """A value as JSON; nearly every one is an id of letters and digits."""
    if isinstance(value, str) and value.isascii() and value.isalnum():
        return f'"{value}"'
    return json.dumps(value, ensure_ascii=False)


def _order(acta: Acta) -> tuple[Any, ...]:
    return tuple(natural(text) for text in (acta.unidad, acta.seccion, acta.id_casilla, acta.ext_contigua))
