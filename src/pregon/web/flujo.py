"""What changes, told at once to the pages that are open (server-sent events of HTML).

Each page has a queue of its own that never grows: a slow one loses what is old and gets what is new. Whoever tells
never waits for anybody.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import OrderedDict, deque
from typing import TYPE_CHECKING

from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Receive, Scope, Send

COLA = 8
"""Messages that wait for one page."""
MAX_OYENTES = 64
"""Pages at once; one more ends the one that came first, which comes back by itself."""
LATIDO_S = 15.0
"""Between two signs of life: proxies and telephones close what is silent."""
ENVIO_S = 20.0
"""For a client to take what it is sent."""
REINTENTO_MS = 3000


class Oyente:
    """One page that listens; lives in the loop of its connection."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._news = asyncio.Event()
        self._queue: deque[bytes] = deque(maxlen=COLA)
        self.cerrado = False

    def pone(self, mensaje: bytes | None) -> None:
        """Leave a message, None to end; from any thread."""
        with contextlib.suppress(RuntimeError):  # its loop has ended, and it with it
            self._loop.call_soon_threadsafe(self._take, mensaje)

    def _take(self, mensaje: bytes | None) -> None:
        if mensaje is None:
            self.cerrado = True
        else:
            self._queue.append(mensaje)
        self._news.set()

    async def espera(self, segundos: float) -> bytes:
        """What there is to send, waiting for it at most so long; empty where nothing came."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(segundos):
                await self._news.wait()
        self._news.clear()
        data = b"".join(self._queue)
        self._queue.clear()
        return data


class Emisor:
    """Tells every page that listens; from any thread, never waiting."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: OrderedDict[Oyente, None] = OrderedDict()
        self._last: dict[str, bytes] = {}
        self._closed = False

    def publica(self, evento: str, datos: str) -> None:
        """Tell ``datos`` under the name ``evento``. Who comes later gets the last one of each name."""
        lines = "".join(f"data: {line}\n" for line in datos.splitlines() or [""])
        message = f"event: {evento}\n{lines}\n".encode()
        with self._lock:
            self._last[evento] = message
            listeners = list(self._listeners)
        for listener in listeners:
            listener.pone(message)

    @property
    def oyentes(self) -> int:
        """Pages that listen now."""
        return len(self._listeners)

    def entra(self) -> Oyente:
        """A new listener, in the running loop, with the last message of each name waiting for it."""
        listener = Oyente(asyncio.get_running_loop())
        with self._lock:
            while len(self._listeners) >= MAX_OYENTES:
                self._listeners.popitem(last=False)[0].pone(None)
            self._listeners[listener] = None
            waiting = [None] if self._closed else list(self._last.values())
        for message in waiting:
            listener.pone(message)
        return listener

    def sale(self, listener: Oyente) -> None:
        """Forget a listener."""
        with self._lock:
            self._listeners.pop(listener, None)

    def cierra(self) -> None:
        """End every page's stream, and those that come from now on."""
        with self._lock:
            self._closed = True
            listeners = list(self._listeners)
        for listener in listeners:
            listener.pone(None)


class Flujo(Response):
    """The answer that stays open. ``sigue`` is asked at each message and heartbeat: False ends it (a session over)."""

    media_type = "text/event-stream"

    def __init__(self, emisor: Emisor, sigue: Callable[[], bool], *, latido_s: float = LATIDO_S) -> None:
        super().__init__()
        del self.headers["content-length"]
        self._sender = emisor
        self._goes_on = sigue
        self._beat_s = latido_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the page goes, stops taking what it is sent, or may no longer see it."""
        del scope
        listener = self._sender.entra()
        gone = asyncio.ensure_future(_gone(receive))
        gone.add_done_callback(lambda _: listener.pone(None))
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await _send(send, f"retry: {REINTENTO_MS}\n\n".encode())
            while True:
                data = await listener.espera(self._beat_s)
                if listener.cerrado or not self._goes_on():
                    break
                await _send(send, data or b"event: latido\ndata:\n\n")
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            return  # It takes nothing: the server drops the connection, unfinished.
        finally:
            self._sender.sale(listener)
            gone.cancel()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send(send: Send, data: bytes) -> None:
    async with asyncio.timeout(ENVIO_S):
        await send({"type": "http.response.body", "body": data, "more_body": True})
