"""A TCP relay on loopback that counts, cuts, hangs, slows and alters what passes: the bad link of the tests.

No pytest here: ``bench`` uses it too.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import socket
import struct
import termios
import threading
from functools import partial
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable

PIECE = 1 << 16
"""Bytes read at once."""
RECEIVE_BUFFER = 1 << 17
"""What may wait in the relay's own socket: little, so that what a client believes sent has nearly passed."""
SLICE_S = 0.01
"""With a rate, a piece is what passes in this time."""
DRAIN_S = 1.0
"""How long a cut waits for the other end to take the last bytes before its reset throws them away."""
CALL_S = 10.0
"""Limit of one order to the relay's thread."""

_ABORT = struct.pack("ii", 1, 0)


class Enlace:
    """Relay to ``host:port`` on a free port of 127.0.0.1, in a thread of its own, while the block lasts.

    Counts add every connection. A cut is a reset at both sides, as when a router forgets a connection; after it the
    link stays down (connections refused) until ``abre``.
    """

    def __init__(self, host: str, port: int) -> None:
        self._upstream = (host, port)
        self._listener = _listener()
        self.puerto: int = self._listener.getsockname()[1]
        self.subidos = 0
        """Bytes passed from clients to the server."""
        self.bajados = 0
        """Bytes passed from the server to clients."""
        self.conexiones = 0
        """Connections accepted."""
        self.cortes = 0
        """Times that ``corta_tras`` came true."""
        self._budget: int | None = None
        self._silent_at_end = False
        self._alter: int | None = None
        self._rate: int | None = None
        self._free_at = [0.0, 0.0]
        self._pairs: set[_Pair] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._accepting: asyncio.Task[None] | None = None
        self._loop = asyncio.new_event_loop()
        self._flows = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_forever, name="enlace", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.abre()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(CALL_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CALL_S)
        self._loop.close()
        self._listener.close()

    # What a test orders.

    def corta_tras(self, n: int) -> None:
        """Cut every connection when exactly ``n`` more bytes have passed, both ways together; 0 cuts now."""

        def order() -> None:
            self._budget, self._silent_at_end = n, False
            if n <= 0:
                self._cut()

        self._call(order)

    def calla_tras(self, n: int) -> None:
        """``calla`` when exactly ``n`` more bytes have passed, both ways together. Nothing is lost by it."""

        def order() -> None:
            self._budget, self._silent_at_end = n, True

        self._call(order)

    def abre(self) -> None:
        """Let everything pass again: after ``cierra``, a cut, ``calla``. What waited in silence goes on."""

        def order() -> None:
            self._budget = None
            self._flows.set()
            if self._accepting is None:
                self._listener.listen(128)
                self._accepting = self._loop.create_task(self._accept())

        self._call(order)

    def cierra(self) -> None:
        """Reset what is open and refuse connections until ``abre``. The port stays ours."""
        self._call(self._down)

    def calla(self) -> None:
        """From now on nothing passes: connections are accepted and stay open, and nobody says anything."""
        self._call(self._flows.clear)

    def ritmo(self, bytes_s: int | None) -> None:
        """At most so many bytes per second each way, all connections together; None for no limit."""

        def order() -> None:
            self._rate = bytes_s
            self._free_at = [0.0, 0.0]

        self._call(order)

    def altera(self, n: int | None) -> None:
        """Flip one bit of the byte that passes to the server after ``n`` more bytes, once; None: do not."""

        def order() -> None:
            self._alter = n

        self._call(order)

    def _call(self, order: Callable[[], None]) -> None:
        async def run() -> None:
            order()

        asyncio.run_coroutine_threadsafe(run(), self._loop).result(CALL_S)

    # Within the thread.

    async def _accept(self) -> None:
        while True:
            client, _ = await self._loop.sock_accept(self._listener)
            self.conexiones += 1
            client.settimeout(0.0)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            task = self._loop.create_task(self._serve(client))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            # A task that a cut ended before its first step never had it to close.
            task.add_done_callback(partial(_closed, client))

    async def _serve(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        server.settimeout(0.0)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pair = _Pair(client, server)
        self._pairs.add(pair)
        try:
            await self._flows.wait()
            await self._loop.sock_connect(server, self._upstream)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(client, server, 0))
                group.create_task(self._pump(server, client, 1))
        except* OSError:
            pair.abort()
        except* asyncio.CancelledError:
            pair.abort()
        finally:
            self._pairs.discard(pair)
            pair.close()

    async def _pump(self, source: socket.socket, target: socket.socket, way: int) -> None:
        while True:
            size = PIECE if self._rate is None else max(1, min(PIECE, int(self._rate * SLICE_S)))
            data = await self._loop.sock_recv(source, size)
            await self._flows.wait()
            if not data:
                with contextlib.suppress(OSError):
                    target.shutdown(socket.SHUT_WR)
                return
            if not await self._pass(data, target, way):
                return
            await asyncio.sleep(0)  # a socket that is always ready would keep the loop from everybody else

    async def _pass(self, data: bytes, target: socket.socket, way: int) -> bool:
        """Send one piece on; False when the link was cut meanwhile."""
        rest = b""
        if self._budget is not None:
            data, rest = data[: self._budget], data[self._budget :]
            self._budget -= len(data)
        last = self._budget == 0
        if data:
            await self._pace(len(data), way)
            # Before it goes: whoever got it finds it counted.
            if way == 0:
                self.subidos += len(data)
            else:
                self.bajados += len(data)
            await self._loop.sock_sendall(target, self._altered(data) if way == 0 else data)
        if last and not self._silent_at_end:
            await _drained(target)
            if data:
                self._cut()
            return False
        if last:
            self._flows.clear()
            await self._flows.wait()
            return not rest or await self._pass(rest, target, way)
        return True

    async def _pace(self, size: int, way: int) -> None:
        if self._rate is None:
            return
        now = self._loop.time()
        # A loop that wakes up late may make up for it: otherwise the rate would always be lower than asked.
        start = max(self._free_at[way], now - 2 * SLICE_S)
        self._free_at[way] = start + size / self._rate
        if self._free_at[way] > now:
            await asyncio.sleep(self._free_at[way] - now)

    def _altered(self, data: bytes) -> bytes:
        if self._alter is None:
            return data
        if self._alter >= len(data):
            self._alter -= len(data)
            return data
        changed = bytearray(data)
        changed[self._alter] ^= 0x01
        self._alter = None
        return bytes(changed)

    def _cut(self) -> None:
        self._budget = None
        self.cortes += 1
        self._down()

    def _down(self) -> None:
        if self._accepting is not None:
            self._accepting.cancel()
            self._accepting = None
            # Linux: the socket stops listening, and keeps its port bound for the next ``listen``.
            self._listener.shutdown(socket.SHUT_RD)
        for pair in self._pairs:
            pair.abort()
        for task in self._tasks:
            task.cancel()

    async def _end(self) -> None:
        accepting = [] if self._accepting is None else [self._accepting]
        self._down()
        await asyncio.gather(*accepting, *self._tasks, return_exceptions=True)


class _Pair:
    """The two sockets of one relayed connection."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.sockets = (client, server)

    def abort(self) -> None:
        """So that closing sends a reset instead of an orderly end."""
        for sock in self.sockets:
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)

    def close(self) -> None:
        for sock in self.sockets:
            sock.close()


def _closed(client: socket.socket, _: asyncio.Task[None]) -> None:
    client.close()


def _listener() -> socket.socket:
    """A socket bound to a free port by its number: such a port survives that the socket stops listening."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", 0))
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        listener.bind(probe.getsockname())
    listener.settimeout(0.0)
    return listener


async def _drained(sock: socket.socket) -> None:
    """Wait until the other end has taken what was sent to ``sock``, at most ``DRAIN_S``."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + DRAIN_S
    while loop.time() < deadline:
        with contextlib.suppress(OSError):
            waiting = struct.unpack("i", fcntl.ioctl(sock, termios.TIOCOUTQ, b"\0" * 4))[0]
            if waiting == 0:
                return
        await asyncio.sleep(0.001)
