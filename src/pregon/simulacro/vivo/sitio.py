"""The application of the live view: one page, its stream, and the files of the report. It only reads."""

from __future__ import annotations

import json
import logging
import secrets
import threading
from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from pregon.base.clock import SystemClock
from pregon.simulacro.notas.informe import FIRMA, HTML, JSON, PDF
from pregon.simulacro.vivo import vista
from pregon.simulacro.vivo.cuadro import momento
from pregon.simulacro.vivo.lector import Lector
from pregon.web.flujo import Flujo, Numerado
from pregon.web.paginas import Paginas
from pregon.web.sitio import POLITICA, Cabeceras, Sitio

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

    from pregon.simulacro.vivo.modelo import Momento

_logger = logging.getLogger(__name__)

MIRA_S: Final = 0.15
"""Between two looks at the folder."""
FALLA_S: Final = 2.0
FIN_S: Final = 3.0
CUANTOS: Final = (2, 4)
"""Portals side by side."""
_ENMARCA: Final = f"{POLITICA}; frame-src http://127.0.0.1:*"
"""As every site of ours, and the portals of this machine in its frames."""
_DEL_INFORME: Final = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"
_TIPOS: Final = {
    HTML: "text/html; charset=utf-8",
    PDF: "application/pdf",
    JSON: "application/json",
    FIRMA: "application/json",
}


class Vivo:
    """The application (``app``) over the folder of one night, and the thread that reads it."""

    def __init__(self, folder: Path) -> None:
        """Read it for the first time.

        Raises:
            EntradaError, DanadoError: it has no ``vivo.json``, or it is not one.
        """
        self._lector = Lector(folder)
        self._real = SystemClock()
        self._zona = self._lector.encargo.huso
        self._paginas = Paginas(
            "pregon.simulacro.vivo", titulo=self._lector.encargo.titulo, **vista.globales(self._zona)
        )
        self._serie = secrets.token_hex(6)
        self._version = 0
        self._momento = momento(self._lector.lee(todo=True), self._lector.reloj)
        self._partes = vista.partes(self._paginas, self._momento)
        self._lock = threading.Lock()
        """Of what is shown and its number: whoever changes them tells it before the next."""
        self._emisor = Numerado(self._serie, self._todo, nombres=("partes", "partes"), oyentes=CUANTOS[-1] * 32)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="vivo", daemon=True)
        self._sitio = Sitio("vivo")
        self.app: ASGIApp = self._application()

    @property
    def momento(self) -> Momento:
        """What is shown now."""
        return self._momento

    def empieza(self) -> None:
        """Begin to read again and again."""
        self._thread.start()

    def lee(self, *, todo: bool = False) -> bool:
        """Read once and tell the open pages what changed; whether anything did. For one thread at a time."""
        seen = momento(self._lector.lee(todo=todo), self._lector.reloj)
        if seen == self._momento:
            return False
        made = vista.partes(self._paginas, seen)
        with self._lock:
            changed = {name: html for name, html in made.items() if html != self._partes[name]}
            self._momento, self._partes = seen, made
            self._version += 1
            self._emisor.cambia(self._version, self._line(changed))
        return True

    def despide(self) -> None:
        """The night is over: read it for the last time, and say so to whoever is looking."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(FIN_S)
        if not self._thread.is_alive():
            self.lee(todo=True)
        end = self._momento.conclusion
        # After a night that was broken off, no other comes.
        told = {"ok": None, "sigue": False} if end is None else {"ok": end.ok, "sigue": self._lector.encargo.siguen}
        self._emisor.publica("fin", json.dumps(told))

    def cierra(self) -> None:
        """End the streams of the open pages."""
        self._stop.set()
        self._emisor.cierra()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.lee()
            except Exception:
                # The border of the thread: the view must last as long as the night.
                _logger.exception("vivo: no se pudo leer la noche")
                self._stop.wait(FALLA_S)
            self._stop.wait(MIRA_S)

    def _todo(self) -> tuple[int, str]:
        return self._version, self._line(self._partes)

    def _line(self, parts: dict[str, str]) -> str:
        return vista.linea(
            self._momento, parts, serie=self._serie, version=self._version, ahora=self._real.now(), zona=self._zona
        )

    # The application.

    def _application(self) -> ASGIApp:
        inner = Starlette(
            routes=[
                Route("/", self._page, methods=["GET"]),
                Route("/vivo.json", self._json, methods=["GET"]),
                Route("/flujo", self._stream, methods=["GET"]),
                Route("/informe/{nombre}", self._report, methods=["GET"]),
                *self._paginas.rutas(),
            ],
            exception_handlers=self._paginas.negativas(),
        )
        return Cabeceras(self._only_here(inner), self._sitio)

    def _only_here(self, app: ASGIApp) -> ASGIApp:
        """Answer only who calls this machine by its own name: a page of others may point its name at us."""

        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            host = dict(scope.get("headers", ())).get(b"host", b"").decode("latin-1")
            if scope["type"] == "http" and not self._sitio.conoce(host):
                await PlainTextResponse("Este sitio es de esta máquina.", 421)(scope, receive, send)
                return
            await app(scope, receive, send)

        return guarded

    async def _page(self, request: Request) -> Response:
        def make() -> Response:
            with self._lock:
                shown, version = self._momento, self._version
            answer = self._paginas.responde(
                "vivo.html",
                m=shown,
                serie=self._serie,
                version=version,
                reloj=vista.reloj(shown.reloj, self._zona),
                ahora=self._real.now().timestamp(),
                portales=vista.portales(shown),
                **_chosen(request, shown),
            )
            answer.headers["content-security-policy"] = _ENMARCA
            return answer

        return await run_in_threadpool(make)

    async def _json(self, request: Request) -> Response:
        del request
        return JSONResponse(vista.de_momento(self._momento))

    async def _stream(self, request: Request) -> Response:
        if request.method == "HEAD":
            return Response(media_type=Flujo.media_type)
        asked = request.query_params
        since = request.headers.get("last-event-id") or f"{asked.get('serie', '')}.{asked.get('desde', '')}"
        return Flujo(self._emisor, lambda: True, desde=since)

    async def _report(self, request: Request) -> Response:
        name, folder = request.path_params["nombre"], self._lector.encargo.informe
        if folder is None or name not in _TIPOS or self._momento.conclusion is None:
            raise HTTPException(404)
        try:
            data = await run_in_threadpool((folder / name).read_bytes)
        except OSError as exc:
            raise HTTPException(404) from exc
        return Response(data, media_type=_TIPOS[name], headers={"content-security-policy": _DEL_INFORME})


def _chosen(request: Request, shown: Momento) -> dict[str, Any]:
    """Which portals the page shows: those that its address names, else those worth looking at first."""
    known = {one.id for one in shown.renglones}
    named = [ident for ident in request.query_params.getlist("p") if ident in known]
    asked = request.query_params.get("n", "")
    many = int(asked) if asked in map(str, CUANTOS) else CUANTOS[0]
    follows = not named or "sigue" in request.query_params
    first = dict.fromkeys(() if follows else named)
    chosen = list(dict.fromkeys((*first, *shown.foco)))[:many]
    return {"elegidos": chosen, "cuantos": many, "sigue": follows}
