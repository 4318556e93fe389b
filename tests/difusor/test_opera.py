"""``pregon difusor opera`` as a real process under a supervisor: what it tells, when it falls silent, how it ends."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import shutil
import signal
import sys
import threading
import time
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import httpx2
import pytest

from pregon.base.clock import SimulatedClock
from pregon.base.red import free_port
from pregon.difusor import pointer
from pregon.difusor.servidor.direccion import public_url
from tests.difusor.conftest import files_of, page, tree_hashes, without_twins
from tests.difusor.maquina import SRC
from tests.difusor.supervisor import Supervisado
from tests.red.colgado import mostrada
from tests.trust.conftest import INICIO, INTERVALO, OFICIAL

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.difusor.conftest import Escena, EscenaFactory

SIMULACRO = OFICIAL.__class__(OFICIAL.convocatoria, OFICIAL.instituto, "simulacro")
RELOJ = 'fuente = "simulado"\nsimulado = "reloj.json"'
TIMEOUT_STOP_S = 90
"""As the unit's TimeoutStopSec."""


def noche(factory: EscenaFactory, *, origen: str | None = None) -> Escena:
    """A simulacro an hour after its start, with one cut signed: real processes share its clock."""
    escena = factory(identity=SIMULACRO, reloj=RELOJ, origen=origen)
    clock = SimulatedClock.start(INICIO + timedelta(hours=1), 1.0)
    (escena.workspace.folder / "reloj.json").write_bytes(clock.dump())
    escena.cut(1)
    return escena


def orden(escena: Escena, *more: str) -> list[str | Path]:
    return [sys.executable, "-m", "pregon", "difusor", "opera", escena.workspace.folder, *more]


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.02)


def test_it_says_that_it_is_ready_what_is_public_and_that_it_ends(
    escena_factory: EscenaFactory, tmp_path: Path
) -> None:
    escena = noche(escena_factory)
    with Supervisado(orden(escena), tmp_path, watchdog_s=2.0) as servicio:
        first = servicio.espera("READY")
        assert "espera" in first["STATUS"], "it was ready before its first pass, after recovering"
        servicio.espera("STATUS", "Público: corte 1 de las 20:20.")
        assert without_twins(escena.public()) == escena.manifest_hashes(1)
        # Nothing happens, and it is alive: the signs go on, four in each limit.
        start = time.monotonic()
        servicio.espera("WATCHDOG", cuenta=servicio.cuantos("WATCHDOG") + 4)
        assert 1.0 < time.monotonic() - start < 4.0
        assert servicio.termina(seconds=TIMEOUT_STOP_S) == 0
        servicio.espera("STOPPING") if servicio.proceso.returncode() is None else servicio.recoge()
        assert servicio.cuantos("STOPPING") == 1
    assert escena.libro.limpio, "the next start need not hash everything again"
    assert "falla" not in servicio.salida.read_text()


