"""The folder in which an institute without Pregón leaves its files, read as it is and never changed.

The sender may still hold any of them open, and may swap a name for a link or a pipe between two looks: so the folder is
walked by directory descriptors, no link is followed, and what a look saw is compared with the next one (design §2).
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from pregon.base.errors import RedError
from pregon.base.razones import razon
from pregon.paquete.names import LIMITES
from pregon.transport.local import MAX_FILES, FolderSource
from pregon.trust.origen import Visto

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class ForeignFolder(FolderSource):
    """Implements ``trust.origen.ForeignSource`` over a folder of this machine."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, depth=LIMITES.profundidad)

    def entries(self) -> tuple[Visto, ...]:
        """Everything there but folders, by path. ``huella`` is device, inode, size and both times.

        The time of the last change of an inode cannot be set by who writes the file: putting back size and date after
        changing the content shows all the same.

        Raises:
            RedError: the folder cannot be read, is deeper than a package may be, or holds too much.
        """
        try:
            root = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as exc:
            raise self._refused(".", razon(exc)) from exc
        try:
            return tuple(sorted(self._walk(root), key=lambda seen: seen.ruta))
        finally:
            os.close(root)

    def _walk(self, root: int) -> Iterator[Visto]:
        def failed(exc: OSError) -> None:
            # What the sender takes away while it is looked at is simply not there.
            if not isinstance(exc, FileNotFoundError):
                raise self._refused(exc.filename or ".", razon(exc)) from exc

        count = 0
        for folder, folders, names, descriptor in os.fwalk(".", onerror=failed, dir_fd=root):
            prefix = folder[2:] + "/" if folder != "." else ""
            if prefix.count("/") > LIMITES.profundidad:
                raise self._too_much(f"tiene más de {LIMITES.profundidad} niveles")
            for name in (*names, *folders):
                try:
                    status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
                except FileNotFoundError:
                    continue
                count += 1
                if count > MAX_FILES:
                    raise self._too_much(f"tiene más de {MAX_FILES:,} archivos")
                if not stat.S_ISDIR(status.st_mode):
                    yield _seen(f"{prefix}{name}", status)

    def _too_much(self, problem: str) -> RedError:
        return RedError(
            f"La carpeta de origen {self._folder} {problem}.",
            intacto="No se tocó el origen; lo publicado sigue como estaba.",
            que_hacer="Revise que sea la carpeta que llena el instituto y no otra; quite lo que no sea de esta noche.",
        )


def _seen(ruta: str, status: os.stat_result) -> Visto:
    kind = "enlace" if stat.S_ISLNK(status.st_mode) else "archivo" if stat.S_ISREG(status.st_mode) else "especial"
    mark = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    return Visto(ruta, kind, status.st_size, status.st_mtime_ns, mark)
