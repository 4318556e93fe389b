"""HTTPS as carrier: a difusor pulls the repository from a web server or an object store (INE-II-a-ii-1).

Always TLS 1.2 or newer (INE-II-a-iii-1). «Nothing new» is one conditional GET of ``metadata/timestamp.json`` on the
connection that was kept: less than 1 kB, both ways. What was cut goes on from the byte where it was (``Range``).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

import httpx2

from pregon.base.errors import AjustesError, RedError
from pregon.transport.causas import Causa, of_status, skew, skew_text
from pregon.transport.peticion import (
    CONNECT_S,
    NOT_THERE,
    READABLE,
    STALL_S,
    Peticiones,
    Respuesta,
    http_client,
    tls_of,
)
from pregon.trust.metadatos import TIMESTAMP, TIMESTAMP_MAX_BYTES
from pregon.trust.ritmo import time_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import timedelta
    from pathlib import Path
    from types import TracebackType

    from pregon.base.clock import Clock
    from pregon.transport.lugar import Lugar

_logger = logging.getLogger(__name__)

ANSWER_S = 60.0
"""For the headers of an answer, however many waits they take."""
UNKNOWN_BYTES = 64 << 20
"""What a body whose length is not announced is taken for, to know how long it may take."""
MAX_TAGS = 64
"""Files whose ETag is remembered, to go on with them."""
_INTACTO = "Sólo se leyó; lo publicado sigue como estaba."


@dataclass(frozen=True)
class _Known:
    """A timestamp that came whole, and what to ask so that it does not come again."""

    conditions: Mapping[str, str]
    body: bytes


class HttpsSource:
    """Reads a repository under ``lugar.url``; implements ``trust.origen.RepositorySource``.

    One connection is kept, HTTP/1.1. No redirection is followed: a token does not travel to another address. Whoever
    asks limits and checks what comes; here, only waits and the time of each whole exchange have limits.
    """

    def __init__(
        self,
        lugar: Lugar,
        *,
        folder: Path,
        clock: Clock,
        environment: Mapping[str, str],
        connect_s: float = CONNECT_S,
        stall_s: float = STALL_S,
        answer_s: float = ANSWER_S,
    ) -> None:
        """``folder``: the workspace of ``lugar``'s paths. ``environment``: where a secret «env:NAME» is.

        Raises:
            AjustesError: certificates or token cannot be read or used, or the address names an account.
        """
        self._lugar = lugar
        self._base = lugar.url.rstrip("/") + "/"
        self._headers = {"user-agent": "pregon-difusor", **self._authorization(folder, environment)}
        self._clock = clock
        self._answer_s = answer_s

        client = http_client(tls_of(lugar, folder), proxy=lugar.proxy, connect_s=connect_s, stall_s=stall_s)
        self._peticiones = Peticiones(client, clock, self._failed)
        self._known: _Known | None = None
        self._tags: dict[str, str] = {}
        self._ahead: timedelta | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._peticiones.close()

    def stream(self, ruta: str, *, desde: int = 0) -> Iterator[bytes] | None:
        """The body of ``ruta`` from ``desde`` on, in pieces as they travel; None where the server has no such file.

        The bytes of a ``timestamp.json`` that did not change are the ones that came the last time.

        Raises:
            RedError: no answer, another status, or the answer stopped; the text says why.
        """
        whole_timestamp = ruta == TIMESTAMP and not desde
        asked = dict(self._headers)
        known = self._known if whole_timestamp else None
        if known is not None:
            asked.update(known.conditions)
        if desde and ruta in self._tags:
            asked["if-range"] = self._tags[ruta]
        answer = self._peticiones.get(self._base + quote(ruta), asked, seconds=self._answer_s, desde=desde)
        self._compare_clocks(answer)
        if known is not None and answer.status == httpx2.codes.NOT_MODIFIED:
            answer.discard()
            return iter((known.body,))
        # Without the timestamp there is nothing to read at all: there «forbidden» is about us, not about the file.
        if answer.status in NOT_THERE and not (ruta == TIMESTAMP and answer.status == httpx2.codes.FORBIDDEN):
            answer.discard()
            return None
        if answer.status not in READABLE or (answer.status != httpx2.codes.OK and not desde):
            body = answer.beginning() if answer.status == httpx2.codes.BAD_REQUEST else b""
            raise answer.refused(of_status(answer.status, answer.headers, body))
        self._remember_tag(ruta, answer.headers.get("etag", ""))
        answer.extend(time_for(UNKNOWN_BYTES if answer.largo is None else answer.largo))
        pieces = answer.pieces()
        return self._remembering(answer, pieces) if whole_timestamp else pieces

    def _remembering(self, answer: Respuesta, pieces: Iterator[bytes]) -> Iterator[bytes]:
        self._known = None
        body = b""
        for piece in pieces:
            if len(body) <= TIMESTAMP_MAX_BYTES:
                body += piece
            yield piece
        names = {"etag": "if-none-match", "last-modified": "if-modified-since"}
        conditions = {ask: answer.headers[name] for name, ask in names.items() if name in answer.headers}
        if conditions and len(body) <= TIMESTAMP_MAX_BYTES:
            self._known = _Known(conditions, body)

    def _remember_tag(self, ruta: str, tag: str) -> None:
        self._tags.pop(ruta, None)
        if tag.startswith('"'):  # a weak one (W/"…") does not promise the same bytes
            self._tags[ruta] = tag
        while len(self._tags) > MAX_TAGS:
            del self._tags[next(iter(self._tags))]

    def _compare_clocks(self, answer: Respuesta) -> None:
        before = self._ahead
        self._ahead = None if self._clock.simulado else skew(answer.headers, self._clock.now())
        if self._ahead is not None and before is None:
            _logger.warning("origen %s: %s", self._lugar.sin_secretos, skew_text(self._ahead))

    def _authorization(self, folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
        if self._lugar.partes.username is not None:
            raise AjustesError(
                f"No sirven los ajustes de {self._lugar.sin_secretos}: la dirección lleva una cuenta, y con HTTPS "
                "se entra por certificado o por el token de «secreto».",
                intacto="No se conectó con nadie.",
                que_hacer="Corrija los ajustes y repita la orden.",
            )
        return self._lugar.authorization(folder, environment)

    def _failed(self, url: str, causa: Causa) -> RedError:
        clocks = "" if self._ahead is None else f"; además, {skew_text(self._ahead)}"
        return RedError(
            f"No se pudo leer {url}: {causa.que}{clocks}.",
            intacto=_INTACTO,
            que_hacer=causa.que_hacer if self._ahead is None else f"Ponga en hora este equipo. {causa.que_hacer}",
        )
