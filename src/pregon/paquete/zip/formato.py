"""The records of a zip, read strictly: the tail, the directory, local headers, extra fields.

The standard library reads them too generously, and not alike in all its versions.

Layouts: PKWARE APPNOTE 6.3.10, §4.3.7 (local header), §4.3.9 (data descriptor), §4.3.14-16 (end records), §4.5 (extra).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from pregon.paquete.errors import (
    CabeceraError,
    CifradoError,
    DirectorioError,
    EnlaceError,
    IlegibleError,
    MetodoError,
    SobranteError,
    TraslapeError,
    TruncadoError,
    Zip64Error,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STORED, DEFLATED = 0, 8
"""The two methods that are read and written here."""
ENCRYPTED = 0x0001 | 0x0040 | 0x2000
"""Flag bits: encrypted, strongly encrypted, masked local headers."""
DESCRIPTOR = 0x0008
"""Flag bit: sizes and CRC follow the data."""
PATCHED = 0x0020
"""Flag bit: the data are a patch."""
UTF8 = 0x0800
"""Flag bit: the name is UTF-8."""

END = struct.Struct("<4sHHHHIIH")
END64 = struct.Struct("<4sQHHIIQQQQ")
LOCATOR = struct.Struct("<4sIQI")
LOCAL = struct.Struct("<4sHHHHHIIIHH")
CENTRAL = struct.Struct("<4sBBHHHHHIIIHHHHHII")
"""The records as they lie in the file; ``escrito`` packs what this module unpacks."""
_MAX_HEADER = CENTRAL.size + 3 * 0xFFFF
_MAX_COMMENT = 0xFFFF
EXTRA_ZIP64, _EXTRA_UNICODE_NAME, _EXTRA_ASI_UNIX, _EXTRA_PKWARE_UNIX = 0x0001, 0x7075, 0x756E, 0x000D
_EXTRA_STREAM_ATTRIBUTES = 0x6C78
_MAX_NEEDED = 63
"""Newest version of the format that a member may need, in tenths: that of the document above. Others refuse more."""
_EXTRA_ENCRYPTED = frozenset({0x0017, 0x9901})
"""Strong encryption, AES."""
_PKWARE_UNIX_PLAIN = 12
"""Two times and two owners; what follows them is the target of a link, or the numbers of a device."""
MAX16, MAX32 = 0xFFFF, 0xFFFF_FFFF


@dataclass(frozen=True)
class Tail:
    """What the end of the archive declares: number of entries, where the directory begins and its length in bytes."""

    entries: int
    directory: int
    length: int


class Fields(NamedTuple):
    """What a header of the directory says of one member; its extra fields were judged. ``name`` as its bytes."""

    flags: int
    method: int
    crc32: int
    packed: int
    size: int
    disk: int
    attributes: int
    offset: int
    name: bytes


def read_tail(read: Callable[[int, int], bytes], size: int, directory_limit: int) -> Tail:
    """The archive's end records, checked against each other and against the size of the file.

    Raises:
        ArchivoError: ARCHIVO_ILEGIBLE, ARCHIVO_TRUNCADO, ARCHIVO_SOBRANTE, ARCHIVO_ZIP64, ARCHIVO_DIRECTORIO.
    """
    end = _read_end(read, size)
    place = size - END.size
    _, disk, directory_disk, here, entries, length, offset, _ = end
    has_locator = place >= LOCATOR.size and read(place - LOCATOR.size, 4) == b"PK\x06\x07"
    if has_locator:
        place, wide = _read_end64(read, place - LOCATOR.size)
        narrow = (disk, directory_disk, here, entries, length, offset)
        ceilings = (MAX16, MAX16, MAX16, MAX16, MAX32, MAX32)
        for small, large, ceiling in zip(narrow, wide, ceilings, strict=True):
            if small not in (large, ceiling):
                raise Zip64Error("Los dos registros finales del archivo no dicen lo mismo.")
        disk, directory_disk, here, entries, length, offset = wide
    elif MAX32 in (length, offset):
        raise Zip64Error("El archivo declara tamaños de 64 bits y no los trae.")
    if disk or directory_disk or here != entries:
        raise IlegibleError("El archivo está partido en varios volúmenes.")
    if length > directory_limit:
        raise DirectorioError(f"El directorio del archivo mide {length:,} bytes; el límite es {directory_limit:,}.")
    if offset + length > place:
        raise TruncadoError("El directorio del archivo está fuera del archivo.")
    if offset + length < place:
        raise SobranteError(f"El archivo tiene {place - offset - length:,} bytes que no son de ningún miembro.")
    return Tail(entries=entries, directory=offset, length=length)


def _read_end(read: Callable[[int, int], bytes], size: int) -> tuple[bytes, int, int, int, int, int, int, int]:
    if size >= END.size:
        raw = read(size - END.size, END.size)
        if raw[:4] == b"PK\x05\x06" and raw[-2:] == b"\0\0":
            signature, *numbers = END.unpack(raw)
            disk, directory_disk, here, entries, length, offset, comment = (int(n) for n in numbers)
            return signature, disk, directory_disk, here, entries, length, offset, comment
        window = min(size, END.size + _MAX_COMMENT)
        if b"PK\x05\x06" in read(size - window, window):
            raise SobranteError("El archivo tiene un comentario u otros bytes después de su final.")
        if read(0, 4) == b"PK\x03\x04":
            raise TruncadoError("El archivo está incompleto: le falta el final.")
    raise IlegibleError("El archivo recibido no es un zip.")


def _read_end64(read: Callable[[int, int], bytes], place: int) -> tuple[int, tuple[int, int, int, int, int, int]]:
    _, disk, offset, disks = LOCATOR.unpack(read(place, LOCATOR.size))
    if disk or disks != 1:
        raise IlegibleError("El archivo está partido en varios volúmenes.")
    if offset != place - END64.size or offset < 0:
        raise Zip64Error("El registro final de zip64 no está donde el archivo dice.")
    signature, length, _, _, disk, directory_disk, here, entries, size, start = END64.unpack(read(offset, END64.size))
    if signature != b"PK\x06\x06" or length != END64.size - 12:
        raise Zip64Error("El registro final de zip64 no es válido.")
    return offset, (disk, directory_disk, here, entries, size, start)


def read_directory(read: Callable[[int, int], bytes], tail: Tail, window: int) -> Iterator[Fields]:
    """The headers of the directory, one by one, reading ``window`` bytes at a time; exactly as many as declared.

    Raises:
        ArchivoError: ARCHIVO_CABECERA, ARCHIVO_ILEGIBLE, ARCHIVO_METODO, or as ``extra_fields``.
    """
    held, position, left = b"", 0, tail.length
    place = tail.directory
    for number in range(tail.entries):
        if len(held) - position < _MAX_HEADER and left:
            size = min(left, max(window, _MAX_HEADER))
            held, position = held[position:] + read(place, size), 0
            place += size
            left -= size
        if len(held) - position < CENTRAL.size:
            raise CabeceraError(f"El archivo declara {tail.entries:,} miembros y su directorio tiene {number:,}.")
        fields, position = _central(held, position)
        yield fields
    if left or position != len(held):
        raise CabeceraError(f"El directorio del archivo tiene más que los {tail.entries:,} miembros que declara.")


def _central(held: bytes, position: int) -> tuple[Fields, int]:
    (
        signature, _, _, needed, flags, method, _, _, crc32, packed, size, name_length, extra_length, comment_length,
        disk, _, attributes, offset,
    ) = CENTRAL.unpack_from(held, position)  # fmt: skip
    start = position + CENTRAL.size
    end = start + name_length + extra_length + comment_length
    if signature != b"PK\x01\x02" or end > len(held):
        raise IlegibleError("El directorio del archivo no se puede leer.")
    name = held[start : start + name_length]
    if needed & 0xFF > _MAX_NEEDED:
        raise MetodoError(f"El miembro {ascii(name[:120])[1:]} pide un programa más nuevo que el formato que se lee.")
    numbers = [size, packed, offset]
    if not extra_length and MAX32 not in numbers:  # most of them: twice as fast
        return Fields(flags, method, crc32, packed, size, disk, attributes, offset, name), end
    extra = extra_fields(held[start + name_length : end - comment_length], ascii(name[:120])[1:])
    wide = extra.get(EXTRA_ZIP64)
    absent = [index for index, number in enumerate(numbers) if number == MAX32]
    if len(wide or b"") != 8 * len(absent) or (wide is not None and not absent):
        raise Zip64Error(f"El miembro {ascii(name[:120])[1:]} no declara como debe sus tamaños de 64 bits.")
    if wide is not None:
        for index, number in zip(absent, struct.unpack(f"<{len(absent)}Q", wide), strict=True):
            numbers[index] = number
    size, packed, offset = numbers
    return Fields(flags, method, crc32, packed, size, disk, attributes, offset, name), end


def extra_fields(extra: bytes, shown: str) -> dict[int, bytes]:
    """The extra fields by kind; those that make two programs see two different members are refused.

    Raises:
        CifradoError: encryption is declared.
        EnlaceError: the target of a link, or the numbers of a device, are declared.
        CabeceraError: a second name, or fields that do not fit.
        Zip64Error: sizes given twice.
    """
    fields: dict[int, bytes] = {}
    position = 0
    while position < len(extra):
        if len(extra) - position < 4:
            raise CabeceraError(f"Los campos adicionales del miembro {shown} están mal formados.")
        kind, length = struct.unpack_from("<HH", extra, position)
        position += 4 + length
        if position > len(extra):
            raise CabeceraError(f"Los campos adicionales del miembro {shown} están mal formados.")
        if kind == EXTRA_ZIP64 and kind in fields:
            raise Zip64Error(f"El miembro {shown} declara dos veces sus tamaños.")
        fields.setdefault(kind, extra[position - length : position])
    if not _EXTRA_ENCRYPTED.isdisjoint(fields):
        raise CifradoError(f"El miembro {shown} está cifrado.")
    if _EXTRA_UNICODE_NAME in fields:
        raise CabeceraError(f"El miembro {shown} trae un segundo nombre.")
    if _EXTRA_ASI_UNIX in fields or len(fields.get(_EXTRA_PKWARE_UNIX, b"")) > _PKWARE_UNIX_PLAIN:
        raise EnlaceError(f"El miembro {shown} trae el destino de un enlace en un campo adicional.")
    return fields


def read_local(read: Callable[[int, int], bytes], fields: Fields, directory: int) -> int:
    """Offset of the member's data, after comparing its local header with its entry in the directory.

    Raises:
        CabeceraError: they differ, or there is no local header where the directory says.
        Zip64Error: its 64-bit sizes are not as they must be.
        TraslapeError: the header lies in the directory.
    """
    shown = ascii(fields.name[:120])[1:]
    offset = fields.offset
    if offset + LOCAL.size > directory:
        raise TraslapeError(f"El miembro {shown} se mete en el directorio del archivo.")
    signature, _, flags, method, _, _, crc, packed, size, name_length, extra_length = LOCAL.unpack(
        read(offset, LOCAL.size)
    )
    start = int(offset + LOCAL.size + name_length + extra_length)
    if signature != b"PK\x03\x04" or start > directory:
        raise CabeceraError(f"El miembro {shown} no está donde el directorio dice.")
    rest = read(offset + LOCAL.size, name_length + extra_length)
    extra = extra_fields(rest[name_length:], shown)
    _check_stream_attributes(extra.get(_EXTRA_STREAM_ATTRIBUTES, b""), fields, shown)
    same = rest[:name_length] == fields.name and method == fields.method and flags == fields.flags
    if fields.flags & DESCRIPTOR:
        # Here they are usually zero; a program that reads from the start believes others.
        same = same and crc in (0, fields.crc32) and {packed, size} <= {0, MAX32, fields.packed, fields.size}
    else:
        packed, size = _wide_sizes(extra.get(EXTRA_ZIP64), packed, size, shown)
        same = same and (crc, packed, size) == (fields.crc32, fields.packed, fields.size)
    if not same:
        raise CabeceraError(f"Las dos cabeceras del miembro {shown} no coinciden.")
    return start


def _check_stream_attributes(field: bytes, fields: Fields, shown: str) -> None:
    """libarchive reads attributes from the local header: there a file may say that it is a link."""
    if not field:
        return
    place = 1 + 2 * (field[0] & 1) + 2 * (field[0] >> 1 & 1)
    if field[0] & 4:
        (attributes,) = struct.unpack("<I", field[place : place + 4].ljust(4, b"\0"))
        if attributes >> 28 != fields.attributes >> 28:
            raise CabeceraError(f"Las dos cabeceras del miembro {shown} no dicen que sea lo mismo.")


def _wide_sizes(wide: bytes | None, packed: int, size: int, shown: str) -> tuple[int, int]:
    """Both sizes as the local header gives them: in its zip64 field if it has one (§4.5.3: both, and in this order)."""
    if wide is None:
        if MAX32 in (packed, size):
            raise Zip64Error(f"El miembro {shown} declara tamaños de 64 bits y no los trae.")
        return packed, size
    if len(wide) != 16:
        raise Zip64Error(f"El miembro {shown} no declara como debe sus tamaños de 64 bits.")
    wide_size, wide_packed = struct.unpack("<QQ", wide)
    if size not in (MAX32, wide_size) or packed not in (MAX32, wide_packed):
        raise Zip64Error(f"El miembro {shown} declara dos tamaños distintos.")
    return wide_packed, wide_size


def check_descriptor(raw: bytes, fields: Fields) -> None:
    """Compare a data descriptor (12, 16, 20 or 24 bytes) with the directory.

    Raises:
        ValueError: they differ.
    """
    body = raw[4:] if raw[:4] == b"PK\x07\x08" and len(raw) in (16, 24) else raw
    layout = "<III" if len(body) == 12 else "<IQQ"
    if len(body) not in (12, 20) or struct.unpack(layout, body) != (
        fields.crc32,
        fields.packed,
        fields.size,
    ):
        raise ValueError("the data descriptor differs from the directory")
