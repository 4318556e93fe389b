"""What the links of a ``Mundo`` give, measured from inside. No pytest here: ``bench`` uses it too."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.red.mundo import Host

LIMIT_S = 20.0


@contextmanager
def datagrams(a: Host, b: Host) -> Iterator[tuple[socket.socket, socket.socket]]:
    """A socket of ``a`` that sends to one of ``b``."""
    with b.dentro():
        there = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with a.dentro():
        here = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with here, there:
        there.bind((b.ip, 4000))
        here.connect((b.ip, 4000))
        here.settimeout(5)
        there.settimeout(5)
        yield here, there


def round_trip_ms(a: Host, b: Host) -> float:
    """The best of some, because a busy machine adds and never takes away."""
    found = []
    with datagrams(a, b) as (here, there):
        for _ in range(8):
            started = time.perf_counter()
            here.send(b"va")
            there.sendto(b"viene", there.recvfrom(100)[1])
            here.recv(100)
            found.append((time.perf_counter() - started) * 1e3)
    return min(found)


def seconds_of(a: Host, b: Host, size: int) -> float:
    """Time in which ``size`` bytes by TCP are whole at the other side, from the first of them to the last."""
    with b.dentro():
        listener = socket.create_server((b.ip, 4000))
    times: list[float] = []
    got = 0

    def read() -> None:
        nonlocal got
        with listener, listener.accept()[0] as connection:
            while piece := connection.recv(1 << 16):
                times.append(time.perf_counter())
                got += len(piece)

    thread = threading.Thread(target=read)
    thread.start()
    with a.dentro():
        client = socket.create_connection((b.ip, 4000), timeout=LIMIT_S)
    with client:
        client.sendall(bytes(size))
    thread.join(LIMIT_S)
    assert got == size
    return times[-1] - times[0]
