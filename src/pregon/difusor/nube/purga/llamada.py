"""One order to a cache over HTTP(S): asked again while it is busy, and what its refusals mean."""

from __future__ import annotations

import email.utils
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx2

from pregon.base.clock import SystemClock
from pregon.base.errors import PurgaError, RedError
from pregon.transport.causas import of_exception, too_slow
from pregon.transport.peticion import exchange, http_client, tls_context
from pregon.transport.plazo import Plazo

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pregon.base.clock import Clock
    from pregon.difusor.nube.purga.ajustes import AjustesPurga

CONNECT_S = 5.0
STALL_S = 15.0
LLAMADA_S = 20.0
"""For one whole exchange."""
PURGA_S = 45.0
"""For everything that one purge waits and asks again: a cut must be visible within its minute (DGO-I-11c)."""
ESPERA_S = 0.5
"""Before asking again where the other side does not say; twice as much each time after."""
ANSWER_BYTES = 64 << 10
OCUPADO = frozenset({429, 500, 502, 503, 504})
"""Statuses of who may answer otherwise in a moment."""
INTACTO = "El depósito ya tiene lo nuevo; el CDN sigue mostrando lo anterior en lo que no se alcanzó a purgar."


@dataclass(frozen=True)
class Dicho:
    """What was answered: status, headers in lower case and the beginning of the body."""

    estado: int
    headers: Mapping[str, str]
    cuerpo: bytes

    @property
    def objeto(self) -> Mapping[str, Any]:
        """The JSON object of the body; empty where it is none."""
        try:
            value = json.loads(self.cuerpo)
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}


class Turno:
    """The time that one purge has, in real seconds: a service's limits know nothing of a simulated night."""

    def __init__(self, segundos: float = PURGA_S) -> None:
        self._real = SystemClock()
        self._end = self._real.monotonic() + segundos
        self._tries = 0

    @property
    def queda(self) -> float:
        """Seconds left."""
        return self._end - self._real.monotonic()

    def duerme(self, segundos: float) -> None:
        """Wait."""
        self._real.sleep(segundos)

    def otra_vez(self, pedido_s: float | None) -> float | None:
        """Wait before asking again: what was asked, or longer each time. None once waited; else what is missing."""
        self._tries += 1
        wait = ESPERA_S * 2.0 ** min(self._tries - 1, 6) if pedido_s is None else max(pedido_s, 0.1)
        if wait > self.queda:
            return wait
        self.duerme(wait)
        return None


class Llamador:
    """Speaks with one service or machine: one kept connection, no redirection, nothing of the environment obeyed."""

    def __init__(self, ajustes: AjustesPurga, *, folder: Path, clock: Clock, quien: str) -> None:
        """``quien`` names the other side in what is said: «Cloudflare».

        Raises:
            AjustesError: the certificates of ``ca`` cannot be read.
        """
        tls = tls_context(ca=None if ajustes.ca is None else folder / ajustes.ca)
        self._client = http_client(tls, proxy=ajustes.proxy, connect_s=CONNECT_S, stall_s=STALL_S)
        self._clock = clock
        self._plazo = Plazo()
        self.quien = quien

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def pide(
        self, method: str, url: str, *, headers: Mapping[str, str], turno: Turno, body: bytes | None = None
    ) -> Dicho:
        """The first answer that is not of somebody busy, whatever it says.

        Raises:
            RedError: nobody answers, or fails until the end of ``turno``.
            PurgaError: it asks to wait longer than that; ``espera_s`` says how long.
        """
        while True:
            failure: RedError | PurgaError
            wait: float | None = None
            try:
                said = self._once(method, url, headers, body, min(LLAMADA_S, max(turno.queda, 1.0)))
            except RedError as exc:
                failure = exc
            else:
                if said.estado not in OCUPADO:
                    return said
                wait = espera_pedida(said.headers, self._clock.now())
                failure = self._busy(said, wait)
            missing = turno.otra_vez(wait)
            if missing is not None:
                if isinstance(failure, PurgaError):
                    failure.espera_s = missing
                raise failure

    def _once(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, seconds: float) -> Dicho:
        asked = {"user-agent": "pregon-difusor", "accept": "*/*", "accept-encoding": "identity", **headers}
        try:
            with self._plazo.limit(seconds):
                response = exchange(
                    self._client,
                    self._plazo,
                    lambda extensions: self._client.build_request(
                        method, url, headers=asked, content=body, extensions=extensions
                    ),
                )
                try:
                    said = b""
                    for piece in response.iter_raw():
                        said += piece
                        if len(said) > ANSWER_BYTES:
                            break
                finally:
                    response.close()
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as exc:
            causa = too_slow(seconds) if self._plazo.vencido else of_exception(exc, now=self._clock.now())
            raise RedError(
                f"No se pudo purgar en {self.quien} ({_place(url)}): {causa.que}.",
                intacto=INTACTO,
                que_hacer=causa.que_hacer,
            ) from exc
        return Dicho(response.status_code, {k.lower(): v for k, v in response.headers.items()}, said)

    def _busy(self, said: Dicho, wait: float | None) -> RedError | PurgaError:
        if said.estado == 429 or (said.estado == 503 and wait is not None):
            later = "" if wait is None else f" (pide {wait:.0f} s)"
            return PurgaError(
                f"{self.quien} pide purgar menos o más tarde{later}.",
                intacto=INTACTO,
                que_hacer="Se purga de nuevo en cuanto lo permita. Si se repite, revise quién más purga ahí.",
            )
        return RedError(
            f"No se pudo purgar en {self.quien}: respondió con el estado {said.estado}.",
            intacto=INTACTO,
            que_hacer="Se intenta de nuevo. Si dura, revise el estado del servicio con quien lo da.",
        )

    def negado(self, said: Dicho, razon: str, que_hacer: str) -> PurgaError:
        """The error of a refusal that will not change by itself. ``razon`` completes «No se purgó en X: …»."""
        return PurgaError(
            f"No se purgó en {self.quien}: {razon} (estado {said.estado}).", intacto=INTACTO, que_hacer=que_hacer
        )


def espera_pedida(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that an answer asks to wait, by ``Retry-After`` (both forms) or by Fastly's own header; None: it says
    nothing. ``headers`` in lower case."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, (_aware(email.utils.parsedate_to_datetime(text)) - now).total_seconds())
    except (TypeError, ValueError, OverflowError):
        pass
    reset = headers.get("fastly-ratelimit-reset", "").strip()
    if reset.isascii() and reset.isdigit():
        return max(0.0, float(reset[:12]) - now.timestamp())
    return None


def _aware(when: datetime) -> datetime:
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when


def _place(url: str) -> str:
    return url.partition("?")[0][:200]
