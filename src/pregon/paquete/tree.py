"""The files of one package before they are archived: path inside the package, content, size and SHA-256."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pregon.base.hashing import sha256_bytes
from pregon.paquete.crudo import Packed, RawReader
from pregon.paquete.empacado import pack
from pregon.paquete.manifest import FileEntry
from pregon.paquete.names import NameSet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class PackageTree:
    """A package being built: each content hashed once and compressed once, whatever archives it goes to."""

    def __init__(self) -> None:
        self._names = NameSet()
        self._content: dict[str, bytes | Packed] = {}
        self._entries: dict[str, FileEntry] = {}

    def add(self, ruta: str, content: bytes | Path | Packed) -> FileEntry:
        """Add the file ``ruta`` (relative, ``/`` between components).

        A path is read and packed now, in one pass; what it says afterwards is not looked at, but where its name says
        that it is already compressed it is copied from there when the archive is written, and must not change. Bytes
        are packed when they are first asked for so. ``Packed`` is taken at its word.

        Raises:
            ArchivoError: the name is not admitted, is there already, or collides (``paquete.names``).
            EntradaError: ``content`` is a path that cannot be read.
        """
        if isinstance(content, bytes):
            entry = FileEntry(ruta, len(content), sha256_bytes(content))
        else:
            content = content if isinstance(content, Packed) else pack(ruta, content)
            entry = FileEntry(ruta, content.bytes, content.sha256)
        self._names.add_file(ruta)
        self._content[ruta] = content
        self._entries[ruta] = entry
        return entry

    def __contains__(self, ruta: str) -> bool:
        return ruta in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    def entries(self) -> tuple[FileEntry, ...]:
        """Every file, sorted by path."""
        return tuple(self._entries[ruta] for ruta in sorted(self._entries))

    def entry(self, ruta: str) -> FileEntry:
        """The file ``ruta``; KeyError if it is not in the tree."""
        return self._entries[ruta]

    def packed(self, ruta: str) -> Packed:
        """The content of ``ruta`` as archives hold it: compressed at the first asking, and remembered."""
        content = self._content[ruta]
        if isinstance(content, bytes):
            content = pack(ruta, content, sha256=self._entries[ruta].sha256)
            self._content[ruta] = content  # the plain bytes are not needed again
        return content

    def chunks(self, ruta: str) -> Iterator[bytes]:
        """The content of ``ruta`` in pieces, plain: checked at the end against its size and CRC unless in memory.

        Raises:
            ComprobacionError: the file that holds it changed after it was added.
        """
        content = self._content[ruta]
        if isinstance(content, bytes):
            yield content
            return
        with RawReader() as reader:
            yield from reader.plain(content)
