"""The two ways in which a backup is compressed, chosen by the end of its name; both as streams."""

from __future__ import annotations

import sys
import zlib
from typing import TYPE_CHECKING

from pregon.base.errors import UsoError
from pregon.base.hashing import CHUNK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from backports import zstd
elif sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ZST, GZ = ".tar.zst", ".tar.gz"
ZSTD_LEVEL = 3
GZIP_LEVEL = 1
"""The originals are archives already: nothing is won by trying harder."""


def kind_of(path: Path) -> str:
    """``ZST`` or ``GZ``.

    Raises:
        UsoError: the name ends otherwise.
    """
    for kind in (ZST, GZ):
        if path.name.endswith(kind):
            return kind
    raise UsoError(
        f"{path.name}: un respaldo se llama «algo{ZST}» o «algo{GZ}».",
        intacto="No se cambió nada.",
        que_hacer="Cambie el nombre y repita la orden.",
    )


def compressed(pieces: Iterable[bytes], kind: str) -> Iterator[bytes]:
    """``pieces`` compressed."""
    packer = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, 16 + zlib.MAX_WBITS) if kind == GZ else _zstd_packer()
    for piece in pieces:
        if out := packer.compress(piece):
            yield out
    yield packer.flush()


def _zstd_packer() -> zstd.ZstdCompressor:
    return zstd.ZstdCompressor(
        options={zstd.CompressionParameter.compression_level: ZSTD_LEVEL, zstd.CompressionParameter.checksum_flag: 1}
    )


class Inflated:
    """A compressed file, read plain and forward only: ``read(n)`` gives up to n bytes and never holds more than that.

    ``read`` raises EOFError where it ends before its time, ValueError where it is not what its name says.
    """

    def __init__(self, file: BinaryIO, kind: str) -> None:
        self._file = file
        self._zstd = zstd.ZstdDecompressor() if kind == ZST else None
        self._gzip = zlib.decompressobj(16 + zlib.MAX_WBITS)
        self._pending = b""

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes more; nothing at the end."""
        made: list[bytes] = []
        while size > 0 and (piece := self._some(size)):
            made.append(piece)
            size -= len(piece)
        return b"".join(made)

    def _some(self, size: int) -> bytes:
        try:
            while not self._ended:
                if piece := self._inflate(size):
                    return piece
        except (zlib.error, zstd.ZstdError) as exc:
            raise ValueError(str(exc)) from exc
        return b""

    @property
    def _ended(self) -> bool:
        return self._gzip.eof if self._zstd is None else self._zstd.eof

    def _inflate(self, size: int) -> bytes:
        if self._zstd is not None:
            data = self._more() if self._zstd.needs_input else b""
            return self._zstd.decompress(data, size)
        data = self._gzip.unconsumed_tail or self._more()
        return self._gzip.decompress(data, size)

    def _more(self) -> bytes:
        data = self._file.read(CHUNK)
        if not data:
            raise EOFError
        return data
