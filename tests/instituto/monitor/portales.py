"""A public portal of a difusor, as a real server on this machine, whose faults a test switches on and off."""

from __future__ import annotations

import contextlib
import gzip
import http.server
import ssl
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from pregon.base.clock import SystemClock
from pregon.instituto.monitor.ajustes import AjustesMonitor, PortalVigilado
from pregon.instituto.monitor.observa import Punto

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import trustme

    from pregon.base.clock import Clock
    from pregon.instituto.monitor.referencia import Referencia

SEGURAS = {
    "Content-Security-Policy": "default-src 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
"""What a portal of ours sends, in short."""


@dataclass
class Sitio:
    """What one portal answers. ``carpeta`` None: the page ``portada`` at the cover and nothing else."""

    carpeta: Path | None = None
    portada: bytes = b""
    alterados: dict[str, bytes] = field(default_factory=dict)
    """By path: other bytes in the place of the file's."""
    alterados_gzip: dict[str, bytes] = field(default_factory=dict)
    """The same, only for who takes gzip."""
    estados: dict[str, int] = field(default_factory=dict)
    """By path (``*``: every one): a status in the place of 200."""
    lentas: dict[str, float] = field(default_factory=dict)
    """By path: seconds before the answer."""
    comprime: bool = False
    cabeceras: dict[str, str] = field(default_factory=lambda: dict(SEGURAS))
    despues: dict[str, Path] = field(default_factory=dict)
    """By path: after answering it, show this folder: a cut that changes while somebody looks."""
    redirige: str | None = None
    """To this address, every path below it."""
    pedidos: list[str] = field(default_factory=list)
    url: str = ""

    def body(self, path: str, *, zipped: bool) -> tuple[int, bytes]:
        """Status and plain bytes for one path, relative to the site's root."""
        if (status := self.estados.get(path, self.estados.get("*"))) is not None:
            return status, b"no"
        name = path + "index.html" if path == "" or path.endswith("/") else path
        if zipped and name in self.alterados_gzip:
            return 200, self.alterados_gzip[name]
        if name in self.alterados:
            return 200, self.alterados[name]
        if self.carpeta is None:
            return (200, self.portada) if path == "" else (404, b"no existe")
        file = self.carpeta / name
        return (200, file.read_bytes()) if file.is_file() else (404, b"no existe")


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def do_GET(self) -> None:
        site = self.server.sitio
        path = unquote(urlsplit(self.path).path).lstrip("/")
        site.pedidos.append(path)
        if (seconds := site.lentas.get(path)) is not None:
            self.server.fin.wait(seconds)
        if site.redirige is not None:
            self.send_response_only(301)
            self.send_header("Location", site.redirige + path)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        zipped = site.comprime and "gzip" in self.headers.get("accept-encoding", "")
        status, body = site.body(path, zipped=zipped)
        if zipped and status == 200:
            body = gzip.compress(body)
        self.send_response_only(status)
        self.send_header("Date", self.date_time_string())
        for name, value in site.cabeceras.items():
            self.send_header(name, value)
        if zipped and status == 200:
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)
            self.wfile.flush()
        if path in site.despues:
            site.carpeta = site.despues.pop(path)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name in the library)
        """Silence: the test looks at ``pedidos``."""


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], sitio: Sitio) -> None:
        super().__init__(address, _Handler)
        self.sitio = sitio
        self.fin = threading.Event()
        self.tls: ssl.SSLContext | None = None

    def get_request(self) -> tuple[socket.socket, Any]:
        """The next client. Over TLS only one that is still there: ``wrap_socket`` leaves open one that reset."""
        client, address = super().get_request()
        if self.tls is None:
            return client, address
        try:
            client.getpeername()
        except OSError:
            client.close()
            raise
        return self.tls.wrap_socket(client, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away, or does not believe the certificate, is no error of the test."""


@contextlib.contextmanager
def abierto(
    sitio: Sitio, *, autoridad: trustme.CA | None = None, nombre: str = "127.0.0.1", puerto: int = 0
) -> Iterator[Sitio]:
    """Serve it until the block ends; over TLS where an authority is given."""
    server = _Server(("127.0.0.1", puerto), sitio)
    scheme = "http"
    if autoridad is not None:
        server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        autoridad.issue_cert(nombre).configure_cert(server.tls)
        scheme = "https"
    sitio.url = f"{scheme}://127.0.0.1:{server.server_address[1]}/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield sitio
    finally:
        server.fin.set()
        server.shutdown()
        server.server_close()
        thread.join()


def punto(
    sitios: dict[str, Sitio | str],
    referencia: Referencia,
    clock: Clock,
    *,
    nombre: str = "instituto",
    testigos: Sequence[str] = (),
    tls: ssl.SSLContext | None = None,
    respuesta_s: float = 5.0,
    muestra: int = 4,
) -> Punto:
    """A vantage point that watches these, with the real clock for what it waits."""
    watched = [
        PortalVigilado(difusor=name, urls=(one if isinstance(one, str) else one.url,)) for name, one in sitios.items()
    ]
    settings = AjustesMonitor(testigos=tuple(testigos), respuesta_s=respuesta_s, conexion_s=2.0, muestra=muestra)
    return Punto(nombre, watched, referencia, ajustes=settings, clock=clock, real=SystemClock(), tls=tls)
