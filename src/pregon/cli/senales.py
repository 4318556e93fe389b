"""How the commands that stay are stopped, and told to do something meanwhile."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
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


@contextlib.contextmanager
def interrupted_once(says: str) -> Iterator[None]:
    """A block that Ctrl+C, SIGTERM and the end of its terminal (SIGHUP) end in order: the first is told to the person
    by ``says`` and raises ``KeyboardInterrupt``; while the block cleans up, no other cuts it short.

    What was ignored before (``nohup``) still is. For the main thread.
    """
    import os
    import signal

    asked = False

    def end(*_: object) -> None:
        nonlocal asked
        if asked:
            return
        asked = True
        with contextlib.suppress(OSError):  # The terminal that closed has nobody to tell.
            os.write(2, f"{says}\n".encode())
        raise KeyboardInterrupt

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {one: signal.getsignal(one) for one in numbers}
    mine = [one for one in numbers if before[one] is not signal.SIG_IGN]
    for one in mine:
        signal.signal(one, end)
    try:
        yield
    finally:
        for one in mine:
            signal.signal(one, before[one])
