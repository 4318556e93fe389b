"""Target «siete»: a 7z from outside, read and unpacked as a difusor does.

Every input is read as it is, and again with its CRC made true (the start, the header, the members), because random
changes break those first. An input is refused as ours (ARCHIVO_*) or

1. its names are admitted and each content has the size and the CRC declared;
2. its members opened in the opposite order give the same bytes;
3. unpacked, each content is stored under its hash and nothing else is written.

The members are not compared with another program's: liblzma is the unpacker of all, and ``tests/paquete`` compares
them with ``7zz`` on the vectors.
"""

from __future__ import annotations

import lzma
import struct
import zlib
from typing import TYPE_CHECKING

from fuzz.archivo import LIMITES, difundido, leido
from fuzz.objetivo import Hallazgo, Objetivo, carpeta
from pregon.base.errors import ArchivoError
from pregon.paquete.reading import members
from pregon.paquete.siete.formato import SIGNATURE, START, Block, read_header
from pregon.paquete.siete.metodos import COPY, LZMA

if TYPE_CHECKING:
    from pathlib import Path

_MAX_BLOCK = 1 << 20
_MAX_DICTIONARY = 1 << 20


def prueba(data: bytes) -> None:
    """One input, as it is and repaired."""
    for each in {data, reparado(data)}:
        with carpeta() as folder:
            _archivo(folder, each)


def _archivo(folder: Path, data: bytes) -> None:
    found = leido(folder, data)
    if found is None or not data.startswith(SIGNATURE):
        return
    again = list(members(folder / "archivo", LIMITES))
    if {member.ruta: b"".join(member.open()) for member in reversed(again)} != found:
        raise Hallazgo("opened in another order the members are others")
    del again
    difundido(folder, found)


def reparado(data: bytes) -> bytes:
    """``data`` with the CRC of its start, of its header and of its members as they should be.

    Its header begins where the start says, or at the end, and takes all that follows.
    """
    if not data.startswith(SIGNATURE) or len(data) < START.size:
        return data
    (offset,) = struct.unpack_from("<Q", data, 12)
    place = START.size + min(offset, len(data) - START.size)
    body, header = data[START.size : place], data[place:]
    header = _with_true_digests(body, header)
    rest = struct.pack("<QQI", len(body), len(header), zlib.crc32(header))
    return SIGNATURE + data[6:8] + struct.pack("<I", zlib.crc32(rest)) + rest + body + header


def _with_true_digests(body: bytes, header: bytes) -> bytes:
    """The header with each CRC of a member that is not its content's replaced by the one that is."""
    try:
        streams, _ = read_header(header, LIMITES)
    except ArchivoError:
        return header
    for block, stretches in zip(streams.blocks, streams.members, strict=True):
        content = _content(block, body)
        position = 0
        for size, declared in stretches:
            true = zlib.crc32(content[position : position + size])
            position += size
            if declared is not None and declared != true:
                header = header.replace(struct.pack("<I", declared), struct.pack("<I", true), 1)
    return header


def _content(block: Block, body: bytes) -> bytes:
    raw = body[block.start - START.size : block.start - START.size + block.packed]
    coder = block.coders[-1]
    if coder.method == COPY:
        return raw
    if block.size > _MAX_BLOCK or len(block.coders) > 1:
        return b""
    try:
        if coder.method == LZMA:
            head = coder.properties[:1] + struct.pack("<IQ", _MAX_DICTIONARY, block.size)
            unpacker = lzma.LZMADecompressor(lzma.FORMAT_ALONE)
            return unpacker.decompress(head + raw, _MAX_BLOCK)
        filters = [{"id": lzma.FILTER_LZMA2, "dict_size": _MAX_DICTIONARY}]
        return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters).decompress(raw, _MAX_BLOCK)
    except (lzma.LZMAError, EOFError):
        return b""


OBJETIVO = Objetivo(
    nombre="siete",
    prueba=prueba,
    max_bytes=16 << 10,
    palabras=(
        SIGNATURE, b"\x17\x06", b"\x01\x04\x06", b"\x07\x0b\x01\0", b"\x08\x0a\x01", b"\x05", b"\x0e", b"\x0f", b"\x10",
        b"\x11", b"\x14\x0a\x01\0", b"\x15\x06\x01\0", b"\x19\x02", b"\x01\x00", b"\x23\x03\x01\x01\x05\x5d",
        b"\x21\x21\x01", b"\x24\x06\xf1\x07\x01", b"\x21\x03\x01", b"\x04\x03\x03\x01\x03", b"\xff\xff\xff\xff",
        b".\0.\0/\0", b"\0\0", b"m\0a\0n\0i\0f\0i\0e\0s\0t\0o\0.\0j\0s\0o\0n\0", b"\\\0", b":\0", b"\x2e\x20",
        b"\0\xd8",
    ),
)  # fmt: skip
