"""Stand-ins on loopback of what CDNs sell: Cloudflare's and Fastly's purge as documented, limits included; and
CloudFront's, which is moto where that is enough, and answers written by hand where it is not.

No CDN can be asked from a test. What is sure of these is the form of the requests, the limits that their pages state,
and how the adapter takes each refusal; not what their edges do.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from types import TracebackType

HOST = "127.0.0.1"
WAIT_S = 20.0
Respuesta = tuple[int, Mapping[str, str], bytes]


@dataclass(frozen=True)
class Pedido:
    """One request: ``hora`` is ``time.monotonic()`` when it came."""

    metodo: str
    ruta: str
    headers: Mapping[str, str]
    cuerpo: bytes
    hora: float = field(default_factory=time.monotonic)

    @property
    def objeto(self) -> Any:
        return json.loads(self.cuerpo)


class Servicio:
    """A server of one address. ``pedidos`` is what it was asked; ``dice`` holds answers to be given before its own."""

    def __init__(self) -> None:
        self.pedidos: list[Pedido] = []
        self.dice: list[Respuesta | None] = []
        self._lock = threading.Lock()
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def _any(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Pedido(self.command, self.path, headers, body)
                with service._lock:
                    service.pedidos.append(asked)
                    answer = service.dice.pop(0) if service.dice else service.contesta(asked)
                service.antes_de_contestar()
                if answer is None:  # the connection falls
                    self.close_connection = True
                    return
                status, more, data = answer
                self.send_response(status)
                for name, value in more.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(data)

            do_GET = do_HEAD = do_POST = do_PURGE = _any  # noqa: N815 (http.server's names)

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer((HOST, 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def contesta(self, pedido: Pedido) -> Respuesta | None:
        """Its own answer."""
        return 404, {}, b""

    def antes_de_contestar(self) -> None:
        """Called with the answer made and not yet sent."""

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join(WAIT_S)
        self._server.server_close()


class Cloudflare(Servicio):
    """``POST /zones/<zona>/purge_cache``: 100 addresses an order, 800 a second, addresses of its own zone."""

    ZONA = "0123456789abcdef0123456789abcdef"
    TOKEN = "llave-de-cloudflare-de-prueba"
    OPERACIONES = 100
    URLS_S = 800

    def __init__(self, publica: str) -> None:
        super().__init__()
        self._publica = publica
        self.purgadas: list[str] = []
        self._taken: list[tuple[float, int]] = []

    def contesta(self, pedido: Pedido) -> Respuesta:
        if pedido.headers.get("authorization") != f"Bearer {self.TOKEN}":
            return self._no(403, 10000, "Authentication error")
        if (pedido.metodo, pedido.ruta) != ("POST", f"/zones/{self.ZONA}/purge_cache"):
            return self._no(404, 7003, "Could not route to the zone, perhaps your object identifier is invalid?")
        files = pedido.objeto.get("files")
        if not isinstance(files, list) or not files or len(files) > self.OPERACIONES:
            return self._no(400, 1094, "Unable to purge, too many files in one request")
        if any(not each.startswith(self._publica) for each in files):
            return self._no(400, 1132, "Unable to purge, a URL is not of this zone")
        # The documented threshold is a moving average: what came within the last second counts.
        self._taken = [(when, size) for when, size in self._taken if pedido.hora - when < 1.0]
        if sum(size for _, size in self._taken) + len(files) > self.URLS_S:
            return self._no(429, 971, "Please wait and consider throttling your request speed", {"retry-after": "1"})
        self._taken.append((pedido.hora, len(files)))
        self.purgadas += files
        said = {"success": True, "errors": [], "messages": [], "result": {"id": self.ZONA}}
        return 200, {"content-type": "application/json"}, json.dumps(said).encode()

    @staticmethod
    def _no(status: int, code: int, message: str, more: Mapping[str, str] | None = None) -> Respuesta:
        said = {"success": False, "errors": [{"code": code, "message": message}], "messages": [], "result": None}
        return status, {"content-type": "application/json", **(more or {})}, json.dumps(said).encode()


class Fastly(Servicio):
    """``POST /purge/<host/path>`` and ``POST /service/<id>/purge``, which takes up to 256 surrogate keys."""

    SERVICIO = "SU1Z0isxPaozGVKXdv0eY"
    TOKEN = "llave-de-fastly-de-prueba"
    CLAVES = 256

    def __init__(self, dominio: str) -> None:
        super().__init__()
        self._dominio = dominio
        self.purgadas: list[str] = []
        self.claves: list[str] = []
        self.quedan = 100_000
        """Purges left in this hour."""

    def contesta(self, pedido: Pedido) -> Respuesta:
        if pedido.headers.get("fastly-key") != self.TOKEN:
            return self._say(401, {"msg": "Provided credentials are missing or invalid"})
        if self.quedan <= 0:
            reset = str(int(time.time()) + 3600)
            return self._say(429, {"msg": "Too Many Requests"}, {"Fastly-RateLimit-Reset": reset})
        if pedido.metodo == "POST" and pedido.ruta.startswith(f"/purge/{self._dominio}/"):
            self.purgadas.append(pedido.ruta.removeprefix(f"/purge/{self._dominio}"))
        elif (pedido.metodo, pedido.ruta) == ("POST", f"/service/{self.SERVICIO}/purge"):
            keys = pedido.objeto["surrogate_keys"]
            if len(keys) > self.CLAVES:
                return self._say(400, {"msg": "Too many surrogate keys"})
            self.claves += keys
        else:
            return self._say(404, {"msg": "Record not found"})
        self.quedan -= 1
        return self._say(200, {"status": "ok", "id": "108-1391560174-974124"})

    @staticmethod
    def _say(status: int, said: Mapping[str, str], more: Mapping[str, str] | None = None) -> Respuesta:
        return status, {"content-type": "application/json", **(more or {})}, json.dumps(said).encode()


class CloudFrontLleno(Servicio):
    """What moto does not do: ``TooManyInvalidationsInProgress`` as many times as told, then accepted."""

    def __init__(self, veces: int) -> None:
        super().__init__()
        self._left = veces

    def contesta(self, pedido: Pedido) -> Respuesta:
        self._left -= 1
        if self._left >= 0:
            return error_de_amazon(400, "TooManyInvalidationsInProgress", "Your request contains too many paths")
        body = (
            '<?xml version="1.0"?><Invalidation xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/">'
            "<Id>I1</Id><Status>InProgress</Status><CreateTime>2021-06-06T22:40:00Z</CreateTime></Invalidation>"
        )
        return 201, {"content-type": "text/xml"}, body.encode()


def error_de_amazon(status: int, codigo: str, mensaje: str) -> Respuesta:
    """An error as CloudFront's API writes it."""
    body = (
        '<?xml version="1.0"?><ErrorResponse xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><Error>'
        f"<Type>Sender</Type><Code>{codigo}</Code><Message>{mensaje}</Message></Error>"
        "<RequestId>0</RequestId></ErrorResponse>"
    )
    return status, {"content-type": "text/xml"}, body.encode()


