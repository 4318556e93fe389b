"""The panel's application: one page, its stream and the door. It only reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from pregon.difusor.panel.cuentas import MIRA, cuentas_de
from pregon.difusor.panel.lector import VIEJA_S, Lector
from pregon.difusor.panel.palabras import hace, hora
from pregon.web.acceso import Acceso, con_papel
from pregon.web.flujo import Emisor, Flujo
from pregon.web.libro import Libro
from pregon.web.limites import Frenos
from pregon.web.paginas import Paginas
from pregon.web.sesiones import Sesiones
from pregon.web.sitio import Cabeceras, Sitio

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp

    from pregon.base.clock import Clock
    from pregon.base.state import StateDatabase
    from pregon.difusor.panel.foto import Foto
    from pregon.difusor.workspace import Workspace
    from pregon.web.claves import Costo
    from pregon.web.sesiones import Plazos


class Panel:
    """The application and what it keeps. ``app`` is what a server attends."""

    def __init__(
        self,
        workspace: Workspace,
        state: StateDatabase,
        clock: Clock,
        *,
        costo: Costo | None = None,
        plazos: Plazos | None = None,
    ) -> None:
        """``costo`` and ``plazos``: of the room's, where others are wanted."""
        settings = workspace.settings.panel
        tls = settings.certificado is not None
        site = Sitio(
            f"panel-{workspace.settings.id}",
            anfitrion=settings.anfitrion,
            tls=tls,
            proxy=settings.anfitrion is not None and not tls,
        )
        self._workspace = workspace
        self._book = Libro(state, clock, "panel")
        self._pages = Paginas(
            "pregon.difusor.panel",
            titulo=workspace.convocatoria.nombre,
            difusor=workspace.settings.id,
            ambiente=workspace.settings.ambiente,
        )
        self._sender = Emisor()
        self._reader = Lector(workspace, state, clock, miran=lambda: self._sender.oyentes > 0, cambia=self._changed)
        self._said = ""
        accounts = cuentas_de(workspace, costo)
        self._door = Acceso(site, accounts, Sesiones(clock, plazos), Frenos(clock), self._pages, self._book.anota)
        inner = Starlette(
            routes=[
                Route("/", con_papel(MIRA, self._page), methods=["GET"]),
                Route("/flujo", con_papel(MIRA, self._stream), methods=["GET"]),
                *self._door.rutas(),
                *self._pages.rutas(),
            ],
            exception_handlers=self._pages.negativas(),
        )
        self.app: ASGIApp = Cabeceras(self._door.puerta(inner), site)

    def empieza(self) -> None:
        """Begin to read."""
        self._reader.empieza()

    def termina(self) -> None:
        """End the open pages' streams and the reading."""
        self._sender.cierra()
        self._reader.termina()

    async def _page(self, request: Request) -> Response:
        shot, age = await run_in_threadpool(self._reader.foto)
        session = request.state.sesion
        return self._pages.responde(
            "panel.html", foto=self._part(shot, age), cuenta=session.cuenta.nombre, ficha=session.ficha
        )

    async def _stream(self, request: Request) -> Response:
        # A page that somebody keeps open is use: it would be cruel to end it at three in the morning.
        return Flujo(self._sender, lambda: self._door.sigue(request, usa=True))

    def _changed(self, shot: Foto, age: float) -> None:
        text = self._part(shot, age)
        if text != self._said:
            self._said = text
            self._sender.publica("foto", text)

    def _part(self, shot: Foto | None, age: float) -> str:
        zone = self._workspace.convocatoria.zona
        return self._pages.texto(
            "foto.html",
            foto=shot,
            hora=None if shot is None else hora(shot.hora, zone, shot.hora),
            vieja="" if age < VIEJA_S else hace(age),
        )
