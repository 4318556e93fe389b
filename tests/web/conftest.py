"""A small site behind the room's door, on a real server, and a visitor who keeps its cookies as a browser would."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from pregon.base.clock import ManualClock
from pregon.base.durable import Disk
from pregon.web.acceso import Acceso, Suceso, con_papel
from pregon.web.claves import Costo
from pregon.web.cuentas import Cuentas
from pregon.web.flujo import Emisor, Flujo
from pregon.web.limites import Frenos
from pregon.web.paginas import Paginas
from pregon.web.servidor import corriendo
from pregon.web.sesiones import Plazos, Sesiones
from pregon.web.sitio import Cabeceras, Sitio

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.requests import Request

CLAVE = "cuatro palabras al azar"
BARATO = Costo(16, 1, 1)
_FICHA = re.compile(r'name="ficha" value="([^"]+)"')


@dataclass
class Casa:
    """The site, what its parts know, and where it is."""

    cuentas: Cuentas
    sesiones: Sesiones
    clock: ManualClock
    emisor: Emisor
    sitio: Sitio
    sucesos: list[Suceso] = field(default_factory=list)
    acciones: list[str] = field(default_factory=list)
    url: str = ""

    def app(self) -> Any:
        pages = Paginas(titulo="Casa")
        door = Acceso(self.sitio, self.cuentas, self.sesiones, Frenos(self.clock), pages, self.sucesos.append)

        async def home(request: Request) -> Response:
            return PlainTextResponse(f"hola {request.state.sesion.cuenta.nombre} {request.state.sesion.ficha}")

        async def act(request: Request) -> Response:
            self.acciones.append(request.state.formulario.get("que", ""))
            return PlainTextResponse("hecho")

        async def stream(request: Request) -> Response:
            return Flujo(self.emisor, lambda: door.sigue(request, usa=False), latido_s=0.2)

        async def breaks(request: Request) -> Response:
            raise RuntimeError(str(request.url))

        inner = Starlette(
            routes=[
                Route("/", con_papel("mira", home)),
                Route("/jefe", con_papel("manda", home)),
                Route("/accion", con_papel("mira", act), methods=["POST"]),
                Route("/flujo", con_papel("mira", stream)),
                Route("/rompe", breaks),
                *door.rutas(),
                *pages.rutas(),
            ],
            exception_handlers=pages.negativas(),
        )
        return Cabeceras(door.puerta(inner), self.sitio)


@dataclass
class Visita:
    """Someone with a browser: cookies, and the «Origin» that it puts in forms."""

    url: str
    client: httpx2.Client

    def entra(self, cuenta: str = "ana", clave: str = CLAVE, **headers: str) -> httpx2.Response:
        page = self.client.get(self.url + "entrar")
        found = _FICHA.search(page.text)
        assert found is not None, page.text
        return self.manda("entrar", {"cuenta": cuenta, "clave": clave, "ficha": found[1]}, **headers)

    def manda(self, ruta: str, data: dict[str, str], **headers: str) -> httpx2.Response:
        origin = {"origin": self.url.rstrip("/"), **{name.replace("_", "-"): value for name, value in headers.items()}}
        return self.client.post(self.url + ruta, data=data, headers=origin)

    def ficha(self) -> str:
        return self.client.get(self.url).text.split()[-1]


@contextmanager
def visitando(url: str, **options: Any) -> Iterator[Visita]:
    headers = {"accept": "text/html,*/*;q=0.8", **options.pop("headers", {})}
    with httpx2.Client(trust_env=False, follow_redirects=False, timeout=10, headers=headers, **options) as client:
        yield Visita(url, client)


@pytest.fixture
def casa(tmp_path: Path) -> Iterator[Casa]:
    """The site attended, with the account «ana» that may look."""
    clock = ManualClock(datetime(2027, 6, 6, 20, tzinfo=UTC))
    cuentas = Cuentas(tmp_path / "cuentas.json", costo=BARATO)
    cuentas.pone("ana", CLAVE, ("mira",), ahora=clock.now(), disk=Disk())
    house = Casa(cuentas, Sesiones(clock, Plazos(600, 3600)), clock, Emisor(), Sitio("casa"))
    with corriendo(house.app(), direccion="127.0.0.1", puerto=0, al_cerrar=house.emisor.cierra) as port:
        house.url = f"http://127.0.0.1:{port}/"
        yield house


@pytest.fixture
def visita(casa: Casa) -> Iterator[Visita]:
    with visitando(casa.url) as found:
        yield found
