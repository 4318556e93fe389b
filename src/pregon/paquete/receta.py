"""Reads a recipe that nobody vouches for, and makes the zip that it tells (``paquete.diferencias`` has the format)."""

from __future__ import annotations

import io
import json
import re
from array import array
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import accumulate
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn, cast

from pregon.base.errors import ArchivoError, EntradaError, PregonError
from pregon.paquete.archive import zip_of
from pregon.paquete.crudo import inflated
from pregon.paquete.empacado import is_stored, pack, pack_stream
from pregon.paquete.errors import BaseError, DiferenciaError, DistintaError
from pregon.paquete.manifest import FileEntry
from pregon.paquete.names import check_path
from pregon.paquete.reading import ReadingLimits, members

if TYPE_CHECKING:
    import builtins
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pregon.paquete.crudo import Packed
    from pregon.paquete.reading import Member

FORMATO = "pregon/diferencia/1"
MAX_RECIPE_BYTES = 64 << 20
MAX_HEADER_BYTES = 8 << 20
"""Some 700,000 operations; a national CSV with one line in twenty changed takes 17,000."""
MAX_MEMBERS = 64
MAX_MEMBER_BYTES = 256 << 20
"""Largest inner member, of the base or of the result: one of each is held in memory."""
MAX_TOTAL_BYTES = 512 << 20
MAX_LITERAL_BYTES = 128 << 20
_MAX_NUMBER = 1 << 40
_LIMITS = ReadingLimits(miembros=MAX_MEMBERS, archivo=MAX_MEMBER_BYTES, total=MAX_TOTAL_BYTES)
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class MemberRecipe:
    """How to make one inner member, ``ruta``, of ``bytes`` bytes, from the member ``de`` of the base (None: from none).

    ``operaciones``: (place of the first line copied, lines copied, literal bytes that follow them); ``literales``:
    those bytes, one after the other.
    """

    ruta: str
    de: str | None
    bytes: int
    operaciones: tuple[tuple[int, int, int], ...]
    literales: builtins.bytes


@dataclass(frozen=True, slots=True)
class Recipe:
    """A recipe read and checked by itself: what it makes, from which zip, with which stamp."""

    destino: FileEntry
    base_sha256: str
    sello: datetime
    miembros: tuple[MemberRecipe, ...]


def decode(recipe: bytes) -> Recipe:
    """Read a recipe that nobody vouches for. Nothing larger than the limits of this module is ever held.

    1. Its size; the header, one line of JSON, inflated no further than its limit.
    2. Every key known, there, once and of its type; names admitted, in order, none twice; each base member used once.
    3. No number negative or beyond its limit; what is copied and inserted cannot exceed what each member declares.
    4. The literals: exactly as many bytes as the operations take, and nothing after them.

    Raises:
        DiferenciaError: the first thing that is not so.
        ArchivoError: a name that is not admitted.
    """
    if len(recipe) > MAX_RECIPE_BYTES:  # 1
        _refuse(f"mide {len(recipe):,} bytes")
    pieces = inflated((recipe,))
    held = bytearray()
    try:
        while (end := held.find(b"\n")) < 0:
            if len(held) > MAX_HEADER_BYTES:
                _refuse("su cabecera es demasiado grande")
            held += next(pieces, b"") or _refuse("está incompleta")
        header = _header(bytes(held[:end]))
        del held[: end + 1]
        destino, base, sello, plans = _plans(header)
        wanted = sum(literal for plan in plans for _, _, literal in plan.operaciones)
        if wanted > MAX_LITERAL_BYTES:
            _refuse("trae más bytes nuevos que los admitidos")
        for piece in pieces:  # 4
            held += piece
            if len(held) > wanted:
                break
    except ValueError as exc:
        raise DiferenciaError(f"La diferencia no se puede leer: {str(exc)[:200]}.") from exc
    if len(held) != wanted:
        _refuse("no trae los bytes que dice")
    made, position = [], 0
    literals = memoryview(held)
    for plan in plans:
        size = sum(literal for _, _, literal in plan.operaciones)
        own = bytes(literals[position : position + size])
        made.append(MemberRecipe(plan.ruta, plan.de, plan.bytes, plan.operaciones, own))
        position += size
    return Recipe(destino, base, sello, tuple(made))


