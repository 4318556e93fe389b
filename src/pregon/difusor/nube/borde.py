"""Asks the edge until it answers the new bytes, in every encoding: what a purge promised, seen from outside.

A purge that was taken is not yet a page that is seen: an edge takes from tenths of a second to minutes to forget, some
rule of its own may keep more than it was told, and each encoding is often a copy apart (INE-II-a-i-2).
"""

from __future__ import annotations

import io
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import httpx2

from pregon.base.clock import SystemClock
from pregon.base.hashing import sha256_bytes
from pregon.difusor.gemelos import BR, GZ, decoded_sha256
from pregon.transport.causas import of_exception, too_slow
from pregon.transport.peticion import exchange, http_client, tls_context
from pregon.transport.plazo import Plazo

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from pregon.base.clock import Clock

CODIFICACIONES = ("identity", "gzip", "br")
"""What is asked for: who takes nothing, what everybody takes, and what an edge may make by itself for a browser."""
AUSENTE = frozenset({403, 404, 410})
"""What a path that was withdrawn must answer: 403 is what S3 says of what is not there to who may not list (GetObject
alone, as a CDN has). An edge that denies everything is noticed by the paths that must be there, always asked too."""
PAUSA_S = 0.1
"""Between two rounds of questions at first; a half more each time."""
PAUSA_MAX_S = 2.0
CONNECT_S = 5.0
STALL_S = 10.0

_SUFFIX = {"gzip": GZ, "x-gzip": GZ, "br": BR}


@dataclass(frozen=True)
class Limites:
    """What asking may take: ``segundos`` in all, ``respuesta_s`` for each answer, ``bytes`` of each body, decoded."""

    segundos: float = 10.0
    respuesta_s: float = 10.0
    bytes: int = 256 << 20


@dataclass(frozen=True)
class Borde:
    """What the edge answered.

    ``hora``: the instant when the last path that was missing was seen, or when asking ended; ``segundos`` since it
    began, in real time. ``vistas``: seconds at which each path was seen, new in every encoding. ``faltan``: paths that
    were not, each with what was answered instead, in ``razones``. ``preguntas``: requests made.
    """

    hora: datetime
    segundos: float
    faltan: tuple[str, ...]
    vistas: Mapping[str, float] = field(default_factory=dict)
    razones: Mapping[str, str] = field(default_factory=dict)
    preguntas: int = 0


def pregunta(
    publica: str,
    esperado: Mapping[str, str | None] | Mapping[str, str],
    *,
    clock: Clock,
    limits: Limites | None = None,
    sigue: Callable[[], bool] | None = None,
    tls: ssl.SSLContext | None = None,
) -> Borde:
    """Ask ``publica`` for each path until all answer what they must, in every encoding, or the time is over.

    ``esperado``: public path («/», «/corte.json») to the SHA-256 of its content as a reader sees it, None where it must
    not be there. ``sigue`` says whether it is still worth asking. ``tls`` takes the place of the usual context. Never
    raises for what the edge does: what it did not answer is in ``faltan``.
    """
    limits = limits or Limites()
    asker = _Asker(publica, clock, limits, tls)
    try:
        return _rounds(asker, esperado, clock, limits, sigue)
    finally:
        asker.close()


def _rounds(
    asker: _Asker,
    expected: Mapping[str, str | None] | Mapping[str, str],
    clock: Clock,
    limits: Limites,
    go_on: Callable[[], bool] | None,
) -> Borde:
    real = SystemClock()
    start = real.monotonic()
    end = start + limits.segundos
    missing = {ruta: list(CODIFICACIONES) for ruta in expected}
    seen: dict[str, float] = {}
    reasons: dict[str, str] = {}
    pause = PAUSA_S
    while True:
        for ruta, codings in list(missing.items()):
            while codings and real.monotonic() < end and (go_on is None or go_on()):
                reason = asker.wrong(ruta, expected[ruta], codings[0])
                if reason is not None:
                    reasons[ruta] = reason
                    break  # The other encodings of what is old are old too.
                codings.pop(0)
            if not codings:
                seen[ruta] = real.monotonic() - start
                reasons.pop(ruta, None)
                del missing[ruta]
        if not missing or real.monotonic() + pause >= end or (go_on is not None and not go_on()):
            break
        real.sleep(pause)
        pause = min(PAUSA_MAX_S, pause * 1.5)
    return Borde(
        hora=clock.now(),
        segundos=real.monotonic() - start,
        faltan=tuple(missing),
        vistas=seen,
        razones={ruta: reasons.get(ruta, "no se alcanzó a preguntar") for ruta in missing},
        preguntas=asker.preguntas,
    )


class _Asker:
    """One kept connection to the edge, as a reader's."""

    def __init__(self, publica: str, clock: Clock, limits: Limites, tls: ssl.SSLContext | None) -> None:
        self._base = publica.rstrip("/")
        if tls is None:
            secure = urlsplit(publica).scheme == "https"
            tls = tls_context() if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._client = http_client(tls, connect_s=CONNECT_S, stall_s=STALL_S)
        self._clock = clock
        self._limits = limits
        self._plazo = Plazo()
        self.preguntas = 0

    def close(self) -> None:
        self._client.close()

    def wrong(self, ruta: str, sha256: str | None, coding: str) -> str | None:
        """What is wrong with the answer to one path in one encoding; None where it is what it must be."""
        try:
            status, headers, body = self._get(ruta, coding)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as exc:
            vencido = self._plazo.vencido
            causa = too_slow(self._limits.respuesta_s) if vencido else of_exception(exc, now=self._clock.now())
            return causa.que
        if sha256 is None:
            return None if status in AUSENTE else f"todavía contesta, con el estado {status}"
        if status != httpx2.codes.OK:
            return f"respondió con el estado {status}"
        if body is None:
            return f"pasa de {self._limits.bytes:,} bytes"
        got = headers.get("content-encoding", "identity").strip().lower()
        if got == "identity":
            found: str | None = sha256_bytes(body)
        elif got not in _SUFFIX or coding == "identity":
            return f"respondió comprimido ({got[:40]}) a quien pidió «{coding}»"
        else:
            found = decoded_sha256(io.BytesIO(body), _SUFFIX[got], limit=self._limits.bytes)
        if found == sha256:
            return None
        return f"muestra otros bytes a quien pide «{coding}»" if found else f"el cuerpo «{got}» está dañado o no cabe"

    def _get(self, ruta: str, coding: str) -> tuple[int, Mapping[str, str], bytes | None]:
        """Status, headers in lower case, and the body as it travelled; None where it is too long."""
        self.preguntas += 1
        url = self._base + quote(ruta, safe="/~!$&'()+,;=:@-._")
        # No «no-cache», which some edges obey: a reader's browser says nothing of the kind.
        asked = {"accept-encoding": coding, "accept": "*/*", "user-agent": "pregon-sonda"}
        with self._plazo.limit(self._limits.respuesta_s):
            response = exchange(
                self._client,
                self._plazo,
                lambda extensions: self._client.build_request("GET", url, headers=asked, extensions=extensions),
            )
            try:
                pieces: list[bytes] = []
                size = 0
                for piece in response.iter_raw():
                    size += len(piece)
                    if size > self._limits.bytes:
                        break
                    pieces.append(piece)
            finally:
                response.close()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return response.status_code, headers, None if size > self._limits.bytes else b"".join(pieces)
