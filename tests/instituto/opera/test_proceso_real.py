"""``pregon instituto opera`` as a real process: what it tells its supervisor, how it ends, and that it goes on."""

from __future__ import annotations

import os
import signal
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pregon.base import locks
from pregon.base.clock import ManualClock, SimulatedClock
from pregon.base.errors import InstanciaError
from tests.difusor.supervisor import Supervisado
from tests.instituto.conftest import INICIO, Night
from tests.instituto.opera.mesa import Mesa, hora

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def mesa(tmp_path: Path) -> Mesa:
    """A simulacro: the process and the tests look at one clock, which runs as the world's."""
    made = Mesa(Night(tmp_path, ManualClock(INICIO - timedelta(hours=1)), "simulacro", elecciones=("GUB",))).funda()
    path = made.carpeta / "instituto.toml"
    path.write_text(path.read_text().replace("[opera]", 'reloj_simulado = "reloj.json"\n[opera]'))
    return made


def pon(mesa: Mesa, instant: object, rate: float = 1.0) -> None:
    (mesa.carpeta / "reloj.json").write_bytes(SimulatedClock.start(instant, rate).dump())  # type: ignore[arg-type]


def orden(mesa: Mesa) -> list[str | Path]:
    return [sys.executable, "-m", "pregon", "instituto", "opera", mesa.carpeta]


def test_killed_after_announcing_it_goes_on_and_ends_in_order(mesa: Mesa, tmp_path: Path) -> None:
    uno = mesa.difusor("diario-uno")
    pon(mesa, hora(1, 44))
    with Supervisado(orden(mesa), tmp_path) as service:
        assert "Sin cortes todavía" in service.espera("READY")["STATUS"]
        with pytest.raises(InstanciaError), locks.exclusive(mesa.carpeta / "opera.lock"):
            pass
        service.espera("STATUS", "CORTE_RETRASADO")
        os.kill(service.proceso.pid, signal.SIGKILL)
        service.proceso.wait(10)

    mesa.llegan(hora(1), votes="41")
    pon(mesa, hora(1, 300))
    with Supervisado(orden(mesa), tmp_path, watchdog_s=8.0) as service:
        service.espera("STATUS", "Corte 0001 de las 20:20.")
        service.espera("WATCHDOG")
        # Settings that are wrong are told, and the night goes on with those of before.
        toml = mesa.carpeta / "instituto.toml"
        good = toml.read_text()
        toml.write_text(good + "\ninventada = 1\n")
        service.manda(signal.SIGHUP)
        service.espera("RELOADING")
        service.espera("STATUS", "AJUSTES")
        toml.write_text(good)
        assert service.proceso.returncode() is None
        # Told to end with a cut in hand, it finishes it.
        mesa.llegan(hora(2), votes="42")
        pon(mesa, hora(2, 1))
        service.espera("STATUS", "Falta el de las 20:40.")
        assert service.termina(seconds=60) == 0
        assert service.cuantos("STOPPING") == 1

    mesa.a_las(hora(2, 60))
    signed = mesa.firmados
    assert signed in ([1], [1, 2]), "finished, or not begun"
    assert uno.recibe() in signed
    assert len(mesa.espacio.repository().notices()) == 1, "the delay is announced once, whoever died"
    assert [one["periodo"] for one in mesa.sucesos("corte_perdido")] == [0]
    assert [one["corte"] for one in mesa.sucesos("corte")] == signed
    assert not [path.name for path in (mesa.carpeta / "trabajo").iterdir()], "nothing is left half made"
