"""What receives at a difusor whose disk gets full: ``python -m pregon.simulacro.fallas.recibe WORKSPACE MARK``.

It is ``pregon difusor recibe``, over a disk that answers ENOSPC to whatever takes room for as long as the file ``MARK``
is there. Each refusal adds one byte to ``MARK.veces``, so that it is known that the fault was felt.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from pregon.base.durable import Disk, disk_failure
from pregon.difusor.night import receive_until
from pregon.difusor.workspace import open_workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

_OCUPAN = frozenset({"write", "create", "link", "symlink", "make_folder"})
"""The steps that take room; to remove, rename and sync is possible on a full disk too."""


def veces(marca: Path) -> Path:
    """Where the refusals are counted."""
    return marca.with_name(marca.name + ".veces")


class DiscoLleno(Disk):
    """A disk that is full while the file ``marca`` is there."""

    def __init__(self, marca: Path) -> None:
        self._marca = marca

    @contextlib.contextmanager
    def step(self, name: str, path: Path) -> Iterator[None]:
        if name in _OCUPAN and self._marca.exists():
            with veces(self._marca).open("ab") as file:
                file.write(b".")
            disk_failure(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), path)
        yield


def main() -> None:
    """Receive until told to stop, in the workspace and with the mark of the command line."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    folder, marca = map(Path, sys.argv[1:3])
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    receive_until(open_workspace(folder), stop, disk=DiscoLleno(marca))


if __name__ == "__main__":
    main()
