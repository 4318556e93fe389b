"""Free space, asked before and while writing."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from pregon.base.errors import DiscoError

if TYPE_CHECKING:
    from pathlib import Path


RESERVA = 64 << 20
"""Bytes that we leave free on a disk we write to: whatever else runs there must go on."""
PASO = 16 << 20
"""Free space is asked again each time so many bytes were written."""


def free_bytes(path: Path) -> int:
    """Bytes free for us on the file system of ``path``."""
    return shutil.disk_usage(path).free


def require_free(path: Path, needed: int) -> None:
    """Refuse to begin what would not fit.

    Raises:
        DiscoError: fewer than ``needed`` bytes are free.
    """
    free = free_bytes(path)
    if free < needed:
        raise DiscoError(
            f"Hacen falta {needed:,} bytes libres en {path} y hay {free:,}.",
            intacto="No se escribió nada; lo publicado sigue como estaba.",
            que_hacer="Libere espacio en ese disco; Pregón lo intentará de nuevo en el siguiente ciclo.",
        )


class SpaceWatch:
    """Asks for free space again while much is written to one file system, whoever else is writing there."""

    def __init__(self, path: Path, reserva: int = RESERVA) -> None:
        self._path = path
        self._reserva = reserva
        self._since = PASO

    def wrote(self, size: int) -> None:
        """Say that ``size`` bytes are about to be written.

        Raises:
            DiscoError: less than the reserve is left.
        """
        self._since += size
        if self._since < PASO:
            return
        self._since = 0
        free = free_bytes(self._path)
        if free < self._reserva:
            raise DiscoError(
                f"En {self._path} quedan {free:,} bytes libres; se dejan siempre {self._reserva:,}.",
                intacto="No se guardó lo que se estaba escribiendo; lo publicado sigue como estaba.",
                que_hacer="Libere espacio en ese disco; Pregón lo intentará de nuevo en el siguiente ciclo.",
            )
