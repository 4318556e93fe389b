"""The header of a 7z, read strictly and within bounds: what it says is a value or a refusal, never a loop or a bomb.

Layout: ``DOC/7zFormat.txt`` and ``DOC/Methods.txt`` of the LZMA SDK (26.00). Of what the format can say, only what the
programs in use write for files and folders is admitted: one pack stream for each block; LZMA, LZMA2 or no compression;
before LZMA2, a Delta or x86 filter. Names and sizes are judged elsewhere (``lectura``).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from isal import isal_zlib

from pregon.paquete.errors import (
    CabeceraError,
    CrcError,
    DirectorioError,
    EspecialError,
    IlegibleError,
    LargoError,
    NombreError,
    SobranteError,
    TamanoError,
    TruncadoError,
)
from pregon.paquete.siete.metodos import Cursor, malformed, read_coders

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pregon.paquete.fuente import ReadingLimits
    from pregon.paquete.siete.metodos import Coder

SIGNATURE = b"7z\xbc\xaf\x27\x1c"
START = struct.Struct("<6sBBIQQI")
"""Signature, version, CRC of the rest; offset (from here), size and CRC of the header."""

END, HEADER, MAIN_STREAMS, FILES, PACK, UNPACK, SUBSTREAMS = 0x00, 0x01, 0x04, 0x05, 0x06, 0x07, 0x08
SIZE, CRC, FOLDER, UNPACK_SIZE, COUNT = 0x09, 0x0A, 0x0B, 0x0C, 0x0D
EMPTY_STREAM, EMPTY_FILE, ANTI, NAMES = 0x0E, 0x0F, 0x10, 0x11
TIMES, ATTRIBUTES, ENCODED_HEADER, DUMMY = (0x12, 0x13, 0x14), 0x15, 0x17, 0x19


@dataclass(frozen=True, slots=True)
class Block:
    """What 7z calls a folder: ``packed`` bytes at ``start`` of the file that unpack to ``size``; several members' data.

    ``coders``: a compressor, after the filter that is undone last if there is one.
    """

    start: int
    packed: int
    size: int
    coders: tuple[Coder, ...]
    crc32: int | None


@dataclass(frozen=True, slots=True)
class Item:
    """A member: its data are ``size`` bytes at ``offset`` of the block number ``block`` (None: it has no data).

    ``crc32`` is None where the header gives none. ``attributes``: of Windows, and of Unix in the high half.
    """

    name: str
    folder: bool
    attributes: int
    size: int
    crc32: int | None
    block: int | None
    offset: int


@dataclass(frozen=True, slots=True)
class Streams:
    """The blocks, and for each its members' sizes and CRC. ``end``: where the packed data of all end in the file."""

    blocks: tuple[Block, ...]
    members: tuple[tuple[tuple[int, int | None], ...], ...]
    end: int


def read_start(raw: bytes, size: int, limit: int) -> tuple[int, int, int]:
    """Where the header lies (from byte 0 of the file), its size and its CRC, of a file of ``size`` bytes.

    Raises:
        ArchivoError: ARCHIVO_ILEGIBLE, ARCHIVO_CRC, ARCHIVO_DIRECTORIO, ARCHIVO_TRUNCADO, ARCHIVO_SOBRANTE.
    """
    signature, major, _, crc32, offset, length, header_crc32 = START.unpack(raw)
    if signature != SIGNATURE or major != 0:
        raise IlegibleError("El archivo no es un 7z de una versión conocida.")
    if isal_zlib.crc32(raw[12:]) != crc32:
        raise CrcError("El principio del 7z no coincide con su CRC: está dañado.")
    if length > limit:
        raise DirectorioError(f"La cabecera del 7z mide {length:,} bytes; el límite es {limit:,}.")
    place = START.size + offset
    if place + length > size:
        raise TruncadoError("El 7z está incompleto: su cabecera está fuera del archivo.")
    if place + length < size:
        raise SobranteError(f"El archivo tiene {size - place - length:,} bytes después de su final.")
    return place, length, header_crc32


def is_encoded(header: bytes) -> bool:
    """Whether the header only says where the real one is packed."""
    return header[:1] == bytes([ENCODED_HEADER])


