"""The store fails in every way it can: what is there is whole, somebody is told what to do, the next run completes."""

from __future__ import annotations

import re
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pregon.base.errors import DestinoError, RedError
from pregon.base.procesos import start
from pregon.difusor.nube.cubo import Paciencia
from pregon.difusor.nube.plan import Fase, fase_de
from tests.difusor.nube.test_publica import arbol
from tests.red.enlace import Enlace
from tests.red.servidores.s3 import HOST

if TYPE_CHECKING:
    from pregon.base.errors import PregonError
    from pregon.difusor.nube.publica import Publicacion
    from tests.difusor.nube.conftest import Deposito, Portal
    from tests.red.paso import Hace, Peticion

SIN_PAUSAS = Paciencia(connect_s=1.0, stall_s=1.0, pausas_s=())
"""Whoever asks once and no more."""


def whole(deposito: Deposito, *trees: dict[str, str]) -> None:
    """Every object there is, byte by byte, that of one of the releases; and no page names data that are not there."""
    there = deposito.contenidos()
    for ruta, sha256 in there.items():
        assert sha256 in {tree.get(ruta) for tree in trees}, ruta
    for ruta in there:
        if ruta.endswith(".html") and ruta != "404.html":
            for named in re.findall(rb'href="((?:datos|assets)/[^"]+)"', deposito.lee(ruta)):
                assert named.decode() in there, (ruta, named)


def both(portal: Portal) -> tuple[dict[str, str], dict[str, str]]:
    """A first cut in the bucket, a second one only received: what must be there before and after."""
    portal.corta(1, arbol(1))
    before = portal.debe()
    portal.recibe(2, arbol(2))
    portal.deposito.paso.olvida()
    return before, portal.debe()


def fails(portal: Portal, using: Publicacion | None = None) -> PregonError:
    with pytest.raises((RedError, DestinoError)) as caught:
        (using or portal.publicacion).muestra(*portal.ultimo())
    assert "sigue entera" in caught.value.intacto
    return caught.value


def completes(portal: Portal, using: Publicacion | None = None) -> None:
    """Without the fault: all of it is there, and what had arrived does not travel again."""
    portal.deposito.paso.regla = lambda _: None
    there = portal.deposito.contenidos()
    lacking = {ruta for ruta, sha256 in portal.debe().items() if there.get(ruta) != sha256}
    portal.deposito.paso.olvida()
    portal.publica(using)
    assert portal.deposito.contenidos() == portal.debe()
    assert set(portal.deposito.subidas()) | set(portal.deposito.copiadas()) <= lacking


@pytest.mark.parametrize("what", [500, 503, "pierde", "altera"])
def test_passing_faults_are_overcome(portal: Portal, what: Hace) -> None:
    """Every third request fails once: the run ends well, and nothing there is other than what was signed."""
    _, after = both(portal)
    seen: dict[tuple[str, str], int] = {}

    def every_third(one: Peticion) -> Hace | None:
        key = (one.metodo, one.ruta)
        seen[key] = seen.get(key, 0) + 1
        return what if seen[key] == 1 and len(seen) % 3 == 0 and (one.bytes or what != "altera") else None

    portal.deposito.paso.regla = every_third
    portal.publica()
    assert len(seen) > 6
    assert portal.deposito.contenidos() == after


def test_a_store_whose_etags_say_nothing(portal: Portal) -> None:
    """One that encrypts with its owner's keys: what must be known is read back, and nothing more travels for it."""
    deposito = portal.deposito
    deposito.paso.cifra = True
    portal.corta(1, arbol(1))
    cambio = portal.corta(2, arbol(2))
    assert deposito.contenidos() == portal.debe()
    assert cambio.copiados == sum(1 for ruta in arbol(2) if "/seccion/" in ruta or "/casilla/" in ruta)
    (portal.escena.workspace.folder / "nube" / "nube.json").unlink()
    deposito.paso.olvida()
    portal.publica(portal.otra())
    assert deposito.subidas() == []
    deposito.pon("index.html", b"<h1>Otro resultado</h1>")
    portal.publica(portal.otra())
    assert deposito.subidas() == ["index.html"]
    assert deposito.contenidos() == portal.debe()


