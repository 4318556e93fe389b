"""A process that makes the next cut and dies, as by a power cut, before or after its n-th durable step.

Run by ``test_build``: ``python -m tests.instituto.muerte ESPACIO ACTAS HORA N antes|despues``. Prints each step.
"""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

from pregon.base.clock import ManualClock
from pregon.instituto import fuentes
from pregon.instituto.build import build_cut
from pregon.instituto.workspace import open_workspace
from tests.red.blancos import DiscoMortal, Pasos


def disco(at: str, when: str) -> DiscoMortal:
    """The disk at whose step ``at`` this process dies; each is printed."""

    def tell(step: str) -> None:
        sys.stdout.write(f"{step}\n")
        sys.stdout.flush()

    return DiscoMortal(Pasos(int(at), despues=when == "despues", anota=tell))


def main(space: str, actas: str, hora: str, at: str, when: str) -> None:
    clock = ManualClock(datetime.fromisoformat(hora))
    workspace = open_workspace(Path(space), clock=clock, disk=disco(at, when))
    build_cut(workspace, fuentes.sources(sorted(Path(actas).glob("*.csv"))))


if __name__ == "__main__":
    main(*sys.argv[1:])