def read_recipe(member: Member, entry: FileEntry) -> Recipe:
    """The recipe that ``member`` brings of the file ``entry``, read as ``decode`` does.

    Raises:
        DiferenciaError: not admissible, or it makes another file than the manifest lists.
        ArchivoError: the member is damaged.
    """
    if member.bytes > MAX_RECIPE_BYTES:
        raise DiferenciaError(f"La diferencia {member.ruta!a} mide {member.bytes:,} bytes.")
    recipe = decode(b"".join(member.open()))
    if recipe.destino != entry:
        raise DiferenciaError(f"La diferencia {member.ruta!a} no hace el archivo que lista el manifiesto.")
    return recipe


def _header(line: bytes) -> dict[str, Any]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        table = dict(pairs)
        if len(table) != len(pairs):
            raise ValueError("una clave está repetida")
        return table

    try:
        return _table(json.loads(line, object_pairs_hook=unique), "formato", "destino", "base", "sello", "miembros")
    except RecursionError as exc:
        raise ValueError("demasiados niveles") from exc


def _plans(header: dict[str, Any]) -> tuple[FileEntry, str, datetime, list[MemberRecipe]]:
    """Steps 2 and 3: everything that the header says, the literals not there yet."""
    if header["formato"] != FORMATO:
        _refuse(f"no es {FORMATO}")
    target = _table(header["destino"], "ruta", "bytes", "sha256")
    stamp = datetime.fromisoformat(_text(header["sello"]))
    if stamp.tzinfo is None:
        _refuse("su sello no dice su diferencia horaria")
    items = header["miembros"]
    if not isinstance(items, list) or not 1 <= len(items) <= MAX_MEMBERS:
        _refuse(f"no hace de 1 a {MAX_MEMBERS} miembros")
    plans = [_plan(item) for item in items]
    names = [plan.ruta for plan in plans]
    sources = [plan.de for plan in plans if plan.de is not None]
    if names != sorted(set(names)) or len(set(sources)) != len(sources):
        _refuse("repite o desordena sus miembros")
    if sum(plan.bytes for plan in plans) > MAX_TOTAL_BYTES:
        _refuse("haría más bytes que los admitidos")
    return (
        FileEntry(check_path(_text(target["ruta"])), _number(target["bytes"]), _hash(target["sha256"])),
        _hash(header["base"]),
        stamp,
        plans,
    )


def _plan(item: Any) -> MemberRecipe:
    table = _table(item, "ruta", "de", "bytes", "operaciones")
    ruta = check_path(_text(table["ruta"]))
    source = None if table["de"] is None else check_path(_text(table["de"]))
    size = _number(table["bytes"], MAX_MEMBER_BYTES)
    if not isinstance(table["operaciones"], list):
        _refuse("sus operaciones no son una lista")
    operations: list[tuple[int, int, int]] = []
    place = made = 0
    for operation in table["operaciones"]:
        if (
            not isinstance(operation, list)
            or len(operation) != 3
            or any(type(number) is not int for number in operation)
        ):
            _refuse("una operación no son tres enteros")
        jump, copied, literal = operation
        place += jump
        # A line has one byte at least: so many lines cannot fit in fewer bytes.
        made += copied + literal
        if copied < 0 or literal < 0 or not 0 <= place <= _MAX_NUMBER or made > size or (copied and source is None):
            _refuse(f"una operación de {ruta!a} copia lo que no hay")
        operations.append((place, copied, literal))
        place += copied
    return MemberRecipe(ruta, source, size, tuple(operations), b"")


def rebuild(recipe: Recipe, base: Path | BinaryIO) -> Iterator[bytes]:
    """Make the zip again, in pieces; the last one comes only if the whole has the size and hash of ``destino``.

    The base is read as any archive that nobody vouches for. While the recipe copies its lines in their order, a piece
    of it is in memory, and what was made so far, packed; else one inner member of it.

    Raises:
        DiferenciaError: it copies lines that the base does not have, or makes a member of another size.
        BaseError: ``base`` is not there, is not a zip or is damaged.
        DistintaError: other bytes came out. Another version of zlib-ng compresses otherwise: not an attack.
            The pieces given are not to be used after any of these.
    """
    try:
        inner = {member.ruta: member for member in members(base, _LIMITS)}
    except (ArchivoError, EntradaError) as exc:
        raise _bad_base(exc) from exc
    digest = sha256()
    size = 0
    made = ((plan.ruta, _made(plan, inner)) for plan in recipe.miembros)
    for piece in zip_of(made, stamp=recipe.sello):
        size += len(piece)
        digest.update(piece)
        if size > recipe.destino.bytes:
            break
        if size == recipe.destino.bytes and digest.hexdigest() != recipe.destino.sha256:
            break
        yield piece
    if size != recipe.destino.bytes or digest.hexdigest() != recipe.destino.sha256:
        raise DistintaError(f"Al rehacer {recipe.destino.ruta!a} salieron otros bytes que los que lista el manifiesto.")


