"""Free space, asked before and while writing."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from pregon.base.errors import DiscoError

if TYPE_CHECKING:
    from pathlib import Path


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
