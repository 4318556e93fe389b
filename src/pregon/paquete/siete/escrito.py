"""Writes a 7z whose bytes depend only on the names, the contents, the stamp and this Python's liblzma.

Blocks of up to ``BLOQUE`` plain bytes in LZMA2, so that several are compressed at once and a reader holds little; what
comes compressed already (``empacado.ALREADY_COMPRESSED``) is copied, in one block at the end. Every member is a regular
file of mode 0644 with one time. Layouts: ``DOC/7zFormat.txt`` of the LZMA SDK (26.00); what is written is what
``formato`` admits.
"""

from __future__ import annotations

import stat
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from isal import isal_zlib

from pregon.base.durable import Disk
from pregon.base.errors import AjustesError
from pregon.base.hashing import CHUNK
from pregon.base.hilos import each
from pregon.paquete.empacado import is_stored
from pregon.paquete.siete import formato
from pregon.paquete.siete.metodos import COPY, LZMA2

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from pregon.paquete.tree import PackageTree

BLOQUE = 16 << 20
"""Plain bytes after which a block is closed."""
DICCIONARIO = 8 << 20
NIVEL = 1
"""liblzma's: against 3, on a cut of Campeche, 0.7 of the processor time for 6 % more bytes (docs/adr/0016)."""
_DICTIONARY_CODE = 22
"""How LZMA2 names a dictionary of 8 MiB: (2 | code & 1) << code // 2 + 11."""
_VERSION = b"\0\4"
_ATTRIBUTES = 0x20 | 0x8000 | (stat.S_IFREG | 0o644) << 16
"""An archive file for Windows, and the Unix mode in the high half."""
_FILETIME_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_ALL, _HERE, _ONE_CODER = b"\x01", b"\x00", b"\x01"
"""Defined for every one of them; in this header, not in another stream; how many coders a block has."""


@dataclass(frozen=True)
class _Bloque:
    """What 7z calls a folder: its members in order, and its packed bytes, None where they are copied as they are.

    ``crc32`` of the whole of it, only where its members have none of their own.
    """

    rutas: tuple[str, ...]
    plano: int
    empacado: bytes | None
    crc32: int | None = None

    @property
    def largo(self) -> int:
        return self.plano if self.empacado is None else len(self.empacado)

    @property
    def coder(self) -> bytes:
        """Flags (size of the method's name, 0x20: properties follow), the method, its properties."""
        return b"\x01" + COPY if self.empacado is None else b"\x21" + LZMA2 + b"\x01" + bytes([_DICTIONARY_CODE])


def write_7z(
    target: Path, tree: PackageTree, rutas: Iterable[str], *, stamp: datetime, disk: Disk | None = None
) -> None:
    """Write the files ``rutas`` of ``tree`` to ``target``: whole and durable, or not at all.

    The same names, contents and ``stamp`` (aware) give the same bytes with the same liblzma.

    Raises:
        AjustesError: this Python has no LZMA.
        ComprobacionError: a file of the tree changed after it was added.
        DiscoError, EscrituraError: ``target`` cannot be written; what was there stays.
    """
    (disk or Disk()).write(target, sevenz_chunks(tree, rutas, stamp=stamp))


def sevenz_chunks(tree: PackageTree, rutas: Iterable[str], *, stamp: datetime) -> Iterator[bytes]:
    """The bytes that ``write_7z`` writes, in pieces; the compressed blocks are in memory until they are given."""
    names = sorted(rutas)
    empty = [ruta for ruta in names if not tree.entry(ruta).bytes]
    blocks = _blocks(tree, [ruta for ruta in names if tree.entry(ruta).bytes])
    header = _header(tree, blocks, empty, stamp)
    small = _compressed([header])
    data = sum(block.largo for block in blocks)
    encoded = _encoded(data, [_Bloque((), len(header), small, isal_zlib.crc32(header))])
    rest = struct.pack("<QQI", data + len(small), len(encoded), isal_zlib.crc32(encoded))
    yield formato.SIGNATURE + _VERSION + _uint32(isal_zlib.crc32(rest)) + rest
    for block in blocks:
        if block.empacado is not None:
            yield block.empacado
            continue
        for ruta in block.rutas:
            yield from tree.chunks(ruta)
    yield small + encoded


def _blocks(tree: PackageTree, rutas: Sequence[str]) -> list[_Bloque]:
    """The blocks, compressed; the one of what is copied is the last."""
    groups: list[list[str]] = []
    room = 0
    for ruta in rutas:
        if is_stored(ruta):
            continue
        if room <= 0:
            groups.append([])
            room = BLOQUE
        groups[-1].append(ruta)
        room -= tree.entry(ruta).bytes
    made: dict[int, bytes] = {}

    def pack(number: int) -> None:
        made[number] = _compressed(piece for ruta in groups[number] for piece in tree.chunks(ruta))

    each(pack, range(len(groups)), pocos=1)
    blocks = [_Bloque(tuple(group), _size(tree, group), made[n]) for n, group in enumerate(groups)]
    copied = [ruta for ruta in rutas if is_stored(ruta)]
    return [*blocks, _Bloque(tuple(copied), _size(tree, copied), None)] if copied else blocks