def test_what_the_store_kept_otherwise_is_sent_once_more_and_then_told(portal: Portal) -> None:
    """A store that answers well and keeps something else: seen when it is read back, never taken for the cut."""
    deposito = portal.deposito
    deposito.paso.cifra = True
    spoilt = 0

    def spoil(one: Peticion) -> Hace | None:
        nonlocal spoilt
        if one.metodo == "GET" and deposito.ruta(one) == "index.html" and spoilt < times:
            spoilt += 1
            deposito.pon("index.html", b"<h1>Otro resultado</h1>")
        return None

    deposito.paso.regla = spoil
    times = 1
    portal.corta(1)
    assert deposito.subidas().count("index.html") == 2
    assert deposito.contenidos() == portal.debe()
    before = deposito.contenidos()["corte.json"]
    spoilt, times = 0, 2
    portal.recibe(2)
    error = fails(portal)
    assert "no es lo que se envió" in error.que_paso
    assert deposito.contenidos()["corte.json"] == before
    completes(portal)


@pytest.mark.parametrize("fase", list(Fase))
def test_a_store_that_goes_on_failing_leaves_one_whole_cut(portal: Portal, fase: Fase) -> None:
    """Every put of one phase answers 500: those before are there, none after; the next run sends the rest."""
    before, after = both(portal)
    deposito = portal.deposito

    def of_phase(one: Peticion) -> Hace | None:
        return 500 if one.metodo == "PUT" and fase_de(deposito.ruta(one)) is fase else None

    deposito.paso.regla = of_phase
    error = fails(portal)
    assert "500" in error.que_paso
    assert "no tiene lugar" in error.que_paso
    whole(deposito, before, after)
    there = deposito.contenidos()
    assert {ruta for ruta, sha in there.items() if sha != before.get(ruta) and fase_de(ruta) > fase} == set()
    assert there["corte.json"] == before["corte.json"]
    completes(portal)


def test_a_put_that_is_cut_half_way_is_not_there(portal: Portal) -> None:
    before, after = both(portal)
    deposito = portal.deposito
    deposito.paso.regla = lambda one: "corta" if one.bytes > 300 else None
    error = fails(portal)
    assert "se cortó" in error.que_paso
    whole(deposito, before, after)
    completes(portal)


def test_the_link_is_cut_at_any_byte(portal: Portal) -> None:
    """By a router, wherever it likes; the same process and a new one go on alike."""
    before, after = both(portal)
    deposito = portal.deposito
    with Enlace(HOST, deposito.servidor.puerto) as enlace:
        far = portal.ajustes.model_copy(update={"extremo": f"http://{HOST}:{enlace.puerto}"})
        for number in range(1, 5):
            enlace.corta_tras(1500 * number)
            with pytest.raises(RedError):
                portal.otra(far, paciencia=SIN_PAUSAS).muestra(*portal.ultimo())
            assert enlace.cortes == number
            enlace.abre()
            whole(deposito, before, after)
        portal.otra(far).muestra(*portal.ultimo())
    assert deposito.contenidos() == after


def test_who_never_answers_is_waited_for_so_long_and_no_longer(portal: Portal) -> None:
    before, after = both(portal)
    silent = portal.otra(paciencia=Paciencia(connect_s=1.0, stall_s=0.3, pausas_s=(0.01,)))
    portal.deposito.paso.regla = lambda one: "calla" if one.metodo == "PUT" else None
    error = fails(portal, silent)
    assert "no contesta" in error.que_paso
    assert "Revise la red" in error.que_hacer
    whole(portal.deposito, before, after)
    completes(portal, silent)


def test_a_slow_link_is_only_slow(portal: Portal) -> None:
    _, after = both(portal)
    with Enlace(HOST, portal.deposito.servidor.puerto) as enlace:
        enlace.ritmo(60_000)
        slow = portal.ajustes.model_copy(update={"extremo": f"http://{HOST}:{enlace.puerto}"})
        portal.otra(slow).muestra(*portal.ultimo())
    assert portal.deposito.contenidos() == after


@pytest.mark.parametrize(("quien", "told"), [("lee", "no da permiso"), ("malo", "no acepta las credenciales")])
def test_denied_says_what_to_ask_for_and_changes_nothing(portal: Portal, quien: str, told: str) -> None:
    """A real identity that only reads, and a wrong secret: told at once, without asking again and again."""
    both(portal)
    before = portal.deposito.hay()
    error = fails(portal, portal.otra(portal.deposito.ajustes(quien)))
    assert isinstance(error, DestinoError)
    assert told in error.que_paso
    assert "clave_acceso" in error.que_hacer
    if quien == "lee":
        assert "s3:PutObject" in error.que_hacer
    assert portal.deposito.hay() == before
    asked = [(one.metodo, one.ruta) for one in portal.deposito.paso.todas if one.metodo == "PUT"]
    assert len(asked) == len(set(asked))
    completes(portal)


