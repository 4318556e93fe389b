"""An HTTP relay before a server on loopback: it writes down every request, and answers or spoils the chosen ones.

No pytest here: ``bench`` may use it too. The bad link itself (cuts, silence, pace) is ``enlace``.
"""

from __future__ import annotations

import contextlib
import hashlib
import html
import http.client
import re
import socket
import struct
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Literal, Self
from urllib.parse import parse_qsl, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

HOST = "127.0.0.1"
UPSTREAM_S = 30.0
SILENCE_S = 30.0
Hace = int | Literal["corta", "calla", "pierde", "altera", "niega_borrado"]
"""What is done with one request instead of relaying it.

A number: that status is answered. ``corta``: the connection is reset when half of the body has come. ``calla``: nothing
is ever answered. ``pierde``: the server does it, and the connection is reset before it can say so. ``altera``: a bit of
its body changes on the way. ``niega_borrado``: a removal of many objects is answered with a refusal of each.
"""
_CONTENTS = re.compile(rb"(<Contents>.*?<Key>)(.*?)(</Key>.*?<ETag>)(.*?)(</ETag>)", re.DOTALL)
_ABORT = struct.pack("ii", 1, 0)
_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "te", "upgrade", "expect"})


@dataclass(frozen=True)
class Peticion:
    """One request. ``ruta``: its path, decoded; ``copia``: what it copies; ``bytes``: of its body."""

    metodo: str
    ruta: str
    consulta: tuple[tuple[str, str], ...]
    copia: str | None
    bytes: int


class Paso:
    """Relay to ``host:port`` on a free port of 127.0.0.1, while the block lasts.

    ``regla`` is asked about each request before anything is done with it. ``hechas``: those that were relayed and
    answered, in the order of their answers; ``todas``: every one, in the order in which they came.
    """

    def __init__(self, host: str, port: int) -> None:
        self.delante = (host, port)
        self._lock = threading.Lock()
        self.fin = threading.Event()
        self.todas: list[Peticion] = []
        self.hechas: list[Peticion] = []
        self.regla: Callable[[Peticion], Hace | None] = lambda _: None
        self.cifra = False
        """The server's ETags become what they are where a store encrypts: of each object's own, and no MD5."""
        self._server = _Server(self)
        self.puerto = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.fin.set()
        self._server.shutdown()
        self._server.server_close()

    def olvida(self) -> None:
        """Begin the lists anew."""
        with self._lock:
            self.todas, self.hechas = [], []

    def llega(self, asked: Peticion) -> Hace | None:
        """Write down a request; what to do with it."""
        with self._lock:
            self.todas.append(asked)
        return self.regla(asked)

    def hecha(self, asked: Peticion) -> None:
        """Write down that the server answered it."""
        with self._lock:
            self.hechas.append(asked)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, paso: Paso) -> None:
        super().__init__((HOST, 0), _Handler)
        self.paso = paso

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no news."""
        del request, client_address


class _Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        assert isinstance(self.server, _Server)
        self.paso = self.server.paso
        self.upstream = http.client.HTTPConnection(*self.paso.delante, timeout=UPSTREAM_S)

    def finish(self) -> None:
        self.upstream.close()
        with contextlib.suppress(OSError):
            super().finish()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name there)
        del format, args

    def do(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        parts = urlsplit(self.path)
        copied = self.headers.get("x-amz-copy-source")
        query = tuple(parse_qsl(parts.query, keep_blank_values=True))
        asked = Peticion(self.command, unquote(parts.path), query, None if copied is None else unquote(copied), length)
        what = self.paso.llega(asked)
        if what == "calla":
            self.paso.fin.wait(SILENCE_S)
            self._reset()
            return
        if what == "corta":
            self.rfile.read(length // 2)
            self._reset()
            return
        body = self.rfile.read(length)
        if isinstance(what, int):
            self._say(what, _error(what))
        elif what == "niega_borrado":
            self._say(200, _each_denied(body))
        else:
            if what == "altera":
                body = bytes([body[0] ^ 1]) + body[1:]
            self._relay(asked, body, lose=what == "pierde")

    def _relay(self, asked: Peticion, body: bytes, *, lose: bool) -> None:
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
        try:
            self.upstream.request(self.command, self.path, body=body or None, headers=headers)
            answer = self.upstream.getresponse()
            content = answer.read()
            if self.paso.cifra:
                content = _CONTENTS.sub(_encrypted_entry, content)
        except (OSError, http.client.HTTPException):
            self._reset()
            return
        self.paso.hecha(asked)
        if lose:
            self._reset()
            return
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() == "etag" and self.paso.cifra:
                self.send_header(name, _encrypted(value, asked.ruta))
            elif name.lower() not in _HOP and name.lower() != "content-length":
                self.send_header(name, value)
        length = answer.getheader("content-length") if self.command == "HEAD" else str(len(content))
        self.send_header("Content-Length", length or "0")
        self.end_headers()
        self.wfile.write(content)

    def _say(self, status: int, content: bytes) -> None:
        self.send_response_only(status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _reset(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
            self.connection.close()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_PURGE = do  # noqa: N815 (their names there)


def _encrypted(etag: str, path: str) -> str:
    salted = f"{etag.strip(chr(34))}{path.rsplit('/', 1)[-1]}"
    return f'"{hashlib.sha256(salted.encode()).hexdigest()[:32]}"'


def _encrypted_entry(found: re.Match[bytes]) -> bytes:
    key = html.unescape(found[2].decode())
    etag = html.unescape(found[4].decode())
    return found[1] + found[2] + found[3] + html.escape(_encrypted(etag, key)).encode() + found[5]


def _error(status: int) -> bytes:
    codes = {403: "AccessDenied", 500: "InternalError", 503: "SlowDown", 507: "InsufficientStorage"}
    return f"<Error><Code>{codes.get(status, 'Error')}</Code><Message>de ensayo</Message></Error>".encode()


def _each_denied(body: bytes) -> bytes:
    keys = [part.partition(b"</Key>")[0] for part in body.split(b"<Key>")[1:]]
    rows = b"".join(
        b"<Error><Key>" + key + b"</Key><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
        for key in keys
    )
    return b"<DeleteResult>" + rows + b"</DeleteResult>"
