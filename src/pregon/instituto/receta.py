"""The recipe of a contest's database zip: from that of the previous cut, by the lines that changed (docs/adr/0005)."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pregon.paquete.diferencias import MemberRecipe, encode, is_worth, member_recipe, split_lines
from pregon.paquete.manifest import FileEntry

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    if table.crudas is None or not ended or not base.verbatim or not is_worth(offered.bytes, 0):
        return None
    with zipfile.ZipFile(base.archivo) as archive:
        size = archive.getinfo(table.origen).file_size
        others = [name for name in offered.contenido if name != table.origen]
        recipes = [member_recipe(name, None, [], split_lines(archive.read(name))) for name in others]
    recipes.append(_table_recipe(table, table.crudas, size, partida))
    destino = FileEntry(offered.ruta, offered.bytes, offered.sha256)
    try:
        found = encode(destino=destino, base_sha256=partida.sha256, sello=head.hora_corte, miembros=recipes)
    except ValueError:
        return None  # beyond what a difusor admits: it travels whole
    return found if is_worth(offered.bytes, len(found)) else None


def _table_recipe(table: ActaTable, lines: Sequence[str], size: int, partida: Partida) -> MemberRecipe:
    """The lines above the rows as they are (they hold the hour); of the rows, runs of those that were there."""
    codec = "utf-8" if table.dialecto.encoding == "utf-8" else "latin-1"
    end = table.dialecto.line_end
    mark = "\ufeff" if table.dialecto.bom else ""
    literal = [(mark + "".join(table.original.cabeza)).encode(codec)]
    literals: list[bytes] = []
    operations: list[tuple[int, int, int]] = []
    start = following = 0
    for place, before in enumerate(partida.lineas.antes):
        if before is None:
            literal.append((lines[place] + end).encode(codec))
        elif literal or before != following:
            if following > start or literal:
                literals.append(b"".join(literal))
                operations.append((partida.cabezas + start, following - start, len(literals[-1])))
                literal = []
            start, following = before, before + 1
        else:
            following += 1
    if following > start or literal:
        literals.append(b"".join(literal))
        operations.append((partida.cabezas + start, following - start, len(literals[-1])))
    return MemberRecipe(table.origen, partida.miembro, size, tuple(operations), b"".join(literals))