def test_sighup_reads_the_settings_again_and_bad_ones_change_nothing(
    escena_factory: EscenaFactory, tmp_path: Path
) -> None:
    escena = noche(escena_factory)
    toml = escena.workspace.folder / "difusor.toml"
    good = toml.read_text()
    with Supervisado(orden(escena), tmp_path, abstracto=False) as servicio:
        servicio.espera("STATUS", "corte 1")
        before = escena.public()

        toml.write_text(good.replace("sondeo_s = 0.1", 'sondeo_s = "nunca"\ninventada = 1'))
        servicio.manda(signal.SIGHUP)
        assert int(servicio.espera("RELOADING")["MONOTONIC_USEC"]) > 0
        again = servicio.espera("READY", cuenta=2)
        assert "Los ajustes nuevos no valen" in again["STATUS"]
        assert "inventada: clave desconocida" in servicio.salida.read_text()
        assert escena.public() == before
        escena.cut(2)  # With the settings of before, the night goes on.
        servicio.espera("STATUS", "corte 2")
        assert "no valen" in servicio.estado, "it goes on saying so"

        toml.write_text(good.replace('id = "diario-uno"', 'id = "diario-dos"'))
        servicio.manda(signal.SIGHUP)
        assert "no valen" in servicio.espera("READY", cuenta=3)["STATUS"]
        assert "No se pueden cambiar con el difusor en marcha: id" in servicio.salida.read_text()

        # Good ones: another origin, with a cut more, takes effect without a restart.
        copy = tmp_path / "otro-repositorio"
        shutil.copytree(escena.repository.folder, copy)
        escena.cut(3)
        shutil.rmtree(copy)
        shutil.copytree(escena.repository.folder, copy)
        toml.write_text(good.replace(str(escena.repository.folder), str(copy)))
        servicio.manda(signal.SIGHUP)
        servicio.espera("READY", cuenta=4)
        shutil.rmtree(escena.repository.folder / "metadata")
        servicio.espera("STATUS", "corte 3")
        assert "no valen" not in servicio.estado
        assert servicio.proceso.returncode() is None
        kinds = [event.tipo for event in escena.state().events()]
        assert kinds.count("ajustes_rechazados") == 2
        assert kinds.count("ajustes") == 1


def test_killed_and_started_again_it_goes_on(escena_factory: EscenaFactory, tmp_path: Path) -> None:
    escena = noche(escena_factory)
    with Supervisado(orden(escena), tmp_path) as servicio:
        servicio.espera("STATUS", "corte 1")
        os.kill(servicio.proceso.pid, signal.SIGKILL)
        servicio.proceso.wait(10)
    before = escena.public()
    assert not escena.libro.limpio
    escena.cut(2)
    with Supervisado(orden(escena), tmp_path) as servicio:
        assert "corte 1" in servicio.espera("READY")["STATUS"], "what was public is public from the first moment"
        servicio.espera("STATUS", "corte 2")
        assert servicio.termina(seconds=TIMEOUT_STOP_S) == 0
    assert without_twins(before) == escena.manifest_hashes(1)
    assert {ruta: sha for ruta, sha in escena.public().items() if ruta in escena.manifest_hashes(2)} == (
        escena.manifest_hashes(2)
    )


def test_two_instances_the_second_ends_with_75_and_changes_nothing(
    escena_factory: EscenaFactory, tmp_path: Path
) -> None:
    escena = noche(escena_factory)
    with Supervisado(orden(escena), tmp_path) as servicio:
        servicio.espera("STATUS", "corte 1")
        files = {name: sha for name, sha in tree_hashes(escena.workspace.folder).items() if "sqlite" not in name}
        events = len(escena.state().events())
        second = tmp_path / "segundo"
        second.mkdir()
        with Supervisado(orden(escena, "--json"), second) as otro:
            assert otro.proceso.wait(30) == 75
            assert otro.cuantos("READY") == 0
            assert '"codigo": "INSTANCIA"' in otro.salida.read_text()
        assert {
            name: sha for name, sha in tree_hashes(escena.workspace.folder).items() if "sqlite" not in name
        } == files
        assert len(escena.state().events()) == events
        assert servicio.proceso.returncode() is None
        escena.cut(2)
        servicio.espera("STATUS", "corte 2")


def test_wrong_settings_at_the_start_end_with_78(escena: Escena, tmp_path: Path) -> None:
    toml = escena.workspace.folder / "difusor.toml"
    toml.write_text(toml.read_text().replace("sondeo_s", "sondeos"))
    with Supervisado(orden(escena), tmp_path) as servicio:
        assert servicio.proceso.wait(30) == 78
        assert servicio.cuantos("READY") == 0
    assert pointer.read(escena.workspace) == "espera"


LIMITE_S = 1.2
"""The watchdog of these tests; the unit's is minutes."""


