"""The same work over many things by a few threads of this process: for work that waits for the system or the disk.

Threads and not processes: whatever ends this process ends them too, and the locks it holds go with them.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")

HILOS = 2
"""As many as the processors of the smallest machine that the calls admit."""
POCOS = 64
"""Up to so many things one thread does it: the others would take longer to begin."""


def each(work: Callable[[T], object], things: Iterable[T], *, hilos: int = HILOS, pocos: int = POCOS) -> None:
    """Call ``work`` with each of ``things``, begun in their order; returns when none is under way.

    Up to ``pocos`` of them are done by one thread: for work that waits long each time, fewer are few.

    After an error no more are begun. The one raised is that of the first in order: what one thread alone would raise.
    """
    items = list(things)
    if len(items) <= pocos:
        for item in items:
            work(item)
        return
    pending = iter(range(len(items)))
    turn = threading.Lock()
    errors: list[tuple[int, BaseException]] = []

    def run() -> None:
        while True:
            with turn:
                number = -1 if errors else next(pending, -1)
            if number < 0:
                return
            try:
                work(items[number])
            except BaseException as exc:  # noqa: BLE001 (told by the thread that waits)
                errors.append((number, exc))

    others = [
        threading.Thread(target=run, name=f"{threading.current_thread().name}-{n}")
        for n in range(1, min(hilos, len(items)))
    ]
    for thread in others:
        thread.start()
    try:
        run()
    except BaseException as exc:  # noqa: BLE001 (an interruption between two things: told below, once all have ended)
        errors.append((0, exc))
    for thread in others:
        thread.join()
    if errors:
        raise min(errors, key=lambda found: found[0])[1]
