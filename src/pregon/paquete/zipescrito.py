"""The records of the zip that we write, as pure functions of their numbers.

Always: names in UTF-8 (flag 11), sizes and CRC in the local header (so no data descriptor), regular files of mode 0644,
one stamp. zip64 only where a number does not fit. Layouts: PKWARE APPNOTE 6.3.10 §4.3.7, §4.3.12, §4.3.14-16, §4.5.3.
"""

from __future__ import annotations

import stat
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

_MODE = stat.S_IFREG | 0o644
_UTF8 = 0x0800
_UNIX = 3
_PLAIN, _WIDE = 20, 45
"""Version needed to extract: 2.0 (deflate), 4.5 (zip64)."""
_STORED, _DEFLATED = 0, 8
_EXTRA_ZIP64 = 0x0001
_MAX16, _MAX32 = 0xFFFF, 0xFFFF_FFFF
_FIRST_YEAR, _LAST_YEAR = 1980, 2107

_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL = struct.Struct("<4sBBHHHHHIIIHHHHHII")
_END64 = struct.Struct("<4sQHHIIQQQQ")
_LOCATOR = struct.Struct("<4sIQI")
_END = struct.Struct("<4sHHHHIIH")


@dataclass(frozen=True, slots=True)
class Record:
    """What both headers of a member say. ``offset``: where its local header begins. Sizes in bytes."""

    nombre: bytes
    guardado: bool
    crc32: int
    comprimido: int
    bytes: int
    offset: int


def dos_stamp(instant: datetime) -> tuple[int, int]:
    """Time and date of MS-DOS, of the clock that ``instant`` shows: to 2 seconds, no zone, years 1980 to 2107."""
    year = min(max(instant.year, _FIRST_YEAR), _LAST_YEAR)
    date = (year - _FIRST_YEAR) << 9 | instant.month << 5 | instant.day
    return instant.hour << 11 | instant.minute << 5 | instant.second // 2, date


def local_header(record: Record, stamp: tuple[int, int]) -> bytes:
    """The header before the data. Where one size does not fit in 32 bits both go to the zip64 field (§4.5.3)."""
    wide = max(record.bytes, record.comprimido) >= _MAX32
    extra = struct.pack("<HHQQ", _EXTRA_ZIP64, 16, record.bytes, record.comprimido) if wide else b""
    head = _LOCAL.pack(
        b"PK\x03\x04",
        _WIDE if wide else _PLAIN,
        _UTF8,
        _STORED if record.guardado else _DEFLATED,
        *stamp,
        record.crc32,
        _MAX32 if wide else record.comprimido,
        _MAX32 if wide else record.bytes,
        len(record.nombre),
        len(extra),
    )
    return head + record.nombre + extra


def central_header(record: Record, stamp: tuple[int, int]) -> bytes:
    """The entry of the directory; its zip64 field holds only the numbers that do not fit."""
    both = max(record.bytes, record.comprimido) >= _MAX32
    far = record.offset >= _MAX32
    numbers = (*((record.bytes, record.comprimido) if both else ()), *((record.offset,) if far else ()))
    extra = struct.pack(f"<HH{len(numbers)}Q", _EXTRA_ZIP64, 8 * len(numbers), *numbers) if numbers else b""
    version = _WIDE if numbers else _PLAIN
    head = _CENTRAL.pack(
        b"PK\x01\x02",
        version,
        _UNIX,
        version,
        _UTF8,
        _STORED if record.guardado else _DEFLATED,
        *stamp,
        record.crc32,
        _MAX32 if both else record.comprimido,
        _MAX32 if both else record.bytes,
        len(record.nombre),
        len(extra),
        0,
        0,
        0,
        _MODE << 16,
        _MAX32 if far else record.offset,
    )
    return head + record.nombre + extra


def end_records(*, miembros: int, directorio: int, largo: int) -> bytes:
    """The end of the archive: the directory begins at ``directorio``, takes ``largo`` bytes and has ``miembros``."""
    wide = b""
    if miembros >= _MAX16 or max(directorio, largo) >= _MAX32:
        record = _END64.pack(b"PK\x06\x06", _END64.size - 12, _WIDE, _WIDE, 0, 0, miembros, miembros, largo, directorio)
        wide = record + _LOCATOR.pack(b"PK\x06\x07", 0, directorio + largo, 1)
    few = min(miembros, _MAX16)
    return wide + _END.pack(b"PK\x05\x06", 0, 0, few, few, min(largo, _MAX32), min(directorio, _MAX32), 0)
