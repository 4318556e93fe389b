"""One question over HTTP(S) and its answer, with its limits: what ``https`` and ``web`` share.

No redirection is followed, no encoding accepted, no proxy or certificate of the environment obeyed. What fails leaves
here as a ``Causa``: plain words for the operator, whatever the library calls it.
"""

from __future__ import annotations

import contextlib
import re
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx2

from pregon.base.errors import AjustesError
from pregon.base.razones import razon
from pregon.transport.causas import Causa, of_exception, too_slow
from pregon.transport.plazo import Plazo
from pregon.trust.origen import skipped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from pregon.base.clock import Clock
    from pregon.base.errors import RedError
    from pregon.transport.lugar import Lugar

CONNECT_S = 10.0
"""For each wait until a connection is there: the plain one, then its TLS."""
STALL_S = 30.0
"""For each wait of the link once connected."""
KEPT_S = 240.0
"""An idle connection is used again for so long: firewalls and private links forget quiet ones after some minutes."""
CONNECTIONS = 4
"""One at a time is used; more only while an answer that nobody finished reading is still held."""
DISCARD_BYTES = 64 << 10
"""The page that comes with a 404 is read so far to keep the connection; after that, closing it costs less."""

NOT_THERE = frozenset({httpx2.codes.NOT_FOUND, httpx2.codes.GONE, httpx2.codes.FORBIDDEN})
"""A store that may not list its names to us answers 403, not 404, for what is not there."""
READABLE = frozenset({httpx2.codes.OK, httpx2.codes.PARTIAL_CONTENT, httpx2.codes.RANGE_NOT_SATISFIABLE})
"""Statuses whose ``Respuesta.pieces`` are the file; the last two only where an offset was asked."""

_RANGE = re.compile(r"bytes (\d+)-\d+/(?:\d+|\*)")


