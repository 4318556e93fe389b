"""The links of a ``Mundo``: one process that carries packets between pairs of TUN devices, with delay, loss and cuts.

Run by ``tests.red.mundo``: ``python -m tests.red.relevo SOCKET PARENT``. It takes one JSON order per message on the
UNIX socket SOCKET and ends when the process PARENT is no longer its parent. Loss is drawn by a generator of its own
for each link and way: the same seed drops the same packets. Rates are not here: ``tc tbf`` shapes before the device.

Measured on a small machine of two cores that were busy: one TCP stream of 100 Mbps costs 0.17 of a core, and one
without a rate carries 310 Mbps, which is what one core gives for all links together.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import heapq
import json
import os
import random
import select
import socket
import struct
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKET_MAX = 2048
"""The devices have an MTU of 1500."""
BATCH = 32
"""Packets read from one device before the others are looked at."""
ORPHAN_LOOK_S = 1.0
NICE = -15
"""A relay that waits for its turn on a busy machine adds a delay that nobody asked for."""
MAX_WAITING = 20_000
"""Packets that one way of a link may hold; more are dropped, as a full router does."""

_TUNSETIFF = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
_CLONE_NEWNET = 0x40000000
NETNS = Path("/run/netns")


@contextlib.contextmanager
def inside(namespace: Path) -> Iterator[None]:
    """This thread (and those that it starts) within a network namespace, while the block lasts.

    Sockets opened meanwhile belong there for good.

    Raises:
        OSError: it is not there, or this process may not.
    """
    libc = ctypes.CDLL(None, use_errno=True)

    def enter(descriptor: int) -> None:
        if libc.setns(descriptor, _CLONE_NEWNET) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), str(namespace))

    with open(f"/proc/self/task/{threading.get_native_id()}/ns/net", "rb") as home, namespace.open("rb") as there:  # noqa: PTH123
        enter(there.fileno())
        try:
            yield
        finally:
            enter(home.fileno())


def open_tun(namespace: str, device: str) -> int:
    """Create a TUN device in a namespace; it lasts as long as the descriptor that this gives."""
    with inside(NETNS / namespace):
        descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        fcntl.ioctl(descriptor, _TUNSETIFF, struct.pack("16sH14x", device.encode(), _IFF_TUN | _IFF_NO_PI))
        return descriptor


@dataclass
class Way:
    """One direction of one link. ``delay`` in seconds, ``loss`` from 0 to 1."""

    source: int
    target: int
    dice: random.Random
    delay: float = 0.0
    loss: float = 0.0
    cut: bool = False
    last_due: float = 0.0
    passed: int = 0
    passed_bytes: int = 0
    dropped: int = 0
    waiting: deque[tuple[float, bytes]] = field(default_factory=deque)

    def take(self, packet: bytes, now: float) -> float | None:
        """Accept a packet; when it is due, or None where it was dropped. Packets keep their order."""
        if self.cut or len(self.waiting) >= MAX_WAITING or (self.loss and self.dice.random() < self.loss):
            self.dropped += 1
            return None
        self.last_due = max(self.last_due, now + self.delay)
        self.waiting.append((self.last_due, packet))
        return self.last_due

    def give(self, now: float) -> float | None:
        """Write what is due; when the next one is, None where nothing waits."""
        while self.waiting and self.waiting[0][0] <= now:
            packet = self.waiting.popleft()[1]
            try:
                os.write(self.target, packet)
            except OSError:
                self.dropped += 1
            else:
                self.passed += 1
                self.passed_bytes += len(packet)
        return self.waiting[0][0] if self.waiting else None


class Relay:
    """All links of one world."""

    def __init__(self, orders: socket.socket, parent: int) -> None:
        self._orders = orders
        self._parent = parent
        self._ways: dict[int, Way] = {}
        self._links: dict[str, tuple[Way, Way]] = {}
        self._due: list[tuple[float, int, Way]] = []
        self._order = count()

    def run(self) -> None:
        """Carry until the parent is gone."""
        looked = time.monotonic()
        while True:
            now = time.monotonic()
            wait = ORPHAN_LOOK_S if not self._due else min(ORPHAN_LOOK_S, max(0.0, self._due[0][0] - now))
            orders = self._orders.fileno()
            ready: list[int] = select.select([orders, *self._ways], [], [], wait)[0]
            for descriptor in ready:
                if descriptor != orders:
                    self._read(self._ways[descriptor])
            if orders in ready:  # last: it may close a device
                self._obey()
            now = time.monotonic()
            while self._due and self._due[0][0] <= now:
                way = heapq.heappop(self._due)[2]
                later = way.give(now)
                if later is not None:
                    heapq.heappush(self._due, (later, next(self._order), way))
            if now - looked > ORPHAN_LOOK_S:
                looked = now
                if os.getppid() != self._parent:
                    return

    def _read(self, way: Way) -> None:
        now = time.monotonic()
        idle = not way.waiting
        for _ in range(BATCH):
            try:
                packet = os.read(way.source, PACKET_MAX)
            except BlockingIOError:
                break
            except OSError:  # the device is down: its host is being removed
                break
            way.take(packet, now)
        if idle and way.waiting:
            heapq.heappush(self._due, (way.waiting[0][0], next(self._order), way))

    def _obey(self) -> None:
        raw, sender = self._orders.recvfrom(1 << 16)
        order: dict[str, Any] = json.loads(raw)
        answer: dict[str, Any] = {}
        try:
            answer = getattr(self, f"do_{order.pop('orden')}")(**order) or {}
        except (OSError, KeyError, TypeError, ValueError) as exc:
            answer = {"error": f"{type(exc).__name__}: {exc}"}
        self._orders.sendto(json.dumps(answer).encode(), sender)

    def do_une(self, enlace: str, extremos: list[list[str]], semilla: int) -> None:
        """Make a link: a namespace and a device at each end."""
        ends = [open_tun(namespace, device) for namespace, device in extremos]
        ways = tuple(
            Way(ends[i], ends[1 - i], random.Random(f"{semilla}/{enlace}/{i}"))  # not a secret
            for i in (0, 1)
        )
        self._links[enlace] = (ways[0], ways[1])
        self._ways.update(zip(ends, ways, strict=True))

    def do_cambia(self, enlace: str, *, retardo: float, perdida: float, cortado: bool) -> None:
        """Both ways from now on; what waits already keeps its hour. A cut link forgets what was under way."""
        for way in self._links[enlace]:
            way.delay, way.loss, way.cut = retardo, perdida, cortado
            if cortado:
                way.dropped += len(way.waiting)
                way.waiting.clear()

    def do_cuenta(self, enlace: str) -> dict[str, Any]:
        """Packets and bytes that passed, and packets dropped, each way."""
        return {"sentidos": [[way.passed, way.passed_bytes, way.dropped] for way in self._links[enlace]]}

    def do_quita(self, enlace: str) -> None:
        """Undo a link; its devices go with their descriptors."""
        for way in self._links.pop(enlace):
            way.waiting.clear()
            del self._ways[way.source]
            os.close(way.source)


def main(path: str, parent: str) -> None:
    with contextlib.suppress(OSError):
        os.nice(NICE)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as orders:
        orders.bind(path)
        Relay(orders, int(parent)).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