def read_encoded(header: bytes, limits: ReadingLimits) -> Block:
    """The block that holds the real header.

    Raises:
        ArchivoError: malformed, not admitted, or larger than the limit once unpacked.
    """
    reader = Cursor(header, 1)
    streams = _streams(reader, limits)
    reader.finish()
    if len(streams.blocks) != 1 or len(streams.members[0]) != 1:
        raise CabeceraError("La cabecera comprimida del 7z no es una sola.")
    [block] = streams.blocks
    if block.size > limits.cabecera:
        raise DirectorioError(f"La cabecera del 7z mide {block.size:,} bytes; el límite es {limits.cabecera:,}.")
    return block


def read_header(header: bytes, limits: ReadingLimits) -> tuple[Streams, Iterator[Item]]:
    """The blocks, and the members one by one in their order; each member is read when it is asked for.

    Raises:
        ArchivoError: malformed, contradictory, or beyond a limit.
    """
    if not header:
        return Streams((), (), START.size), iter(())
    reader = Cursor(header)
    if reader.byte() != HEADER:
        raise CabeceraError("La cabecera del 7z no es una cabecera.")
    kind = reader.byte()
    streams = Streams((), (), START.size)
    if kind == MAIN_STREAMS:
        streams = _streams(reader, limits)
        kind = reader.byte()
    items: Iterator[Item] = iter(())
    if kind == FILES:
        items = _items(reader, streams, limits)
        kind = reader.byte()
    if kind != END:
        raise CabeceraError(f"La cabecera del 7z trae algo que no se admite ({kind:#x}).")
    reader.finish()
    return streams, items


def _streams(reader: Cursor, limits: ReadingLimits) -> Streams:
    reader.expect(PACK)
    start = START.size + reader.number()
    count = reader.number()
    limits.check_members(count)
    packed = [0] * count
    kind = reader.byte()
    if kind == SIZE:
        packed = [reader.number() for _ in range(count)]
        kind = reader.byte()
    if kind == CRC:
        reader.digests(count)  # of the packed bytes; the unpacked ones are checked
        kind = reader.byte()
    if kind != END:
        malformed()
    folders = _folders(reader, limits)
    if len(folders) != count:
        raise CabeceraError("El 7z no tiene una parte comprimida por bloque.")
    ends = list(accumulate(packed, initial=start))
    blocks = tuple(
        Block(place, length, size, coders, crc32)
        for place, length, (coders, size, crc32) in zip(ends[:-1], packed, folders, strict=True)
    )
    kind = reader.byte()
    members: tuple[tuple[tuple[int, int | None], ...], ...] = tuple(((b.size, b.crc32),) for b in blocks)
    if kind == SUBSTREAMS:
        members = _substreams(reader, blocks, limits)
        kind = reader.byte()
    if kind != END:
        malformed()
    return Streams(blocks, members, ends[-1])


def _folders(reader: Cursor, limits: ReadingLimits) -> list[tuple[tuple[Coder, ...], int, int | None]]:
    reader.expect(UNPACK)
    reader.expect(FOLDER)
    count = reader.number()
    limits.check_members(count)
    reader.here()
    layouts = [read_coders(reader) for _ in range(count)]
    reader.expect(UNPACK_SIZE)
    sizes = []
    for coders in layouts:
        each = {reader.number() for _ in coders}
        if len(each) != 1:
            raise CabeceraError("Un bloque del 7z declara dos tamaños.")
        sizes.append(each.pop())
    kind = reader.byte()
    digests: Sequence[int | None] = [None] * count
    if kind == CRC:
        digests = reader.digests(count)
        kind = reader.byte()
    if kind != END:
        malformed()
    return list(zip(layouts, sizes, digests, strict=True))


def _substreams(
    reader: Cursor, blocks: Sequence[Block], limits: ReadingLimits
) -> tuple[tuple[tuple[int, int | None], ...], ...]:
    counts = [1] * len(blocks)
    kind = reader.byte()
    if kind == COUNT:
        counts = [reader.number() for _ in blocks]
        limits.check_members(sum(counts))
        if not all(counts):
            raise CabeceraError("El 7z tiene un bloque sin miembros.")
        kind = reader.byte()
    # The last size of each block is what is left; sizes are there only where some block has two members.
    listed = kind == SIZE
    sizes = []
    for count, block in zip(counts, blocks, strict=True):
        first = [reader.number() for _ in range(count - 1)] if listed else []
        if len(first) != count - 1 or sum(first) > block.size:
            raise TamanoError("Los miembros de un bloque del 7z no miden juntos lo que el bloque.")
        sizes.append([*first, block.size - sum(first)])
    if listed:
        kind = reader.byte()
    known: list[list[int | None]]
    known = [[block.crc32] if count == 1 else [None] * count for count, block in zip(counts, blocks, strict=True)]
    if kind == CRC:
        absent = [(i, j) for i, each in enumerate(known) for j, crc32 in enumerate(each) if crc32 is None]
        for (i, j), crc32 in zip(absent, reader.digests(len(absent)), strict=True):
            known[i][j] = crc32
        kind = reader.byte()
    if kind != END:
        malformed()
    return tuple(tuple(zip(*pair, strict=True)) for pair in zip(sizes, known, strict=True))


