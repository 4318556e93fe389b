"""A night whose difusor publishes in a bucket, and the edge that readers ask: the real publisher, S3, nginx, Varnish.

::

    readers ── Varnish (our VCL) ── nginx, which writes down (Testigo) ── SeaweedFS ── Publicacion, purge, question
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from pregon.base.clock import SystemClock
from pregon.difusor.nube.ajustes import AjustesNube
from pregon.difusor.nube.borde import pregunta
from pregon.difusor.nube.cabeceras import del_borde
from pregon.difusor.nube.publica import Publicacion
from pregon.difusor.nube.purga import abre
from pregon.difusor.publish import Publisher
from pregon.difusor.servidor.sitio import site_of
from tests.difusor.conftest import files_of
from tests.difusor.nube.testigo import Testigo
from tests.red.servidores.s3 import DEPOSITO, HOST, compartido
from tests.red.servidores.varnish import Varnish
from tests.trust.conftest import INICIO, INTERVALO

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path
    from types import TracebackType

    from pregon.difusor.nube.publica import Cambio
    from tests.difusor.conftest import Escena
    from tests.difusor.nube.testigo import Peticion

DISTRITOS = 1
ESTILO = "assets/estilo.0a1b2c3d4e5f6071.css"
"""Its name changes with its content: it is kept for ever."""
PAGINAS = ("", "gub/", *(f"gub/distrito/{n:02d}/" for n in range(1, DISTRITOS + 1)))
PASO = timedelta(seconds=20)
PREGUNTA = (*("/" + ruta for ruta in PAGINAS), "/corte.json")
"""What the edge is asked for after each purge, in every encoding."""
INTENTOS = 3
"""Purges of one cut before the edge must answer with it."""


def datos(corte: int) -> dict[str, str]:
    """Place to path of the data of a cut."""
    folder = f"datos/{corte:04d}/gub/"
    places = {f"{n:02d}": f"{folder}distrito/{n:02d}.json" for n in range(1, DISTRITOS + 1)}
    return {"entidad": f"{folder}entidad.json", **places}


def arbol(corte: int) -> dict[str, bytes]:
    """A small package: a cover, a contest, some districts; each page names data of its own cut, which say whose."""
    own = datos(corte)
    pages = {
        "index.html": [own["entidad"]],
        "gub/index.html": list(own.values()),
        **{f"gub/distrito/{place}/index.html": [ruta] for place, ruta in own.items() if place != "entidad"},
    }
    return {
        **files_of(corte, _hora(corte)),
        **{ruta: _pagina(corte, ruta, links) for ruta, links in pages.items()},
        **{ruta: _datos(corte, place) for place, ruta in own.items()},
        ESTILO: b"body{margin:0;color:#222}\n" * 40,
        "contacto.txt": "La misma página en todos los cortes.\n".encode() * 20,
    }


def publicas(corte: int) -> dict[str, str]:
    """Public path (without the first slash) of everything in ``arbol`` to its SHA-256."""
    return {ruta.removesuffix("index.html"): hashlib.sha256(body).hexdigest() for ruta, body in arbol(corte).items()}


class Orilla:
    """The edge of one escena's difusor, in a place of its own of the shared bucket.

    ``url`` is what readers ask, ``origen`` the bucket itself; both have a final slash.
    """

    def __init__(self, escena: Escena, carpeta: Path, *, repaso_s: float = 0.0) -> None:
        """``repaso_s``: of the purge; without it, what it heals would show."""
        self._repaso_s = repaso_s
        server = compartido()
        self.escena = escena
        self.corte = 0
        """The cut that the edge shows."""
        self._stack = contextlib.ExitStack()
        self._carpeta = carpeta
        self._prefijo = f"orilla-{carpeta.name}"
        self._bucket = server
        self._receiver = escena.receiver()
        self.publisher = Publisher(escena.workspace, escena.libro.otro(), escena.disk)

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self.testigo = stack.enter_context(Testigo(self._carpeta / "testigo", self._bucket.puerto))
            encabezados = del_borde(site_of(self.escena.workspace, 0), "http://127.0.0.1/")
            origen = f"http://{HOST}:{self.testigo.puerto}/{DEPOSITO}/{self._prefijo}"
            self.varnish = stack.enter_context(
                Varnish(self._carpeta / "varnish", origen, almacen=True, encabezados=encabezados)
            )
            stack.callback(self._bucket.vacia, self._prefijo)
            self._bucket.abre_a_todos(self._prefijo)
            self._stack = stack.pop_all()
        self.url = self.varnish.url
        self.origen = f"http://{HOST}:{self._bucket.puerto}/{DEPOSITO}/{self._prefijo}/"
        lugar = self._bucket.lugar(self._prefijo).model_dump(exclude_unset=True)
        purga = {
            "tipo": "varnish",
            "equipos": [self.url],
            "secreto": f"archivo:{self.varnish.archivo_secreto}",
            "repaso_s": self._repaso_s,
        }
        ajustes = AjustesNube.model_validate({**lugar, "nombre": "orilla", "publica": self.url, "purga": purga})
        workspace, clock, env = self.escena.workspace, SystemClock(), self._bucket.entorno
        self._publicacion = Publicacion(
            ajustes,
            workspace,
            self.escena.libro,
            self.publisher.store,
            clock=clock,
            disk=self.escena.disk,
            environment=env,
        )
        self._purga = abre(ajustes.purga, folder=workspace.folder, environment=env, clock=clock, publica=self.url)
        self._stack.callback(self._purga.close)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def corta(self) -> Cambio:
        """The next cut signed, received, published in the bucket, purged, and seen at the edge; what changed."""
        corte = self.corte + 1
        self.escena.clock.instant = _hora(corte)
        self.escena.sign(corte, arbol(corte), hora_corte=_hora(corte))
        assert self._receiver.run_once().error is None
        cut = self.escena.libro.cortes()[-1]
        assert cut.corte == corte
        cambio = self._publicacion.muestra(cut, self.publisher.plan_of(cut))
        missing = {ruta: cambio.esperado[ruta] for ruta in PREGUNTA}
        for _ in range(INTENTOS):
            self._purga.purga(cambio.rutas)
            answer = pregunta(self.url, missing, clock=SystemClock())
            missing = {ruta: cambio.esperado[ruta] for ruta in answer.faltan}
            if not missing:
                self._publicacion.purgado(cambio.rutas)
                self.corte = corte
                return cambio
        raise AssertionError(f"cut {corte}: the edge does not show {sorted(missing)}")

    def pon(self, ruta: str, body: bytes) -> None:
        """Put an object there behind the difusor's back, and have the edge show it."""
        self._bucket.orden("PUT", self._prefijo, ruta, data=body)
        self._purga.purga(("/" + ruta,))

    def quita(self, ruta: str) -> None:
        """Take an object away behind the difusor's back, and have the edge forget it."""
        self._bucket.orden("DELETE", self._prefijo, ruta)
        self._purga.purga(("/" + ruta,))

    @contextlib.contextmanager
    def contando(self) -> Iterator[list[Peticion]]:
        """What reaches the origin while the block lasts; the list is filled at its end."""
        before = len(self.testigo.peticiones())
        found: list[Peticion] = []
        yield found
        found += self.testigo.peticiones()[before:]

    def clave(self, ruta: str) -> str:
        """The path at the origin of a public path (without the first slash)."""
        file = f"{ruta}index.html" if ruta == "" or ruta.endswith("/") else ruta
        return f"/{DEPOSITO}/{self._prefijo}/{file}"


def _hora(corte: int) -> datetime:
    """When a cut is of: a thousand of them fit in the night."""
    return INICIO + INTERVALO + PASO * corte


def _pagina(corte: int, ruta: str, links: list[str]) -> bytes:
    rows = "".join(f"<tr><td>casilla {n}</td><td>{n * corte}</td></tr>" for n in range(60))
    data = "".join(f'<a href="/{link}" data-ruta="{link}">Datos</a>' for link in links)
    return (
        f'<!doctype html><html lang="es-MX"><meta charset="utf-8"><title>Corte {corte}</title>'
        f'<link rel="stylesheet" href="/{ESTILO}"><h1 data-corte="{corte:04d}">{ruta}, corte {corte}</h1>'
        f"{data}<table>{rows}</table>\n"
    ).encode()


def _datos(corte: int, place: str) -> bytes:
    votes = {f"P{n}": n * corte for n in range(60)}
    return json.dumps({"corte": corte, "lugar": place, "votos": votes}).encode()
