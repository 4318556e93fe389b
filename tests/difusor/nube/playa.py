"""A difusor with ``[[nube]]`` in its settings, a real bucket behind a real Varnish, and readers who judge it.

::

    readers ── Varnish (our VCL) ── SeaweedFS ── Aduana ── the whole difusor
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import itertools
import os
import re
import shutil
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2

from pregon.base.clock import ManualClock
from pregon.difusor.nube.plan import PRIVADO
from pregon.difusor.workspace import AJUSTES, open_workspace
from tests.red.paso import Paso, Peticion
from tests.red.servidores.s3 import DEPOSITO, ESCRIBE, HOST, compartido
from tests.red.servidores.varnish import Varnish

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.difusor.conftest import Escena

RAIZ = f"playa-{os.getpid()}"
"""Everything of this process in the bucket lies below it."""
PAGINAS = ("", "gub/")
"""The public pages of ``files_of``."""
AVISO = "suspendida por aviso"
_FOLDERS = itertools.count(1)


class RelojVivo(ManualClock):
    """Instants that the test sets, with durations that pass: what waits for a real server cannot stand still."""

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


@functools.cache
def varnish() -> Varnish:
    """One for every test of this process: it takes a second to compile what it is told."""
    folder = Path(tempfile.mkdtemp(prefix="pregon-playa-"))
    stack = contextlib.ExitStack()
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    edge = Varnish(folder / "v", f"http://{HOST}:{compartido().puerto}/{DEPOSITO}/{RAIZ}", almacen=True)
    stack.enter_context(edge)
    atexit.register(stack.close)
    return edge


class Aduana(Paso):
    """A post through which the difusor's requests to a server pass; ``url`` is given to it in the server's place.

    ``al_salir`` hears each request that the server has done, before its client does.
    """

    def __init__(self, puerto: int) -> None:
        super().__init__(HOST, puerto)
        self.url = f"http://{HOST}:{self.puerto}"
        self.al_salir: Callable[[Peticion], object] = lambda _: None

    def hecha(self, asked: Peticion) -> None:
        super().hecha(asked)
        self.al_salir(asked)

    def libre(self) -> None:
        """From now on everything passes, and the lists begin anew."""
        self.regla, self.al_salir = lambda _: None, lambda _: None
        self.olvida()


@dataclass
class Destino:
    """One target of the settings: its place in the bucket and its public address, with a final slash."""

    nombre: str
    prefijo: str
    url: str
    extremo: str
    sin_borde: bool = False
    purga: str = "varnish"

    def toml(self, secreto: Path) -> str:
        edge = varnish()
        lines = [
            "[[nube]]",
            f'nombre = "{self.nombre}"',
            f'url = "s3://{DEPOSITO}/{self.prefijo}"',
            f'extremo = "{self.extremo}"',
            f'clave_acceso = "{ESCRIBE[0]}"',
            f'secreto = "archivo:{secreto}"',
        ]
        if not self.sin_borde:
            lines.append(f'publica = "{self.url}"')
            lines += ["[nube.purga]", 'tipo = "varnish"', f'equipos = ["{self.purga}"]', "repaso_s = 0"]
            lines.append(f'secreto = "archivo:{edge.archivo_secreto}"')
        return "\n".join(lines) + "\n"

    def objetos(self) -> dict[str, bytes]:
        """What is published in the bucket."""
        there = compartido().objetos(self.prefijo)
        return {ruta: data for ruta, data in there.items() if not ruta.startswith(PRIVADO)}

    def pide(self, ruta: str) -> httpx2.Response:
        """What a reader of the edge gets."""
        return httpx2.get(self.url + ruta, trust_env=False, timeout=20)

    def corte(self) -> int | None:
        """The cut that the edge's cover is of; None where it is of none. A page whose data is another cut's fails."""
        return self.cortes(("",)).pop()

    def cortes(self, paginas: tuple[str, ...] = PAGINAS) -> set[int | None]:
        """The cuts that the pages of the edge are of; each page's data was read, and is of the page's own cut."""
        return {self._one(self.pide(ruta)) for ruta in paginas}

    def _one(self, answer: httpx2.Response) -> int | None:
        assert answer.status_code in (200, 404), answer.status_code
        found = re.search(r'<h1 data-corte="(\d{4})">', answer.text)
        if answer.status_code == 404 or found is None:
            return None
        assert answer.text.endswith("\n"), "half a page"
        link = re.search(r'href="(datos/[^"]+)"', answer.text)
        assert link is not None
        data = self.pide(link[1])
        assert data.status_code == 200, f"{link[1]}: {data.status_code}"
        corte = int(found[1])
        assert data.json()["votos"]["P1"] == corte
        return corte


@dataclass
class Playa:
    """An escena whose difusor publishes in some targets. ``agrega`` first; then its receiver."""

    escena: Escena
    destinos: dict[str, Destino] = field(default_factory=dict)

    def agrega(self, nombre: str, **more: Any) -> Destino:
        """One more target, straight to the real server unless ``more`` says another ``extremo``."""
        folder = f"{nombre}-{next(_FOLDERS)}"
        server, edge = compartido(), varnish()
        made = Destino(
            nombre,
            f"{RAIZ}/{folder}",
            f"{edge.url}{folder}/",
            **{"extremo": server.extremo, "purga": f"{edge.url}{folder}", **more},
        )
        server.abre_a_todos(RAIZ)
        self.destinos[nombre] = made
        self.escribe()
        return made

    def escribe(self, *nombres: str) -> None:
        """Write the targets (all where none is named) into the settings."""
        escena = self.escena
        secreto = escena.folder / "secreto-s3"
        secreto.write_text(ESCRIBE[1])
        path = escena.workspace.folder / AJUSTES
        base = path.read_text().partition("[[nube]]")[0]
        wanted = [each for name, each in self.destinos.items() if name in (nombres or self.destinos)]
        path.write_text(base + "".join(each.toml(secreto) for each in wanted))
        escena.workspace = open_workspace(escena.workspace.folder)

    def vacia(self) -> None:
        for each in self.destinos.values():
            compartido().vacia(each.prefijo)


def playa(escena: Escena) -> Playa:
    """A difusor without targets yet, whose durations pass."""
    escena.clock = RelojVivo(escena.clock.instant, simulado=False)
    return Playa(escena)


def hasta(condition: Callable[[], object], what: str, seconds: float = 20.0) -> None:
    """Wait until ``condition`` is met."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.02)