def _items(reader: Cursor, streams: Streams, limits: ReadingLimits) -> Iterator[Item]:
    count = reader.number()
    limits.check_members(count)
    parts: dict[int, Cursor] = {}
    while kind := reader.byte():
        part = reader.part(reader.number())
        if kind == DUMMY:
            if any(part.take(part.size())):
                raise SobranteError("La cabecera del 7z esconde bytes en su relleno.")
        elif kind in parts:
            raise CabeceraError("La cabecera del 7z declara dos veces lo mismo.")
        elif kind in (EMPTY_STREAM, EMPTY_FILE, ANTI, NAMES, *TIMES, ATTRIBUTES):
            parts[kind] = part
        else:
            raise CabeceraError(f"La cabecera del 7z trae algo que no se admite ({kind:#x}).")
    return _each(count, parts, streams, limits)


def _each(count: int, parts: dict[int, Cursor], streams: Streams, limits: ReadingLimits) -> Iterator[Item]:
    without = _flags(parts.get(EMPTY_STREAM), count)
    empty = sum(without)
    is_file = iter(_flags(parts.get(EMPTY_FILE), empty))
    if any(_flags(parts.get(ANTI), empty)):
        raise EspecialError("El 7z pide borrar archivos.")
    data = [(i, size, crc32) for i, block in enumerate(streams.members) for size, crc32 in block]
    if len(data) != count - empty:
        raise CabeceraError(f"El 7z declara {count - empty:,} miembros con contenido y trae {len(data):,}.")
    names, attributes = _names(parts.get(NAMES), count, limits), _attributes(parts.get(ATTRIBUTES), count)
    left = iter(data)
    offset = 0
    current: int | None = None
    for bare in without:
        name, attribute = next(names), next(attributes)
        if bare:
            yield Item(name, not next(is_file), attribute, 0, 0, None, 0)
            continue
        block, size, crc32 = next(left)
        offset = offset if block == current else 0
        yield Item(name, folder=False, attributes=attribute, size=size, crc32=crc32, block=block, offset=offset)
        offset, current = offset + size, block
    # Nothing may be left after the last name and the last attribute.
    next(names, None)
    next(attributes, None)


def _flags(part: Cursor | None, count: int) -> list[bool]:
    if part is None:
        return [False] * count
    flags = part.bits(count)
    part.finish()
    return flags


def _names(part: Cursor | None, count: int, limits: ReadingLimits) -> Iterator[str]:
    if part is None:
        if count:
            raise CabeceraError("El 7z no trae los nombres de sus miembros.")
        return
    part.here()
    text = bytes(part.take(part.size()))
    position = 0
    for _ in range(count):
        end = text.find(b"\0\0", position)
        while end >= 0 and (end - position) & 1:
            end = text.find(b"\0\0", end + 1)
        if end < 0:
            raise IlegibleError("La cabecera del 7z termina antes de lo que declara.")
        if end - position > 2 * limits.nombres.ruta:
            raise LargoError(f"El 7z trae un nombre de {(end - position) // 2:,} caracteres.")
        try:
            yield text[position:end].decode("utf-16-le")
        except UnicodeDecodeError as exc:
            raise NombreError("El 7z trae un nombre que no es UTF-16.") from exc
        position = end + 2
    if position != len(text):
        raise SobranteError("La cabecera del 7z trae más nombres que miembros.")


def _attributes(part: Cursor | None, count: int) -> Iterator[int]:
    if part is None:
        yield from [0] * count
        return
    there = part.maybe_bits(count)
    part.here()
    for defined in there:
        yield part.uint32() if defined else 0
    part.finish()