def test_the_signs_stop_when_the_loop_hangs_and_come_back_with_it(
    escena_factory: EscenaFactory, tmp_path: Path
) -> None:
    escena = noche(escena_factory, origen=str(tmp_path / "montada"))
    with (
        mostrada(escena.repository.folder, tmp_path) as (_, control),
        Supervisado(orden(escena), tmp_path, watchdog_s=LIMITE_S) as servicio,
    ):
        servicio.espera("STATUS", "corte 1")
        before = escena.public()
        control.write_text("cuelga")
        # The pass that was under way may end; the next one hangs.
        deadline = time.monotonic() + 20
        while servicio.cuantos("WATCHDOG", desde=time.monotonic() - LIMITE_S) > 0:
            assert time.monotonic() < deadline, "the loop hangs and its signs go on"
            time.sleep(0.05)
        held = time.monotonic()
        time.sleep(2 * LIMITE_S)
        assert servicio.cuantos("WATCHDOG", desde=held + 0.1) == 0, "other threads run, and nobody else gives the sign"
        assert servicio.proceso.returncode() is None
        assert escena.public() == before
        # The disk of the network comes back before the supervisor loses patience.
        escena.cut(2)
        control.unlink()
        servicio.espera("STATUS", "corte 2")
        assert servicio.cuantos("WATCHDOG", desde=held + 2 * LIMITE_S) > 0
        # What systemd does when it loses patience: SIGABRT, which says where the loop was.
        control.write_text("cuelga")
        time.sleep(0.5)
        servicio.manda(signal.SIGABRT)
        control.unlink()  # Until then not even a signal gets through: so it is with a disk of the network.
        assert servicio.proceso.wait(20) == -signal.SIGABRT
    assert "run_once" in servicio.salida.read_text()
    assert set(escena.manifest_hashes(2)) <= set(escena.public())


@pytest.mark.aguante
def test_alone_a_loop_that_hangs_ends_the_process(escena_factory: EscenaFactory, tmp_path: Path) -> None:
    """Where nobody watches (a container, a terminal) it is the process that ends itself, for who restarts it."""
    escena = noche(escena_factory, origen=str(tmp_path / "montada"))
    program = "from pregon.base import servicio; servicio.Latido.__init__.__kwdefaults__['limite_s'] = 1.0"
    command: list[str | Path] = [
        sys.executable,
        "-c",
        f"{program}; from pregon.cli.app import app; app()",
        *orden(escena)[3:],
    ]
    with (
        mostrada(escena.repository.folder, tmp_path) as (_, control),
        Supervisado(command, tmp_path) as servicio,
    ):
        servicio.espera("STATUS", "corte 1")
        time.sleep(1.5)
        assert servicio.proceso.returncode() is None, "while it advances, the limit never comes"
        control.write_text("cuelga")
        wait_for(lambda: "Timeout" in servicio.salida.read_text(), "nobody noticed")
        control.unlink()
        assert servicio.proceso.wait(20) == 1
    assert "run_once" in servicio.salida.read_text()
    assert without_twins(escena.public()) == escena.manifest_hashes(1)


def test_the_signs_go_on_during_a_long_download_and_a_long_unpack(
    escena_factory: EscenaFactory, tmp_path: Path
) -> None:
    escena = noche(escena_factory, origen=str(tmp_path / "montada"))
    # A disk on which each write takes its time.
    slow: list[str | Path] = [
        "strace",
        "-f",
        "-qq",
        "--seccomp-bpf",
        "-o",
        tmp_path / "traza",
        "-e",
        "signal=none",
        "-e",
    ]
    command = [*slow, "trace=write", "-e", "inject=write:delay_enter=8000", *orden(escena)]
    with (
        mostrada(escena.repository.folder, tmp_path) as (_, control),
        Supervisado(command, tmp_path, watchdog_s=LIMITE_S, environment={"WATCHDOG_PID": ""}) as servicio,
    ):
        servicio.espera("STATUS", "corte 1")
        control.write_text("0.06")  # 16 reads a second, of 128 kB
        begin = time.monotonic()
        many = {f"gub/{n:04d}.html": page(2, f"<p>{n}</p>") for n in range(250)}
        noise = {"video.bin": os.urandom(2_500_000)}
        escena.cut(2, files_of(2, INICIO + 2 * INTERVALO, ambiente="simulacro", **many, **noise))
        servicio.espera("STATUS", "corte 2")
        took = time.monotonic() - begin
        signs = [when for when, fields in servicio.avisos if "WATCHDOG" in fields and when >= begin - LIMITE_S]
    longest = max(after - before for before, after in itertools.pairwise(signs))
    assert took > 3 * LIMITE_S, f"the pass was to be longer than the limit: {took:.1f} s"
    assert longest < LIMITE_S, f"{longest:.2f} s without a sign in a pass of {took:.1f} s"


