"""The files of one package before they are packed: path inside the package, content, size and SHA-256."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from pregon.base.errors import ComprobacionError, EntradaError
from pregon.base.hashing import CHUNK, sha256_bytes, sha256_file
from pregon.paquete.manifest import FileEntry
from pregon.paquete.names import NameSet

if TYPE_CHECKING:
    from collections.abc import Iterator


class PackageTree:
    """A package being built. Each content is bytes, or a file that must not change until the cut is written."""

    def __init__(self) -> None:
        self._names = NameSet()
        self._content: dict[str, bytes | Path] = {}
        self._entries: dict[str, FileEntry] = {}

    def add(self, ruta: str, content: bytes | Path) -> FileEntry:
        """Add the file ``ruta`` (relative, ``/`` between components).

        Raises:
            ArchivoError: the name is not admitted, is there already, or collides (``paquete.names``).
            EntradaError: ``content`` is a path that cannot be read.
        """
        if isinstance(content, bytes):
            entry = FileEntry(ruta, len(content), sha256_bytes(content))
        else:
            try:
                entry = FileEntry(ruta, content.stat().st_size, sha256_file(content))
            except OSError as exc:
                raise EntradaError(
                    f"No se pudo leer {content} para el paquete: {exc.strerror}",
                    intacto="No se firmó ni se entregó nada.",
                    que_hacer="Revise que el archivo exista y vuelva a generar el corte.",
                ) from exc
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

    def chunks(self, ruta: str) -> Iterator[bytes]:
        """The content of ``ruta`` in pieces, checked at the end against the size and hash taken when it was added.

        Raises:
            ComprobacionError: the file changed after it was added.
        """
        content = self._content[ruta]
        if isinstance(content, bytes):
            yield content
            return
        # The manifest says what was hashed; the archive must hold the same bytes, so they are hashed again in passing.

        digest = hashlib.sha256()
        with Path(content).open("rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
                yield chunk
        if digest.hexdigest() != self._entries[ruta].sha256:
            raise ComprobacionError(
                f"El archivo {content} cambió mientras se armaba el paquete.",
                intacto="No se firmó ni se entregó nada.",
                que_hacer="Vuelva a generar el corte cuando nadie esté escribiendo ese archivo.",
            )
