"""The records of the zip that we write, as pure functions of their numbers.

Always: names in UTF-8 (flag 11), sizes and CRC in the local header (so no data descriptor), regular files of mode 0644,
one stamp. zip64 only where a number does not fit. Layouts: PKWARE APPNOTE 6.3.10 §4.3.7, §4.3.12, §4.3.14-16, §4.5.3.
"""

from __future__ import annotations

import stat
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pregon.paquete.zip.formato import (
    CENTRAL,
    DEFLATED,
    END,
    END64,
    EXTRA_ZIP64,
    LOCAL,
    LOCATOR,
    MAX16,
    MAX32,
    STORED,
    UTF8,
)

if TYPE_CHECKING:
    from datetime import datetime

_MODE = stat.S_IFREG | 0o644
_UNIX = 3
_PLAIN, _WIDE = 20, 45
"""Version needed to extract: 2.0 (deflate), 4.5 (zip64)."""
_FIRST_YEAR, _LAST_YEAR = 1980, 2107


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
    wide = max(record.bytes, record.comprimido) >= MAX32
    extra = struct.pack("<HHQQ", EXTRA_ZIP64, 16, record.bytes, record.comprimido) if wide else b""
    head = LOCAL.pack(
        b"PK\x03\x04",
        _WIDE if wide else _PLAIN,
        UTF8,
        STORED if record.guardado else DEFLATED,
        *stamp,
        record.crc32,
        MAX32 if wide else record.comprimido,
        MAX32 if wide else record.bytes,
        len(record.nombre),
        len(extra),
    )
    return head + record.nombre + extra


def central_header(record: Record, stamp: tuple[int, int]) -> bytes:
    """The entry of the directory; its zip64 field holds only the numbers that do not fit."""
    both = max(record.bytes, record.comprimido) >= MAX32
    far = record.offset >= MAX32
    numbers = (*((record.bytes, record.comprimido) if both else ()), *((record.offset,) if far else ()))
    extra = struct.pack(f"<HH{len(numbers)}Q", EXTRA_ZIP64, 8 * len(numbers), *numbers) if numbers else b""
    version = _WIDE if numbers else _PLAIN
    head = CENTRAL.pack(
        b"PK\x01\x02",
        version,
        _UNIX,
        version,
        UTF8,
        STORED if record.guardado else DEFLATED,
        *stamp,
        record.crc32,
        MAX32 if both else record.comprimido,
        MAX32 if both else record.bytes,
        len(record.nombre),
        len(extra),
        0,
        0,
        0,
        _MODE << 16,
        MAX32 if far else record.offset,
    )
    return head + record.nombre + extra


def end_records(*, miembros: int, directorio: int, largo: int) -> bytes:
    """The end of the archive: the directory begins at ``directorio``, takes ``largo`` bytes and has ``miembros``."""
    wide = b""
    if miembros >= MAX16 or max(directorio, largo) >= MAX32:
        record = END64.pack(b"PK\x06\x06", END64.size - 12, _WIDE, _WIDE, 0, 0, miembros, miembros, largo, directorio)
        wide = record + LOCATOR.pack(b"PK\x06\x07", 0, directorio + largo, 1)
    few = min(miembros, MAX16)
    return wide + END.pack(b"PK\x05\x06", 0, 0, few, few, min(largo, MAX32), min(directorio, MAX32), 0)
