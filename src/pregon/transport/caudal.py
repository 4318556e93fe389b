"""The bandwidth that all deliveries share, with its cap."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pregon.base.clock import Clock

BURST_S = 0.1
"""What may go at once after a pause, in seconds of the rate: more would fill the queue of the link."""


class Caudal:
    """A cap in bytes per second shared by every thread that asks; fair among them, because each waits its turn.

    ``take`` is called before a piece is put on a link. Without a cap it never waits. Carriers that are programs of
    their own (rsync) take ``share``: the cap divided among ``a_la_vez`` deliveries.
    """

    def __init__(self, clock: Clock, bytes_s: int | None = None, *, a_la_vez: int = 1) -> None:
        """``bytes_s`` None: no cap. ``a_la_vez``: how many deliveries go on at once."""
        self._clock = clock
        self._bytes_s = bytes_s
        self._a_la_vez = max(1, a_la_vez)
        self._lock = threading.Lock()
        self._free_at = 0.0

    @property
    def share(self) -> int | None:
        """Bytes per second for one of the deliveries that go on at once; None where there is no cap."""
        return None if self._bytes_s is None else max(1, self._bytes_s // self._a_la_vez)

    def reserve(self, size: int) -> float:
        """Take ``size`` bytes of the rate now; gives the seconds that the caller must wait before sending them."""
        if self._bytes_s is None:
            return 0.0
        with self._lock:
            now = self._clock.monotonic()
            start = max(self._free_at, now - BURST_S)
            self._free_at = start + size / self._bytes_s
            return max(0.0, start - now)
