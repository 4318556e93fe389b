"""What the commands of a difusor share: the argument DIR, and how those that stay are stopped."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from threading import Event

Carpeta = Annotated[Path, typer.Argument(help="Carpeta de trabajo del difusor.", metavar="DIR")]


def stop_on_signal() -> Event:
    """An event that SIGTERM and SIGINT set: the command ends in order."""
    import signal
    import threading

    stop = threading.Event()

    def ask(*_: object) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    return stop
