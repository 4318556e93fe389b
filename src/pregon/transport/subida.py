"""One line to an S3 store for sending a file: whole where it is short, in parts where it is long.

The bodies go by our own client, to addresses that obstore signed: its uploads can neither be paced nor tell a slow link
from a dead one, and cannot go on with parts that an earlier delivery left there.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
import socket
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx2
from obstore.exceptions import BaseError

from pregon.base.errors import DestinoError, RedError
from pregon.transport.almacen import of_obstore, refusal
from pregon.transport.causas import Causa, of_exception, skew, skew_text, too_slow
from pregon.transport.peticion import exchange, http_client
from pregon.transport.plazo import Plazo
from pregon.trust.ritmo import time_for

if TYPE_CHECKING:
    import ssl
    import threading
    from collections.abc import Iterator, Mapping

    from pregon.base.clock import Clock
    from pregon.transport.almacen import Almacen
    from pregon.transport.caudal import Caudal
    from pregon.transport.pieza import Pieza

PART_BYTES = 8 << 20
"""Longer files go in parts of this length; S3 takes at least 5 MiB and at most 10,000 parts."""
PIECE_BYTES = 64 << 10
"""What is put on the link at once, after asking the shared rate."""
UNSENT_BYTES = 256 << 10
"""What may wait in our own socket: little, so that «it left» means that the other side is taking it."""
ANSWER_MAX_BYTES = 2 << 20
LINES = 4
"""Files of one step that travel at once."""
OLD = timedelta(days=1)
PAUSES_S = (0.2, 0.8)
FALLAS = (500, 502, 503, 504)
"""«Ask again», in S3. A store without room that has no better word says 500 too, and goes on saying it."""

_TYPES = {
    "json": "application/json",
    "zip": "application/zip",
    "7z": "application/x-7z-compressed",
    "html": "text/html; charset=utf-8",
    "css": "text/css",
    "js": "text/javascript",
    "svg": "image/svg+xml",
    "png": "image/png",
    "webp": "image/webp",
}
_MD5 = re.compile(r"[0-9a-f]{32}(?:-(\d{1,5}))?")
_UPLOAD = re.compile(r"<Upload>.*?</Upload>", re.DOTALL)
_PART = re.compile(r"<Part>.*?</Part>", re.DOTALL)
_NOT_FOR_US = (405, 501)
"""What a store that does not know how to list uploads answers."""


@dataclass(frozen=True)
class Empezado:
    """An upload in parts that began at ``desde`` and did not end."""

    ruta: str
    id: str
    desde: datetime


@dataclass(frozen=True)
class Contestacion:
    """What the store answered to one request."""

    estado: int
    headers: Mapping[str, str]
    texto: str

    @property
    def bien(self) -> bool:
        return 200 <= self.estado < 300


class Linea:
    """One connection; one thing at a time. ``parar``: set by whoever no longer wants what waits for the shared rate."""

    def __init__(
        self,
        almacen: Almacen,
        *,
        tls: ssl.SSLContext,
        clock: Clock,
        caudal: Caudal,
        parar: threading.Event,
        connect_s: float,
        stall_s: float,
    ) -> None:
        self._almacen = almacen
        self._clock = clock
        self._caudal = caudal
        self._parar = parar
        self._plazo = Plazo()
        options = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):  # not everywhere; without it a dead link shows some seconds later
            options.append((socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES))
        self._client = http_client(
            tls, proxy=almacen.lugar.proxy, connect_s=connect_s, stall_s=stall_s, socket_options=options
        )

    def close(self) -> None:
        self._client.close()

    def unfinished(self, ruta: str) -> tuple[Empezado, ...] | None:
        """Uploads in parts below ``ruta`` that did not end, at most a page; None where we may not know.

        Asked first of all: who we are and whether the bucket is there shows before any file travels.

        Raises:
            RedError, DestinoError: as ``Destination.deliver``.
        """
        query = {"uploads": "", "prefix": self._almacen.clave(ruta)}
        answer = self._ask("GET", None, query)
        if answer.bien:
            return tuple(_uploads(answer.texto, self._almacen.clave("")))
        said = refusal(answer.estado, answer.texto)
        if said.sin_permiso or answer.estado in _NOT_FOR_US:
            return None
        raise self._refused("", answer)

    def same(self, pieza: Pieza) -> bool:
        """Whether the file is there already, whole.

        Told by its MD5, which is the ETag of what came in one piece, and of the MD5 of its parts where it came in parts
        as long as ours. Where the ETag is something else (a store that encrypts with keys of its owner, parts of
        another length), by length and time: an object newer than our file, of a target that never changes once signed.
        """
        answer = self._ask("HEAD", pieza.ruta)
        if not answer.bien:
            if answer.estado in (403, 404):  # who may only write is not told what is there
                return False
            raise self._refused(pieza.ruta, answer)
        headers = answer.headers
        if headers.get("content-length") != str(pieza.largo):
            return False
        tag = headers.get("etag", "").strip('"')
        encrypted = headers.get("x-amz-server-side-encryption", "AES256") != "AES256" or any(
            "encryption-customer" in name for name in headers
        )
        match = None if encrypted else _MD5.fullmatch(tag)
        if match is not None and (match[1] is None or int(match[1]) == _count(pieza)):
            return tag == _etag(pieza, parts=match[1] is not None)
        try:
            when = parsedate_to_datetime(headers.get("last-modified", ""))
        except ValueError:
            return False
        return pieza.ruta.startswith("targets/") and when.timestamp() >= pieza.hora_ns / 1e9

    def send(self, pieza: Pieza, there: tuple[Empezado, ...] | None) -> int:
        """Put the file there; gives the bytes that travelled. ``there``: what ``unfinished`` said."""
        if pieza.largo > PART_BYTES:
            return self._in_parts(pieza, there)
        with pieza.lector() as read:
            data = read(pieza.largo, 0)
        answer = self._ask("PUT", pieza.ruta, data=data, content_type=_type(pieza))
        if not answer.bien:
            raise self._refused(pieza.ruta, answer, writing=True)
        return len(data)

    def drop(self, upload: Empezado) -> None:
        """End an upload that nobody will finish. Not being able to is no failure: the store's own rules do it too."""
        self._ask_quietly("DELETE", upload.ruta, {"uploadId": upload.id})

    def _in_parts(self, pieza: Pieza, there: tuple[Empezado, ...] | None) -> int:
        mine = [upload for upload in there or () if upload.ruta == pieza.ruta]
        latest = max(mine, key=lambda one: one.desde).id if mine else ""
        known = self._parts(pieza, latest) if latest else {}
        upload = latest if known else self._begin(pieza)
        try:
            return self._fill(pieza, upload, known)
        except DestinoError:
            # They will refuse it again, and half a file takes their room.
            self._ask_quietly("DELETE", pieza.ruta, {"uploadId": upload})
            raise
        except RedError:
            if there is None:  # nobody would find it the next time
                self._ask_quietly("DELETE", pieza.ruta, {"uploadId": upload})
            raise

    def _begin(self, pieza: Pieza) -> str:
        answer = self._ask("POST", pieza.ruta, {"uploads": ""}, content_type=_type(pieza))
        upload = _inside(answer.texto, "UploadId")
        if not answer.bien or not upload:
            raise self._refused(pieza.ruta, answer, writing=True)
        return upload

    def _fill(self, pieza: Pieza, upload: str, known: Mapping[int, str]) -> int:
        sent = 0
        tags = []
        with pieza.lector() as read:
            for number in range(1, _count(pieza) + 1):
                offset = (number - 1) * PART_BYTES
                data = read(min(PART_BYTES, pieza.largo - offset), offset)
                tag = f'"{_md5(data).hexdigest()}"'
                if known.get(number) != tag:
                    query = {"partNumber": str(number), "uploadId": upload}
                    answer = self._ask("PUT", pieza.ruta, query, data=data)
                    if not answer.bien:
                        raise self._refused(pieza.ruta, answer, writing=True)
                    tag = answer.headers.get("etag", tag)
                    sent += len(data)
                tags.append((number, tag))
        status = pieza.path.stat()
        if (status.st_size, status.st_mtime_ns) != (pieza.largo, pieza.hora_ns):
            raise self._failure(pieza.ruta, Causa("el archivo cambió mientras se enviaba", "Repita la entrega."))
        rows = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>{html.escape(tag)}</ETag></Part>" for number, tag in tags
        )
        body = f"<CompleteMultipartUpload>{rows}</CompleteMultipartUpload>".encode()
        answer = self._ask("POST", pieza.ruta, {"uploadId": upload}, data=body, content_type="application/xml")
        if not answer.bien or "<Error>" in answer.texto:  # it may fail after having said 200
            raise self._refused(pieza.ruta, answer)
        return sent

    def _parts(self, pieza: Pieza, upload: str) -> dict[int, str]:
        """Number and ETag of the parts of ``upload`` that are there; none where it is somebody else's kind of parts."""
        answer = self._ask("GET", pieza.ruta, {"uploadId": upload, "max-parts": "1000"})
        found: dict[int, str] = {}
        for part in _PART.findall(answer.texto) if answer.bien else ():
            number, tag = _inside(part, "PartNumber"), _inside(part, "ETag")
            if number.isdigit():
                found[int(number)] = f'"{tag.strip(chr(34))}"'
        return found

    def _ask_quietly(self, method: str, ruta: str, query: Mapping[str, str]) -> None:
        try:
            self._ask(method, ruta, query)
        except RedError:
            return

    def _ask(
        self,
        method: str,
        ruta: str | None,
        query: Mapping[str, str] | None = None,
        *,
        data: bytes = b"",
        content_type: str | None = None,
    ) -> Contestacion:
        """One request; asked again a little later where the store fails by itself, which S3 says that it does."""
        for pause in PAUSES_S:
            answer = self._ask_once(method, ruta, query, data, content_type)
            if answer.estado not in FALLAS or self._parar.wait(pause):
                return answer
        return self._ask_once(method, ruta, query, data, content_type)

    def _ask_once(
        self, method: str, ruta: str | None, query: Mapping[str, str] | None, data: bytes, content_type: str | None
    ) -> Contestacion:
        headers: dict[str, str] = {"user-agent": "pregon-instituto", "accept-encoding": "identity"}
        if content_type is not None:
            headers["content-type"] = content_type
        if data:
            headers["content-length"] = str(len(data))
            headers["content-md5"] = base64.b64encode(_md5(data).digest()).decode()
        share = self._caudal.share
        seconds = time_for(len(data)) + (0 if share is None else 2 * LINES * len(data) / share)
        try:
            # What was signed travels beside the address, so that no log or error of the client's has it.
            url, _, signed = self._almacen.sign(method, ruta, query).partition("?")
            target = f"{urlsplit(url).path}?{signed}" if signed else urlsplit(url).path

            def make(extensions: dict[str, Any]) -> httpx2.Request:
                content = self._paced(data) if data else b""
                more = {**extensions, "target": target.encode()}
                return self._client.build_request(method, url, headers=headers, content=content, extensions=more)

            with self._plazo.limit(seconds):
                response = exchange(self._client, self._plazo, make)
                try:
                    body = b""
                    for piece in response.iter_raw():
                        body += piece
                        if len(body) > ANSWER_MAX_BYTES:
                            break
                finally:
                    response.close()
            if self._plazo.vencido:  # without a length, an answer that was cut looks whole
                raise self._failure(ruta or "", too_slow(seconds))
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as exc:
            late = self._plazo.vencido
            causa = too_slow(seconds) if late else of_exception(exc, now=self._clock.now())
            raise self._failure(ruta or "", causa) from exc
        except BaseError as exc:
            said = of_obstore(exc)
            raise self._failure(ruta or "", said.causa, nuestra=said.nuestra) from exc
        return Contestacion(response.status_code, response.headers, body.decode(errors="replace"))

    def _paced(self, data: bytes) -> Iterator[bytes]:
        view = memoryview(data)
        for start in range(0, len(data), PIECE_BYTES):
            piece = view[start : start + PIECE_BYTES]
            wait = self._caudal.reserve(len(piece))
            if self._parar.wait(wait) if wait > 0 else self._parar.is_set():
                raise self._failure("", Causa("se dejó de enviar porque otro archivo falló", "Repita la entrega."))
            yield bytes(piece)

    def _refused(self, ruta: str, answer: Contestacion, *, writing: bool = False) -> RedError | DestinoError:
        said = refusal(answer.estado, answer.texto)
        causa = said.causa
        unable = writing and answer.estado == FALLAS[0]
        if unable:
            causa = Causa(f"{causa.que}: no pudo guardarlo, quizá porque no tiene lugar", causa.que_hacer)
        ahead = None if self._clock.simulado else skew(answer.headers, self._clock.now())
        if ahead is not None:
            causa = Causa(f"{causa.que}; además, {skew_text(ahead)}", f"Ponga en hora este equipo. {causa.que_hacer}")
        return self._failure(ruta, causa, nuestra=said.nuestra or unable)

    def _failure(self, ruta: str, causa: Causa, *, nuestra: bool = False) -> RedError | DestinoError:
        place = self._almacen.lugar.sin_secretos
        what = f"«{ruta}» en {place}" if ruta else f"en {place}"
        kind: Any = DestinoError if nuestra else RedError
        failure: RedError | DestinoError = kind(
            f"No se pudo entregar {what}: {causa.que}.",
            intacto="Ahí sigue completo lo que había: nada a medias queda a la vista.",
            que_hacer=causa.que_hacer,
        )
        return failure


