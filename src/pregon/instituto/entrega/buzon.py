"""Where acuses arrive by HTTPS: ``POST /acuses/<difusor>/<nodo>``, the envelope as its body.

Nobody is asked for a password: what is kept is what the node's registered key signed. Answers: 201 kept, 200 it was
kept already, 400 not an acuse, 403 another key, call, ambiente or node, 404 nobody registered, 408 too slow, 409 it
does not follow the last one kept (``ultimo`` says which, so that the sender begins after it), 413 too long, 429 too
many, 503 it could not be kept now. Every body is JSON of four texts, as an error of the command line.
"""

from __future__ import annotations

import asyncio
import logging
import math
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pregon.base.errors import AjustesError, CadenaError, FormatoError, PregonError, TrustError
from pregon.instituto.entrega.recibidos import unknown
from pregon.trust.acuse import MAX_BYTES
from pregon.web.servidor import contexto_tls, escuchando

if TYPE_CHECKING:
    import ssl
    from pathlib import Path

    from starlette.requests import Request

    from pregon.base.clock import Clock
    from pregon.instituto.entrega.destinos import Destino
    from pregon.instituto.entrega.recibidos import Recibidos

_logger = logging.getLogger(__name__)

BODY_S = 15.0
"""For a whole body to come."""
RAFAGA = 400
"""Acuses that one address may bring at once: those of a whole night, after a broken link."""
POR_SEGUNDO = 10.0
"""And from then on."""
MAX_DIRECCIONES = 4096
"""Addresses remembered; the one that has been quiet longest is forgotten first."""
MAX_CONEXIONES = 256
KEEPALIVE_S = 5
STOP_S = 3

_MUCHOS = {
    "codigo": "MUCHOS",
    "que_paso": "Llegan demasiados acuses desde esta dirección.",
    "intacto": "No se guardó nada de éste.",
    "que_hacer": "Espere lo que dice Retry-After y envíelo otra vez.",
}
_LARGO = {
    "codigo": "FORMATO",
    "que_paso": f"Lo que se envió mide más de {MAX_BYTES:,} bytes.",
    "intacto": "No se guardó nada.",
    "que_hacer": "Envíe un acuse en cada petición.",
}
_LENTO = {
    "codigo": "RED",
    "que_paso": f"Lo que se envió no llegó entero en {BODY_S:g} s.",
    "intacto": "No se guardó nada.",
    "que_hacer": "Envíelo otra vez.",
}


class Cupo:
    """How many requests each address may make: a bucket of ``RAFAGA`` that fills by ``POR_SEGUNDO``."""

    def __init__(self, clock: Clock, *, rafaga: int = RAFAGA, por_segundo: float = POR_SEGUNDO) -> None:
        self._clock = clock
        self._burst = rafaga
        self._rate = por_segundo
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, address: str) -> float:
        """Take one; 0, or the seconds after which there will be one."""
        now = self._clock.monotonic()
        with self._lock:
            left, when = self._buckets.pop(address, (float(self._burst), now))
            left = min(self._burst, left + (now - when) * self._rate)
            served = left >= 1
            self._buckets[address] = (left - 1 if served else left, now)
            if len(self._buckets) > MAX_DIRECCIONES:
                self._buckets.popitem(last=False)
        return 0.0 if served else (1 - left) / self._rate


def application(received: Recibidos, cupo: Cupo) -> Starlette:
    """The application: one route and nothing else."""

    async def take(request: Request) -> Response:
        address = request.client.host if request.client else "?"
        wait = cupo.wait(address)
        if wait > 0:
            return JSONResponse(_MUCHOS, 429, headers={"Retry-After": str(math.ceil(wait))})
        difusor, nodo = request.path_params["difusor"], request.path_params["nodo"]
        destino = received.destino(difusor, nodo)
        if destino is None:
            return JSONResponse(unknown("«" + difusor[:32] + "»", "«" + nodo[:32] + "»").as_dict(), 404)
        try:
            async with asyncio.timeout(BODY_S):
                data = await _body(request)
        except TimeoutError:
            return JSONResponse(_LENTO, 408, headers={"Connection": "close"})
        except ClientDisconnect:
            return Response(status_code=400)
        if data is None:
            return JSONResponse(_LARGO, 413, headers={"Connection": "close"})
        return await run_in_threadpool(_admit, received, destino, data)

    return Starlette(routes=[Route("/acuses/{difusor}/{nodo}", take, methods=["POST"])])


async def _body(request: Request) -> bytes | None:
    """The body; None as soon as it is longer than an acuse may be."""
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > MAX_BYTES:
            return None
    return bytes(data)


def _admit(received: Recibidos, destino: Destino, data: bytes) -> Response:
    try:
        new = received.admit(destino, data)
    except PregonError as exc:
        _logger.warning("acuse de %s: %s: %s", destino.nombre, exc.codigo, exc.que_paso)
        body: dict[str, Any] = dict(exc.as_dict())
        if isinstance(exc, CadenaError):
            body["ultimo"] = received.last(destino)
            return JSONResponse(body, 409)
        if isinstance(exc, FormatoError | TrustError):
            return JSONResponse(body, 400 if isinstance(exc, FormatoError) else 403)
        # What failed is ours: its text names our own paths.
        ours = {"codigo": exc.codigo, "que_paso": "No se pudo guardar el acuse.", "intacto": "No se guardó nada."}
        return JSONResponse({**ours, "que_hacer": "Envíelo otra vez más tarde."}, 503, headers={"Retry-After": "30"})
    return JSONResponse({"nuevo": new}, 201 if new else 200)


class Buzon:
    """The service, on one address. ``run`` blocks; ``stop`` from another thread ends it."""

    def __init__(
        self,
        received: Recibidos,
        clock: Clock,
        *,
        direccion: str,
        puerto: int,
        certificado: Path | None = None,
        clave: Path | None = None,
        cupo: Cupo | None = None,
    ) -> None:
        """``certificado`` and ``clave``: PEM, ours; without them plain HTTP, only on this same machine (a proxy's).

        Raises:
            EntradaError, AjustesError: they cannot be read, do not go together, or are missing where they must be; or
                the port cannot be opened.
        """
        context: ssl.SSLContext | None = None
        if certificado is not None and clave is not None:
            context = contexto_tls(certificado, clave)
        elif certificado is not None or clave is not None or direccion not in ("127.0.0.1", "::1"):
            raise AjustesError(
                f"Para recibir acuses en {direccion} hacen falta el certificado y su clave.",
                intacto="No se abrió ningún puerto.",
                que_hacer="Dé --certificado y --clave; sin ellos sólo se atiende en 127.0.0.1, detrás de un proxy.",
            )
        self._socket = escuchando(direccion, puerto)
        self.puerto: int = self._socket.getsockname()[1]
        self.seguro = context is not None
        self._server = uvicorn.Server(
            uvicorn.Config(
                application(received, cupo or Cupo(clock)),
                http="h11",
                ws="none",
                lifespan="off",
                loop="asyncio",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                limit_concurrency=MAX_CONEXIONES,
                timeout_keep_alive=KEEPALIVE_S,
                timeout_graceful_shutdown=STOP_S,
                ssl_context_factory=None if context is None else lambda *_: context,
            )
        )

    def run(self) -> None:
        """Serve until ``stop``, or until the process is told to end."""
        self._server.run(sockets=[self._socket])

    def stop(self) -> None:
        """End ``run``, within some seconds."""
        self._server.should_exit = True
