"""The package of the previous signed cut, as a store of contents already compressed (docs/adr/0005).

It is our own archive, written by ``archive`` and signed: read without the admission policy of ``reading``, which costs
ten times as much, but with every number checked against the size of the file and every content against its CRC.
"""

from __future__ import annotations

import os
import struct
import weakref
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from pregon.base.errors import ArchivoError, ComprobacionError, DiscoError
from pregon.base.hashing import sha256_bytes, sha256_file
from pregon.paquete import zipformat
from pregon.paquete.crudo import Extent, Packed, RawReader, inflated

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Self

    from pregon.paquete.manifest import FileEntry, Manifest

MAX_READ = 64 << 20
"""Largest content that ``read`` gives in one piece."""
_MAX_DIRECTORY = 64 << 20
_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
_LOCAL = 30
_STORED, _DEFLATED = 0, 8
_MAX32 = 0xFFFF_FFFF


class _Place(NamedTuple):
    method: int
    crc: int
    packed: int
    size: int
    offset: int


class PreviousPackage:
    """The archive and the manifest of the last signed cut: contents by hash or by path. A context manager.

    The directory is read once. Reading does not move any shared position, so a forked process may go on using it.
    """

    def __init__(self, archivo: Path, manifiesto: Manifest, *, sha256: str | None = None) -> None:
        """Open ``archivo``.

        Args:
            archivo: the whole archive of the cut.
            manifiesto: of the same cut.
            sha256: of the archive, as it was signed. With it the archive is hashed now (60 MB in 0.1 s) and
                ``find`` need not inflate what it gives to know that it is not damaged.

        Raises:
            DiscoError: the archive is not there, is damaged or is not the signed one.
        """
        self.archivo = archivo
        self.manifiesto = manifiesto
        self._sound = sha256 is not None
        self._entries: dict[str, FileEntry] = {entry.ruta: entry for entry in manifiesto.archivos}
        self._by_hash: dict[str, FileEntry] = {entry.sha256: entry for entry in reversed(manifiesto.archivos)}
        self._found: dict[str, Packed] = {}
        try:
            descriptor = os.open(archivo, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as exc:
            raise damaged(archivo) from exc
        self._descriptor = descriptor
        self._close = weakref.finalize(self, os.close, descriptor)
        try:
            if sha256 is not None and sha256_file(archivo) != sha256:
                _bad("it is not the archive that was signed")
            self._size = os.fstat(descriptor).st_size
            self._places, self._directory = self._read_directory()
        except (OSError, ValueError, IndexError, struct.error, ArchivoError) as exc:
            self._close()
            raise damaged(archivo) from exc

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the archive; what ``find`` gave stays good, since it names the file."""
        self._close()

    def find(self, sha256: str) -> Packed | None:
        """The content of that hash as the archive holds it; None where the manifest has no such content.

        Raises:
            DiscoError: the manifest lists it and the archive does not hold it whole.
        """
        known = self._found.get(sha256)
        if known is not None:
            return known
        entry = self._by_hash.get(sha256)
        if entry is None:
            return None
        try:
            packed = self._packed(entry)
            if not self._sound:
                with RawReader() as reader:
                    for _ in reader.plain(packed):
                        pass
        except (OSError, ValueError, KeyError, struct.error, ComprobacionError) as exc:
            raise damaged(self.archivo) from exc
        self._found[sha256] = packed
        return packed

    def read(self, ruta: str) -> bytes:
        """The content of a path, checked against the manifest.

        Raises:
            KeyError: the manifest does not list it, or the archive does not have it.
            ValueError: larger than ``MAX_READ``, damaged, or not what was signed.
        """
        entry = self._entries[ruta]
        if entry.bytes > MAX_READ:
            raise ValueError(f"{ruta} is larger than {MAX_READ} bytes")
        try:
            content = b"".join(self._plain(self._packed(entry)))
        except (OSError, struct.error) as exc:
            raise ValueError(f"{ruta} cannot be read") from exc
        if len(content) != entry.bytes or sha256_bytes(content) != entry.sha256:
            raise ValueError(f"{ruta} is not what was signed")
        return content

    def _plain(self, packed: Packed) -> Iterator[bytes]:
        extent = packed.comprimido
        if not isinstance(extent, Extent):
            yield extent
            return
        raw = self._read(extent.desde, extent.largo)
        left = packed.bytes
        for piece in (raw,) if packed.guardado else inflated((raw,)):
            left -= len(piece)
            if left < 0:
                raise ValueError("longer than declared")
            yield piece

    def _packed(self, entry: FileEntry) -> Packed:
        place = self._places[entry.ruta]
        head = self._read(place.offset, _LOCAL)
        name, extra = struct.unpack_from("<HH", head, _LOCAL - 4)
        start = place.offset + _LOCAL + name + extra
        if head[:4] != b"PK\x03\x04" or start + place.packed > self._directory or place.size != entry.bytes:
            raise ValueError(f"{entry.ruta} is not where the directory says")
        if place.method not in (_STORED, _DEFLATED) or (place.method == _STORED and place.packed != place.size):
            raise ValueError(f"{entry.ruta} is packed in another way")
        extent = Extent(self.archivo, start, place.packed)
        return Packed(entry.bytes, entry.sha256, place.crc, place.method == _STORED, extent)

    def _read(self, offset: int, size: int) -> bytes:
        data = os.pread(self._descriptor, size, offset)
        while len(data) < size:
            more = os.pread(self._descriptor, size - len(data), offset + len(data))
            if not more:
                raise ValueError("the archive ends before what it declares")
            data += more
        return data

    def _read_directory(self) -> tuple[dict[str, _Place], int]:
        tail = zipformat.read_tail(self._read, self._size, _MAX_DIRECTORY)
        raw = self._read(tail.directory, self._size - tail.directory)
        places: dict[str, _Place] = {}
        position = 0
        for _ in range(tail.entries):
            (mark, _, _, flags, method, _, _, crc, packed, size, name, extra, comment, _, _, _, offset) = (
                _CENTRAL.unpack_from(raw, position)
            )
            position += _CENTRAL.size
            ruta = raw[position : position + name].decode()
            if mark != b"PK\x01\x02" or flags & zipformat.ENCRYPTED:
                _bad()
            if _MAX32 in (packed, size, offset):
                size, packed, offset = _wide(raw[position + name : position + name + extra], size, packed, offset)
            position += name + extra + comment
            places[ruta] = _Place(method, crc, packed, size, offset)
        if len(places) != tail.entries:
            _bad()
        return places, tail.directory


def _wide(extra: bytes, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    """The 64-bit numbers of a directory entry: only those whose 32-bit field is full, in this order."""
    position = 0
    while position + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, position)
        if kind == zipformat.EXTRA_ZIP64:
            numbers = iter(struct.unpack_from(f"<{length // 8}Q", extra, position + 4))
            size, packed, offset = (next(numbers, -1) if n == _MAX32 else n for n in (size, packed, offset))
            if min(size, packed, offset) < 0:
                _bad()
            return size, packed, offset
        position += 4 + length
    return size, packed, offset


def _bad(problem: str = "the directory is damaged") -> NoReturn:
    raise ValueError(problem)


def damaged(path: Path) -> DiscoError:
    """The error of a previous package that cannot be used."""
    return DiscoError(
        f"No se pudo leer el paquete del corte anterior ({path}).",
        intacto="No se firmó nada; el repositorio sigue como estaba.",
        que_hacer="Recupere ese archivo de un respaldo o de un difusor, y repita la orden.",
    )