def _made(plan: MemberRecipe, inner: Mapping[str, Member]) -> Packed:
    pieces = _content(plan, inner)
    return pack(plan.ruta, b"".join(pieces)) if is_stored(plan.ruta) else pack_stream(pieces)


def _content(plan: MemberRecipe, inner: Mapping[str, Member]) -> Iterator[bytes]:
    lines = _Lines(None if plan.de is None else _member(plan.de, inner), again=_goes_back(plan))
    size = position = 0
    for place, copied, literal in plan.operaciones:
        size += literal
        for piece in lines.take(place, copied, plan.bytes - size):
            size += len(piece)
            yield piece
        if literal:
            yield plan.literales[position : position + literal]
            position += literal
    if size != plan.bytes:
        lines.drain()
        _refuse(f"{plan.ruta!a} no mide lo que dice")


def _member(name: str, inner: Mapping[str, Member]) -> Member:
    member = inner.get(name)
    if member is None:
        _refuse(f"la base no tiene {name!a}")
    return member


def _goes_back(plan: MemberRecipe) -> bool:
    """Whether an operation copies lines that lie before those of another."""
    following = 0
    for place, copied, _ in plan.operaciones:
        if copied:
            if place < following:
                return True
            following = place + copied
    return False


class _Lines:
    """The lines of a base member, a piece at a time while they are asked for in order; else (``again``) all of them.

    What is wrong with the base is told before what is wrong with the recipe: a base that is damaged here may lack
    lines, and the institute is not to blame for it.
    """

    def __init__(self, member: Member | None, *, again: bool) -> None:
        self._shown = "" if member is None else member.ruta
        pieces = iter(()) if member is None else member.open()
        self._pieces = iter((b"".join(_checked(pieces)),)) if again else _checked(pieces)
        self._first = 0
        """Number of the first line held."""
        self._held = b""
        self._starts = array("Q", (0,))
        self._rest = bytearray()
        """The beginning of a line that ends in the next piece."""

    def take(self, place: int, count: int, most: int) -> Iterator[bytes]:
        """The lines ``place`` to ``place + count`` - 1, in pieces, of ``most`` bytes at most in all.

        Raises:
            DiferenciaError: there are not so many, or they are longer.
            BaseError: the member is damaged.
        """
        end = place + count
        while place < end:
            here = self._first + len(self._starts) - 1
            if place >= here:
                if not self._next():
                    _refuse(f"copia renglones que {self._shown!a} no tiene")
                continue
            last = min(end, here)
            piece = self._held[self._starts[place - self._first] : self._starts[last - self._first]]
            place = last
            most -= len(piece)
            if most < 0:
                self.drain()
                _refuse(f"lo que copia de {self._shown!a} mediría más de lo que dice")
            yield piece

    def drain(self) -> None:
        """Read what is left of the member, to know whether it is what it says."""
        for _ in self._pieces:
            pass

    def _next(self) -> bool:
        """Hold the whole lines of the next piece; False at the end."""
        self._first += len(self._starts) - 1
        piece = next(self._pieces, None)
        whole = 0 if piece is None else piece.rfind(b"\n") + 1
        held = b""
        if piece is None or whole:
            held = bytes(self._rest) + (piece or b"")[:whole]
            self._rest.clear()
        self._rest += (piece or b"")[whole:]
        self._held = held
        self._starts = array("Q", (0, *accumulate(map(len, io.BytesIO(held)))))
        return piece is not None or bool(held)


def _checked(pieces: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from pieces
    except ArchivoError as exc:
        raise _bad_base(exc) from exc


def _bad_base(exc: PregonError) -> BaseError:
    return BaseError(f"La base de una diferencia no se puede leer: {exc.que_paso}")


def _table(value: Any, *keys: str) -> dict[str, Any]:
    if not isinstance(value, dict) or value.keys() != set(keys):
        _refuse(f"se esperaba un objeto con {', '.join(keys)}")
    return cast("dict[str, Any]", value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        _refuse("se esperaba un texto")
    return value


def _number(value: Any, maximum: int = _MAX_NUMBER) -> int:
    if type(value) is not int or not 0 <= value <= maximum:
        _refuse(f"se esperaba un entero de 0 a {maximum}")
    return value


def _hash(value: Any) -> str:
    if not _SHA256.fullmatch(_text(value)):
        _refuse("se esperaba un SHA-256")
    return cast("str", value)


def _refuse(problem: str) -> NoReturn:
    raise DiferenciaError(f"La diferencia no es admisible: {problem}.")
