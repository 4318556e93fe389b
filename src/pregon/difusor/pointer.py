"""Which release is public: one small file, read once per request, replaced by one rename (docs/adr/0002).

``puntero`` holds the release's folder name and a newline. ``publico`` is a relative link to the same folder, for
servers that must have one. The file decides; recovery sets the link after it.
"""

from __future__ import annotations

import contextlib
import os
import re
from typing import TYPE_CHECKING

from pregon.base.hashing import open_regular

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.base.durable import Disk
    from pregon.difusor.workspace import Workspace

ESPERA = "espera"
AVISO = "aviso"

_NAME = re.compile(r"[0-9]{4}|espera|aviso")
_MAX_BYTES = 64


def release_name(corte: int) -> str:
    """The folder of a cut: four digits (design §7)."""
    return f"{corte:04d}"


def release_number(name: str) -> int | None:
    """The cut of a release folder; None for ``espera``, ``aviso`` and anything that is not a cut."""
    return int(name) if re.fullmatch(r"[0-9]{4}", name) else None


def read(workspace: Workspace) -> str | None:
    """The name of the public release; None where there is no pointer or it does not name one."""
    return _read(workspace.puntero)


def _read(path: Path) -> str | None:
    try:
        with open_regular(path) as file:
            text = file.read(_MAX_BYTES).decode("ascii").removesuffix("\n")
    except (OSError, UnicodeDecodeError):
        return None
    return text if _NAME.fullmatch(text) else None


def switch(workspace: Workspace, name: str, disk: Disk) -> None:
    """Make the release ``name`` public. Its files must be on disk already (one ``syncfs`` before).

    A request sees the release before or the one after, never both, never none.
    """
    disk.write(workspace.puntero, f"{name}\n".encode())
    disk.symlink(workspace.publico, f"cortes/{name}")


def sound(workspace: Workspace, name: str) -> bool:
    """Whether ``puntero`` and ``publico`` are exactly what ``switch`` left for ``name``: kind, mode and content."""
    try:
        status = workspace.puntero.lstat()
        with open_regular(workspace.puntero) as file:
            content = file.read(_MAX_BYTES)
    except OSError:
        return False
    return status.st_mode & 0o022 == 0 and content == f"{name}\n".encode() and link_agrees(workspace)


def restore(workspace: Workspace, name: str, disk: Disk) -> None:
    """``switch``, whatever was put in the place of the pointer and of the link."""
    for path in (workspace.puntero, workspace.publico):
        if path.is_dir() and not path.is_symlink():
            disk.remove_tree(path)
    switch(workspace, name, disk)


def link_agrees(workspace: Workspace) -> bool:
    """Whether ``publico`` leads where ``puntero`` says."""
    with contextlib.suppress(OSError):
        return os.readlink(workspace.publico) == f"cortes/{read(workspace)}"  # noqa: PTH115 (the text, not a Path)
    return False
