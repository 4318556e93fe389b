"""The rest of the ground floor."""

from __future__ import annotations

import os
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pregon.base import errors, procesos
from pregon.base.clock import ManualClock, SimulatedClock
from pregon.base.durable import Disk
from pregon.base.errors import AjustesError, ComprobacionError, DiscoError, InstanciaError, PregonError
from pregon.base.jsonio import canonical_json
from pregon.base.locks import exclusive, turn
from pregon.base.settings import Settings, load_toml
from pregon.base.space import require_free
from pregon.base.state import StateDatabase

NOON = datetime(2021, 6, 6, 12, tzinfo=UTC)


def _leaves(cls: type[PregonError]) -> list[type[PregonError]]:
    children = cls.__subclasses__()
    return [leaf for child in children for leaf in _leaves(child)] + ([cls] if not children else [])


def test_every_error_leaf_has_its_own_code_and_stands_in_the_drawing() -> None:
    leaves = [leaf for leaf in _leaves(PregonError) if leaf.__module__ == "pregon.base.errors"]
    codes = [leaf.codigo for leaf in leaves]
    assert len(set(codes)) == len(codes) > 15
    for leaf in leaves:
        assert leaf.__name__ in (errors.__doc__ or "")
        assert leaf.codigo in (errors.__doc__ or "")


def test_failures_that_support_is_given_for_say_their_class() -> None:
    """INE-VI-a-i: transfer, verification of integrity, extraction. The others have none."""
    from pregon.base.errors import ArchivoError, ExpiradoError, RedError, UsoError

    words = {"que_paso": "a", "intacto": "b", "que_hacer": "c"}
    kinds = {RedError: "TRANSFERENCIA", ExpiradoError: "INTEGRIDAD", ArchivoError: "EXTRACCION"}
    for kind, name in kinds.items():
        assert kind("a", intacto="b", que_hacer="c").as_dict() == {"codigo": kind.codigo, **words, "clase": name}
    assert UsoError("a", intacto="b", que_hacer="c").as_dict() == {"codigo": "USO", **words}


def test_simulated_clock_reads_the_same_in_another_process_and_changes_pace_for_all(tmp_path: Path) -> None:
    path = tmp_path / "reloj.json"
    path.write_bytes(SimulatedClock.start(NOON, 1).dump())
    one, other = SimulatedClock.load(path), SimulatedClock.load(path)
    assert timedelta(0) <= one.now() - NOON < timedelta(seconds=30)
    assert abs(one.now() - other.now()) < timedelta(seconds=1)
    Disk().write(path, SimulatedClock.start(NOON + timedelta(hours=1), 36000).dump())
    before = other.monotonic()
    other.sleep(3600)
    assert other.monotonic() - before < 5
    assert one.now() >= NOON + timedelta(hours=2)
    path.write_bytes(b"{}")
    with pytest.raises(AjustesError):
        one.now()


def test_canonical_json_is_sorted_utf8_with_final_newline() -> None:
    assert canonical_json({"b": "ñ", "a": 1}) == '{\n  "a": 1,\n  "b": "ñ"\n}\n'.encode()


def test_second_process_on_the_same_workspace_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "opera.lock"
    with exclusive(path), pytest.raises(InstanciaError) as caught, exclusive(path):
        pass
    assert caught.value.salida == 75
    with exclusive(path):
        pass


def test_a_turn_is_waited_for_as_long_as_it_was_said(tmp_path: Path) -> None:
    path, held, left = tmp_path / "turno.lock", threading.Event(), threading.Event()

    def hold() -> None:
        with exclusive(path):
            held.set()
            left.wait(10)

    other = threading.Thread(target=hold)
    other.start()
    try:
        assert held.wait(10)
        with pytest.raises(InstanciaError), turn(path, seconds=0.03):
            pass
        threading.Timer(0.05, left.set).start()
        with turn(path, seconds=10):
            assert left.is_set()
            with pytest.raises(InstanciaError), exclusive(path):
                pass
    finally:
        left.set()
        other.join()


def test_settings_report_every_problem_with_its_path(tmp_path: Path) -> None:
    class Inner(Settings):
        puerto: int

    class Outer(Settings):
        nombre: str
        servidor: Inner

    path = tmp_path / "x.toml"
    path.write_text('otra = 1\n[servidor]\npuerto = "mal"\n')
    with pytest.raises(AjustesError) as caught:
        load_toml(path, Outer)
    text = caught.value.que_paso
    assert "3 problema(s)" in text
    for where in ("otra: clave desconocida", "nombre: falta esta clave", "servidor.puerto:"):
        assert where in text
    path.write_text("no es toml")
    with pytest.raises(AjustesError):
        load_toml(path, Outer)


def test_state_keeps_values_and_events_across_openings(tmp_path: Path) -> None:
    clock = ManualClock(NOON)
    state = StateDatabase(tmp_path / "estado.sqlite", clock)
    state.put(corte=7, otro={"a": [1]})
    state.put(corte=8)
    state.record("recibido", corte=8)
    again = StateDatabase(tmp_path / "estado.sqlite", clock)
    assert again.get("corte") == 8
    assert again.get("otro") == {"a": [1]}
    assert again.get("nada") is None
    [event] = again.events()
    assert (event.tipo, event.dato, event.hora) == ("recibido", {"corte": 8}, NOON)


def test_damaged_state_is_a_disco_error_and_the_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "estado.sqlite"
    path.write_bytes(b"esto no es una base" * 100)
    with pytest.raises(DiscoError):
        StateDatabase(path, ManualClock(NOON))
    assert path.read_bytes().startswith(b"esto no es")


def test_new_state_belongs_to_the_owner_of_its_folder(tmp_path: Path) -> None:
    """Root asks «estado» of a workspace that nothing has run in yet; the service of another account writes later."""
    folder = tmp_path / "difusor"
    folder.mkdir()
    if os.geteuid() == 0:
        os.chown(folder, 65534, 65534)
    StateDatabase(folder / "estado.sqlite", ManualClock(NOON)).put(uno=1)
    owner = folder.stat()
    assert {(one.stat().st_uid, one.stat().st_gid) for one in folder.iterdir()} == {(owner.st_uid, owner.st_gid)}


def test_require_free_refuses_what_does_not_fit(tmp_path: Path) -> None:
    require_free(tmp_path, 1)
    with pytest.raises(DiscoError):
        require_free(tmp_path, 1 << 60)


def test_process_that_dies_before_ready_is_reported_with_its_output(tmp_path: Path) -> None:
    output = tmp_path / "salida"
    command = [sys.executable, "-c", "print('adiós'); raise SystemExit(3)"]
    with procesos.running(command, output=output) as process, pytest.raises(ComprobacionError) as caught:
        procesos.wait_until(lambda: False, process, timeout=20, what="El hijo")
    assert "estado 3" in caught.value.que_paso
    assert "adiós" in caught.value.que_paso


def test_process_that_ignores_the_signal_is_ended_with_its_children(tmp_path: Path) -> None:
    script = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    output = tmp_path / "salida"
    process = procesos.start([sys.executable, "-c", script], output=output)
    procesos.wait_until(lambda: output.read_bytes().endswith(b"\n"), process, timeout=20, what="El hijo")
    child = int(output.read_text())
    assert process.stop(grace=0.2) != 0
    deadline = time.monotonic() + 10
    while _alive(child):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False
