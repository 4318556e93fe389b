"""Leaves small documents (acuses) at an HTTPS receiver, one POST each."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx2

from pregon.base.errors import RedError
from pregon.transport.causas import of_exception, too_slow
from pregon.transport.peticion import http_client, tls_of
from pregon.transport.plazo import Plazo

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pregon.base.clock import Clock
    from pregon.transport.causas import Causa
    from pregon.transport.lugar import Lugar

CONNECT_S = 2.0
STALL_S = 3.0
"""Short: who waits here has cuts to publish, and will try again."""
ANSWER_BYTES = 16 << 10
"""Of an answer no more is read; a receiver of ours says some hundreds."""


@dataclass(frozen=True)
class Contestacion:
    """What the receiver said: status, its JSON (empty where it is not an object), and the wait that it asks for."""

    estado: int
    cuerpo: Mapping[str, Any] = field(default_factory=dict)
    espera_s: float = 0.0


class Cartero:
    """Posts below ``lugar.url``, over TLS 1.2 or newer; one connection is kept, no redirection is followed."""

    def __init__(
        self,
        lugar: Lugar,
        *,
        folder: Path,
        clock: Clock,
        environment: Mapping[str, str],
        connect_s: float = CONNECT_S,
        stall_s: float = STALL_S,
    ) -> None:
        """``folder``: the workspace of ``lugar``'s paths. ``environment``: where a secret «env:NAME» is.

        Raises:
            AjustesError: certificates or token cannot be read or used.
        """
        self._base = lugar.url.rstrip("/")
        self._clock = clock
        self._headers = {"content-type": "application/json", "user-agent": "pregon-difusor", "accept": "*/*"}
        self._headers.update(lugar.authorization(folder, environment))
        self._client = http_client(tls_of(lugar, folder), proxy=lugar.proxy, connect_s=connect_s, stall_s=stall_s)
        self._plazo = Plazo()

    def post(self, ruta: str, body: bytes, *, seconds: float) -> Contestacion:
        """Post ``body`` to ``ruta`` (begins with «/», already encoded); all of it within ``seconds`` of real time.

        Raises:
            RedError: there is no whole answer.
        """
        url = self._base + ruta
        try:
            with self._plazo.limit(seconds):
                # A kept connection that the server closed meanwhile fails at once: asked again on a new one.
                for last in (False, True):
                    try:
                        return self._once(url, body)
                    except (httpx2.ReadError, httpx2.WriteError, httpx2.RemoteProtocolError):
                        if last or self._plazo.vencido:
                            raise
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as exc:
            causa = too_slow(seconds) if self._plazo.vencido else of_exception(exc, now=self._clock.now())
            raise _failed(url, causa) from exc
        raise AssertionError  # The second turn returned or raised.

    def _once(self, url: str, body: bytes) -> Contestacion:
        asked = self._client.stream("POST", url, content=body, headers=self._headers, extensions=self._plazo.extensions)
        with asked as response:
            said = b""
            for piece in response.iter_raw():
                said += piece
                if len(said) > ANSWER_BYTES:
                    break
            wait = response.headers.get("retry-after", "")
            return Contestacion(
                response.status_code, _object(said), float(wait) if wait.isascii() and wait.isdigit() else 0.0
            )

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def _object(data: bytes) -> Mapping[str, Any]:
    with contextlib.suppress(ValueError, RecursionError):
        value = json.loads(data)
        if isinstance(value, dict):
            return value
    return {}


def _failed(url: str, causa: Causa) -> RedError:
    return RedError(
        f"No se pudo entregar un acuse en {url}: {causa.que}.",
        intacto="El acuse sigue guardado; lo publicado no depende de él.",
        que_hacer=causa.que_hacer,
    )
