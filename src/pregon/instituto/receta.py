"""The recipe of a contest's database zip: from that of the previous cut, by the lines that changed (docs/adr/0005)."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from pregon.paquete.diferencias import MemberRecipe, encode, is_worth, member_recipe, split_lines
from pregon.paquete.manifest import FileEntry
from pregon.prep.plain import PlainRows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pregon.instituto.base_de_datos import BaseDeDatos
    from pregon.paquete.manifest import ManifestHead
    from pregon.prep.model import ActaTable
    from pregon.tablas.siguiente import Correspondencia


@dataclass(frozen=True)
class Partida:
    """What a recipe starts from: the zip of the previous cut, its table within, and where each line was.

    ``cabezas``: lines above the rows of that table.
    """

    sha256: str
    miembro: str
    cabezas: int
    lineas: Correspondencia


def encoded(head: ManifestHead, base: BaseDeDatos, table: ActaTable, partida: Partida) -> bytes | None:
    """The recipe, or None where it does not pay; ``table`` travels in ``base`` as it was read."""
    dialect = table.dialecto
    ended = dialect.line_end.endswith("\n") and dialect.final_line_end and not table.original.cola
    offered = base.descarga
    rows = table.filas
    if not isinstance(rows, PlainRows) or not ended or not base.verbatim or not is_worth(offered.bytes, 0):
        return None
    with zipfile.ZipFile(base.archivo) as archive:
        size = archive.getinfo(table.origen).file_size
        others = [name for name in offered.contenido if name != table.origen]
        recipes = [member_recipe(name, None, [], split_lines(archive.read(name))) for name in others]
    recipes.append(_table_recipe(table, rows, size, partida))
    destino = FileEntry(offered.ruta, offered.bytes, offered.sha256)
    try:
        found = encode(destino=destino, base_sha256=partida.sha256, sello=head.hora_corte, miembros=recipes)
    except ValueError:
        return None  # beyond what a difusor admits: it travels whole
    return found if is_worth(offered.bytes, len(found)) else None


def _table_recipe(table: ActaTable, rows: PlainRows, size: int, partida: Partida) -> MemberRecipe:
    """The lines above the rows as they are (they hold the hour); of the rows, runs of those that were there."""
    codec, end = table.dialecto.encoding, table.dialecto.line_end
    mark = "\ufeff" if table.dialecto.bom else ""
    new = iter([(line + end).encode(codec) for line in rows.at(partida.lineas.nuevas).lineas])
    literal = [(mark + "".join(table.original.cabeza)).encode(codec)]
    literals: list[bytes] = []
    operations: list[tuple[int, int, int]] = []
    for start, copied, inserted in _runs(partida.lineas, len(rows)):
        literals.append(b"".join((*literal, *islice(new, inserted))))
        operations.append((partida.cabezas + start, copied, len(literals[-1])))
        literal = []
    return MemberRecipe(table.origen, partida.miembro, size, tuple(operations), b"".join(literals))


def _runs(lineas: Correspondencia, rows: int) -> Iterator[tuple[int, int, int]]:
    """Runs of rows that were there: where the run began, how many rows, and how many new ones follow. The first run is
    of none: what comes before every row that was there."""
    start = copied = inserted = 0
    if lineas.fijas:
        following = 0
        for place in lineas.nuevas:
            if place > following:
                yield start, copied, inserted
                start, copied, inserted = following, place - following, 0
            inserted += 1
            following = place + 1
        if rows > following:
            yield start, copied, inserted
            start, copied, inserted = following, rows - following, 0
    else:
        first = True
        for before in lineas.antes:
            if before is None:
                inserted += 1
            elif first or inserted or before != start + copied:
                yield start, copied, inserted
                start, copied, inserted, first = before, 1, 0, False
            else:
                copied += 1
    yield start, copied, inserted