def _uploads(text: str, prefix: str) -> Iterator[Empezado]:
    for row in _UPLOAD.findall(text):
        try:
            since = datetime.fromisoformat(_inside(row, "Initiated"))
        except ValueError:
            continue
        key = _inside(row, "Key")
        if key.startswith(prefix):
            since = since if since.tzinfo else since.replace(tzinfo=UTC)
            yield Empezado(key.removeprefix(prefix), _inside(row, "UploadId"), since)


def _inside(row: str, name: str) -> str:
    found = re.search(f"<{name}>([^<]*)</{name}>", row)
    return html.unescape(found[1]) if found else ""


def _type(pieza: Pieza) -> str:
    return _TYPES.get(pieza.ruta.rpartition(".")[2], "application/octet-stream")


def _count(pieza: Pieza) -> int:
    return max(1, -(-pieza.largo // PART_BYTES))


def _md5(data: bytes) -> Any:
    return hashlib.md5(data, usedforsecurity=False)  # what S3 checks its transport with; the signatures are elsewhere


def _etag(pieza: Pieza, *, parts: bool) -> str:
    whole = _md5(b"")
    digests = b""
    with pieza.lector() as read:
        for offset in range(0, pieza.largo, PART_BYTES):
            data = read(min(PART_BYTES, pieza.largo - offset), offset)
            if parts:
                digests += _md5(data).digest()
            else:
                whole.update(data)
    return f"{_md5(digests).hexdigest()}-{_count(pieza)}" if parts else str(whole.hexdigest())
