"""Admits a 7z, or refuses it, before one byte of a member is unpacked. The order of checks:

1. The 32 bytes at the start and their CRC; a header of a size within the limits that ends where the file ends, and its
   CRC.
2. Where the header is packed: one block, within the limits; it must not be packed twice.
3. Each block: not encrypted, an allowed method, a dictionary within the limit.
4. Each member: a regular file or a folder, an admitted name that is not there twice and collides with none, a CRC, its
   size; all members together. Then the ratio of each block.
5. The blocks follow one another from byte 32 to the header.

Then the members are unpacked in their order, each block once. The unpacker is the one of the standard library
(liblzma), told before how much memory it may take and after how many bytes it must stop.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from isal import isal_zlib

from pregon.base.errors import AjustesError
from pregon.paquete.errors import (
    CabeceraError,
    CrcError,
    DatosError,
    DiccionarioError,
    EnlaceError,
    EspecialError,
    MetodoError,
    SobranteError,
    TamanoError,
    TraslapeError,
    TruncadoError,
)
from pregon.paquete.fuente import CHUNK, PIECE, Member, ReadingLimits, Source
from pregon.paquete.names import NameSet
from pregon.paquete.siete.formato import START, is_encoded, read_encoded, read_header, read_start
from pregon.paquete.siete.metodos import COPY, DELTA, LZMA, LZMA2

if TYPE_CHECKING:
    import builtins
    from collections.abc import Iterator

    from pregon.paquete.siete.formato import Block, Item
    from pregon.paquete.siete.metodos import Coder

_DOS_FOLDER, _DOS_DEVICE, _DOS_LINK, _HAS_UNIX_MODE = 0x10, 0x40, 0x400, 0x8000
_MIN_DICTIONARY = 1 << 12
_LZMA_PROPERTIES, _MAX_LZMA_SETTING, _MAX_LZMA2_SETTING = 5, 9 * 5 * 5, 40
_MAX_LITERAL_BITS = 4
"""Most of lc + lp that liblzma admits."""
_MEMORY_OVER_DICTIONARY = 16 << 20


def admit_7z(source: Source, limits: ReadingLimits) -> list[Member]:
    """The regular files of a 7z in its order, the whole of it admitted.

    Raises:
        ArchivoError: the first reason not to admit it, in the order of checks above.
        AjustesError: this Python has no LZMA.
    """
    place, length, crc32 = read_start(source.read(0, START.size), source.size, limits.cabecera)  # 1
    header = source.read(place, length)
    if isal_zlib.crc32(header) != crc32:
        raise CrcError("La cabecera del 7z no coincide con su CRC: está dañada.")
    end = place
    if is_encoded(header):  # 2
        block = read_encoded(header, limits)
        end = block.start
        _follows(block.start + block.packed, place)
        _admit_block(block, limits)
        header = _unpacked_header(source, block)
    streams, items = read_header(header, limits)
    for block in streams.blocks:  # 3
        _admit_block(block, limits)
    shared = _Shared(source, streams.blocks)
    members: list[Member] = []
    names = NameSet(limits.nombres)
    total = 0
    for item in items:  # 4
        _admit(item, limits)
        if item.folder:
            names.add_folder(item.name)
            continue
        names.add_file(item.name)
        total += item.size
        members.append(
            SieteMember(item.name.encode(), item.size, item.crc32 or 0, item.block or 0, item.offset, shared)
        )
    limits.check_total(total)
    for block in streams.blocks:
        limits.check_ratio(block.size, block.packed, "Un bloque del 7z")
    if streams.blocks and streams.blocks[0].start > START.size:  # 5
        raise SobranteError(f"El archivo tiene {streams.blocks[0].start - START.size:,} bytes que no son de ninguno.")
    _follows(streams.end, end)
    return members


def _follows(position: int, start: int) -> None:
    if position > start:
        raise TraslapeError("Dos partes del 7z comparten bytes.")
    if position < start:
        raise SobranteError(f"El archivo tiene {start - position:,} bytes que no son de ningún miembro.")


def _unpacked_header(source: Source, block: Block) -> bytes:
    header = b"".join(_unpacked(source, block))
    if block.crc32 is not None and isal_zlib.crc32(header) != block.crc32:
        raise CrcError("La cabecera del 7z no coincide con su CRC: está dañada.")
    if is_encoded(header):
        raise CabeceraError("La cabecera del 7z está comprimida dos veces.")
    return header


def _admit_block(block: Block, limits: ReadingLimits) -> None:
    dictionary = _dictionary(block.coders[-1])
    if dictionary > limits.diccionario:
        raise DiccionarioError(
            f"Abrir el 7z pide un diccionario de {dictionary:,} bytes; el límite es {limits.diccionario:,}."
        )
    if block.coders[-1].method == COPY and block.size != block.packed:
        raise TamanoError("Un bloque del 7z está sin comprimir y declara dos tamaños.")
    limits.check_padding(block.size, block.packed, "Un bloque del 7z")
    if len(block.coders) > 1:
        outer = block.coders[0]
        if len(outer.properties) != (outer.method == DELTA):
            raise MetodoError("El 7z usa un filtro con propiedades que no se admiten.")


def _dictionary(coder: Coder) -> int:
    """Bytes of history that the compressor needs; its properties are checked here."""
    properties = coder.properties
    if coder.method == COPY and not properties:
        return 0
    if coder.method == LZMA and len(properties) == _LZMA_PROPERTIES and properties[0] < _MAX_LZMA_SETTING:
        if sum(divmod(properties[0] % 45, 9)) > _MAX_LITERAL_BITS:
            raise MetodoError("El 7z usa LZMA con propiedades que no se admiten.")
        return int.from_bytes(properties[1:], "little")
    if coder.method == LZMA2 and len(properties) == 1 and properties[0] <= _MAX_LZMA2_SETTING:
        setting = properties[0]
        return 0xFFFF_FFFF if setting == _MAX_LZMA2_SETTING else (2 | setting & 1) << setting // 2 + 11
    raise MetodoError("El 7z usa un método con propiedades que no se admiten.")


def _admit(item: Item, limits: ReadingLimits) -> None:
    shown = ascii(item.name[:120])
    unix = stat.S_IFMT(item.attributes >> 16) if item.attributes & _HAS_UNIX_MODE else 0
    if unix == stat.S_IFLNK or item.attributes & _DOS_LINK:
        raise EnlaceError(f"El miembro {shown} es un enlace simbólico.")
    if unix not in (0, stat.S_IFREG, stat.S_IFDIR) or item.attributes & _DOS_DEVICE:
        raise EspecialError(f"El miembro {shown} no es un archivo regular ni una carpeta.")
    says_folder = unix == stat.S_IFDIR or bool(item.attributes & _DOS_FOLDER)
    if (says_folder and not item.folder) or (unix == stat.S_IFREG and item.folder):
        raise EspecialError(f"El miembro {shown} dice ser carpeta por un lado y archivo por el otro.")
    if item.crc32 is None:
        raise CrcError(f"El miembro {shown} no trae su CRC.")
    limits.check_file(item.size, shown)


def _unpacked(source: Source, block: Block) -> Iterator[bytes]:
    """The whole block in pieces, exactly as many bytes as it declares.

    Raises:
        ArchivoError: ARCHIVO_DATOS, ARCHIVO_TRUNCADO, ARCHIVO_TAMANO or ARCHIVO_SOBRANTE.
    """
    raw = _raw(source, block)
    if block.coders[-1].method == COPY:
        yield from raw
        return
    try:
        import lzma
    except ImportError as exc:
        raise AjustesError(
            "Este Python no trae LZMA (el módulo lzma): no puede abrir archivos 7z.",
            intacto="No se escribió ni se publicó nada; los cortes en zip no lo necesitan.",
            que_hacer="Use el Python del sistema (apt install python3) o compílelo con liblzma-dev instalado.",
        ) from exc
    unpacker, pending = _unpacker(lzma, block)
    left = block.size
    try:
        while not unpacker.eof:
            if unpacker.needs_input and not pending:
                pending = next(raw, b"")
                if not pending:
                    raise TruncadoError("Los datos comprimidos de un bloque del 7z están incompletos.")
            # One byte more than declared is enough to know that the size lies: no bomb is ever expanded.
            piece = unpacker.decompress(pending, min(PIECE, left + 1))
            pending = b""
            if len(piece) > left:
                raise TamanoError(f"Un bloque del 7z mide más de los {block.size:,} bytes que declara.")
            left -= len(piece)
            if piece:
                yield piece
    except lzma.LZMAError as exc:
        raise DatosError(f"Los datos comprimidos de un bloque del 7z no son válidos: {exc}") from exc
    if left:
        raise TamanoError(f"Un bloque del 7z mide {block.size - left:,} bytes y declara {block.size:,}.")
    if unpacker.unused_data or next(raw, b""):
        raise SobranteError("Un bloque del 7z tiene bytes después del final de sus datos.")


def _unpacker(lzma: Any, block: Block) -> tuple[Any, bytes]:
    """liblzma's unpacker for the block, and what it is given before the block's bytes.

    More history than the block has bytes is never used: a small block takes little memory whatever it asks for.
    """
    coder = block.coders[-1]
    dictionary = max(_MIN_DICTIONARY, min(_dictionary(coder), block.size))
    if coder.method == LZMA:
        # 7z has no mark at the end of LZMA. The .lzma header says the size, and then the end is checked.
        head = coder.properties[:1] + dictionary.to_bytes(4, "little") + block.size.to_bytes(8, "little")
        return lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=dictionary + _MEMORY_OVER_DICTIONARY), head
    filters: list[dict[str, int]] = [{"id": lzma.FILTER_LZMA2, "dict_size": dictionary}]
    for outer in block.coders[:-1]:
        delta = outer.method == DELTA
        filters.insert(
            0, {"id": lzma.FILTER_DELTA, "dist": outer.properties[0] + 1} if delta else {"id": lzma.FILTER_X86}
        )
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters), b""


def _raw(source: Source, block: Block) -> Iterator[bytes]:
    offset, left = block.start, block.packed
    while left:
        piece = source.read(offset, min(left, CHUNK))
        offset += len(piece)
        left -= len(piece)
        yield piece


class _Shared:
    """The one stream that all members of an archive read from: a single block is being unpacked at any time."""

    def __init__(self, source: Source, blocks: tuple[Block, ...]) -> None:
        self._source = source
        self._blocks = blocks
        self._block = -1
        self._pieces: Iterator[bytes] = iter(())
        self._held = b""
        self._position = 0

    def read(self, block: int, offset: int, size: int) -> Iterator[bytes]:
        """``size`` bytes of the block from ``offset``. What lies before is unpacked and left out."""
        if block != self._block or offset < self._position:
            self._pieces, self._held = iter(()), b""  # the memory of the block before goes first
            self._block, self._position = block, 0
            self._pieces = _unpacked(self._source, self._blocks[block])
        for _ in self._give(offset - self._position):
            pass
        yield from self._give(size)
        if self._position == self._blocks[block].size:
            # The block is only whole when its unpacker says so.
            for _ in self._pieces:
                pass
            self._block, self._pieces = -1, iter(())

    def _give(self, size: int) -> Iterator[bytes]:
        while size:
            self._held = self._held or next(self._pieces, b"")
            if not self._held:
                raise TruncadoError("Un bloque del 7z ya no se puede leer.")
            piece, self._held = self._held[:size], self._held[size:]
            self._position += len(piece)
            size -= len(piece)
            yield piece


@dataclass(frozen=True, slots=True)
class SieteMember(Member):
    """A member of a 7z: a stretch of a block."""

    _block: int
    _offset: int
    _shared: _Shared = field(repr=False, compare=False)

    def _pieces(self) -> Iterator[builtins.bytes]:
        return self._shared.read(self._block, self._offset, self.bytes) if self.bytes else iter(())
