"""Each fault really happens, is written down and is undone; the same seed gives the same plan."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pregon.base import procesos
from pregon.base.clock import ManualClock, SimulatedClock
from tests.red.bancos import disco_chico
from tests.red.blancos import Archivo, Carpeta, DeEnlace, DeMundo, Programa, RelojCorrido, RelojDeSimulacro
from tests.red.fallas import CLASES, Arnes, Blanco, Falla, plan
from tests.red.medidas import datagrams, round_trip_ms
from tests.red.mundo import Liga, dos
from tests.red.test_enlace import ANSWER, linked, put

if TYPE_CHECKING:
    from pregon.base.procesos import Process
    from tests.red.fallas import Clase

ROOT = Path(__file__).resolve().parents[2]
TODO: dict[str, frozenset[Clase]] = {"a": frozenset(CLASES), "b": frozenset({"mata"})}


def falla(clase: Clase, blanco: str = "x", *, parte: float = 0.5, cuando_s: float = 0.0, dura_s: float = 0.1) -> Falla:
    return Falla(clase, blanco, cuando_s, dura_s, parte)


def harness(tmp_path: Path, target: Blanco) -> Arnes:
    return Arnes(tmp_path / "fallas.jsonl", {"x": target})


def acts(arnes: Arnes) -> list[object]:
    return [line["acto"] for line in arnes.hecho()]


def test_same_seed_same_plan() -> None:
    first = plan(7, TODO, duracion_s=60, cuantas=40)
    assert plan(7, dict(reversed(TODO.items())), duracion_s=60, cuantas=40) == first
    assert plan(8, TODO, duracion_s=60, cuantas=40) != first
    assert len(first) == 40
    assert {one.clase for one in first} == set(CLASES)
    assert [one.cuando_s for one in first] == sorted(one.cuando_s for one in first)
    for name in TODO:
        mine = [one for one in first if one.blanco == name]
        assert all(a.cuando_s + a.dura_s <= b.cuando_s for a, b in pairwise(mine))


def test_plan_of_another_process_is_the_same() -> None:
    """The order of a set of texts changes from one process to another."""
    code = "from tests.red.test_fallas import *; print(plan(7, TODO, duracion_s=60, cuantas=40)[-1])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True, cwd=ROOT, timeout=60
    )
    assert done.stdout.strip() == str(plan(7, TODO, duracion_s=60, cuantas=40)[-1])


def test_kill_and_start_again(tmp_path: Path) -> None:
    def start() -> Process:
        return procesos.start(["sleep", "600"], output=tmp_path / "salida.txt")

    target = Programa(start)
    first = target.process
    arnes = harness(tmp_path, target)
    try:
        with arnes.aplica(falla("mata")):
            assert first.returncode() == -9
        assert target.process.pid != first.pid
        assert target.process.returncode() is None
    finally:
        target.process.kill()
    assert acts(arnes) == ["aplica", "deshace"]


@pytest.mark.parametrize("despues", [False, True])
def test_kill_at_a_durable_step(tmp_path: Path, *, despues: bool) -> None:
    code = (
        "from tests.red.blancos import DiscoMortal, Pasos; from pathlib import Path; import sys\n"
        f"disk = DiscoMortal(Pasos(1, despues={despues}))\n"
        "[disk.write(Path(sys.argv[1]) / name, b'x') for name in 'abc']\n"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], check=False, cwd=ROOT, timeout=60)
    assert done.returncode == -9
    assert {path.name for path in tmp_path.iterdir()} == ({"a", "b"} if despues else {"a"})


def test_bit_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(bytes(1000))
    arnes = harness(tmp_path, Archivo(path))
    with arnes.aplica(falla("altera", parte=0.25)):
        assert path.read_bytes() == bytes(250) + b"\x01" + bytes(749)
    assert path.read_bytes() == bytes(1000)
    with arnes.aplica(falla("altera", parte=1.0)):
        path.unlink()
        path.write_bytes(b"otro")
    assert path.read_bytes() == b"otro"


def test_link_that_alters_delays_and_drops(tmp_path: Path) -> None:
    with linked() as (server, enlace):
        arnes = harness(tmp_path, DeEnlace(enlace, dentro_de=100))
        with arnes.aplica(falla("altera")):
            put(enlace.puerto, bytes(100))
        put(enlace.puerto, bytes(100))
        assert server.recibido == [bytes(50) + b"\x01" + bytes(49), bytes(100)]
        with arnes.aplica(falla("retrasa")), pytest.raises(TimeoutError):
            put(enlace.puerto, b"x", limit=0.1)
        with arnes.aplica(falla("pierde")), pytest.raises(ConnectionRefusedError):
            put(enlace.puerto, b"x")
        assert put(enlace.puerto, b"x") == ANSWER


def test_cable_that_delays_and_drops(tmp_path: Path) -> None:
    with dos(Liga(ms=2)) as (_, a, b, enlace):
        arnes = harness(tmp_path, DeMundo(enlace))
        with arnes.aplica(falla("retrasa", parte=0.05)):
            assert 102 <= round_trip_ms(a, b) < 130
        assert round_trip_ms(a, b) < 50
        with datagrams(a, b) as (here, there):
            there.settimeout(0.1)
            with arnes.aplica(falla("pierde")):
                here.send(b"x")
                with pytest.raises(TimeoutError):
                    there.recv(10)
            here.send(b"y")
            assert there.recv(10) == b"y"


def test_disk_without_room(tmp_path: Path) -> None:
    folder = tmp_path / "disco"
    folder.mkdir()
    (folder / "antes.txt").write_text("antes")
    with disco_chico(folder, 1 << 20):
        arnes = harness(tmp_path, Carpeta(folder))
        with arnes.aplica(falla("llena")):
            with pytest.raises(OSError, match="No space left"):
                (folder / "b.txt").write_bytes(b"x" * 100)
            assert (folder / "antes.txt").read_text() == "antes"
        (folder / "b.txt").write_bytes(b"x" * 500_000)
    assert [path.name for path in folder.iterdir()] == ["antes.txt"]


def test_real_disk_is_never_filled(tmp_path: Path) -> None:
    arnes = harness(tmp_path, Carpeta(Path("/proc/self/cwd").resolve()))
    with pytest.raises(OSError, match="not one made for a test"), arnes.aplica(falla("llena")):
        pass
    assert arnes.hecho() == []


def test_clock_that_is_wrong(tmp_path: Path) -> None:
    now = datetime(2027, 6, 7, 2, tzinfo=UTC)
    clock = RelojCorrido(ManualClock(now))
    arnes = harness(tmp_path, clock)
    before = clock.monotonic()
    with arnes.aplica(falla("corre", parte=0.0)):
        assert clock.now() == now - timedelta(days=1)
        assert clock.monotonic() == before
    assert clock.now() == now


def test_clock_of_a_simulacro_is_wrong_for_every_process(tmp_path: Path) -> None:
    path = tmp_path / "reloj.json"
    path.write_bytes(SimulatedClock.start(datetime(2027, 6, 7, 2, tzinfo=UTC), 1.0).dump())
    reader = SimulatedClock.load(path)
    before = reader.now()
    with harness(tmp_path, RelojDeSimulacro(path)).aplica(falla("corre", parte=1.0)):
        assert timedelta(days=1) <= reader.now() - before < timedelta(days=1, minutes=1)
    assert timedelta(0) <= reader.now() - before < timedelta(minutes=1)


def test_plan_runs_in_time_and_everything_is_undone_at_the_end(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in "ab"]
    for path in paths:
        path.write_bytes(bytes(10))
    arnes = Arnes(tmp_path / "fallas.jsonl", {path.name: Archivo(path) for path in paths})
    short = falla("altera", "a", dura_s=0.1)
    long = falla("altera", "b", cuando_s=0.2, dura_s=600.0)
    never = falla("altera", "a", cuando_s=600.0)
    with arnes.durante((short, long, never)):
        deadline = time.monotonic() + 5
        while len(arnes.hecho()) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert paths[0].read_bytes() == bytes(10)
        assert paths[1].read_bytes() != bytes(10)
    assert [path.read_bytes() for path in paths] == [bytes(10), bytes(10)]
    done = [(line["acto"], line["blanco"]) for line in arnes.hecho()]
    assert done == [("aplica", "a"), ("deshace", "a"), ("aplica", "b"), ("deshace", "b")]
    assert 0.2 <= float(str(arnes.hecho()[2]["t"])) < 2.0


def test_fault_that_cannot_be_applied_does_not_stop_the_others(tmp_path: Path) -> None:
    empty, path = tmp_path / "vacio", tmp_path / "a"
    empty.touch()
    path.write_bytes(bytes(10))
    arnes = Arnes(tmp_path / "fallas.jsonl", {"vacio": Archivo(empty), "a": Archivo(path)})
    with arnes.durante((falla("altera", "vacio"), falla("altera", "a", cuando_s=0.05))):
        deadline = time.monotonic() + 5
        while len(arnes.hecho()) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
    assert acts(arnes) == ["no se pudo", "aplica", "deshace"]
