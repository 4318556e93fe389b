"""What changes, told at once to the pages that are open (server-sent events).

Each page has a queue of its own that never grows: a slow one loses what is old and gets what is new. Whoever tells
never waits for anybody. ``Emisor`` tells the last of each kind (pieces of HTML); ``Numerado``, every change by its
number, so that who was away misses none.
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
COLA_NUMERADA = 64
"""Changes that wait for one page, where each matters; beyond them it gets the whole."""
GUARDA = 512
"""Changes that are kept for who comes back."""
_CIFRAS = 15
MAX_OYENTES = 64
"""Pages at once; one more ends the one that came first, which comes back by itself."""
LATIDO_S = 15.0
"""Between two signs of life: proxies and telephones close what is silent."""
ENVIO_S = 20.0
"""For a client to take what it is sent."""
REINTENTO_MS = 3000


class Oyente:
    """One page that listens; lives in the loop of its connection."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, *, cola: int = COLA, entero: Callable[[], bytes] | None = None
    ) -> None:
        """``cola``: messages that wait. ``entero``: what is sent in place of them where one of them was lost."""
        self._loop = loop
        self._news = asyncio.Event()
        self._queue: deque[bytes] = deque(maxlen=cola)
        self._whole = entero
        self._lost = False
        self.cerrado = False

    def pone(self, mensaje: bytes | None) -> None:
        """Leave a message, None to end; from any thread."""
        with contextlib.suppress(RuntimeError):  # its loop has ended, and it with it
            self._loop.call_soon_threadsafe(self._take, mensaje)

    def _take(self, mensaje: bytes | None) -> None:
        if mensaje is None:
            self.cerrado = True
        else:
            self._lost = self._lost or len(self._queue) == self._queue.maxlen
            self._queue.append(mensaje)
        self._news.set()

    async def espera(self, segundos: float) -> bytes:
        """What there is to send, waiting for it at most so long; empty where nothing came."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(segundos):
                await self._news.wait()
        self._news.clear()
        if self._lost and self._whole is not None:
            self._queue.clear()
            self._lost = False
            return self._whole()
        data = b"".join(self._queue)
        self._queue.clear()
        self._lost = False
        return data


class Emisor:
    """Tells every page that listens; from any thread, never waiting."""

    def __init__(self, *, oyentes: int = MAX_OYENTES) -> None:
        """``oyentes``: pages at once."""
        self._lock = threading.Lock()
        self._limit = oyentes
        self._listeners: OrderedDict[Oyente, None] = OrderedDict()
        self._last: dict[str, bytes] = {}
        self._closed = False

    def publica(self, evento: str, datos: str) -> None:
        """Tell ``datos`` under the name ``evento``. Who comes later gets the last one of each name."""
        message = mensaje(evento, datos)
        with self._lock:
            self._last[evento] = message
            listeners = list(self._listeners)
        for listener in listeners:
            listener.pone(message)

    @property
    def oyentes(self) -> int:
        """Pages that listen now."""
        return len(self._listeners)

    def entra(self, desde: str = "") -> Oyente:
        """A new listener, in the running loop, with the last message of each name waiting for it."""
        del desde  # Nothing here has a number.
        listener = Oyente(asyncio.get_running_loop())
        with self._lock:
            self._let_in(listener)
            waiting = [None] if self._closed else list(self._last.values())
        for message in waiting:
            listener.pone(message)
        return listener

    def _let_in(self, listener: Oyente) -> None:
        while len(self._listeners) >= self._limit:
            self._listeners.popitem(last=False)[0].pone(None)
        self._listeners[listener] = None

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


class Numerado(Emisor):
    """Tells every change by its number. Who comes back with the number of the last one it got is given those after it;
    who comes without one, was away for too long or took too long to read gets the whole instead.
    """

    def __init__(
        self,
        serie: str,
        entero: Callable[[], tuple[int, str]],
        *,
        nombres: tuple[str, str] = ("cambio", "entero"),
        oyentes: int = MAX_OYENTES,
        guarda: int = GUARDA,
    ) -> None:
        """``serie``: of the numbers, another one at each start of the process. ``entero``: the last number told and the
        whole as it is then; asked from any thread. ``nombres``: of the event of a change and of that of a whole.
        ``guarda``: changes that are kept for who comes back.
        """
        super().__init__(oyentes=oyentes)
        self._series = serie
        self._ask = entero
        self._names = nombres
        self._kept: deque[tuple[int, bytes]] = deque(maxlen=guarda)
        self._first: int | None = None
        """Who has this number, or a later one, is missing nothing that is not kept."""
        self._top = 0

    def cambia(self, n: int, datos: str | None) -> None:
        """Tell the change number ``n``, above all those before it; None where it says nothing to these pages."""
        told = None if datos is None else mensaje(self._names[0], datos, f"{self._series}.{n}")
        with self._lock:
            if self._first is None:
                self._first = n - 1
            self._top = n
            if told is None:
                return
            if len(self._kept) == self._kept.maxlen:
                self._first = self._kept[0][0]
            self._kept.append((n, told))
            listeners = list(self._listeners)
        for listener in listeners:
            listener.pone(told)

    def entra(self, desde: str = "") -> Oyente:
        """A new listener, in the running loop; ``desde``: the id of the last message that it got (Last-Event-ID)."""
        listener = Oyente(asyncio.get_running_loop(), cola=COLA_NUMERADA, entero=self._whole)
        # Held throughout: no change may be left between what it gets now and what it is told from now on.
        with self._lock:
            self._let_in(listener)
            if self._closed:
                listener.pone(None)
                return listener
            waiting = self._since(desde)
            for message in [self._whole()] if waiting is None else waiting:
                listener.pone(message)
        return listener

    def _since(self, desde: str) -> list[bytes] | None:
        """The changes after that id; None where they are not all here."""
        series, _, number = desde.partition(".")
        if series != self._series or not number.isdecimal() or len(number) > _CIFRAS or self._first is None:
            return None
        last = int(number)
        if not self._first <= last <= self._top:
            return None
        return [message for n, message in self._kept if n > last]

    def _whole(self) -> bytes:
        n, data = self._ask()
        return mensaje(self._names[1], data, f"{self._series}.{n}")


def mensaje(evento: str, datos: str, ident: str = "") -> bytes:
    """One message as it travels."""
    lines = "".join(f"data: {line}\n" for line in datos.splitlines() or [""])
    number = f"id: {ident}\n" if ident else ""
    return f"event: {evento}\n{number}{lines}\n".encode()


class Flujo(Response):
    """The answer that stays open. ``sigue`` is asked at each message and heartbeat: False ends it (a session over)."""

    media_type = "text/event-stream"

    def __init__(
        self, emisor: Emisor, sigue: Callable[[], bool], *, latido_s: float = LATIDO_S, desde: str = ""
    ) -> None:
        """``desde``: the id of the last message that the page got, where it comes back."""
        super().__init__()
        del self.headers["content-length"]
        self._sender = emisor
        self._since = desde
        self._goes_on = sigue
        self._beat_s = latido_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the page goes, stops taking what it is sent, or may no longer see it."""
        del scope
        listener = self._sender.entra(self._since)
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
