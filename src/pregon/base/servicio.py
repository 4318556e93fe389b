"""What a service tells whoever started it (systemd's ``sd_notify``), and the watchdog of a loop that must not hang.

The protocol is one datagram of ``KEY=value`` lines to the socket in ``NOTIFY_SOCKET`` (sd_notify(3)). Without a
supervisor nothing is sent and nothing changes: the same program runs in a terminal and in a container.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import logging
import os
import socket
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pregon.base.clock import Clock

_logger = logging.getLogger(__name__)

SEND_TIMEOUT_S = 1.0
"""A supervisor that does not read must not hold the service."""
STATUS_MAX = 400
"""Letters of ``STATUS=``: it is one line of ``systemctl status``."""
OWN_LIMIT_S = 300.0
"""Where no supervisor watches: after so long without progress the process ends itself, for its container to restart it.

The longest step that gives no sign of itself is the sync of one cut: 550 MB at 2 MB/s take 275 seconds.
"""
PER_LIMIT = 4
"""Signs given in each limit: one or two may be late, or lost, and nothing happens."""
M_MMAP_THRESHOLD = -3
"""Of ``<malloc.h>``."""
LARGE_BLOCK = 128 << 10
"""Bytes from which a block is the system's own, and goes back to it when freed: glibc's first value, held there."""


@dataclass(frozen=True)
class Supervisor:
    """Who started this process and listens to it. ``direccion`` None: nobody. ``limite_s``: its watchdog, or None."""

    direccion: str | None = None
    limite_s: float | None = None

    @classmethod
    def of_environment(cls, environment: Mapping[str, str] = os.environ, *, pid: int | None = None) -> Supervisor:
        """The one that the environment names: a path or, with «@», an abstract socket; other kinds are not known.

        The watchdog counts where it is meant for the process ``pid`` (None: this one) or for any.
        """
        address = environment.get("NOTIFY_SOCKET", "")
        if not address.startswith(("/", "@")) or len(address) == 1:
            return cls()
        meant = environment.get("WATCHDOG_PID", "")
        limit = None
        if not meant or meant == str(os.getpid() if pid is None else pid):
            with contextlib.suppress(ValueError):
                limit = int(environment.get("WATCHDOG_USEC", "")) / 1e6
        return cls(address, limit if limit is not None and limit > 0 else None)

    def tell(self, *lines: str) -> bool:
        """Send one message; whether it was delivered. A failure is no reason to stop serving."""
        if self.direccion is None:
            return False
        address = "\0" + self.direccion[1:] if self.direccion.startswith("@") else self.direccion
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
                channel.settimeout(SEND_TIMEOUT_S)
                channel.sendto("\n".join(lines).encode(), address)
        except OSError as exc:
            _logger.debug("aviso al supervisor: %s", exc)
            return False
        return True

    def ready(self, status: str) -> None:
        """It serves: the start, or the reload, is over."""
        self.tell("READY=1", _status(status))

    def status(self, text: str) -> None:
        """One line for ``systemctl status``."""
        self.tell(_status(text))

    def reloading(self, clock: Clock) -> None:
        """It reads its settings again; ``ready`` must follow."""
        self.tell("RELOADING=1", f"MONOTONIC_USEC={int(clock.monotonic() * 1e6)}")

    def stopping(self) -> None:
        """It ends in order."""
        self.tell("STOPPING=1", _status("Terminando en orden."))


def return_large_blocks() -> bool:
    """Have every block of ``LARGE_BLOCK`` or more go back to the system when it is freed; whether libc can do that.

    By itself glibc raises that limit to the largest block ever freed (up to 32 MiB), and from then on keeps what it
    read whole. Measured in ``difusor opera`` over 200 cuts: its heap grew 3.2 kB a cut without this, 1.3 with it.
    """
    with contextlib.suppress(AttributeError):  # Only glibc has it; others give back what is large as they are.
        return bool(ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK))
    return False


def _status(text: str) -> str:
    return "STATUS=" + " ".join(text.split())[:STATUS_MAX]


class Latido:
    """The sign of life of a loop: given by its progress and by nothing else, so it stops when the loop hangs.

    With a supervisor that watches, ``late`` tells it; without one, the process ends itself when ``limite_s`` pass
    without a sign, after writing where each thread was. Made and called by the loop (and the threads that work for it),
    never by a timer.
    """

    def __init__(self, supervisor: Supervisor, clock: Clock, *, limite_s: float = OWN_LIMIT_S) -> None:
        self._supervisor = supervisor
        self._clock = clock
        self._alone = supervisor.limite_s is None
        self._limit = limite_s if supervisor.limite_s is None else supervisor.limite_s
        self._next = clock.monotonic()
        self._on = False

    def __enter__(self) -> Latido:
        """From now on silence counts: the start is over."""
        self._on = True
        self._next = self._clock.monotonic()
        self.late()
        return self

    def __exit__(self, *_: object) -> None:
        self._on = False
        if self._alone:
            faulthandler.cancel_dump_traceback_later()

    def late(self) -> None:
        """Say that something advanced. Cheap: most calls only look at the clock."""
        now = self._clock.monotonic()
        if not self._on or now < self._next:
            return
        self._next = now + self._limit / PER_LIMIT
        if self._alone:
            # A thread of C: it counts and ends the process also where Python itself cannot run.
            faulthandler.dump_traceback_later(self._limit, exit=True, file=sys.__stderr__ or 2)
        else:
            self._supervisor.tell("WATCHDOG=1")
