"""``firmas.json`` of this difusor: what the institute signed, public while results are, and never before.

It lies with the server's own files and is no part of a release: signatures change between cuts. Before the start, and
where a notice took the place of the portal, it is not there.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from pregon.base.errors import PregonError
from pregon.base.hashing import open_regular
from pregon.trust.aviso import AVISO_MAX_BYTES, notice_number
from pregon.trust.firmas import FIRMAS, pack
from pregon.trust.rescate import kept_documents

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.base.durable import Disk
    from pregon.difusor.workspace import Workspace

_logger = logging.getLogger(__name__)


class Firmas:
    """The file of one workspace. Used by whoever receives, one at a time."""

    def __init__(self, workspace: Workspace, disk: Disk) -> None:
        self._state = workspace.confianza / "tuf"
        self._notices = workspace.avisos
        self._path = workspace.servidor / FIRMAS
        self._signed = workspace.firmado
        self._disk = disk
        self._last: tuple[object, ...] | None = None

    def muestra(self) -> None:
        """Make it say what was verified last.

        No result depends on it: what fails is told once in the log, and tried again when something changes.
        """
        if not self._signed or self._marks() == self._last:
            return
        try:
            documents, _ = kept_documents(self._state)
            self._disk.write(self._path, pack({**documents, **self._kept_notices()}))
        except (PregonError, OSError) as exc:
            _logger.warning("no se pudo escribir %s: %s", FIRMAS, exc)
        self._last = self._marks()

    def retira(self) -> None:
        """Take it away.

        Raises:
            DiscoError, EscrituraError: it is still there.
        """
        self._last = None
        if os.path.lexists(self._path):
            self._disk.remove_tree(self._path)

    def _marks(self) -> tuple[object, ...]:
        """What changes when it must be written again, and when somebody else touched it."""
        return tuple(_mark(path) for path in (self._state / "timestamp.json", self._notices, self._path))

    def _kept_notices(self) -> dict[str, bytes]:
        found = {}
        for path in sorted(self._notices.iterdir()):
            ruta = f"avisos/{path.name}"
            if notice_number(ruta) is not None:
                with open_regular(path) as file:
                    found[f"targets/{ruta}"] = file.read(AVISO_MAX_BYTES)
        return found


def _mark(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
