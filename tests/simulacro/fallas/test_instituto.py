"""The institute's machine is lost for good, and the one that waits takes the night over: real processes, PostgreSQL."""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
from pathlib import Path

import pytest

from pregon.base.durable import Disk
from pregon.base.errors import AjustesError, EntradaError
from pregon.base.hashing import sha256_bytes
from pregon.base.red import answers_tcp
from pregon.paquete.manifest import parse_manifest
from pregon.simulacro.fallas import postgres
from pregon.simulacro.fallas.noche import LeaderConFallas
from pregon.simulacro.fallas.plan import Falla
from pregon.simulacro.night import Night
from pregon.simulacro.prepare import synthetic_night
from pregon.simulacro.session import Request, run

LOST = Falla(n=1, clase="instituto_relevado", objetivo="instituto", corte=1)


def _cut(folder: Path, number: int) -> bytes:
    return (folder / f"repositorio/targets/cortes/{number:04d}/manifiesto.json").read_bytes()


def _version(folder: Path) -> int:
    signed = json.loads((folder / "repositorio/metadata/timestamp.json").read_bytes())["signed"]
    return int(signed["version"])


def test_the_machine_that_waits_goes_on_where_the_lost_one_stopped(tmp_path: Path) -> None:
    profile, plan = synthetic_night(tmp_path / "fuentes", convocatoria="dgo-2024", cortes=2, semilla=7, disk=Disk())
    assert plan.previo is not None
    folder, lost = tmp_path / "noche", tmp_path / "noche/perdido-1"
    leader = LeaderConFallas(Night(profile, plan, 1, 2000, 7, "entrada"), (LOST,), folder, say=lambda _: None)
    with contextlib.ExitStack() as stack:
        leader._set_the_scene(stack)
        leader._prepare()
        institute = leader._instituto
        institute.prepara()
        institute.empieza()
        leader._allow(plan.previo)
        leader._set_pace(plan.previo.hora, 1.0)
        leader._wait_signed(plan.previo, institute.proceso)
        waits = folder / "maquina-1"
        assert not (waits / "repositorio").exists()  # It has settings and keys, and nothing that was signed.

        dead = institute.proceso
        institute.provoca(LOST)
        assert dead.returncode() is not None
        assert not (folder / "instituto").exists()
        before, cut = _cut(lost, 0), plan.cortes[0]
        leader._set_pace(cut.hora, 1.0)
        leader._allow(cut)
        assert [one.numero for one in leader._post.signed()] == [0]

        institute.repone(2)  # Not the period of the fault: nobody comes.
        assert not (folder / "instituto").exists()
        institute.repone(1)
        assert institute.proceso is not dead
        leader._wait_signed(cut, institute.proceso)
        effects, told = institute.termina(LOST)
        assert effects == 1, told
        assert told.startswith("«b1» tomó la noche de «a», turno 2: ")

        made = folder / "instituto"
        assert _cut(made, 0) == before
        assert parse_manifest(_cut(made, 1)).anterior == sha256_bytes(before)
        assert _version(made) > _version(lost)
        # What was lost stays as it was when it was lost.
        assert not (lost / "repositorio/targets/cortes/0001").exists()
        url = (made / "estado.url").read_text()
        port = int(url.rpartition(":")[2].partition("/")[0])
        assert answers_tcp(postgres.HOST, port)
        pids = Path(tempfile.gettempdir()).glob("pregon-ensayo-pg-*/datos/postmaster.pid")
        [own] = [path.parents[1] for path in pids if str(port) in path.read_text().splitlines()]
    assert not answers_tcp(postgres.HOST, port)
    assert not own.exists()


def test_an_institute_that_nobody_replaced_had_no_effect(tmp_path: Path) -> None:
    profile, plan = synthetic_night(tmp_path / "fuentes", convocatoria="dgo-2024", cortes=2, semilla=7, disk=Disk())
    leader = LeaderConFallas(Night(profile, plan, 1, 2000, 7, "entrada"), (), tmp_path / "n", say=lambda _: None)
    with contextlib.ExitStack() as stack:
        leader._set_the_scene(stack)
        assert leader._instituto.termina(LOST) == (0, "nadie tomó su lugar")


@pytest.mark.parametrize("missing", ["psycopg", "initdb"])
@pytest.mark.parametrize("todas", [True, False])
def test_without_postgresql_no_night_begins_whose_plan_needs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str, *, todas: bool
) -> None:
    if missing == "psycopg":
        monkeypatch.setitem(sys.modules, "psycopg", None)
    else:
        monkeypatch.setattr(postgres, "CARPETAS", ())
        monkeypatch.setenv("PATH", str(tmp_path))
    empty = tmp_path / "tmp"
    empty.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(empty))
    plan = tmp_path / "plan.toml"
    plan.write_text('[[falla]]\nclase = "instituto_relevado"\ncorte = 2\n')
    request = Request(None, None, 9, 10, 600, 7, "entrada", fallas="todas" if todas else plan)
    with pytest.raises(AjustesError if missing == "psycopg" else EntradaError, match=missing) as caught:
        run(request, say=lambda _: None, ready=lambda _: None)
    assert "instituto_relevado" in caught.value.que_hacer
    assert list(empty.iterdir()) == []
