"""A clock that is wrong by an hour, and an hour that nobody confirms: nothing opens early, nothing is ever blanked."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pregon.base import procesos
from pregon.base.hora import NtpSource
from pregon.difusor.decide import CorteListo, Estado, Situacion, Tiempos, decide
from pregon.difusor.libro import Libro
from tests.confiabilidad.noche import LIMITE_S, Noche
from tests.red.mundo import Mundo
from tests.trust.conftest import INICIO, INTERVALO

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.base.procesos import Process
    from pregon.trust.keys import KeyRing
    from tests.red.mundo import Host

HORA = timedelta(hours=1)
MINUTO = timedelta(minutes=1)
SIN_MEDIR = 'fuente = "ninguna"'
CHRONYD = "port 123\nlocal stratum 3\nallow 127.0.0.1\ncmdport 0\nbindcmdaddress /\nuser root\npidfile {pid}\n"


def firma_la_hora(noche: Noche, hora: timedelta) -> None:
    """The institute signs its timestamp again, so long after the start: the witness."""
    noche.escena.repository.resign_timestamp(now=INICIO + hora, expires=INICIO + 24 * HORA)


def test_clock_jumps_an_hour_before_the_start_at_the_start_and_mid_night(tmp_path: Path, ring: KeyRing) -> None:
    noche = Noche(tmp_path / "noche", ring, reloj=SIN_MEDIR, ahora=INICIO - HORA + MINUTO)
    with noche.sirviendo() as (url, _), noche.operando() as process, noche.juez.leyendo(url) as reading:
        # Before the start: an hour forward, where only the clock says that it is time; and an hour back.
        noche.corte(firmado=INICIO - HORA, permite=False)
        for jump in (HORA, -HORA, -HORA, 2 * HORA):
            noche.mueve_reloj(jump)
            noche.deja_pasar(process, pasadas=4)
            assert (noche.publico(), noche.sana(url)) == (None, [])
        # At the start, an hour slow: a witness alone does not open it either.
        noche.mueve_reloj(-HORA)
        firma_la_hora(noche, 2 * MINUTO)
        noche.deja_pasar(process, pasadas=4)
        assert (noche.publico(), noche.sana(url)) == (None, [])
        noche.juez.permite(1)
        noche.mueve_reloj(HORA)
        noche.espera_corte(1, process)
        noche.juez.espera = False
        # Mid night: back before the start, and forward; each cut goes out all the same.
        for jump in (-HORA, 2 * HORA, -HORA):
            noche.mueve_reloj(jump)
            noche.deja_pasar(process, pasadas=2)
            assert noche.sana(url, corte=noche.cortes) == []
            noche.espera_corte(noche.corte(), process)
            assert noche.sana(url, corte=noche.cortes) == []
    assert reading.sin_respuesta == 0
    assert reading.fallas == []


@pytest.mark.parametrize("off", [-HORA, HORA], ids=["back", "forward"])
@pytest.mark.parametrize("true", [-2 * HORA, -MINUTO, timedelta(0), MINUTO, 6 * HORA], ids=str)
def test_decision_under_a_clock_an_hour_wrong(off: timedelta, true: timedelta) -> None:
    """The same of an official difusor, whose process has no clock but the machine's: what ``decide`` would say."""
    for witness in (None, INICIO - MINUTO, INICIO, INICIO + HORA):
        if witness is not None and witness > INICIO + true:
            continue  # Nobody signs in the future.
        for public in (False, True):
            for cut in (None, CorteListo(1, ultimo=False, proximo=INICIO + 2 * INTERVALO)):
                decision = decide(
                    Situacion(
                        now=INICIO + true + off,
                        tiempos=Tiempos(INICIO, INICIO + 24 * 20 * HORA, 60.0),
                        reloj_fiable=False,  # A clock that is an hour wrong is never within the limit.
                        testigo=witness,
                        corte=cut,
                        ya_publico=public,
                    )
                )
                if public and cut is not None:
                    assert decision.corte == 1
                elif decision.corte is not None:
                    assert true >= timedelta(0)
                else:
                    assert decision.estado is Estado.ESPERA


def chronyd(host: Host, folder: Path) -> Process:
    """A real server of time on that machine; it touches no clock (-x)."""
    (folder / "chrony.conf").write_text(CHRONYD.format(pid=folder / "chronyd.pid"))
    server = host.corre(["chronyd", "-d", "-x", "-f", folder / "chrony.conf"], output=folder / "chronyd.out")
    with host.dentro():
        source = NtpSource("127.0.0.1", timeout_s=0.2)
        procesos.wait_until(lambda: source.measure() is not None, server, timeout=LIMITE_S, what="chronyd")
    return server


def espera_medida(noche: Noche, process: Process, *, medida: bool) -> None:
    """Wait until the difusor has, or has no longer, a measurement of its clock."""

    def told() -> bool:
        reading = Libro(noche.workspace.open_state(noche.workspace.open_clock())).reloj
        return reading is not None and (reading.desfase_s is not None) is medida

    procesos.wait_until(told, process, timeout=LIMITE_S, what="reloj")


@pytest.mark.parametrize("lost", [False, True], ids=["answers", "gone"])
def test_time_server_gone_opens_only_with_a_witness(tmp_path: Path, ring: KeyRing, *, lost: bool) -> None:
    reloj = 'fuente = "ntp"\nservidor = "127.0.0.1"'
    noche = Noche(tmp_path / "noche", ring, reloj=reloj, ahora=INICIO - 16 * MINUTO)
    noche.corte(firmado=INICIO - HORA, permite=False)
    with Mundo(semilla=8) as mundo:
        host = mundo.host("difusor")
        server = chronyd(host, tmp_path)
        with noche.operando(*host.orden([])) as process:
            espera_medida(noche, process, medida=True)
            assert noche.sana() == []
            if lost:
                server.kill()
            else:
                noche.juez.permite(1)
            noche.mueve_reloj(17 * MINUTO)
            if lost:
                espera_medida(noche, process, medida=False)
                noche.deja_pasar(process, pasadas=4)
                assert (noche.publico(), noche.sana()) == (None, [])
                noche.juez.permite(1)
                firma_la_hora(noche, MINUTO)
            noche.espera_corte(1, process)
            noche.juez.espera = False
            noche.espera_corte(noche.corte(), process)  # And no time server is asked for the cuts after.
            assert noche.sana() == []