def test_a_removal_that_is_denied_leaves_the_new_cut_whole(portal: Portal) -> None:
    """The store says so within a good answer; the cut is there, and the removal is tried again by the next run."""
    portal.corta(1, arbol(1, **{"gub/especial.html": b"<!doctype html><title>Especial</title>"}))
    portal.recibe(2, arbol(2))
    portal.deposito.paso.regla = lambda one: "niega_borrado" if one.metodo == "POST" else None
    error = fails(portal)
    assert isinstance(error, DestinoError)
    assert "s3:DeleteObject" in error.que_hacer
    there = portal.deposito.contenidos()
    assert {ruta: sha for ruta, sha in there.items() if ruta != "gub/especial.html"} == portal.debe()
    portal.deposito.paso.regla = lambda _: None
    cambio = portal.publica(portal.otra())
    assert cambio.quitados == 1
    assert "/gub/especial.html" in cambio.rutas
    assert portal.deposito.contenidos() == portal.debe()


def test_a_full_store_keeps_the_last_cut(portal: Portal) -> None:
    """The server's own refusal when nothing more fits."""
    before, after = both(portal)
    deposito = portal.deposito
    deposito.servidor.cierra(deposito.prefijo)
    try:
        error = fails(portal)
        assert "lugar" in error.que_paso
        assert "lugar" in error.que_hacer
        whole(deposito, before, after)
        assert deposito.contenidos()["corte.json"] == before["corte.json"]
    finally:
        deposito.servidor.reabre(deposito.prefijo)
    completes(portal)


# Killed.

HIJO = """
import os, sys
from pathlib import Path
from pregon.base.clock import SystemClock
from pregon.base.durable import Disk
from pregon.difusor.libro import Libro
from pregon.difusor.nube.ajustes import AjustesNube
from pregon.difusor.nube.publica import Publicacion
from pregon.difusor.publish import Publisher
from pregon.difusor.workspace import open_workspace
workspace = open_workspace(Path(sys.argv[1]))
ajustes = AjustesNube.model_validate_json(sys.argv[2])
libro = Libro(workspace.open_state(SystemClock()))
publisher = Publisher(workspace, libro, Disk())
cut = libro.cortes()[-1]
what = publisher.plan_of(cut)
Publicacion(ajustes, workspace, libro, publisher.store, clock=SystemClock(), disk=Disk()).muestra(cut, what)
"""


def killed_at(portal: Portal, number: int) -> bool:
    """A process of its own publishes, and gets SIGKILL when the store is about to be asked for the ``number``-th time.

    Whether it got so far; otherwise it ended well.
    """
    deposito = portal.deposito
    environment = {"PYTHONPATH": str(Path(__file__).parents[3] / "src"), **deposito.servidor.entorno}
    command: list[str | Path] = [
        sys.executable,
        "-c",
        HIJO,
        portal.escena.workspace.folder,
        portal.ajustes.model_dump_json(exclude_unset=True),
    ]
    child = start(command, output=portal.escena.folder / "hijo.log", environment=environment)

    def kill(one: Peticion) -> Hace | None:
        del one
        if len(deposito.paso.todas) == number:
            child.kill()
        return None if len(deposito.paso.todas) < number else "calla"

    deposito.paso.olvida()
    deposito.paso.regla = kill
    status = child.wait(30)
    deposito.paso.regla = lambda _: None
    assert status in (0, -signal.SIGKILL), child.tail()
    return status != 0


def dies(portal: Portal, corte: int, number: int) -> bool:
    """A cut published by one that dies at its ``number``-th request, and completed by another; whether it died."""
    before = portal.debe()
    portal.recibe(corte)
    died = killed_at(portal, number)
    whole(portal.deposito, before, portal.debe())
    told = portal.otra().muestra(*portal.ultimo())
    assert portal.deposito.contenidos() == portal.debe()
    changed = {f"/{ruta}" for ruta, sha256 in portal.debe().items() if sha256 != before.get(ruta)}
    changed -= {ruta for ruta in changed if ruta.startswith("/datos/")}
    assert changed <= set(told.rutas)  # What the dead one changed is still to be purged.
    portal.publica(portal.otra())
    return died


@pytest.mark.aguante
def test_killed_in_each_phase(portal: Portal) -> None:
    """Among the data, and among the pages: one whole page at each address, and the next one completes."""
    portal.corta(1)
    assert [dies(portal, corte, number) for corte, number in ((2, 3), (3, 6))] == [True, True]


@pytest.mark.aguante
def test_killed_at_every_request(portal: Portal) -> None:
    portal.corta(1)
    corte = 2
    while dies(portal, corte, corte - 1):
        corte += 1
    assert corte > 9
