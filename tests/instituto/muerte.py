"""A process that makes the next cut and dies, as by a power cut, before or after its n-th durable step.

Run by ``test_build``: ``python -m tests.instituto.muerte ESPACIO ACTAS HORA N antes|despues``. Prints each step.
"""

from __future__ import annotations

import contextlib
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pregon.base.clock import ManualClock
from pregon.base.durable import Disk
from pregon.instituto import fuentes
from pregon.instituto.build import build_cut
from pregon.instituto.workspace import open_workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

MUERTE = 137


class DyingDisk(Disk):
    """Counts the durable steps and ends the process at one of them, with no clean-up at all."""

    def __init__(self, at: int, *, after: bool) -> None:
        self._at = at
        self._after = after
        self._seen = 0

    @contextlib.contextmanager
    def step(self, name: str, path: Path) -> Iterator[None]:
        mine = self._seen
        self._seen += 1
        sys.stdout.write(f"{mine} {name} {path}\n")
        sys.stdout.flush()
        if mine == self._at and not self._after:
            os._exit(MUERTE)
        yield
        if mine == self._at and self._after:
            os._exit(MUERTE)


def main(space: str, actas: str, hora: str, at: str, when: str) -> None:
    clock = ManualClock(datetime.fromisoformat(hora))
    workspace = open_workspace(Path(space), clock=clock, disk=DyingDisk(int(at), after=when == "despues"))
    build_cut(workspace, fuentes.sources(sorted(Path(actas).glob("*.csv"))))


if __name__ == "__main__":
    main(*sys.argv[1:])
