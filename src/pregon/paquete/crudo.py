"""Compressed bytes that are copied and never made again: where they lie, and how they are read back."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from isal import igzip_lib, isal_zlib
from zlib_ng import zlib_ng

from pregon.base.errors import ComprobacionError
from pregon.base.hashing import CHUNK

if TYPE_CHECKING:
    import builtins
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import Self

_INFLATE_CHUNK = 1 << 18


@dataclass(frozen=True, slots=True)
class Extent:
    """``largo`` bytes of the file ``archivo`` from ``desde``: they must not change until the cut is written."""

    archivo: Path
    desde: int
    largo: int

    def __reduce__(self) -> tuple[Any, ...]:
        # Twenty thousand of these travel between processes: a call pickles ten times as fast as a state.
        return Extent, (self.archivo, self.desde, self.largo)


@dataclass(frozen=True, slots=True)
class Packed:
    """A content as an archive holds it. ``bytes``, ``sha256`` and ``crc32`` are of the plain content.

    ``comprimido`` is the raw deflate stream or, where ``guardado``, the content itself. Travels between processes.
    """

    bytes: int
    sha256: str
    crc32: int
    guardado: bool
    comprimido: builtins.bytes | Extent

    def __reduce__(self) -> tuple[Any, ...]:
        return Packed, (self.bytes, self.sha256, self.crc32, self.guardado, self.comprimido)

    @property
    def largo(self) -> int:
        """How many bytes it takes in the archive."""
        return self.comprimido.largo if isinstance(self.comprimido, Extent) else len(self.comprimido)


def inflated(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The content of a raw deflate stream that comes in pieces.

    Raises:
        ValueError: not a deflate stream, cut short, or followed by other bytes.
    """
    inflater = isal_zlib.decompressobj(-15)
    try:
        for raw in pieces:
            pending = raw
            while pending:
                if inflater.eof:
                    raise ValueError("bytes after the end of the deflate stream")
                yield inflater.decompress(pending, _INFLATE_CHUNK)
                pending = inflater.unconsumed_tail
        while not inflater.eof and (piece := inflater.decompress(b"", _INFLATE_CHUNK)):
            yield piece
    except igzip_lib.IsalError as exc:  # type: ignore[misc] # its stub says Exception, not a class
        raise ValueError(str(exc)) from exc
    if not inflater.eof or inflater.unused_data:
        raise ValueError("the deflate stream does not end where its member does")


class RawReader:
    """Gives what archives copy: the packed bytes. Keeps each file open that it reads; a context manager."""

    def __init__(self) -> None:
        self._open: dict[Path, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        while self._open:
            os.close(self._open.popitem()[1])

    def raw(self, packed: Packed) -> Iterable[bytes]:
        """``packed.comprimido`` in pieces; of a stored content in a file, checked against its CRC at the end.

        Raises:
            ComprobacionError: the file is not the one that was packed.
        """
        content = packed.comprimido
        if not isinstance(content, Extent):
            return (content,)
        return self._checked(content, packed.crc32) if packed.guardado else self._pieces(content)

    def plain(self, packed: Packed) -> Iterator[bytes]:
        """The content itself, checked at the end against its size and CRC.

        Raises:
            ComprobacionError: the file is not the one that was packed.
        """
        size = crc = 0
        try:
            for piece in self.raw(packed) if packed.guardado else inflated(self.raw(packed)):
                size += len(piece)
                crc = zlib_ng.crc32(piece, crc)
                yield piece
        except ValueError as exc:
            raise _changed(_where(packed)) from exc
        if (size, crc) != (packed.bytes, packed.crc32):
            raise _changed(_where(packed))

    def _checked(self, extent: Extent, expected: int) -> Iterator[bytes]:
        crc = 0
        for piece in self._pieces(extent):
            crc = zlib_ng.crc32(piece, crc)
            yield piece
        if crc != expected:
            raise _changed(extent.archivo)

    def _pieces(self, extent: Extent) -> Iterator[bytes]:
        try:
            descriptor = self._open.get(extent.archivo)
            if descriptor is None:
                descriptor = os.open(extent.archivo, os.O_RDONLY | os.O_CLOEXEC)
                self._open[extent.archivo] = descriptor
            position, left = extent.desde, extent.largo
            while left:
                piece = os.pread(descriptor, min(left, CHUNK), position)
                if not piece:
                    raise _changed(extent.archivo)
                position += len(piece)
                left -= len(piece)
                yield piece
        except OSError as exc:
            raise _changed(extent.archivo) from exc


def _where(packed: Packed) -> Path | None:
    return packed.comprimido.archivo if isinstance(packed.comprimido, Extent) else None


def _changed(path: Path | None) -> ComprobacionError:
    return ComprobacionError(
        f"El archivo {path} cambió mientras se armaba el paquete."
        if path is not None
        else "Un contenido del paquete no es el que se comprimió.",
        intacto="No se firmó ni se entregó nada.",
        que_hacer="Vuelva a generar el corte cuando nadie esté escribiendo ese archivo.",
    )