def _compressed(pieces: Iterable[bytes]) -> bytes:
    packer = _compressor()
    out: list[bytes] = []
    waiting: list[bytes] = []
    size = 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= CHUNK:
            out.append(packer.compress(b"".join(waiting)))
            waiting.clear()
            size = 0
    return b"".join([*out, packer.compress(b"".join(waiting)), packer.flush()])


def _compressor() -> Any:
    try:
        import lzma
    except ImportError as exc:
        raise AjustesError(
            "Este Python no trae LZMA (el módulo lzma): no puede escribir archivos 7z.",
            intacto="No se firmó ni se entregó nada.",
            que_hacer="Use el Python del sistema (apt install python3) o compílelo con liblzma-dev instalado.",
        ) from exc
    filters = [{"id": lzma.FILTER_LZMA2, "preset": NIVEL, "dict_size": DICCIONARIO}]
    return lzma.LZMACompressor(lzma.FORMAT_RAW, filters=filters)


def _header(tree: PackageTree, blocks: Sequence[_Bloque], empty: Sequence[str], stamp: datetime) -> bytes:
    """What the archive holds: the blocks, the members within each, the names, one time and one mode for all."""
    files = [ruta for block in blocks for ruta in block.rutas]
    names = [*files, *empty]
    parts = [_kind(formato.HEADER)]
    if blocks:
        parts += [_kind(formato.MAIN_STREAMS), _streams(0, blocks), _members(tree, blocks), _kind(formato.END)]
    parts += [_kind(formato.FILES), _number(len(names))]
    if empty:
        parts.append(_property(formato.EMPTY_STREAM, _bits([*(False for _ in files), *(True for _ in empty)])))
        parts.append(_property(formato.EMPTY_FILE, _bits([True] * len(empty))))
    ticks = (stamp.astimezone(UTC) - _FILETIME_EPOCH) // timedelta(microseconds=1) * 10
    for kind, each_one in (
        (formato.NAMES, b"".join(f"{name}\0".encode("utf-16-le") for name in names)),
        (formato.TIMES[-1], struct.pack("<Q", ticks) * len(names)),
        (formato.ATTRIBUTES, struct.pack("<I", _ATTRIBUTES) * len(names)),
    ):
        parts.append(_property(kind, (_ALL if kind != formato.NAMES else b"") + _HERE + each_one))
    return b"".join([*parts, _kind(formato.END), _kind(formato.END)])


def _encoded(start: int, blocks: Sequence[_Bloque]) -> bytes:
    """Where the real header lies: ``blocks`` is the one that holds it, ``start`` bytes after the beginning."""
    return _kind(formato.ENCODED_HEADER) + _streams(start, blocks) + _kind(formato.END)


def _streams(start: int, blocks: Sequence[_Bloque]) -> bytes:
    """Where the blocks lie, one after another from ``start``, and how each is unpacked."""
    crcs = [block.crc32 for block in blocks if block.crc32 is not None]
    return b"".join(
        [
            _kind(formato.PACK),
            _number(start),
            _number(len(blocks)),
            _kind(formato.SIZE),
            *(_number(block.largo) for block in blocks),
            _kind(formato.END),
            _kind(formato.UNPACK),
            _kind(formato.FOLDER),
            _number(len(blocks)),
            _HERE,
            *(_ONE_CODER + block.coder for block in blocks),
            _kind(formato.UNPACK_SIZE),
            *(_number(block.plano) for block in blocks),
            *((_kind(formato.CRC), _ALL, *map(_uint32, crcs)) if crcs else ()),
            _kind(formato.END),
        ]
    )


def _members(tree: PackageTree, blocks: Sequence[_Bloque]) -> bytes:
    """How many members each block has, their sizes (the last is what the others leave) and the CRC of every one."""
    sizes = [tree.entry(ruta).bytes for block in blocks for ruta in block.rutas[:-1]]
    return b"".join(
        [
            _kind(formato.SUBSTREAMS),
            _kind(formato.COUNT),
            *(_number(len(block.rutas)) for block in blocks),
            *((_kind(formato.SIZE), *map(_number, sizes)) if sizes else ()),
            _kind(formato.CRC),
            _ALL,
            *(_uint32(tree.packed(ruta).crc32) for block in blocks for ruta in block.rutas),
            _kind(formato.END),
        ]
    )


def _property(kind: int, data: bytes) -> bytes:
    return _kind(kind) + _number(len(data)) + data


def _kind(kind: int) -> bytes:
    return bytes([kind])


def _uint32(value: int) -> bytes:
    return value.to_bytes(4, "little")


def _bits(flags: Sequence[bool]) -> bytes:
    text = "".join("1" if flag else "0" for flag in flags)
    return b"".join(bytes([int(text[at : at + 8].ljust(8, "0"), 2)]) for at in range(0, len(text), 8))


def _number(value: int) -> bytes:
    """An integer of 1 to 9 bytes: the high bits of the first say how many follow."""
    for extra in range(8):
        if value < 1 << 7 * (extra + 1):
            first = (0xFF << 8 - extra & 0xFF) | value >> 8 * extra
            return bytes([first]) + (value & (1 << 8 * extra) - 1).to_bytes(extra, "little")
    return b"\xff" + value.to_bytes(8, "little")


def _size(tree: PackageTree, rutas: Iterable[str]) -> int:
    return sum(tree.entry(ruta).bytes for ruta in rutas)
