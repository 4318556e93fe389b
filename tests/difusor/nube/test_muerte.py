"""The difusor dies (SIGKILL) around each step by which a cut reaches an edge: readers see whole cuts, and it is ended.

The steps are three kinds: what it remembers (its disk and its state database), each request to the store, and each
order to the edge; before it is done, and when it is done and nobody heard. A reader asks a real Varnish, which had all
pages of the cut before.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from pregon.difusor import pointer
from pregon.difusor.acuse import Acuses
from tests.difusor.nube.playa import Aduana, playa, varnish
from tests.difusor.nube.victima import Victima
from tests.red.blancos import MUERTO
from tests.red.servidores.s3 import compartido

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.difusor.conftest import Escena
    from tests.difusor.nube.playa import Destino, Playa
    from tests.red.paso import Peticion

pytestmark = pytest.mark.xdist_group("nube")


class Campo:
    """A difusor whose requests to the store and to the edge pass by two posts; each case publishes the next cut."""

    def __init__(self, costa: Playa, almacen: Aduana, borde: Aduana) -> None:
        self.costa = costa
        self.escena: Escena = costa.escena
        self.almacen = almacen
        self.borde = borde
        folder = varnish().url
        self.destino: Destino = costa.agrega("uno", extremo=almacen.url)
        self.destino.purga = self.destino.purga.replace(folder.rstrip("/"), borde.url)
        costa.escribe()
        self._cortes = itertools.count(1)
        self.ultimo = 0

    def siguiente(self) -> int:
        """Sign the next cut, with every page of the one before at the edge."""
        if self.ultimo:
            assert self.destino.cortes() == {self.ultimo}
        self.almacen.libre()
        self.borde.libre()
        corte = next(self._cortes)
        self.escena.cut(corte)
        return corte

    def juzga(self, corte: int) -> None:
        """What readers get now is one whole cut; two, each page whole, only while the edge is being told."""
        seen = self.destino.cortes()
        assert seen <= {self.ultimo or None, corte}
        if not self.borde.todas or len(self.borde.todas) == self.ordenes:
            assert len(seen) == 1, f"{seen}: {self.borde.todas}"

    def completa(self, corte: int) -> None:
        """The next start ends what the dead one left: nothing less, nothing more, and said once."""
        self.almacen.libre()
        self.borde.libre()
        assert Victima(self.escena).termina() == 0
        assert pointer.read(self.escena.workspace) == f"{corte:04d}"
        assert self.destino.cortes() == {corte}
        there = set(self.destino.objetos())
        listed = set(self.escena.manifest_hashes(corte))
        assert listed <= there
        visible = {ruta for ruta in there - listed if not ruta.startswith(("datos/", "assets/"))}
        assert visible == self.propias
        told = [path.name for path in Acuses(self.escena.workspace, self.escena.disk).files()]
        assert [name.partition("-")[2] for name in told].count(f"{corte:04d}-visible.json") == 1
        self.ultimo = corte

    def cuenta(self) -> tuple[int, int, int]:
        """How many steps, requests and orders one publication has; two cuts go out whole."""
        corte = self.siguiente()
        assert Victima(self.escena).termina() == 0
        self.propias = set(self.destino.objetos()) - set(self.escena.manifest_hashes(corte))
        self.propias = {ruta for ruta in self.propias if not ruta.startswith(("datos/", "assets/"))}
        self.ultimo = corte
        self.ordenes = 0
        corte = self.siguiente()
        victim = Victima(self.escena)
        assert victim.termina() == 0
        self.ultimo = corte
        self.ordenes = len(self.borde.todas)
        self.pasos = victim.pasos
        assert self.destino.cortes() == {corte}
        return len(self.pasos), len(self.almacen.todas), self.ordenes

    def paso(self, number: int, *, despues: bool) -> None:
        """Killed around one of its own steps."""
        corte = self.siguiente()
        assert Victima(self.escena, en=number, despues=despues).termina() == MUERTO, self.pasos[number]
        self.juzga(corte)
        self.completa(corte)

    def peticion(self, post: Aduana, number: int, *, despues: bool) -> None:
        """Killed when a post sees one of its requests: before it reaches the server, or when it is done there."""
        corte = self.siguiente()
        victim: list[Victima] = []

        def arriving(asked: Peticion) -> int | None:
            if despues or not chosen(asked):
                return None
            victim[0].mata()
            return 503

        def leaving(asked: Peticion) -> None:
            if despues and chosen(asked):
                victim[0].mata()

        def chosen(asked: Peticion) -> bool:
            return len(post.todas) > number and post.todas[number] is asked

        post.regla, post.al_salir = arriving, leaving
        victim.append(Victima(self.escena))
        assert victim[0].termina() == MUERTO, number
        self.juzga(corte)
        self.completa(corte)


@pytest.fixture
def campo(escena: Escena) -> Iterator[Campo]:
    costa = playa(escena)
    with Aduana(compartido().puerto) as almacen, Aduana(varnish().puerto) as borde:
        yield Campo(costa, almacen, borde)
        costa.vacia()


def test_killed_at_steps_of_each_kind(campo: Campo) -> None:
    steps, requests, orders = campo.cuenta()
    assert min(steps, requests, orders) > 5, "there is something to be killed at"
    campo.paso(0, despues=False)
    campo.paso(steps - 1, despues=False)
    campo.peticion(campo.almacen, requests // 2, despues=True)
    campo.peticion(campo.almacen, requests - 1, despues=False)
    campo.peticion(campo.borde, orders // 2, despues=True)


@pytest.mark.aguante
def test_killed_at_every_step(campo: Campo) -> None:
    steps, requests, orders = campo.cuenta()
    for number in range(steps):
        campo.paso(number, despues=False)
    campo.paso(steps - 1, despues=True)
    for post, count in ((campo.almacen, requests), (campo.borde, orders)):
        for number in range(count):
            for after in (False, True):
                campo.peticion(post, number, despues=after)
