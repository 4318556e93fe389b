"""The history: listed, verified again, exported and shown; what the disk will take; what stays, and until when."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import sys
import threading
import time
import zipfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from typer.testing import CliRunner

from pregon.base import procesos
from pregon.base.clock import SimulatedClock
from pregon.base.durable import Disk
from pregon.base.errors import ComprobacionError, EscrituraError
from pregon.cli.difusor import app
from pregon.convocatoria.perfiles import load
from pregon.difusor import pointer
from pregon.difusor.aceptado import Aceptado
from pregon.difusor.gemelos import TWINS
from pregon.difusor.historia.auditoria import Auditoria, permanencia
from pregon.difusor.historia.pasado import BITACORA, CABECERA, sirviendo
from pregon.difusor.historia.pronostico import EXPANSION, Medida, forecast, forecast_of
from pregon.difusor.night import real_clock
from tests.difusor.conftest import files_of, tree_hashes
from tests.trust.conftest import FIN, INICIO, OFICIAL, other

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from tests.difusor.conftest import Escena, EscenaFactory

MAIN = "import sys; from pregon.cli.difusor import app; app()"
SIMULACRO = other(OFICIAL, ambiente="simulacro")


@pytest.fixture
def tmp_path(fast: Path) -> Path:
    """Many cuts, and none of them must outlive the machine: in memory."""
    return fast


def cli(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return result.exit_code, result.stdout, result.stderr


def cut_json(*arguments: object, status: int = 0) -> Any:
    found, out, err = cli("cortes", *arguments, "--json")
    assert found == status, err
    return json.loads(out)


def night(escena: Escena, cuts: int) -> list[dict[str, str]]:
    """Publish that many cuts; what was public with each, twins left out."""
    seen = []
    for corte in range(1, cuts + 1):
        escena.cut(corte)
        assert escena.receiver().run_once().novedad == corte
        seen.append(without_twins(escena.public()))
    return seen


def without_twins(tree: Mapping[str, str]) -> dict[str, str]:
    return {ruta: sha256 for ruta, sha256 in tree.items() if not ruta.endswith(TWINS)}


def untouched(escena: Escena) -> dict[str, str]:
    """Everything of the workspace that auditing must not change."""
    left = ("estado.sqlite", "auditoria")
    return {ruta: sha for ruta, sha in tree_hashes(escena.workspace.folder).items() if not ruta.startswith(left)}


# The list.


def test_the_list_says_what_each_cut_weighs_and_whether_it_is_whole(escena_factory: EscenaFactory) -> None:
    escena = escena_factory(extra='historial = "completo"')
    night(escena, 3)
    data = cut_json(escena.workspace.folder)
    for cut in data["cortes"]:
        folder = escena.workspace.historico / f"{cut['numero']:04d}"
        assert cut["bytes"] == sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    assert [cut["completo"] for cut in data["cortes"]] == [True, True, True]
    next(path for path in (escena.workspace.historico / "0002").glob("*.zip") if "cambios" not in path.name).unlink()
    assert [cut["completo"] for cut in cut_json(escena.workspace.folder)["cortes"]] == [True, False, True]
    text = cli("cortes", escena.workspace.folder)[1]
    assert "0003" in text
    assert "← público" in text
    assert (
        "Permanencia: El último corte debe seguir publicado al menos hasta el 30 de junio de 2027 a las 23:59" in text
    )


# Verifying again.


def test_every_cut_verifies_and_nothing_public_is_touched(escena: Escena) -> None:
    night(escena, 6)
    before = untouched(escena)
    data = cut_json(escena.workspace.folder, "--verifica")
    assert [(cut["numero"], cut["sano"], cut["problemas"]) for cut in data["cortes"]] == [
        (corte, True, []) for corte in range(1, 7)
    ]
    public = without_twins(escena.public())
    assert data["cortes"][-1]["rutas"] == len(public)
    assert data["sanos"] is True
    assert untouched(escena) == before
    assert not list((escena.workspace.folder / "auditoria").glob("verifica"))
    assert [cut["numero"] for cut in cut_json(escena.workspace.folder, 2, 5, "--verifica")["cortes"]] == [2, 5]


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(bytes(data))


def originals(escena: Escena, corte: int, name: str) -> Path:
    return next((escena.workspace.historico / f"{corte:04d}").glob(name))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("*.zip", "El original"),
        ("manifiesto.json", "manifiesto guardado del corte 2 está dañado"),
        ("recibo.json", "El recibo guardado"),
    ],
)
def test_one_byte_of_a_past_cut_is_found_and_named(escena: Escena, name: str, told: str) -> None:
    night(escena, 5)
    flip(originals(escena, 2, name))
    before, public = untouched(escena), escena.public()
    data = cut_json(escena.workspace.folder, "--verifica", status=70)
    wrong = [cut for cut in data["cortes"] if not cut["sano"]]
    assert wrong[0]["numero"] == 2
    assert told in " ".join(wrong[0]["problemas"])
    assert data["sanos"] is False
    status, out, err = cli("cortes", escena.workspace.folder, "2", "--verifica")
    assert status == 70
    assert "0002  DAÑADO" in out
    assert "corte 2" in err
    assert (untouched(escena), escena.public()) == (before, public)


def test_an_original_that_is_gone_is_a_path_that_cannot_be_made_again(escena: Escena) -> None:
    night(escena, 3)
    originals(escena, 2, "*.zip").unlink()
    exams = list(Auditoria(escena.workspace, escena.libro, Disk()).verifica())
    # The third carries the data of the second, and its page too could not be made again.
    assert [exam.sano for exam in exams] == [True, False, False]
    assert "datos/0002/gub/entidad.json" in exams[1].problemas[0]
    assert "datos/0002/gub/entidad.json" in exams[2].problemas[0]


def test_a_number_that_was_not_accepted_is_told(escena: Escena) -> None:
    night(escena, 1)
    target = escena.folder / "x"
    orders: list[tuple[object, ...]] = [("--verifica", 7), ("--exporta", 7, "--salida", target), ("--sirve", 7)]
    for order in orders:
        status, _, err = cli("cortes", escena.workspace.folder, *order)
        assert (status, "no ha aceptado un corte 7" in err) == (66, True)
    assert not (escena.folder / "x").exists()
    for order in (("--exporta", "1"), ("3",), ("--verifica", "--sirve", "1")):
        assert cli("cortes", escena.workspace.folder, *order)[0] == 2


# Exporting.


def test_a_past_cut_is_exported_byte_for_byte(escena: Escena) -> None:
    seen = night(escena, 7)
    for corte in (1, 3, 7):
        target = escena.folder / f"corte-{corte}"
        assert cut_json(escena.workspace.folder, "--exporta", corte, "--salida", target)["corte"] == corte
        assert tree_hashes(target / "publico") == seen[corte - 1]
        kept = tree_hashes(escena.workspace.historico / f"{corte:04d}")
        assert tree_hashes(target / "originales") == kept
        assert {"recibo.json", "manifiesto.json"} < set(kept)
        assert procesos.capture(["sh", "-c", f"cd {target} && sha256sum -c --strict SHA256SUMS"], timeout=10)
        listed = {line.split("  ", 1)[1] for line in (target / "SHA256SUMS").read_text().splitlines()}
        assert listed == set(tree_hashes(target)) - {"SHA256SUMS"}


def test_as_a_zip_twice_the_same(escena: Escena) -> None:
    seen = night(escena, 2)
    one, two = escena.folder / "uno.zip", escena.folder / "dos.zip"
    for target in (one, two):
        assert cli("cortes", escena.workspace.folder, "--exporta", "1", "--salida", target)[0] == 0
    assert one.read_bytes() == two.read_bytes()
    with zipfile.ZipFile(one) as archive:
        assert archive.testzip() is None
        archive.extractall(escena.folder / "abierto")
    assert tree_hashes(escena.folder / "abierto" / "publico") == seen[0]


def test_nothing_is_overwritten_and_a_damaged_cut_leaves_nothing(escena: Escena) -> None:
    night(escena, 2)
    audit = Auditoria(escena.workspace, escena.libro, Disk())
    there = escena.folder / "ya"
    there.mkdir()
    (there / "mio.txt").write_text("no me borres")
    (escena.folder / "enlace.zip").symlink_to("/nada")
    for target in (there, escena.folder / "enlace.zip"):
        with pytest.raises(EscrituraError):
            audit.exporta(1, target)
    assert (there / "mio.txt").read_text() == "no me borres"
    flip(originals(escena, 1, "*.zip"))
    before = sorted(path.name for path in escena.folder.iterdir())
    for name in ("nuevo", "nuevo.zip"):
        with pytest.raises(ComprobacionError) as refused:
            audit.exporta(1, escena.folder / name)
        assert "corte 1 no está como se aceptó" in refused.value.que_paso
    assert sorted(path.name for path in escena.folder.iterdir()) == before


def test_before_the_start_nothing_leaves(escena: Escena) -> None:
    """GRO-1.1a, INE-I-a-1: nothing of the package may be seen before the hour."""
    escena.sign(1, hora_corte=INICIO)
    escena.receiver().run_once()
    assert pointer.read(escena.workspace) == pointer.ESPERA
    status, _, err = cli("cortes", escena.workspace.folder, "--exporta", "1", "--salida", escena.folder / "x")
    assert (status, "todavía no es público" in err) == (70, True)
    assert not (escena.folder / "x").exists()
    audit = Auditoria(escena.workspace, escena.libro, Disk())
    with (
        pytest.raises(ComprobacionError) as refused,
        sirviendo(escena.workspace, audit, 1, disk=Disk(), clock=real_clock(), direccion="0.0.0.0"),  # noqa: S104
    ):
        pass
    assert "todavía no es público" in refused.value.que_paso
    assert not (escena.workspace.folder / "auditoria").exists()
    assert cut_json(escena.workspace.folder, "--verifica")["sanos"] is True  # Which shows nothing to anybody.


def test_a_simulacro_has_no_such_secret(escena_factory: EscenaFactory) -> None:
    escena = escena_factory(identity=SIMULACRO, reloj='fuente = "simulado"')
    escena.sign(1, hora_corte=INICIO)
    escena.receiver().run_once()
    assert pointer.read(escena.workspace) == pointer.ESPERA
    assert Auditoria(escena.workspace, escena.libro, Disk()).exporta(1, escena.folder / "x") > 0


# Showing a past cut.


def test_a_past_cut_is_shown_beside_the_public_one_and_told_apart(escena: Escena) -> None:
    seen = night(escena, 6)
    with escena.served() as (public_url, _):
        before = untouched(escena)
        process = procesos.start(
            [sys.executable, "-c", MAIN, "cortes", escena.workspace.folder, "--sirve", "2"],
            output=escena.folder / "sirve.out",
        )
        try:
            procesos.wait_until(
                lambda: b"LISTO" in process.output.read_bytes(), process, timeout=30, what="la auditoría"
            )
            url = process.output.read_text().split("LISTO ", 1)[1].strip()
            assert url.startswith("http://127.0.0.1:")
            with httpx2.Client(trust_env=False) as client:
                for ruta, sha256 in seen[1].items():
                    if ruta.endswith("index.html"):
                        continue
                    answer = client.get(url + ruta, headers={"Accept-Encoding": "identity"})
                    assert (answer.status_code, answer.headers[CABECERA]) == (200, "corte 2")
                    assert (answer.headers["X-Robots-Tag"], answer.headers["Cache-Control"]) == ("noindex", "no-store")
                    assert "Last-Modified" not in answer.headers
                    assert "Server" not in answer.headers
                    assert hashlib.sha256(answer.content).hexdigest() == sha256
                assert 'data-corte="0002"' in client.get(url).text
                assert client.get(url + "no-existe").status_code == 404
                assert client.post(url).status_code == 405
                assert 'data-corte="0006"' in client.get(public_url).text
                assert CABECERA not in client.get(public_url).headers
            # A second one, and another that only verifies: the first is told, the second has its own room.
            assert cli("cortes", escena.workspace.folder, "--sirve", "3")[0] == 75
            assert cli("cortes", escena.workspace.folder, "--verifica")[0] == 0
        finally:
            status = process.stop(grace=15)
        assert status == 0
        left = sorted(path.name for path in (escena.workspace.folder / "auditoria").iterdir())
        assert left == ["sirve.lock", "verifica.lock"]
        own = {f"servidor/{BITACORA}", "servidor/acceso.log"}
        after = untouched(escena)
        assert {ruta for ruta in after if after[ruta] != before.get(ruta)} <= own
    log = (escena.workspace.servidor / BITACORA).read_text()
    assert "/no-existe" in log
    assert "/no-existe" not in (escena.workspace.servidor / "acceso.log").read_text()


def test_the_server_of_a_killed_audit_is_ended_by_the_next(escena: Escena) -> None:
    night(escena, 1)
    process = procesos.start(
        [sys.executable, "-c", MAIN, "cortes", escena.workspace.folder, "--sirve", "1"],
        output=escena.folder / "sirve.out",
    )
    procesos.wait_until(lambda: b"LISTO" in process.output.read_bytes(), process, timeout=30, what="la auditoría")
    left = int((escena.workspace.folder / "auditoria" / "sirve.pid").read_text())
    os.kill(process.pid, signal.SIGKILL)  # Its web server, in a session of its own, goes on.
    process.wait(10)
    os.kill(left, 0)
    audit = Auditoria(escena.workspace, escena.libro, Disk())
    descriptor = os.pidfd_open(left)
    with sirviendo(escena.workspace, audit, 1, disk=Disk(), clock=real_clock()) as shown:
        assert procesos.ended(descriptor, 0)
        assert shown.proceso.returncode() is None
    os.close(descriptor)
    # A note that names somebody else's process ends nobody.
    note = escena.workspace.folder / "auditoria" / "sirve.pid"
    note.write_text(f"{os.getpid()}\n")
    with sirviendo(escena.workspace, audit, 1, disk=Disk(), clock=real_clock()):
        pass


# What the disk will take.


def test_the_forecast_of_each_call_before_any_cut() -> None:
    """GRO-2.2c: up to 550 MB each; INE-II-a-ii-3b: 20 GB of history, of 72 to 288 cuts, whole ones of 40 MB."""
    gro = forecast_of(load("gro-2021"), None, (), 10**13)
    assert (gro.cortes, gro.por_corte, gro.base) == (73, 550_000_000, "perfil")
    assert gro.falta == 73 * 550_000_000 + 550_000_000 * (1 + 2 * EXPANSION)
    ine = forecast_of(load("ine-2021"), None, (), 10**13)
    assert (ine.cortes, ine.base) == (289, "perfil")
    assert ine.por_corte == 20 * 10**9 // 289  # What the text gives the history, which is more than its mean package.
    assert not forecast_of(load("gro-2021"), None, (), 10**9).cabe
    assert forecast_of(load("mor-2024"), None, (), 10**9).base in ("perfil", "ninguna")


def test_the_forecast_follows_what_came() -> None:
    call = load("gro-2021")
    start = call.inicio
    cut = Aceptado(
        corte=4,
        sha256="0" * 64,
        hora_corte=start + timedelta(minutes=60),
        ultimo=False,
        proximo=None,
        firmado=None,
        recibido=start,
        prueba="firma",
    )
    seen = (Medida(900, 900, None), Medida(50, 900, None), Medida(70, 900, None), Medida(60, 950, 4000))
    found = forecast_of(call, cut, seen, 10_000)
    left = 72 - 3
    assert (found.cortes, found.por_corte, found.base) == (left, 70, "recibidos")
    assert (found.pico, found.falta) == (950 + 8000, left * 70 + 8950)
    assert not found.cabe
    assert "NO caben" in found.texto
    assert forecast_of(call, cut, seen, left * 70 + 8950).cabe
    # Closer together than the text says, because the institute promised so.
    sooner = replace(cut, proximo=cut.hora_corte + timedelta(minutes=5))
    assert forecast_of(call, sooner, seen, 0).cortes == (72 - 3) * 4
    last = replace(cut, ultimo=True)
    assert forecast_of(call, last, seen, 0).falta == 0
    assert forecast_of(call, last, seen, 0).cabe


def test_the_forecast_of_a_workspace_comes_true(escena_factory: EscenaFactory) -> None:
    """What was foretold after five cuts is what ten more took, within a twentieth."""
    escena = escena_factory(extra='historial = "completo"')
    night(escena, 5)
    told = forecast(escena.workspace, escena.libro, escena.clock.now())
    assert (told.cortes, told.cabe, told.base) == (72 - 5, True, "recibidos")
    before = weigh(escena.workspace.historico)
    for corte in range(6, 16):
        escena.cut(corte)
        assert escena.receiver().run_once().novedad == corte
    took = weigh(escena.workspace.historico) - before
    assert 0.95 < took / (10 * told.por_corte) < 1.05
    shown = cut_json(escena.workspace.folder)["pronostico"]
    assert shown["cortes"] == 72 - 15
    assert shown["falta"] == shown["cortes"] * shown["por_corte"] + shown["pico"]


# Permanence.


@pytest.mark.parametrize("weeks", [2, 9], ids=["within", "past"])
def test_weeks_later_a_real_restart_serves_the_last_cut(escena_factory: EscenaFactory, weeks: int) -> None:
    """GRO-1.1c, INE-I-a-3, MEX-I-1b: the last cut stays; keys and timestamps that expired meanwhile blank nothing."""
    escena = escena_factory(identity=SIMULACRO, reloj='fuente = "simulado"\nsimulado = "reloj.json"')
    night(escena, 2)
    escena.cut(3, ultimo=True, cierre="horario", proximo=None, hora_corte=FIN)
    assert escena.receiver().run_once().novedad == 3
    last = without_twins(escena.public())
    later = FIN + timedelta(weeks=weeks)
    over = later > escena.workspace.convocatoria.permanencia_hasta  # type: ignore[operator]
    (escena.workspace.folder / "reloj.json").write_bytes(SimulatedClock.start(later, 1.0).dump())
    # And somebody changed a byte while nobody looked: the sweep puts it right from the originals.
    page = escena.workspace.cortes / "0003" / "gub" / "index.html"
    page.chmod(0o644)
    page.write_bytes(page.read_bytes().replace(b"Corte", b"Torte"))
    done = procesos.start(
        [sys.executable, "-c", MAIN, "recibe", escena.workspace.folder, "--una-vez", "--json"],
        output=escena.folder / "recibe.out",
    )
    done.wait(60)
    assert pointer.read(escena.workspace) == "0003"
    assert without_twins(escena.public()) == last
    with escena.served() as (url, _), httpx2.Client(trust_env=False) as client:
        assert 'data-corte="0003"' in client.get(url).text
    data = cut_json(escena.workspace.folder)
    assert data["permanencia"]["cumplida"] is over
    assert ("puede retirarse" in data["permanencia"]["texto"]) is over
    assert data["pronostico"]["falta"] == 0
    assert cut_json(escena.workspace.folder, "--verifica")["sanos"] is True
    status, out, err = cli("estado", escena.workspace.folder, "--json")
    assert status == 0, err
    assert (json.loads(out)["estado"], json.loads(out)["corte"]["numero"]) == ("cerrado", 3)


def test_pruning_never_touches_the_last_cut(escena: Escena) -> None:
    night(escena, 8)
    public = escena.public()
    escena.clock.instant = FIN + timedelta(days=400)
    receiver = escena.receiver()
    receiver.run_once()
    receiver._publisher.prune()
    assert escena.public() == public
    assert sorted(path.name for path in escena.workspace.historico.iterdir()) == [f"{n:04d}" for n in range(1, 9)]


def test_a_call_without_permanence_keeps_the_last_cut(escena: Escena) -> None:
    """MOR says nothing after 20:00: it stays until the institute says otherwise."""
    call = escena.workspace.convocatoria.model_copy(update={"permanencia_hasta": None})
    told = permanencia(replace(escena.workspace, convocatoria=call), FIN + timedelta(days=4000))
    assert (told["hasta"], told["cumplida"]) == (None, False)
    assert "hasta que el instituto diga otra cosa" in told["texto"]


def test_without_permanence_nothing_more_is_forecast_long_after_the_end(escena: Escena) -> None:
    call = escena.workspace.convocatoria.model_copy(update={"permanencia_hasta": None})
    workspace = replace(escena.workspace, convocatoria=call)
    assert forecast(workspace, escena.libro, call.fin_actualizacion + timedelta(hours=1)).cortes > 0
    told = forecast(workspace, escena.libro, call.fin_actualizacion + timedelta(days=2))
    assert (told.cortes, told.texto) == (0, "Ya no se esperan cortes: el histórico no crecerá.")


# A whole night.


def weigh(folder: Path) -> int:
    """Bytes of every file once, whatever names it has."""
    seen: dict[tuple[int, int], int] = {}
    for path in folder.rglob("*"):
        status = path.lstat()
        if path.is_file() and not path.is_symlink():
            seen[status.st_dev, status.st_ino] = status.st_size
    return sum(seen.values())


def handles() -> list[str]:
    found = []
    for entry in Path("/proc/self/fd").iterdir():
        try:
            found.append(str(entry.readlink()))
        except OSError:
            continue
    return found


def filled(corte: int, hora: datetime) -> dict[str, bytes]:
    """A small state at that hour: pages, a shard for each 100 secciones, and the database, packed already."""
    chance = random.Random(corte)
    shards = {
        f"datos/{corte:04d}/gub/secciones/{n:03d}.json": json.dumps(
            [{"seccion": n * 100 + m, "votos": [chance.randrange(900) for _ in range(8)]} for m in range(40)]
        ).encode()
        for n in range(6)
    }
    return {
        **files_of(corte, hora),
        **shards,
        f"base-de-datos/{hora:%Y%m%d_%H%M}_PREP_GUB.zip": chance.randbytes(60_000),
    }


def long_night(escena: Escena, cuts: int) -> dict[str, Any]:
    """Every cut through one receiver, as the loop does it; what is open on the way, and what the folder weighs."""
    workspace = escena.workspace
    receiver = escena.receiver()
    opened, threads, spent = [], [], []
    for corte in range(1, cuts + 1):
        hora = INICIO + timedelta(minutes=5) * corte
        escena.clock.instant = hora
        escena.sign(corte, filled(corte, hora), hora_corte=hora, proximo=hora + timedelta(minutes=5))
        began = time.process_time()
        assert receiver.run_once().novedad == corte
        spent.append(time.process_time() - began)
        opened.append(len(handles()))
        threads.append(threading.active_count())
    receiver.close()
    originals_ = weigh(workspace.historico)
    tree = weigh(workspace.cortes / pointer.release_name(cuts))
    return {
        "total": weigh(workspace.folder),
        "originales": originals_,
        "arbol": tree,
        "factor": weigh(workspace.folder) / (originals_ + tree),
        "abiertos": opened,
        "hilos": threads,
        "segundos": spent,
        "partes": {
            path.name: weigh(path) if path.is_dir() else path.stat().st_size
            for path in sorted(workspace.folder.iterdir())
            if not path.is_symlink()
        },
    }


def judge(found: dict[str, Any]) -> None:
    third = len(found["abiertos"]) // 3
    assert found["factor"] <= 1.3, found["partes"]
    assert max(found["abiertos"][-third:]) <= max(found["abiertos"][third : 2 * third])
    assert max(found["hilos"][-third:]) <= max(found["hilos"][third : 2 * third])


def test_a_short_night_fits_and_leaves_nothing_open(escena: Escena) -> None:
    judge(long_night(escena, 40))


@pytest.mark.aguante
def test_a_day_of_cuts_every_five_minutes_fits(escena: Escena) -> None:
    found = long_night(escena, 288)
    print(json.dumps({key: found[key] for key in ("total", "originales", "arbol", "factor", "partes")}))
    judge(found)
    # The last cut costs what one in the middle did: nothing is read or written again for each of those before.
    early, late = sum(found["segundos"][60:110]), sum(found["segundos"][-50:])
    assert late < early * 1.5