class Origen(Servicio):
    """An origin whose files a test changes: ``paginas`` path to body; ``falla`` answers 500.

    ``cache`` is its ``Cache-Control``, ``codificadas`` serves gzip with its ``Content-Encoding``, as a bucket does.
    """

    def __init__(self, paginas: dict[str, bytes], *, cache: str = "no-cache, s-maxage=600") -> None:
        super().__init__()
        self.paginas = paginas
        self.cache = cache
        self.codificadas: dict[str, bytes] = {}
        self.falla = False
        self.detenida, self.suelta = threading.Event(), threading.Event()
        self.detiene = False
        """The next answer is made, ``detenida`` is set, and it waits for ``suelta``."""

    def contesta(self, pedido: Pedido) -> Respuesta:
        if self.falla:
            return 500, {}, b""
        body = self.codificadas.get(pedido.ruta, self.paginas.get(pedido.ruta))
        if body is None:
            return 403, {}, b"<Error><Code>AccessDenied</Code></Error>"
        tag = f'"{hash(body) & 0xFFFFFFFF:08x}"'
        headers = {"cache-control": self.cache, "etag": tag, "content-type": "text/html; charset=utf-8"}
        if pedido.ruta in self.codificadas:
            headers["content-encoding"] = "gzip"
        if pedido.headers.get("if-none-match") == tag:
            return 304, headers, b""
        return 200, headers, body

    def antes_de_contestar(self) -> None:
        if self.detiene:
            self.detiene = False
            self.detenida.set()
            assert self.suelta.wait(WAIT_S)
