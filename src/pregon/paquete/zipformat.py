"""The records of a zip that the standard library reads too generously: the tail, local headers, extra fields.

Layouts: PKWARE APPNOTE 6.3.10, §4.3.7 (local header), §4.3.9 (data descriptor), §4.3.14-16 (end records), §4.5 (extra).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pregon.paquete.errors import (
    CabeceraError,
    CifradoError,
    IlegibleError,
    SobranteError,
    TotalError,
    TraslapeError,
    TruncadoError,
)

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Callable

ENCRYPTED = 0x0001 | 0x0040 | 0x2000
"""Flag bits: encrypted, strongly encrypted, masked local headers."""
DESCRIPTOR = 0x0008
"""Flag bit: sizes and CRC follow the data."""
PATCHED = 0x0020
"""Flag bit: the data are a patch."""
UTF8 = 0x0800
"""Flag bit: the name is UTF-8."""

_END = struct.Struct("<4sHHHHIIH")
_END64 = struct.Struct("<4sQHHIIQQQQ")
_LOCATOR = struct.Struct("<4sIQI")
_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_MAX_COMMENT = 0xFFFF
EXTRA_ZIP64, _EXTRA_AES, _EXTRA_UNICODE_NAME = 0x0001, 0x9901, 0x7075
_MAX16, _MAX32 = 0xFFFF, 0xFFFF_FFFF


@dataclass(frozen=True)
class Tail:
    """What the end of the archive declares: number of entries and where the directory begins."""

    entries: int
    directory: int


def read_tail(read: Callable[[int, int], bytes], size: int, directory_limit: int) -> Tail:
    """The archive's end records, checked against each other and against the size of the file.

    Raises:
        ArchivoError: ARCHIVO_ILEGIBLE, ARCHIVO_TRUNCADO, ARCHIVO_SOBRANTE, ARCHIVO_CABECERA, ARCHIVO_TOTAL.
    """
    end = _read_end(read, size)
    place = size - _END.size
    _, disk, directory_disk, here, entries, length, offset, _ = end
    has_locator = place >= _LOCATOR.size and read(place - _LOCATOR.size, 4) == b"PK\x06\x07"
    if has_locator:
        place, wide = _read_end64(read, place - _LOCATOR.size)
        narrow = (disk, directory_disk, here, entries, length, offset)
        ceilings = (_MAX16, _MAX16, _MAX16, _MAX16, _MAX32, _MAX32)
        for small, large, ceiling in zip(narrow, wide, ceilings, strict=True):
            if small not in (large, ceiling):
                raise CabeceraError("Los dos registros finales del archivo no dicen lo mismo.")
        disk, directory_disk, here, entries, length, offset = wide
    if disk or directory_disk or here != entries:
        raise IlegibleError("El archivo está partido en varios volúmenes.")
    if length > directory_limit:
        raise TotalError(f"El directorio del archivo mide {length:,} bytes; el límite es {directory_limit:,}.")
    if offset + length > place:
        raise TruncadoError("El directorio del archivo está fuera del archivo.")
    if offset + length < place:
        raise SobranteError(f"El archivo tiene {place - offset - length:,} bytes que no son de ningún miembro.")
    return Tail(entries=entries, directory=offset)


def _read_end(read: Callable[[int, int], bytes], size: int) -> tuple[bytes, int, int, int, int, int, int, int]:
    if size >= _END.size:
        raw = read(size - _END.size, _END.size)
        if raw[:4] == b"PK\x05\x06" and raw[-2:] == b"\0\0":
            signature, *numbers = _END.unpack(raw)
            disk, directory_disk, here, entries, length, offset, comment = (int(n) for n in numbers)
            return signature, disk, directory_disk, here, entries, length, offset, comment
        window = min(size, _END.size + _MAX_COMMENT)
        if b"PK\x05\x06" in read(size - window, window):
            raise SobranteError("El archivo tiene un comentario u otros bytes después de su final.")
        if read(0, 4) == b"PK\x03\x04":
            raise TruncadoError("El archivo está incompleto: le falta el final.")
    raise IlegibleError("El archivo recibido no es un zip.")


def _read_end64(read: Callable[[int, int], bytes], place: int) -> tuple[int, tuple[int, int, int, int, int, int]]:
    _, disk, offset, disks = _LOCATOR.unpack(read(place, _LOCATOR.size))
    if disk or disks != 1:
        raise IlegibleError("El archivo está partido en varios volúmenes.")
    if offset != place - _END64.size or offset < 0:
        raise CabeceraError("El registro final de zip64 no está donde el archivo dice.")
    signature, length, _, _, disk, directory_disk, here, entries, size, start = _END64.unpack(read(offset, _END64.size))
    if signature != b"PK\x06\x06" or length != _END64.size - 12:
        raise CabeceraError("El registro final de zip64 no es válido.")
    return offset, (disk, directory_disk, here, entries, size, start)


def check_extra(extra: bytes, shown: str) -> None:
    """Refuse the extra fields that make two programs see two different members.

    Raises:
        CifradoError: AES encryption is declared.
        CabeceraError: a second name, sizes given twice, or fields that do not fit.
    """
    position, wide = 0, 0
    while position < len(extra):
        if len(extra) - position < 4:
            raise CabeceraError(f"Los campos adicionales del miembro {shown} están mal formados.")
        kind, length = struct.unpack_from("<HH", extra, position)
        position += 4 + length
        if position > len(extra):
            raise CabeceraError(f"Los campos adicionales del miembro {shown} están mal formados.")
        if kind == _EXTRA_AES:
            raise CifradoError(f"El miembro {shown} está cifrado.")
        if kind == _EXTRA_UNICODE_NAME:
            raise CabeceraError(f"El miembro {shown} trae un segundo nombre.")
        wide += kind == EXTRA_ZIP64
    if wide > 1:
        raise CabeceraError(f"El miembro {shown} declara dos veces sus tamaños.")


def read_local(read: Callable[[int, int], bytes], info: zipfile.ZipInfo, directory: int) -> int:
    """Offset of the member's data, after comparing its local header with its entry in the directory.

    Raises:
        CabeceraError: they differ, or there is no local header where the directory says.
        TraslapeError: the header lies in the directory.
    """
    shown = ascii(info.orig_filename[:120])
    offset = info.header_offset
    if offset + _LOCAL.size > directory:
        raise TraslapeError(f"El miembro {shown} se mete en el directorio del archivo.")
    signature, _, flags, method, _, _, crc, packed, unpacked, name_length, extra_length = _LOCAL.unpack(
        read(offset, _LOCAL.size)
    )
    start = int(offset + _LOCAL.size + name_length + extra_length)
    if signature != b"PK\x03\x04" or start > directory:
        raise CabeceraError(f"El miembro {shown} no está donde el directorio dice.")
    rest = read(offset + _LOCAL.size, name_length + extra_length)
    name, extra = rest[:name_length], rest[name_length:]
    check_extra(extra, shown)
    expected = info.orig_filename.encode("utf-8" if info.flag_bits & UTF8 else "cp437")
    same = name == expected and method == info.compress_type and flags == info.flag_bits
    if not info.flag_bits & DESCRIPTOR:
        packed, unpacked = _wide_sizes(extra, packed=packed, unpacked=unpacked)
        same = same and (crc, packed, unpacked) == (info.CRC, info.compress_size, info.file_size)
    if not same:
        raise CabeceraError(f"Las dos cabeceras del miembro {shown} no coinciden.")
    return start


def _wide_sizes(extra: bytes, *, packed: int, unpacked: int) -> tuple[int, int]:
    position = 0
    while position + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, position)
        if kind == EXTRA_ZIP64 and length >= 16 and _MAX32 in (packed, unpacked):
            wide_unpacked, wide_packed = struct.unpack_from("<QQ", extra, position + 4)
            return (
                wide_packed if packed == _MAX32 else packed,
                wide_unpacked if unpacked == _MAX32 else unpacked,
            )
        position += 4 + length
    return packed, unpacked


def check_descriptor(raw: bytes, info: zipfile.ZipInfo) -> None:
    """Compare a data descriptor (12, 16, 20 or 24 bytes) with the directory.

    Raises:
        ValueError: they differ.
    """
    body = raw[4:] if raw[:4] == b"PK\x07\x08" and len(raw) in (16, 24) else raw
    layout = "<III" if len(body) == 12 else "<IQQ"
    if len(body) not in (12, 20) or struct.unpack(layout, body) != (info.CRC, info.compress_size, info.file_size):
        raise ValueError("the data descriptor differs from the directory")
