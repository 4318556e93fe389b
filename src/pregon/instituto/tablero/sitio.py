"""The board's application: the page, its stream, a difusor's page, the journal's, and the door before them all."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.routing import Route

from pregon.base.clock import SystemClock
from pregon.instituto.proceso.textos import numeros
from pregon.instituto.tablero import acciones, formas, puertas
from pregon.instituto.tablero.api import Api
from pregon.instituto.tablero.cuentas import OBSERVADOR, cuentas_de
from pregon.instituto.tablero.ejecuta import Ejecutor
from pregon.instituto.tablero.lector import Lector
from pregon.instituto.tablero.puertas import Puertas, Ventanilla
from pregon.instituto.tablero.tramites import POR_MINUTO, Tramites
from pregon.instituto.tablero.vista import Partes, globales
from pregon.instituto.workspace import open_workspace
from pregon.web.acceso import Acceso, con_papel
from pregon.web.flujo import Flujo, Numerado
from pregon.web.libro import Libro
from pregon.web.limites import Frenos
from pregon.web.paginas import Paginas
from pregon.web.sesiones import Sesiones
from pregon.web.sitio import Cabeceras, Sitio

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from pregon.instituto.tablero.diferencia import Cambio
    from pregon.instituto.tablero.modelo import Cuadro, Tono
    from pregon.instituto.workspace import Workspace
    from pregon.web.claves import Costo
    from pregon.web.sesiones import Plazos

OYENTES: Final = 400
"""Open pages at once: a council, its engineers, the press office, and the walls."""
GZIP_MIN: Final = 1024
GZIP_NIVEL: Final = 6
_TONOS: Final[Mapping[str, Tono]] = {"calma": "calma", "bien": "bien", "ojo": "ojo", "mal": "mal"}
_NUMERO: Final = re.compile(r"[0-9]{1,9}")
_PALABRA: Final = re.compile(r"[a-z0-9_-]{1,64}")


class Tablero:
    """The application and what it keeps. ``app`` is what a server attends; ``lector`` is what is shown."""

    def __init__(
        self,
        workspace: Workspace,
        *,
        environment: Mapping[str, str],
        costo: Costo | None = None,
        plazos: Plazos | None = None,
        abre: Callable[[], Workspace] | None = None,
        por_minuto: int = POR_MINUTO,
    ) -> None:
        """``costo`` and ``plazos``: of the room's, where others are wanted.

        ``abre`` opens the workspace for each action (None: again from its folder); ``por_minuto``: actions that one
        account may ask for.

        Raises:
            AjustesError, DiscoError, DanadoError, RedError: the state cannot be opened.
        """
        settings, clock = workspace.settings.tablero, workspace.clock
        tls = settings.certificado is not None
        self.workspace = workspace
        self.environment = environment
        self.sitio = Sitio(
            f"tablero-{workspace.convocatoria.id}",
            anfitrion=settings.anfitrion,
            tls=tls,
            proxy=settings.anfitrion is not None and not tls,
        )
        self.paginas = Paginas(
            "pregon.instituto.tablero",
            titulo=workspace.convocatoria.nombre,
            instituto=workspace.convocatoria.instituto_nombre or workspace.convocatoria.instituto,
            ambiente=workspace.settings.ambiente,
            **globales(workspace.convocatoria.zona),
            **puertas.globales(),
        )
        self.libro = Libro(workspace.state(), clock, "tablero")
        self.lector = Lector(workspace, environment=environment, cambia=self._changed)
        serie = self.lector.casa.serie
        self.partes = Partes(self.paginas)
        self._whole: tuple[int, str] | None = None
        self.emisor = Numerado(serie, self._todo, nombres=("partes", "partes"), oyentes=OYENTES)
        self.emisor_json = Numerado(serie, self.lector.texto, nombres=("cambio", "cuadro"), oyentes=OYENTES)
        self.cuentas = cuentas_de(workspace, costo)
        self.puerta = Acceso(
            self.sitio, self.cuentas, Sesiones(clock, plazos), Frenos(clock), self.paginas, self.libro.anota
        )
        opens = abre or (lambda: open_workspace(workspace.folder, clock=clock))
        self.tramites = Tramites(
            workspace.state(), clock, Ejecutor(opens, environment), real=SystemClock(), por_minuto=por_minuto
        )
        self.app: ASGIApp = self._application()

    def _application(self) -> ASGIApp:
        window = Ventanilla(self.tramites, self.libro, self.sitio)
        pages = Puertas(window, self.responde, lambda: self.lector.cuadro, self._citadas)
        api = Api(self.lector, window, self.workspace.convocatoria.nombre, self.sitio)
        inner = Starlette(
            routes=[
                Route("/", con_papel(OBSERVADOR, self._page), methods=["GET"]),
                Route("/tablero.json", con_papel(OBSERVADOR, self._json), methods=["GET"]),
                Route("/flujo", con_papel(OBSERVADOR, self._stream), methods=["GET"]),
                Route("/flujo.json", con_papel(OBSERVADOR, self._stream), methods=["GET"]),
                Route("/curva", con_papel(OBSERVADOR, self._curve), methods=["GET"]),
                Route("/difusor/{ident}", con_papel(OBSERVADOR, self._difusor), methods=["GET"]),
                Route("/bitacora", con_papel(OBSERVADOR, self._journal), methods=["GET"]),
                *pages.rutas(),
                *api.rutas(),
                *self.puerta.rutas(),
                *self.paginas.rutas(),
            ],
            exception_handlers=self.paginas.negativas(),
        )
        # What changes from one answer to the other never goes beside what somebody else put in the address: the token
        # of the forms travels only to a page of its own session (cookies are SameSite=Strict).
        door = api.metodos(self.puerta.puerta(inner), self.libro.anota)
        packed = GZipMiddleware(door, minimum_size=GZIP_MIN, compresslevel=GZIP_NIVEL)
        return Cabeceras(packed, self.sitio)

    def empieza(self) -> None:
        """Begin to read."""
        self.lector.empieza()

    def termina(self) -> None:
        """End the open pages' streams and the reading."""
        self.emisor.cierra()
        self.emisor_json.cierra()
        self.tramites.termina(puertas.TERMINA_S)
        self.lector.termina()

    def responde(self, request: Request, plantilla: str, status: int = 200, **datos: Any) -> Response:
        """A page of the board, with what every one of them gets."""
        session = request.state.sesion
        return self.paginas.responde(
            plantilla,
            status,
            cuenta=session.cuenta.nombre,
            roles=session.cuenta.roles,
            ficha=session.ficha,
            **datos,
        )

    def _citadas(self, ident: str) -> Sequence[str]:
        """What the last verdicts of a difusor cite, in words: the evidence that whoever suspends it begins from."""
        found, zone = self.lector.detalle(ident), self.workspace.convocatoria.zona
        return [
            f"A las {hora.astimezone(zone):%H:%M}, observaciones {numeros(numbers)}"
            for hora, numbers in (() if found is None else found.citas)
        ][: acciones.EVIDENCIAS_MAX]

    async def _page(self, request: Request) -> Response:
        def make() -> Response:
            board = self.lector.cuadro
            return self.responde(
                request,
                "tablero.html",
                cuadro=board,
                elegido=_number(request, "corte"),
                muro="muro" in request.query_params,
            )

        return await run_in_threadpool(make)

    async def _json(self, request: Request) -> Response:
        del request
        _, data = await run_in_threadpool(self.lector.texto)
        return Response(data, media_type="application/json")

    async def _stream(self, request: Request) -> Response:
        if request.method == "HEAD":
            return Response(media_type=Flujo.media_type)
        # A page that somebody keeps open is use: it would be cruel to end it at three in the morning.
        asked = request.query_params
        since = request.headers.get("last-event-id") or f"{asked.get('serie', '')}.{asked.get('desde', '')}"
        sender = self.emisor_json if request.url.path.endswith(".json") else self.emisor
        return Flujo(sender, lambda: self.puerta.sigue(request, usa=True), desde=since)

    async def _curve(self, request: Request) -> Response:
        chosen = _number(request, "corte")
        return self.paginas.responde("_curva.html", cuadro=self.lector.cuadro, elegido=chosen)

    async def _difusor(self, request: Request) -> Response:
        detail = await run_in_threadpool(self.lector.detalle, request.path_params["ident"])
        if detail is None:
            return self.paginas.responde("mensaje.html", 404, texto="No se conoce a ese difusor.")
        return await run_in_threadpool(
            lambda: self.responde(request, "difusor.html", detalle=detail, cuadro=self.lector.cuadro)
        )

    async def _journal(self, request: Request) -> Response:
        asked = request.query_params

        def word(name: str) -> str | None:
            text = asked.get(name, "")
            return text if _PALABRA.fullmatch(text) else None

        def make() -> Response:
            page = self.lector.bitacora(
                antes=_number(request, "antes"),
                difusor=word("difusor"),
                corte=_number(request, "corte"),
                tipo=word("tipo"),
                tono=_TONOS.get(asked.get("tono", "")),
            )
            return self.responde(request, "bitacora.html", hoja=page, cuadro=self.lector.cuadro)

        return await run_in_threadpool(make)

    # What the open pages are told, from the reading thread.

    def _changed(self, antes: Cuadro, despues: Cuadro, cambio: Cambio) -> None:
        self.emisor.cambia(cambio.version, self.partes.cambio(antes, despues))
        self.emisor_json.cambia(cambio.version, formas.texto(formas.de_cambio(cambio)))

    def _todo(self) -> tuple[int, str]:
        board, made = self.lector.cuadro, self._whole
        if made is None or made[0] != board.version:
            made = self._whole = (board.version, self.partes.todo(board))
        return made


def _number(request: Request, name: str) -> int | None:
    text = request.query_params.get(name, "")
    return int(text) if _NUMERO.fullmatch(text) else None
