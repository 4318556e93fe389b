"""The one door for an archive that nobody vouches for: everything is admitted, or refused, before a byte is unpacked.

The first bytes say what it is. Each format has its own order of checks (``zip.lectura``, ``siete.lectura``); the
limits, the names and what is checked while a member comes out are the same (``fuente``, ``names``). An archive inside
an archive is a file as any other: it is never opened.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, BinaryIO

from pregon.paquete.fuente import Member, ReadingLimits, Source
from pregon.paquete.names import SIETE, ZIP
from pregon.paquete.zip.lectura import admit_zip

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["EXTENSIONES", "Member", "ReadingLimits", "gzip_of", "gzip_twin", "members"]

EXTENSIONES = (ZIP, SIETE)
"""How the names of archives that are read here end (design §2)."""
_SIETE = b"7z\xbc\xaf\x27\x1c"
_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
"""Deflate, no name, no time, unknown system: the same bytes always."""


def members(archive: Path | BinaryIO, limits: ReadingLimits | None = None) -> Iterator[Member]:
    """Admit ``archive`` and give its regular files in the order of its directory; nothing is unpacked here.

    The whole archive is admitted before this returns. Members stay usable while they are kept: each holds the open
    file, which must not be written meanwhile (unpack only from our own copy). Open them in the order given, one at a
    time: those of a 7z share one stream. ``archive`` as a file must be a real one, with a descriptor.

    Raises:
        ArchivoError: the first reason not to admit it.
        EntradaError: ``archive`` cannot be opened.
        AjustesError: a 7z, and this Python has no LZMA.
    """
    limits = limits or ReadingLimits()
    source = Source(archive)
    siete = source.size >= len(_SIETE) and source.read(0, len(_SIETE)) == _SIETE
    if not siete:
        return iter(admit_zip(source, limits))
    from pregon.paquete.siete.lectura import admit_7z  # Late: few read one.

    return iter(admit_7z(source, limits))


def gzip_twin(member: Member) -> Iterator[bytes] | None:
    """A gzip file with the member's own deflate stream, without compressing again (design §3); None if it has none.

    The bytes depend on the archive alone. Use it only after ``member.open()`` ran to its end.
    """
    stream = member.deflate()
    return None if stream is None else _gzip(stream, member)


def gzip_of(stream: bytes, member: Member) -> bytes:
    """The same of a stream that ``member.whole()`` gave."""
    return b"".join(_gzip((stream,), member))


def _gzip(stream: Iterable[bytes], member: Member) -> Iterator[bytes]:
    yield _GZIP_HEADER
    yield from stream
    yield struct.pack("<II", member.crc32, member.bytes & 0xFFFF_FFFF)