def test_upgrade_in_the_middle_of_the_night(escena_factory: EscenaFactory, tmp_path: Path) -> None:
    """``opera`` is stopped between two cuts and another one starts, from another folder; readers ask all the time."""
    escena = noche(escena_factory)
    toml = escena.workspace.folder / "difusor.toml"
    toml.write_text(toml.read_text().replace("puerto = 0", f"puerto = {free_port('127.0.0.1')}"))
    link = tmp_path / "actual"
    for name in ("version-1", "version-2"):
        shutil.copytree(SRC / "pregon", tmp_path / name / "pregon", ignore=shutil.ignore_patterns("__pycache__"))
    link.symlink_to("version-1")
    rooms = [tmp_path / name for name in ("sirve", "antes", "despues")]
    for room in rooms:
        room.mkdir()
    code = {"PYTHONPATH": str(link), "PYTHONDONTWRITEBYTECODE": "1"}
    seen: list[tuple[int, str]] = []
    done = threading.Event()

    def reads(url: str) -> None:
        with httpx2.Client(timeout=10, trust_env=False) as client:
            while not done.is_set():
                answer = client.get(url + "manifiesto.json")
                seen.append((answer.status_code, hashlib.sha256(answer.content).hexdigest()))

    sirve: list[str | Path] = [sys.executable, "-m", "pregon", "difusor", "sirve", escena.workspace.folder]
    with Supervisado(sirve, rooms[0], environment=code) as servidor:
        servidor.espera("READY")
        url = public_url(escena.workspace)
        assert url is not None
        with Supervisado(orden(escena), rooms[1], environment=code) as antes:
            antes.espera("STATUS", "corte 1")
            reader = threading.Thread(target=reads, args=(url,))
            reader.start()
            wait_for(lambda: len(seen) > 20, "nobody reads")
            assert antes.termina(seconds=TIMEOUT_STOP_S) == 0
        # Between two cuts: the program changes; the institute signs meanwhile, and nobody here receives.
        (tmp_path / "otro").symlink_to("version-2")
        (tmp_path / "otro").replace(link)
        shutil.rmtree(tmp_path / "version-1")
        escena.cut(2)
        with Supervisado(orden(escena), rooms[2], environment=code) as despues:
            assert "corte 1" in despues.espera("READY")["STATUS"]
            despues.espera("STATUS", "corte 2")
            # And who serves: it leaves the web server alone, and the new one takes it as it is.
            servidor.manda(signal.SIGUSR1)
            assert servidor.proceso.wait(20) == 0
            again = tmp_path / "sirve-2"
            again.mkdir()
            with Supervisado(sirve, again, environment=code) as relevo:
                relevo.espera("READY")
                escena.cut(3)
                despues.espera("STATUS", "corte 3")
                last = escena.manifest_hashes(3)["manifiesto.json"]
                wait_for(lambda: bool(seen) and seen[-1][1] == last, "the public never saw the third cut")
                done.set()
                reader.join(20)
                assert despues.termina(seconds=TIMEOUT_STOP_S) == 0
                assert relevo.termina(seconds=TIMEOUT_STOP_S) == 0
    cuts = [escena.manifest_hashes(n)["manifiesto.json"] for n in (1, 2, 3)]
    assert {status for status, _ in seen} == {200}, "not one request failed"
    order = [digest for digest, _ in itertools.groupby(digest for _, digest in seen)]
    assert order == cuts, "every cut, whole, once and in order"
    assert [cut.corte for cut in escena.libro.cortes()] == [1, 2, 3]


