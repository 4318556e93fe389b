"""The fleet over real HTTP and TLS on this machine: every difusor a port, every vantage point an address.

A point asks ``127.0.0.2``, the next one ``127.0.0.3``: who is asked for tells the server from where it is seen, as the
edges of a CDN do. One thread serves them all. Nothing listens outside this machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from email.utils import format_datetime
from http import HTTPStatus
from ipaddress import IPv4Address
from typing import TYPE_CHECKING
from urllib.parse import unquote

from pregon.simulacro.flota.flota import Aspecto, aspecto

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from pregon.base.clock import Clock
    from pregon.simulacro.flota.contenido import Contenido
    from pregon.simulacro.flota.credenciales import Credenciales
    from pregon.simulacro.flota.fallas import Guion

CABECERAS = (
    ("content-security-policy", "default-src 'self'; base-uri 'none'; object-src 'none'"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("strict-transport-security", "max-age=31536000"),
    ("cache-control", "no-cache"),
)
ESPERA_S = 30.0
"""How long a silent difusor holds whoever asked."""
_TIPOS = {"html": "text/html; charset=utf-8", "json": "application/json", "css": "text/css"}
_PRIMERA = IPv4Address("127.0.0.2")
_TESTIGO = "testigo"
"""The name of who is no difusor and always answers: a point that does not reach it has lost its own network."""


def direcciones(puntos: int) -> tuple[str, ...]:
    """Those of so many vantage points, in their order."""
    return tuple(str(_PRIMERA + n) for n in range(puntos))


class Flota:
    """Every difusor of a night, served while the context lasts. The hour is what ``pon`` says."""

    def __init__(
        self, guion: Guion, contenido: Contenido, credenciales: Credenciales, *, real: Clock, lento_s: float = 0.5
    ) -> None:
        """``real``: the hour that the servers tell. ``lento_s``: what the cover of a slow one takes, in
        real seconds."""
        self._night = guion
        self._content = contenido
        self._slow = lento_s
        self._real = real
        self._contexts = {False: _context(credenciales.buena), True: _context(credenciales.mala)}
        self._points = dict(zip(direcciones(len(guion.puntos)), guion.puntos, strict=True))
        self._hour = guion.reloj.rondas[0]
        self._ports: dict[str, int] = {}
        self._links: dict[asyncio.StreamWriter, tuple[str, str, str]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="flota")
        self._servers: list[asyncio.Server] = []
        self.pedidos = 0

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def url(self, difusor: str, punto: str) -> str:
        """The public address of a difusor as a vantage point reaches it."""
        address = next(each for each, name in self._points.items() if name == punto)
        return f"https://{address}:{self._ports[difusor]}/"

    def testigo(self, punto: str) -> str:
        """An address that answers whenever that point has its own network."""
        return self.url(_TESTIGO, punto)

    def pon(self, hora: datetime) -> None:
        """It is ``hora`` now: connections that a difusor would not have kept so are ended before this returns."""

        async def change() -> None:
            self._hour = hora
            for writer, (difusor, punto, before) in list(self._links.items()):
                if self._shown(difusor, punto).trato != before:
                    writer.transport.abort()
            await asyncio.sleep(0)

        asyncio.run_coroutine_threadsafe(change(), self._loop).result()

    async def _open(self) -> None:
        for name in (*self._night.difusores, _TESTIGO):
            first, *others = self._points
            server = await asyncio.start_server(self._handler(name), first, 0, backlog=256)
            port = self._ports[name] = server.sockets[0].getsockname()[1]
            self._servers.append(server)
            if others:
                self._servers.append(await asyncio.start_server(self._handler(name), others, port, backlog=256))

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        for writer in list(self._links):
            writer.transport.abort()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _shown(self, difusor: str, punto: str) -> Aspecto:
        if difusor == _TESTIGO:
            return Aspecto(trato="responde" if self._night.con_red(punto, self._hour) else "calla", portada="espera")
        return aspecto(self._night, difusor, punto, self._hour)

    def _handler(self, difusor: str) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            if task is not None:
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            with contextlib.suppress(OSError, EOFError, asyncio.LimitOverrunError, asyncio.CancelledError):
                await self._attend(difusor, reader, writer)
            self._links.pop(writer, None)
            writer.transport.abort()

        return handle

    async def _attend(self, difusor: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        punto = self._points[writer.get_extra_info("sockname")[0]]
        shown = self._shown(difusor, punto)
        if shown.trato == "calla":
            return
        self._links[writer] = (difusor, punto, shown.trato)
        await writer.start_tls(self._contexts[shown.trato == "sin_tls"], ssl_handshake_timeout=ESPERA_S)
        while head := await reader.readuntil(b"\r\n\r\n"):
            self.pedidos += 1
            path = unquote(head.split(b" ")[1].decode("latin-1").partition("?")[0]).lstrip("/")
            shown = self._shown(difusor, punto)
            match shown.trato:
                case "calla":
                    return
                case "espera":
                    await asyncio.sleep(ESPERA_S)
                    return
                case "tarda" if not path:
                    await asyncio.sleep(self._slow)
            writer.write(self._answer(path, shown))
            await writer.drain()

    def _answer(self, path: str, shown: Aspecto) -> bytes:
        body = self._content.archivo(path, shown)
        if body is None:
            return self._response(HTTPStatus.NOT_FOUND, b"No hay nada aqui.\n", "text/plain")
        kind = _TIPOS.get((path or "index.html").rpartition(".")[2], "application/octet-stream")
        return self._response(HTTPStatus.OK, body, kind)

    def _response(self, status: HTTPStatus, body: bytes, kind: str) -> bytes:
        headers = (
            ("content-type", kind),
            ("content-length", str(len(body))),
            ("date", format_datetime(self._real.now(), usegmt=True)),
            *CABECERAS,
        )
        lines = "".join(f"{key}: {value}\r\n" for key, value in headers)
        return f"HTTP/1.1 {status.value} {status.phrase}\r\n{lines}\r\n".encode() + body


def _context(pem: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(pem)
    return context
