"""How the commands that stay are stopped, and told to do something meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from threading import Event


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


def event_on(number: int) -> Event:
    """An event that the signal ``number`` sets."""
    import signal
    import threading

    event = threading.Event()
    signal.signal(number, lambda *_: event.set())
    return event
