"""Target «zip»: an archive from outside, read and unpacked as a difusor does.

Every input is read as it is, and again with its sizes, offsets and CRC made true, because an archive that only random
changes made is nearly always refused for those before anything else is asked. An input is refused as ours (ARCHIVO_*)
or

1. its names are admitted, each content has the size and the CRC declared, and its ``.gz`` is that content;
2. ``zipfile`` reads the same names and the same bytes;
3. unpacked, each content is stored under its hash and nothing else is written.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING

from fuzz.archivo import difundido, leido
from fuzz.objetivo import Hallazgo, Objetivo, carpeta

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_LOCAL, _CENTRAL, _END, _DESCRIPTOR = b"PK\3\4", b"PK\1\2", b"PK\5\6", b"PK\7\x08"
_LOCAL_SIZE, _CENTRAL_SIZE, _END_SIZE = 30, 46, 22
_MAX_MEMBERS = 64
_MAX_CONTENT = 1 << 20
_WIDE = 0xFFFF_FFFF


def prueba(data: bytes) -> None:
    """One input, as it is and repaired."""
    for each in {data, reparado(data)}:
        with carpeta() as folder:
            _archivo(folder, each)


def _archivo(folder: Path, data: bytes) -> None:
    found = leido(folder, data)
    if found is None:
        return
    others = _zipfile(data)
    if others != found:
        raise Hallazgo(f"zipfile reads {sorted(others)!a} and here it is {sorted(found)!a}, or other bytes")
    difundido(folder, found)


def _zipfile(data: bytes) -> Mapping[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist() if not info.is_dir()}


def reparado(data: bytes) -> bytes:
    """``data`` with the sizes, offsets and CRC of its members, and the record at its end, as they should be.

    What it cannot make sense of stays. Fields of 64 bits stay too: what they say is part of the input.
    """
    directory = data.find(_CENTRAL)
    end = data.rfind(_END)
    if directory < 0 or end < directory or len(data) - end < _END_SIZE:
        return data
    fixed = bytearray(data)
    starts = _places(data, _LOCAL, 0, directory)
    entries = _places(data, _CENTRAL, directory, end)
    for number, entry in enumerate(entries[: len(starts)]):
        start = starts[number]
        follows = starts[number + 1] if number + 1 < len(starts) else directory
        _repair(fixed, start, follows, entry)
    struct.pack_into("<HH", fixed, end + 8, len(entries), len(entries))
    if _WIDE not in struct.unpack_from("<II", data, end + 12):
        length = len(b"".join(_entry(data, entry) for entry in entries))
        struct.pack_into("<II", fixed, end + 12, length, directory)
    return bytes(fixed)


def _places(data: bytes, signature: bytes, start: int, end: int) -> list[int]:
    """Where ``signature`` stands, at most ``_MAX_MEMBERS`` times; no record begins within another one's header."""
    found: list[int] = []
    size = _LOCAL_SIZE if signature == _LOCAL else _CENTRAL_SIZE
    place = data.find(signature, start, end)
    while place >= 0 and place + size <= len(data) and len(found) < _MAX_MEMBERS:
        found.append(place)
        place = data.find(signature, place + size, end)
    return found


def _entry(data: bytes, place: int) -> bytes:
    return data[place : place + _CENTRAL_SIZE + sum(struct.unpack_from("<HHH", data, place + 28))]


def _repair(fixed: bytearray, start: int, follows: int, entry: int) -> None:
    flags, method = struct.unpack_from("<HH", fixed, entry + 8)
    place = start + _LOCAL_SIZE + sum(struct.unpack_from("<HH", fixed, start + 26))
    descriptor = fixed.rfind(_DESCRIPTOR, place, follows) if flags & 8 else -1
    raw = bytes(fixed[place : follows if descriptor < 0 else descriptor])
    content = _content(raw, method)
    sizes = (zlib.crc32(content), len(raw), len(content))
    for offset, there in ((entry + 16, True), (start + 14, not flags & 8), (descriptor + 4, descriptor >= 0)):
        if not there or offset + 12 > len(fixed):
            continue
        wide = _WIDE in struct.unpack_from("<II", fixed, offset + 4)
        struct.pack_into("<I" if wide else "<III", fixed, offset, *sizes[: 1 if wide else 3])
    if struct.unpack_from("<I", fixed, entry + 42)[0] != _WIDE:
        struct.pack_into("<I", fixed, entry + 42, start)


def _content(raw: bytes, method: int) -> bytes:
    if method != zipfile.ZIP_DEFLATED:
        return raw
    try:
        return zlib.decompressobj(-15).decompress(raw, _MAX_CONTENT)
    except zlib.error:
        return b""


OBJETIVO = Objetivo(
    nombre="zip",
    prueba=prueba,
    max_bytes=16 << 10,
    palabras=(
        _LOCAL, _CENTRAL, _END, _DESCRIPTOR, b"PK\6\6", b"PK\6\7", b"../", b"/", b"\\", b"C:", b"con",
        b"manifiesto.json",
        b".gz", b".diferencia", b"\0\0", b"\xff\xff", b"\xff\xff\xff\xff", b"\x01\0\x10\0", b"\x75\x70", b"\x01\x99",
        b"\x78\x6c", b"\x6e\x75", b"\x0d\0", b"\xc3\xb1", b"n\xcc\x83", b"\xe2\x80\xae", b"\xef\xbb\xbf", b"\0\x08",
    ),
)  # fmt: skip
