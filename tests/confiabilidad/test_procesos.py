"""Real processes that die, alone or with the web server, and a second one that starts: the public never notices."""

from __future__ import annotations

import random
import time

from pregon.base import procesos
from pregon.base.red import free_port
from tests.confiabilidad.noche import LIMITE_S, Noche, mata

SEMILLA = 20270606
MUERTES = 5
OCUPADA = 75
"""Exit status of who finds another one at work."""


def test_killed_at_random_moments_over_several_cuts(noche: Noche) -> None:
    """``opera`` dies by seed, each time with a cut on its way; whoever starts it again does nothing else."""
    dice = random.Random(SEMILLA)
    noche.corte()
    assert noche.una_vez() == 0
    noche.juez.espera = False
    with noche.sirviendo() as (url, _), noche.juez.leyendo(url) as reading:
        for number in range(MUERTES):
            process = noche.opera()
            if number % 2 == 0:
                # At work already: from here to the end of the next pass takes a few hundredths.
                noche.espera_corte(noche.cortes, process)
                noche.corte()
                time.sleep(dice.uniform(0.0, 0.3))
            else:
                # Starting, with a cut that waits.
                noche.corte()
                time.sleep(dice.uniform(0.3, 1.0))
            mata(process)
            assert noche.sana(url) == []
        with noche.operando() as process:
            noche.espera_corte(noche.cortes, process)
            assert noche.sana(url, corte=noche.cortes) == []
    assert (reading.fallas, reading.sin_respuesta) == ([], 0)
    assert len(set(reading.vistos)) > 2


def test_second_instance_is_refused_and_the_first_goes_on(noche: Noche) -> None:
    with noche.sirviendo() as (url, server), noche.operando() as process:
        noche.espera_corte(noche.corte(), process)
        for words in (("recibe", "--una-vez"), ("opera",), ("sirve",)):
            second = procesos.start(
                noche.orden("difusor", words[0], noche.carpeta, *words[1:]), output=noche.folder / "otra.out"
            )
            assert second.wait(LIMITE_S) == OCUPADA, second.tail()
            assert "Otro proceso" in second.tail()
        assert (process.returncode(), server.returncode()) == (None, None)
        assert noche.sana(url, corte=1) == []
        noche.espera_corte(noche.corte(), process)
        assert noche.sana(url, corte=2) == []


def test_sirve_killed_and_the_next_takes_over(noche: Noche) -> None:
    """SIGKILL to ``sirve`` alone: its web server goes on answering until the next one takes its place."""
    noche.corte()
    assert noche.una_vez() == 0
    noche.juez.espera = False
    noche.en_puerto(free_port("127.0.0.1"))
    with noche.sirviendo() as (url, server):
        mata(server)
        assert noche.sana(url, corte=1) == []
    start = time.monotonic()
    with noche.sirviendo() as (again, _):
        took = time.monotonic() - start
        assert again == url
        assert noche.sana(again, corte=1) == []
        noche.corte()
        assert noche.una_vez() == 0
        assert noche.sana(again, corte=2) == []
    assert took < LIMITE_S
