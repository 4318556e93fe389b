"""The precompressed twins of a content (``.gz``, ``.br``, ``.zst``): made, and told from those of another content."""

from __future__ import annotations

import hashlib
import io
import sys
import zlib
from typing import TYPE_CHECKING, BinaryIO

import brotli
from zlib_ng import zlib_ng

from pregon.base.hashing import CHUNK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from backports import zstd
elif sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

GZ = ".gz"
BR = ".br"
ZST = ".zst"
TWINS = (GZ, BR, ZST)
"""Suffixes of the precompressed twins, as Caddy, nginx and Apache look for them."""

BROTLI_QUALITY = 5
"""Quality per cut (``dependencies.md`` §4.5: 8 s for 12,000 files; 11 would take 8 minutes)."""

ZSTD_LEVEL = 3
"""A reader that admits zstd and not brotli is rare, and brotli is 8 % smaller: the cheapest level that beats gzip.

Of 1,376 files of a Campeche night (15.1 MB): gzip 2.67 MB in 0.10 s, brotli 5 2.42 MB in 0.25 s, zstd 3 2.64 MB in
0.05 s, zstd 6 2.52 MB in 0.12 s; zstd 19, which is as small as brotli 5, takes 5.4 s.
"""
ZSTD_WINDOW = 23
"""Most that a frame may ask its reader to remember, a power of two: 8 MiB, all that a browser promises (RFC 9659)."""

_READ = 1 << 16
_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
"""Deflate, no name, no time, unknown system: the same content gives the same bytes."""


def compress_gzip(content: bytes) -> bytes:
    """``content`` as a gzip file without name or time."""
    packer = zlib_ng.compressobj(6, zlib_ng.DEFLATED, -zlib_ng.MAX_WBITS)
    tail = zlib_ng.crc32(content).to_bytes(4, "little") + (len(content) & 0xFFFFFFFF).to_bytes(4, "little")
    return _GZIP_HEAD + packer.compress(content) + packer.flush() + tail


def compress(content: bytes, suffix: str) -> bytes:
    """``content`` as the twin of that suffix."""
    if suffix == GZ:
        return compress_gzip(content)
    twin: bytes = (
        brotli.compress(content, quality=BROTLI_QUALITY) if suffix == BR else zstd.compress(content, ZSTD_LEVEL)
    )
    return twin


def decoded_matches(data: bytes, suffix: str, content: bytes) -> bool:
    """Whether ``data`` is ``content`` encoded as ``suffix`` says; never expands to more than ``content`` does."""
    return _decodes_to(io.BytesIO(data), suffix, io.BytesIO(content))


def file_decodes_to(encoded: Path, suffix: str, plain: Path) -> bool:
    """The same of two files, of any size, neither of which is ever held whole."""
    with encoded.open("rb") as data, plain.open("rb") as content:
        return _decodes_to(data, suffix, content)


def _decodes_to(data: BinaryIO, suffix: str, content: BinaryIO) -> bool:
    pieces = _DECODERS[suffix](data)
    try:
        return all(content.read(len(piece)) == piece for piece in pieces) and not content.read(1)
    except (EOFError, zlib.error, brotli.error, zstd.ZstdError):
        return False


def _gunzipped(data: BinaryIO) -> Iterator[bytes]:
    inflater = zlib.decompressobj(16 + zlib.MAX_WBITS)
    while not inflater.eof:
        pending = data.read(_READ)
        if not pending:
            raise EOFError
        while pending and not inflater.eof:
            yield inflater.decompress(pending, CHUNK)
            pending = inflater.unconsumed_tail
    if inflater.unused_data or data.read(1):
        raise EOFError  # A second member: browsers would show it after the content.


def _unbrotlied(data: BinaryIO) -> Iterator[bytes]:
    reader = brotli.Decompressor()
    while not reader.is_finished():
        pending = data.read(_READ) if reader.can_accept_more_data() else b""
        piece = reader.process(pending, output_buffer_limit=CHUNK)
        if not pending and not piece and not reader.is_finished():
            raise EOFError
        yield piece


def _unzstd(data: BinaryIO) -> Iterator[bytes]:
    reader = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: ZSTD_WINDOW})
    while not reader.eof:
        pending = data.read(_READ) if reader.needs_input else b""
        piece = reader.decompress(pending, CHUNK)
        if not pending and not piece and not reader.eof:
            raise EOFError
        yield piece
    if reader.unused_data or data.read(1):
        raise EOFError  # A second frame: browsers would show it after the content.


_DECODERS = {GZ: _gunzipped, BR: _unbrotlied, ZST: _unzstd}


def gunzipped_sha256(data: BinaryIO) -> str | None:
    """SHA-256 of what a gzip file holds, which is never held whole; None where it is damaged or not whole."""
    return decoded_sha256(data, GZ)


def decoded_sha256(data: BinaryIO, suffix: str, *, limit: int | None = None) -> str | None:
    """The same of any of the encodings; None too where it holds more than ``limit`` bytes."""
    digest = hashlib.sha256()
    size = 0
    try:
        for piece in _DECODERS[suffix](data):
            size += len(piece)
            if limit is not None and size > limit:
                return None
            digest.update(piece)
    except (EOFError, zlib.error, brotli.error, zstd.ZstdError):
        return None
    return digest.hexdigest()