def test_asked_to_end_in_the_middle_of_a_long_pass(escena_factory: EscenaFactory, tmp_path: Path) -> None:
    """The pass has its grace and is cut then; what came stays, what is public stays, and the next start goes on."""
    escena = noche(escena_factory, origen=str(tmp_path / "montada"))
    program = "from pregon.difusor import atento; atento.Progreso.__init__.__kwdefaults__['gracia_s'] = 0.5"
    command: list[str | Path] = [
        sys.executable,
        "-c",
        f"{program}; from pregon.cli.app import app; app()",
        *orden(escena)[3:],
    ]
    kept = escena.workspace.recepcion
    with mostrada(escena.repository.folder, tmp_path) as (_, control):
        with Supervisado(command, tmp_path, watchdog_s=60) as servicio:
            servicio.espera("STATUS", "corte 1")
            before = escena.public()
            escena.cut(2, files_of(2, INICIO + 2 * INTERVALO, ambiente="simulacro", **{"v.bin": os.urandom(8_000_000)}))
            control.write_text("0.1")  # 1.3 MB a second at most: the cut takes ten seconds or more.
            wait_for(lambda: any(path.stat().st_size > 1 << 20 for path in kept.glob("*.parcial")), "it never began")
            start = time.monotonic()
            assert servicio.termina(seconds=TIMEOUT_STOP_S) == 0
            assert time.monotonic() - start < 8
            assert servicio.cuantos("STOPPING") == 1
        assert escena.public() == before
        assert any(path.stat().st_size >= 1 << 20 for path in kept.glob("*.parcial")), "it is not asked for again"
        control.unlink()
        with Supervisado(orden(escena), tmp_path) as servicio:
            servicio.espera("STATUS", "corte 2")
            assert servicio.termina(seconds=TIMEOUT_STOP_S) == 0


def answers(url: str) -> bool:
    try:
        return httpx2.get(url, trust_env=False).status_code == 200
    except httpx2.TransportError:
        return False


def test_with_the_server_in_one_terminal_and_beside_another_that_serves(
    escena_factory: EscenaFactory, tmp_path: Path
) -> None:
    escena = noche(escena_factory)
    sirve: list[str | Path] = [sys.executable, "-m", "pregon", "difusor", "sirve", escena.workspace.folder]
    with Supervisado(orden(escena, "--con-servidor"), tmp_path) as servicio:
        servicio.espera("STATUS", "corte 1")
        url = public_url(escena.workspace)
        assert url is not None
        assert f"LISTO {url}" in servicio.salida.read_text()
        assert httpx2.get(url, trust_env=False).status_code == 200
        supervision = escena.workspace.servidor / "supervision.json"
        os.kill(json.loads(supervision.read_bytes())["proceso"], signal.SIGKILL)
        wait_for(lambda: json.loads(supervision.read_bytes())["suceso"] == "reinicio", "nobody brought it back")
        wait_for(partial(answers, url), "it does not answer")
        assert "se inició otra vez" in servicio.salida.read_text()
        assert servicio.termina(seconds=TIMEOUT_STOP_S) == 0
    with pytest.raises(httpx2.TransportError):
        httpx2.get(url, trust_env=False)
    others = tmp_path / "otro"
    others.mkdir()
    with Supervisado(sirve, others) as servidor:
        servidor.espera("READY")
        url = public_url(escena.workspace)
        assert url is not None
        with Supervisado(orden(escena, "--con-servidor"), tmp_path) as servicio:
            servicio.espera("STATUS", "corte 1")
            assert "Otro proceso ya sirve" in servicio.salida.read_text()
            assert servicio.termina(seconds=TIMEOUT_STOP_S) == 0
        assert httpx2.get(url, trust_env=False).status_code == 200, "it was left to who runs it"
        assert servidor.termina(seconds=TIMEOUT_STOP_S) == 0
