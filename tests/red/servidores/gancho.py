"""A receiver of webhooks on loopback, over TLS, that keeps what it is sent and answers what it is told to."""

from __future__ import annotations

import ssl
import threading
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

HOST = "127.0.0.1"
WAIT_S = 20.0


class Gancho:
    """``with Gancho(certificate_and_key) as server: server.url``. ``respuestas`` are its next statuses, then 204."""

    def __init__(self, certificado: tuple[Path, Path], *, tls_max: ssl.TLSVersion | None = None) -> None:
        self.recibidos: list[tuple[str, dict[str, str], bytes]] = []
        self.respuestas: list[int] = []
        self.llego = threading.Condition()
        gancho = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                with gancho.llego:
                    gancho.recibidos.append((self.path, headers, body))
                    status = gancho.respuestas.pop(0) if gancho.respuestas else 204
                    gancho.llego.notify_all()
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("location", "/otra")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer((HOST, 0), Handler)
        self._server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificado)
        if tls_max is not None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                context.minimum_version = context.maximum_version = tls_max
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        return f"https://{HOST}:{self._server.server_address[1]}"

    def espera(self, cuantos: int) -> list[tuple[str, dict[str, str], bytes]]:
        """What came, once there is so much."""
        with self.llego:
            assert self.llego.wait_for(lambda: len(self.recibidos) >= cuantos, WAIT_S)
            return list(self.recibidos)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join(WAIT_S)
        self._server.server_close()
