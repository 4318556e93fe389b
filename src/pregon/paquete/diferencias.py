"""A recipe that makes a database zip of this cut from the one of the previous cut: ``pregon/diferencia/1``.

The zip of a national election is almost half of a package and changes in every cut, though one line in twenty of its
CSV does. The archive of changes may carry ``<ruta>.diferencia`` instead (docs/adr/0005): which lines of the previous
CSV to copy, and the lines that are new. ``archive`` writes the same bytes from the same names, contents and stamp, so
whoever has the previous zip makes this one again, and knows by its SHA-256 that it is the one the manifest lists.

The file is one raw deflate stream of one line of JSON and the literal bytes of all members, in order::

    {"formato":"pregon/diferencia/1", "destino":{"ruta","bytes","sha256"}, "base": SHA-256, "sello": ISO 8601,
     "miembros":[{"ruta","de": name in the base or null,"bytes","operaciones":[[salto,renglones,literales],…]},…]}

An operation copies ``renglones`` lines of the member ``de``, beginning ``salto`` lines (it may be negative) after the
place where the operation before it ended, and then takes ``literales`` bytes of the literals. A line ends after each
LF; the last one may lack it. A recipe comes from outside: ``decode`` and ``rebuild`` (``paquete.receta``) check every
number.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, TypeVar, cast

from pregon.base.errors import ArchivoError
from pregon.base.jsonio import compact_json
from pregon.paquete.empacado import pack
from pregon.paquete.names import DIFERENCIA
from pregon.paquete.receta import FORMATO, MemberRecipe, Recipe, decode, rebuild

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from pregon.paquete.manifest import FileEntry

__all__ = [
    "DIFERENCIA",
    "FORMATO",
    "MemberRecipe",
    "Recipe",
    "decode",
    "encode",
    "is_worth",
    "line_operations",
    "member_recipe",
    "rebuild",
    "split_lines",
]

MIN_WHOLE_BYTES = 1 << 20
"""Below this a content travels whole."""
_L = TypeVar("_L", bytes, str)


def is_worth(whole_bytes: int, recipe_bytes: int, *, minimo: int = MIN_WHOLE_BYTES) -> bool:
    """Whether a recipe travels: the whole has ``minimo`` bytes at least and the recipe less than half of them."""
    return whole_bytes >= minimo and 2 * recipe_bytes < whole_bytes


def split_lines(content: bytes) -> list[bytes]:
    """The lines of a content as this format counts them, each with its LF."""
    return io.BytesIO(content).readlines()


def line_operations(
    before: Sequence[_L], after: Sequence[_L], index: Mapping[_L, int] | None = None
) -> list[tuple[int, int, int]]:
    """How ``after`` is made from ``before``: (place in ``before``, lines copied, lines of ``after`` inserted next).

    Greedy, O(n): while the next line is the one that follows in ``before`` the run goes on; else its place is looked
    up. Lines may be bytes (``split_lines``) or text; the same objects on both sides are compared fastest. ``index``:
    a place of each line of ``before``, where the caller has it already.
    """
    places = {line: place for place, line in enumerate(before)} if index is None else index
    found: list[tuple[int, int, int]] = []
    size = len(before)
    start = following = 0  # the run under way is before[start:following]
    inserted = 0
    for line in after:
        if not inserted and following < size and before[following] == line:
            following += 1
            continue
        # After a change in place the run goes on where it would have been: cheaper than the index, and the same place
        # for lines that are there more than once.
        place = following + inserted if inserted else -1
        if not (0 <= place < size and before[place] == line):
            place = places.get(line, -1)
        if place < 0:
            inserted += 1
            continue
        if following > start or inserted:
            found.append((start, following - start, inserted))
        start, following, inserted = place, place + 1, 0
    if following > start or inserted:
        found.append((start, following - start, inserted))
    return found


def member_recipe(
    ruta: str,
    de: str | None,
    before: Sequence[_L],
    after: Sequence[_L],
    *,
    index: Mapping[_L, int] | None = None,
    codificacion: str = "utf-8",
) -> MemberRecipe:
    """The recipe of the inner member ``ruta``, whose lines are ``after``, from ``de``, whose lines are ``before``.

    Every line with its end, as it lies in the file: LF, CR LF; the last may have none. Lines of text are encoded by
    ``codificacion``, one in which LF is one byte. ``de`` None: ``before`` is empty.
    """
    operations: list[tuple[int, int, int]] = []
    literals: list[bytes] = []
    position = size = 0
    for place, copied, inserted in line_operations(before, after, index):
        size += sum(len(_encoded(line, codificacion)) for line in after[position : position + copied])
        position += copied
        literal = b"".join([_encoded(line, codificacion) for line in after[position : position + inserted]])
        position += inserted
        size += len(literal)
        literals.append(literal)
        operations.append((place, copied, len(literal)))
    return MemberRecipe(ruta, de, size, tuple(operations), b"".join(literals))


def _encoded(line: bytes | str, codec: str) -> bytes:
    return line if isinstance(line, bytes) else line.encode(codec)


def encode(*, destino: FileEntry, base_sha256: str, sello: datetime, miembros: Sequence[MemberRecipe]) -> bytes:
    """The bytes of a recipe. The same recipe gives the same bytes.

    Args:
        destino: the zip that it makes, as the manifest lists it; written by ``archive`` with the stamp ``sello``.
        base_sha256: of the zip that it is made from.
        sello: aware; the ``hora_corte`` of the cut.
        miembros: every member of ``destino``, in any order.

    Raises:
        ValueError: beyond what a difusor admits (``decode``); the content then travels whole.
    """
    ordered = sorted(miembros, key=lambda member: member.ruta)
    header = {
        "formato": FORMATO,
        "destino": {"ruta": destino.ruta, "bytes": destino.bytes, "sha256": destino.sha256},
        "base": base_sha256,
        "sello": sello.isoformat(),
        "miembros": [
            {"ruta": m.ruta, "de": m.de, "bytes": m.bytes, "operaciones": _relative(m.operaciones)} for m in ordered
        ],
    }
    packed = pack("", b"".join([compact_json(header), *(m.literales for m in ordered)])).comprimido
    recipe = cast("bytes", packed)
    try:
        decode(recipe)
    except ArchivoError as exc:
        raise ValueError(exc.que_paso) from exc
    return recipe


def _relative(operations: Sequence[tuple[int, int, int]]) -> list[list[int]]:
    found, position = [], 0
    for place, copied, literal in operations:
        found.append([place - position, copied, literal])
        position = place + copied
    return found
