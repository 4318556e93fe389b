"""To a webhook: a POST of JSON over TLS, signed so that whoever receives it knows who sent it and when."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import TYPE_CHECKING

from pregon.base.errors import PregonError
from pregon.notifica.canal import ENVIO_S, failed, refused, secret_of
from pregon.transport.causas import of_exception
from pregon.transport.peticion import http_client, tls_context
from pregon.transport.plazo import Plazo

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pregon.base.clock import Clock
    from pregon.notifica.ajustes import AjustesCanal
    from pregon.notifica.mensaje import Mensaje

FIRMA = "x-pregon-firma"
"""``t=<unix seconds>,v1=<HMAC-SHA256 in hexadecimal>`` over ``<t>.<body>``: an old request cannot be sent again."""
ENLACE_S = 10.0
_BUSY = (408, 425, 429)


class Webhook:
    """Messages as requests. Any 2xx is a delivery; a redirection is followed nowhere."""

    def __init__(self, ajustes: AjustesCanal, folder: Path, clock: Clock, environment: Mapping[str, str]) -> None:
        self._ajustes = ajustes
        self._folder = folder
        self._clock = clock
        self._environment = environment

    def envia(self, mensaje: Mensaje) -> None:
        import httpx2  # When there is something to tell.

        ajustes = self._ajustes
        body = json.dumps(mensaje.to_json(), ensure_ascii=False, sort_keys=True).encode()
        headers = {"content-type": "application/json", "user-agent": "pregon"}
        secret = secret_of(ajustes, self._folder, self._environment)
        if secret is not None:
            headers[FIRMA] = signature(secret, int(self._clock.now().timestamp()), body)
        context = tls_context(ca=None if ajustes.ca is None else self._folder / ajustes.ca)
        plazo = Plazo()
        try:
            with (
                plazo.limit(ENVIO_S),
                http_client(context, connect_s=ENLACE_S, stall_s=ENLACE_S) as client,
                client.stream(
                    "POST", ajustes.destino, content=body, headers=headers, extensions=plazo.extensions
                ) as answer,
            ):
                status = answer.status_code
        except PregonError:
            raise
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as exc:
            late = f"tardó más de {ENVIO_S:g} s"
            failed(ajustes, late if plazo.vencido else of_exception(exc, now=self._clock.now()).que, exc)
        if 200 <= status < 300:
            return
        if status >= 500 or status in _BUSY:
            failed(ajustes, f"respondió {status}")
        refused(ajustes, f"respondió {status}" + (" (no se siguen redirecciones)" if 300 <= status < 400 else ""))


def signature(secret: str, instant: int, body: bytes) -> str:
    """The value of the header ``FIRMA`` for ``body`` at ``instant`` (seconds since 1970)."""
    digest = hmac.new(secret.encode(), f"{instant}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={instant},v1={digest}"
