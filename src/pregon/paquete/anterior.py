"""The package of the previous signed cut, as a store of contents already compressed (docs/adr/0005).

It is our own archive, written by ``archive`` and signed: read without the admission policy of ``reading``, which costs
ten times as much, but with every number checked against the size of the file and every content against its CRC.
"""

from __future__ import annotations

import os
import weakref
from typing import TYPE_CHECKING, NoReturn

from pregon.base.errors import ArchivoError, ComprobacionError, DiscoError
from pregon.base.hashing import CHUNK, sha256_bytes, sha256_file
from pregon.paquete.crudo import Extent, Packed, RawReader, inflated
from pregon.paquete.zip import formato as zipformat
from pregon.paquete.zip.formato import DEFLATED, STORED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Self

    from pregon.paquete.manifest import FileEntry, Manifest
    from pregon.paquete.zip.formato import Fields

MAX_READ = 64 << 20
"""Largest content that ``read`` gives in one piece."""
_MAX_DIRECTORY = 64 << 20


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
        except (OSError, ValueError, ArchivoError) as exc:
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
        except (OSError, ValueError, KeyError, ArchivoError, ComprobacionError) as exc:
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
        except (OSError, ArchivoError) as exc:
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
        fields = self._places[entry.ruta]
        start = zipformat.read_local(self._read, fields, self._directory)
        if start + fields.packed > self._directory or fields.size != entry.bytes or fields.flags & zipformat.ENCRYPTED:
            _bad(f"{entry.ruta} is not where the directory says")
        if fields.method not in (STORED, DEFLATED) or (fields.method == STORED and fields.packed != fields.size):
            _bad(f"{entry.ruta} is packed in another way")
        extent = Extent(self.archivo, start, fields.packed)
        return Packed(entry.bytes, entry.sha256, fields.crc32, fields.method == STORED, extent)

    def _read(self, offset: int, size: int) -> bytes:
        data = os.pread(self._descriptor, size, offset)
        while len(data) < size:
            more = os.pread(self._descriptor, size - len(data), offset + len(data))
            if not more:
                raise ValueError("the archive ends before what it declares")
            data += more
        return data

    def _read_directory(self) -> tuple[dict[str, Fields], int]:
        tail = zipformat.read_tail(self._read, self._size, _MAX_DIRECTORY)
        places = {fields.name.decode(): fields for fields in zipformat.read_directory(self._read, tail, CHUNK)}
        if len(places) != tail.entries:
            _bad()
        return places, tail.directory


def _bad(problem: str = "the directory is damaged") -> NoReturn:
    raise ValueError(problem)


def damaged(path: Path) -> DiscoError:
    """The error of a previous package that cannot be used."""
    return DiscoError(
        f"No se pudo leer el paquete del corte anterior ({path}).",
        intacto="No se firmó nada; el repositorio sigue como estaba.",
        que_hacer="Recupere ese archivo de un respaldo o de un difusor, y repita la orden.",
    )
