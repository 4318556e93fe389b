"""An object store and the cache before it, for one rehearsed difusor: enough of S3 to publish in, and an edge that only
forgets when it is told to. Simulators, on loopback: what must be proved with a real store and real caches is elsewhere.

The edge keeps what it was asked for until the order PURGE (``difusor.nube.purga.propios``, Varnish's). While ``niega``
is set it refuses every order, as a cache whose secret somebody changed.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from pregon.difusor.nube.purga.propios import SECRETO

if TYPE_CHECKING:
    from types import TracebackType

CUBO = "ensayo"
"""The bucket's name."""
PORTAL = "/portal"
"""Where the edge's portal begins; anything else is S3."""
_XML = '<?xml version="1.0" encoding="UTF-8"?>'


@dataclass(frozen=True)
class _Objeto:
    datos: bytes
    cabeceras: dict[str, str]

    @property
    def etag(self) -> str:
        return hashlib.md5(self.datos, usedforsecurity=False).hexdigest()


@dataclass
class _Partes:
    ruta: str
    cabeceras: dict[str, str]
    partes: dict[int, bytes] = field(default_factory=dict)


class Orilla:
    """One store and its edge, on one port. ``with Orilla(secreto) as orilla``."""

    def __init__(self, secreto: str) -> None:
        self.secreto = secreto
        self.niega = threading.Event()
        self.negadas = 0
        """Orders refused so far."""
        self.cierre = threading.RLock()
        self.objetos: dict[str, _Objeto] = {}
        self.guardado: dict[str, _Objeto] = {}
        self.subidas: dict[str, _Partes] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("_Propio", (_Handler,), {"orilla": self}))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="orilla", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def publica(self) -> str:
        """What a reader asks."""
        return f"{self.url}{PORTAL}/"

    def ajustes(self) -> str:
        """The tables of ``difusor.toml`` that publish here. The secrets are worth nothing outside of this machine."""
        return "\n".join(
            [
                "[[nube]]",
                'nombre = "orilla"',
                f'url = "s3://{CUBO}"',
                f'extremo = "{self.url}"',
                'clave_acceso = "ENSAYO"',
                'secreto = "archivo:orilla.secreto"',
                f'publica = "{self.publica}"',
                'codificacion = "identidad"',
                "[nube.purga]",
                'tipo = "varnish"',
                f'equipos = ["{self.publica}"]',
                'secreto = "archivo:orilla.secreto"',
                "repaso_s = 0",
                "",
            ]
        )


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    orilla: Orilla

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Say nothing: the night has its own journal."""

    def _answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _key(self) -> str | None:
        """The object that is named, below the bucket; None where the bucket itself is."""
        return unquote(urlsplit(self.path).path).removeprefix(f"/{CUBO}").lstrip("/") or None

    def _asked(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.path).query, keep_blank_values=True)

    def do_GET(self) -> None:
        place = unquote(urlsplit(self.path).path)
        if place.startswith(PORTAL):
            self._edge(place.removeprefix(PORTAL))
            return
        key = self._key()
        if key is None:
            self._list()
            return
        with self.orilla.cierre:
            found = self.orilla.objetos.get(key)
        if found is None:
            self._answer(404, f"{_XML}<Error><Code>NoSuchKey</Code></Error>".encode())
            return
        headers = {**found.cabeceras, "ETag": f'"{found.etag}"', "Last-Modified": "Sun, 06 Jun 2021 20:00:00 GMT"}
        wanted = self.headers.get("Range", "")
        if wanted.startswith("bytes=") and found.datos:
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            begin, end = int(first or 0), min(int(last or len(found.datos) - 1), len(found.datos) - 1)
            headers["Content-Range"] = f"bytes {begin}-{end}/{len(found.datos)}"
            self._answer(206, found.datos[begin : end + 1], headers)
            return
        self._answer(200, found.datos, headers)

    do_HEAD = do_GET  # noqa: N815 - the name of the base class

    def _edge(self, place: str) -> None:
        key = place.lstrip("/")
        key = f"{key}index.html" if key == "" or key.endswith("/") else key
        with self.orilla.cierre:
            found = self.orilla.guardado.get(key) or self.orilla.objetos.get(key)
            if found is not None:
                self.orilla.guardado[key] = found
        if found is None:
            self._answer(404)
        else:
            shown = {name: value for name, value in found.cabeceras.items() if not name.lower().startswith("x-amz-")}
            self._answer(200, found.datos, shown)

    def do_PURGE(self) -> None:
        self._body()
        with self.orilla.cierre:
            if self.orilla.niega.is_set() or self.headers.get(SECRETO) != self.orilla.secreto:
                self.orilla.negadas += 1
                self._answer(403)
                return
            key = unquote(urlsplit(self.path).path).removeprefix(PORTAL).lstrip("/")
            self.orilla.guardado.pop(f"{key}index.html" if key == "" or key.endswith("/") else key, None)
        self._answer(200)

    def do_BAN(self) -> None:
        self._body()
        with self.orilla.cierre:
            if self.orilla.niega.is_set() or self.headers.get(SECRETO) != self.orilla.secreto:
                self.orilla.negadas += 1
                self._answer(403)
                return
            self.orilla.guardado.clear()
        self._answer(200)

    def do_PUT(self) -> None:
        key, data, asked = self._key() or "", self._body(), self._asked()
        kept = {
            name: value
            for name, value in self.headers.items()
            if name.lower() in ("content-type", "cache-control", "content-encoding")
            or name.lower().startswith("x-amz-meta-")
        }
        with self.orilla.cierre:
            if "partNumber" in asked:
                self.orilla.subidas[asked["uploadId"][0]].partes[int(asked["partNumber"][0])] = data
                made = _Objeto(data, {})
            elif source := self.headers.get("x-amz-copy-source"):
                made = self.orilla.objetos[unquote(source).lstrip("/").removeprefix(f"{CUBO}/")]
                self.orilla.objetos[key] = made
                body = f"{_XML}<CopyObjectResult><ETag>&quot;{made.etag}&quot;</ETag></CopyObjectResult>"
                self._answer(200, body.encode())
                return
            else:
                made = self.orilla.objetos[key] = _Objeto(data, kept)
        self._answer(200, b"", {"ETag": f'"{made.etag}"'})

    def do_POST(self) -> None:
        key, data, asked = self._key() or "", self._body(), self._asked()
        with self.orilla.cierre:
            if "uploads" in asked:
                name = secrets.token_hex(8)
                kept = {
                    n: v
                    for n, v in self.headers.items()
                    if n.lower().startswith(("content-t", "cache-", "x-amz-meta-"))
                }
                self.orilla.subidas[name] = _Partes(key, kept)
                inner = f"<Bucket>{CUBO}</Bucket><Key>{escape(key)}</Key><UploadId>{name}</UploadId>"
                body = f"{_XML}<InitiateMultipartUploadResult>{inner}</InitiateMultipartUploadResult>"
            elif "uploadId" in asked:
                done = self.orilla.subidas.pop(asked["uploadId"][0])
                whole = b"".join(data for _, data in sorted(done.partes.items()))
                made = self.orilla.objetos[key] = _Objeto(whole, done.cabeceras)
                inner = f"<Bucket>{CUBO}</Bucket><Key>{escape(key)}</Key><ETag>&quot;{made.etag}&quot;</ETag>"
                body = f"{_XML}<CompleteMultipartUploadResult>{inner}</CompleteMultipartUploadResult>"
            else:
                named = [part.partition("</Key>")[0] for part in data.decode().split("<Key>")[1:]]
                for one in named:
                    self.orilla.objetos.pop(one, None)
                inner = "".join(f"<Deleted><Key>{one}</Key></Deleted>" for one in named)
                body = f"{_XML}<DeleteResult>{inner}</DeleteResult>"
        self._answer(200, body.encode(), {"Content-Type": "application/xml"})

    def do_DELETE(self) -> None:
        with self.orilla.cierre:
            self.orilla.objetos.pop(self._key() or "", None)
        self._answer(204)

    def _list(self) -> None:
        prefix = self._asked().get("prefix", [""])[0]
        with self.orilla.cierre:
            found = sorted((key, one) for key, one in self.orilla.objetos.items() if key.startswith(prefix))
        rows = "".join(
            f"<Contents><Key>{escape(key)}</Key><LastModified>2021-06-06T20:00:00.000Z</LastModified>"
            f"<ETag>&quot;{one.etag}&quot;</ETag><Size>{len(one.datos)}</Size></Contents>"
            for key, one in found
        )
        head = f"<Name>{CUBO}</Name><Prefix>{escape(prefix)}</Prefix><IsTruncated>false</IsTruncated>"
        body = f"{_XML}<ListBucketResult>{head}<KeyCount>{len(found)}</KeyCount>{rows}</ListBucketResult>"
        self._answer(200, body.encode(), {"Content-Type": "application/xml"})