def tls_context(*, ca: Path | None = None, certificate: Path | None = None, key: Path | None = None) -> ssl.SSLContext:
    """TLS 1.2 or newer, always (INE-II-a-iii-1), with host names checked.

    ``ca`` takes the place of the system's authorities; ``certificate`` and ``key`` are ours, where TLS asks for them.

    Raises:
        AjustesError: one of the files cannot be read, is not PEM, or the key is encrypted or of another certificate.
    """
    try:
        for path in (ca, certificate, key):
            if path is not None:
                path.read_bytes()  # ssl does not say which one is not there
        if ca is None:
            context = httpx2.create_ssl_context(trust_env=False)
        else:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.load_verify_locations(cafile=ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if certificate is not None and key is not None:
            context.load_cert_chain(certificate, key, password=lambda: b"")  # or it would ask at the terminal
    except OSError as exc:
        names = ", ".join(str(path) for path in (ca, certificate, key) if path is not None)
        raise AjustesError(
            f"No sirven los certificados de los ajustes ({names}): {razon(exc)}.",
            intacto="No se conectó con nadie.",
            que_hacer="Revise «ca», «certificado» y «clave_certificado»: archivos PEM; la llave, sin contraseña.",
        ) from exc
    return context


def tls_of(lugar: Lugar, folder: Path) -> ssl.SSLContext:
    """``tls_context`` with the files that ``lugar`` names, relative to ``folder``. Errors as there."""

    def under(path: Path | None) -> Path | None:
        return None if path is None else folder / path

    return tls_context(ca=under(lugar.ca), certificate=under(lugar.certificado), key=under(lugar.clave_certificado))


def http_client(
    tls: ssl.SSLContext,
    *,
    proxy: str | None = None,
    connect_s: float = CONNECT_S,
    stall_s: float = STALL_S,
    socket_options: Sequence[tuple[int, int, int]] = (),
) -> httpx2.Client:
    """A client that keeps one connection, HTTP/1.1."""
    limits = httpx2.Limits(max_connections=CONNECTIONS, max_keepalive_connections=1, keepalive_expiry=KEPT_S)
    transport = httpx2.HTTPTransport(
        verify=tls, trust_env=False, limits=limits, proxy=proxy, socket_options=list(socket_options) or None
    )
    return httpx2.Client(
        transport=transport,
        trust_env=False,
        follow_redirects=False,
        timeout=httpx2.Timeout(stall_s, connect=connect_s, pool=connect_s),
    )


def exchange(client: httpx2.Client, plazo: Plazo, make: Callable[[dict[str, Any]], httpx2.Request]) -> httpx2.Response:
    """The answer to the request that ``make`` builds with these extensions, inside ``plazo.limit``; body not read yet.

    Asked again where a kept connection turned out closed: the server may close it at any moment, also while our
    question is on its way. So ``make`` may be called more than once, and what it asks for must bear being asked twice.
    """
    while True:
        connected: list[str] = []

        def trace(name: str, info: Mapping[str, Any], seen: list[str] = connected) -> None:
            if name == "connection.connect_tcp.started":
                seen.append(name)
            # Through a proxy the TLS connection is born under another name, and it is the one that a deadline must cut.
            plazo.extensions["trace"](name.replace("proxy.start_tls", "connection.start_tls"), info)

        try:
            return client.send(make({"trace": trace}), stream=True)
        except (httpx2.ReadError, httpx2.WriteError, httpx2.RemoteProtocolError):
            if connected or plazo.vencido:
                raise


class Peticiones:
    """Asks one server, one thing at a time. ``queja`` makes the error of an address and its cause."""

    def __init__(self, client: httpx2.Client, clock: Clock, queja: Callable[[str, Causa], RedError]) -> None:
        self._client = client
        self._clock = clock
        self._queja = queja
        self._plazo = Plazo()

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def get(self, url: str, headers: Mapping[str, str], *, seconds: float, desde: int = 0) -> Respuesta:
        """The answer to a GET, its body still to be read, all of it within ``seconds``.

        With ``desde`` it asks for what follows that offset; ``Respuesta.pieces`` gives that much whatever they answer.

        Raises:
            RedError: no answer, too slow, or encoded although it was asked plain.
        """
        asked = {"accept-encoding": "identity", **headers}
        if desde:
            asked["range"] = f"bytes={desde}-"
        question = _Pregunta(url, seconds, desde, self._plazo, self._clock, self._queja)
        stack = contextlib.ExitStack()
        try:
            stack.enter_context(self._plazo.limit(seconds))
            response = exchange(
                self._client,
                self._plazo,
                lambda extensions: self._client.build_request("GET", url, headers=asked, extensions=extensions),
            )
            stack.callback(response.close)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as exc:
            stack.close()
            raise question.stopped(exc) from exc
        answer = Respuesta(question, response, stack)
        encoding = response.headers.get("content-encoding", "identity")
        if encoding != "identity" and response.status_code in READABLE:
            raise answer.refused(
                Causa(
                    f"respondió comprimido ({encoding[:40]}) aunque se le pidió sin comprimir",
                    "Pida al instituto que su servidor entregue los archivos tal como están.",
                )
            )
        return answer


@dataclass
class _Pregunta:
    """What was asked, and how its failures are told."""

    url: str
    seconds: float
    desde: int
    plazo: Plazo
    clock: Clock
    queja: Callable[[str, Causa], RedError]

    def stopped(self, exc: Exception | None) -> RedError:
        if self.plazo.vencido or exc is None:
            return self.queja(self.url, too_slow(self.seconds))
        return self.queja(self.url, of_exception(exc, now=self.clock.now()))


class Respuesta:
    """An answer; an iterator of the pieces of its body. Closed at its end, by ``close``, and when forgotten."""

    def __init__(self, question: _Pregunta, response: httpx2.Response, stack: contextlib.ExitStack) -> None:
        self.status = response.status_code
        self.headers = response.headers
        self._question = question
        self._stack = stack
        self._body = response.iter_raw()

    @property
    def largo(self) -> int | None:
        """Bytes of the body that are announced; None where they are not."""
        value = self.headers.get("content-length", "")
        return int(value) if value.isascii() and value.isdigit() and len(value) < 20 else None

    def al_cerrar(self, action: Callable[[], None]) -> None:
        """Call ``action`` when this answer is closed."""
        self._stack.callback(action)

    def extend(self, seconds: float) -> None:
        """From now on the rest may take ``seconds``."""
        if not self._question.plazo.vencido:
            self._question.seconds = seconds
            self._stack.enter_context(self._question.plazo.limit(seconds))

    def pieces(self) -> Iterator[bytes]:
        """The body from the offset that was asked on, of a 200, 206 or 416.

        Raises:
            RedError: a 206 of another range; and while reading, it stopped or was too slow.
        """
        if self.status == httpx2.codes.RANGE_NOT_SATISFIABLE and self._question.desde:
            self.close()
            return iter(())
        if self.status != httpx2.codes.PARTIAL_CONTENT:
            return skipped(self, self._question.desde)
        match = _RANGE.fullmatch(self.headers.get("content-range", ""))
        if match is None or int(match[1]) != self._question.desde:
            raise self.refused(Causa("respondió otro tramo del archivo", "Avise al instituto: su servidor falla."))
        return self

    def refused(self, causa: Causa) -> RedError:
        """The error to raise because of this answer, which is closed."""
        self.close()
        return self._question.queja(self._question.url, causa)

    def discard(self) -> None:
        """Close it so that the connection can be kept: a body that was not read to its end would close it too."""
        with contextlib.suppress(httpx2.HTTPError, OSError):
            size = 0
            while size <= DISCARD_BYTES and (piece := next(self._body, None)) is not None:
                size += len(piece)
        self.close()

    def beginning(self) -> bytes:
        """The first piece of the body, for telling one error page from another; empty where it cannot be read."""
        try:
            return next(self._body, b"")[:2000]
        except (httpx2.HTTPError, OSError):
            return b""

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            piece = next(self._body, None)
        except (httpx2.HTTPError, OSError) as exc:
            error = self._question.stopped(exc)
            self.close()
            raise error from exc
        if piece is not None:
            return piece
        late = self._question.plazo.vencido  # without a length, an answer that was cut looks whole
        self.close()
        if late:
            raise self._question.stopped(None)
        raise StopIteration

    def close(self) -> None:
        self._body = iter(())
        self._stack.close()

    __del__ = close
