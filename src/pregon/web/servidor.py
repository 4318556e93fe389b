"""A site attended in a thread of this process, on a port opened before it starts, and ended within seconds."""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import threading
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from pregon.base.errors import AjustesError, EntradaError
from pregon.base.razones import razon

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from starlette.types import ASGIApp

_logger = logging.getLogger(__name__)

MAX_CONEXIONES = 128
PRIMERA_S = 10.0
"""For a new connection to have asked for something."""
KEEPALIVE_S = 5
STOP_S = 2
"""For the answers under way, when it is told to end."""
_FIN_S = 5.0
_TICS_POR_SEGUNDO = 10
"""Of uvicorn's own loop."""


class _Puntual(H11Protocol):
    """Closes a connection that opens and asks for nothing: uvicorn itself would wait for ever."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._limit = self.loop.call_later(PRIMERA_S, self._late)

    def connection_lost(self, exc: Exception | None) -> None:
        self._limit.cancel()
        super().connection_lost(exc)

    def _late(self) -> None:
        if getattr(self, "cycle", None) is None:
            self.transport.abort()


class _Servidor(uvicorn.Server):
    """Says that its loop goes round."""

    def __init__(self, vive: Callable[[], None], config: uvicorn.Config) -> None:
        super().__init__(config)
        self._alive = vive

    async def on_tick(self, counter: int) -> bool:
        if counter % _TICS_POR_SEGUNDO == 0:
            self._alive()
        return await super().on_tick(counter)


@contextlib.contextmanager
def corriendo(
    app: ASGIApp,
    *,
    direccion: str,
    puerto: int,
    certificado: Path | None = None,
    clave: Path | None = None,
    conexiones: int = MAX_CONEXIONES,
    al_cerrar: Callable[[], None] = lambda: None,
    vive: Callable[[], None] = lambda: None,
) -> Iterator[int]:
    """Attend ``app`` until the block ends; gives the port (a free one where ``puerto`` is 0).

    ``conexiones``: at once; those that come beyond are told to come later. ``al_cerrar`` ends the answers that stay
    open. At the end nothing waits more than some seconds, whoever is there. ``vive`` is called each second by the loop
    that answers, and by nothing else: who hears it no more knows that nobody is answered.

    Raises:
        EntradaError, AjustesError: the certificate, its key or the port do not serve. Nothing was opened.
    """
    context = None if certificado is None or clave is None else contexto_tls(certificado, clave)
    with escuchando(direccion, puerto) as listener:
        server = _Servidor(
            vive,
            uvicorn.Config(
                app,
                http=_Puntual,
                ws="none",
                lifespan="off",
                loop="asyncio",
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=False,
                proxy_headers=False,
                limit_concurrency=conexiones,
                timeout_keep_alive=KEEPALIVE_S,
                timeout_graceful_shutdown=STOP_S,
                ssl_context_factory=None if context is None else lambda *_: context,
            ),
        )
        # Not the main thread, so uvicorn takes no signals; and a daemon: the end of the process never waits for it.
        thread = threading.Thread(target=_attend, args=(server, listener), name="web", daemon=True)
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            server.should_exit = True
            al_cerrar()
            thread.join(STOP_S + _FIN_S)
            if thread.is_alive():
                _logger.error("el servidor de %s:%s no terminó a tiempo; se abandona", direccion, puerto)


def _attend(server: uvicorn.Server, listener: socket.socket) -> None:
    try:
        server.run(sockets=[listener])
    except Exception:
        # The border of the thread: it must say why it ended, and end nothing else.
        _logger.exception("el servidor web terminó por una falla interna")


def escuchando(direccion: str, puerto: int) -> socket.socket:
    """A listening socket.

    Raises:
        AjustesError: the port cannot be opened there.
    """
    family = socket.AF_INET6 if ":" in direccion else socket.AF_INET
    try:
        return socket.create_server((direccion, puerto), family=family, backlog=MAX_CONEXIONES)
    except OSError as exc:
        raise AjustesError(
            f"No se pudo abrir el puerto {puerto} en {direccion}: {razon(exc)}.",
            intacto="No se atiende a nadie ahí; lo demás sigue como estaba.",
            que_hacer="Revise la dirección, que nadie más use el puerto y que este usuario pueda abrirlo.",
        ) from exc


def contexto_tls(certificado: Path, clave: Path) -> ssl.SSLContext:
    """TLS 1.2 or later, with that certificate.

    Raises:
        EntradaError: a file cannot be read.
        AjustesError: they are not a certificate and its key.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificado, clave, password=_no_password)
    except ssl.SSLError as exc:
        raise AjustesError(
            f"El certificado {certificado} y la clave {clave} no se pueden usar juntos: {exc.reason or exc}.",
            intacto="No se abrió ningún puerto.",
            que_hacer="Revise que la clave sea la de ese certificado, en PEM y sin frase.",
        ) from exc
    except OSError as exc:
        raise EntradaError(
            f"No se pudo leer {certificado} o {clave}: {razon(exc)}.",
            intacto="No se abrió ningún puerto.",
            que_hacer="Revise las rutas y que este usuario pueda leerlos.",
        ) from exc
    return context


def _no_password(*_: Any) -> bytes:
    # Otherwise OpenSSL would ask at the terminal, in the middle of the night.
    return b""
