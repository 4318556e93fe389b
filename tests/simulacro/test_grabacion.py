"""A night becomes a file and the file a night again: the same cuts, on another date, faster, somewhere else."""

from __future__ import annotations

import io
import json
import threading
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pregon.base.clock import SimulatedClock, SystemClock
from pregon.base.durable import Disk
from pregon.base.errors import AjustesError, EntradaError, FormatoError, PregonError, UsoError
from pregon.cli.app import app
from pregon.convocatoria.escribe import to_toml_text
from pregon.convocatoria.perfiles import load
from pregon.convocatoria.traslado import trasladada
from pregon.instituto.autorizaciones import load as authorisations
from pregon.instituto.build import build_cut
from pregon.instituto.fuentes import ContestSource
from pregon.instituto.workspace import create, open_workspace
from pregon.simulacro.grabacion import Grabacion, de_instituto, de_otra_fecha, escribe, lee
from pregon.simulacro.notas.informe import revisa
from pregon.simulacro.plan import Plan
from pregon.simulacro.prepare import synthetic_night
from pregon.simulacro.remoto import Repetido, horario, repite

pytestmark = pytest.mark.xdist_group("grabacion")
OTRO = datetime(2027, 6, 6, 20, 0)  # noqa: DTZ001 - local to the zone of the call


@pytest.fixture(scope="module")
def noche(tmp_path_factory: pytest.TempPathFactory) -> Grabacion:
    folder = tmp_path_factory.mktemp("fuentes")
    profile, plan = synthetic_night(folder, convocatoria="mor-2024", cortes=3, semilla=5, disk=Disk())
    return Grabacion(profile, plan)


def _contents(night: Grabacion) -> list[tuple[int, datetime, bool, tuple[bytes, ...]]]:
    return [
        (cut.numero, cut.hora, cut.ultimo, tuple(path.read_bytes() for one in cut.fuentes for path in one.archivos))
        for cut in night.plan.todos
    ]


def test_what_is_recorded_comes_back_and_each_table_is_kept_once(noche: Grabacion, tmp_path: Path) -> None:
    size = escribe(tmp_path / "a.noche", noche, disk=Disk())
    assert size == (tmp_path / "a.noche").stat().st_size
    escribe(tmp_path / "b.noche", noche, disk=Disk())
    assert (tmp_path / "a.noche").read_bytes() == (tmp_path / "b.noche").read_bytes()
    back = lee(tmp_path / "a.noche", tmp_path / "sale", disk=Disk())
    assert back.convocatoria == noche.convocatoria
    assert _contents(back) == _contents(noche)
    with zipfile.ZipFile(tmp_path / "a.noche") as archive:
        names = [name for name in archive.namelist() if name.startswith("archivos/")]
    catalogues = {path.name for cut in noche.plan.todos for one in cut.fuentes for path in one.archivos[1:]}
    assert sum(Path(name).name in catalogues for name in names) == len(catalogues)


def test_an_institute_s_own_packages_give_the_same_actas_and_how_late_each_cut_was(
    noche: Grabacion, tmp_path: Path
) -> None:
    late = timedelta(minutes=3)
    clock_file = tmp_path / "reloj.json"
    clock_file.write_bytes(SimulatedClock.start(noche.plan.cortes[0].hora + late, 1.0).dump())
    made = create(
        tmp_path / "instituto",
        "mor-2024",
        ambiente="simulacro",
        clock=SimulatedClock.load(clock_file),
        disk=Disk(),
        reloj_simulado=str(clock_file),
    )
    with pytest.raises(EntradaError):
        de_instituto(made, tmp_path / "nada", disk=Disk())
    for cut in noche.plan.cortes[:2]:
        clock_file.write_bytes(SimulatedClock.start(cut.hora + late, 1.0).dump())
        built = build_cut(
            open_workspace(tmp_path / "instituto"),
            [ContestSource(None, one.actas, one.candidaturas, one.leeme) for one in cut.fuentes],
            hora=cut.hora,
            operador="Ana",
        )
        assert built.corte == cut.numero
    recorded = de_instituto(open_workspace(tmp_path / "instituto"), tmp_path / "sale", disk=Disk())
    assert [cut.hora for cut in recorded.plan.cortes] == [cut.hora for cut in noche.plan.cortes[:2]]
    assert all(timedelta(0) <= cut.retraso - late < timedelta(minutes=1) for cut in recorded.plan.cortes)
    mine = [{one.actas.read_bytes() for one in cut.fuentes} for cut in recorded.plan.cortes]
    assert mine == [{one.actas.read_bytes() for one in cut.fuentes} for cut in noche.plan.cortes[:2]]


def test_the_calendar_moves_whole_and_keeps_its_local_hours_over_the_end_of_summer_time() -> None:
    call = load("gro-2021")
    inicio = OTRO.replace(tzinfo=call.zona)
    moved = trasladada(call, inicio)
    assert moved.inicio == inicio
    assert call.inicio.utcoffset() != moved.inicio.utcoffset()
    assert (moved.fin_actualizacion - moved.inicio) == timedelta(hours=24)
    assert moved.plazos.model_dump().keys() == call.plazos.model_dump().keys()
    days = (inicio.date() - call.inicio.date()).days
    for before, after in zip(call.simulacros, moved.simulacros, strict=True):
        assert (after.fecha - before.fecha).days == days
    assert moved.model_copy(update={"inicio": call.inicio}).elecciones == call.elecciones


def test_a_moved_night_says_so_and_its_cuts_stay_as_far_from_the_start(noche: Grabacion, tmp_path: Path) -> None:
    inicio = OTRO.replace(tzinfo=noche.convocatoria.zona)
    moved = noche.desde(inicio)
    for before, after in zip(noche.plan.todos, moved.plan.todos, strict=True):
        assert after.hora - inicio == before.hora - noche.convocatoria.inicio
    assert moved.autorizaciones is not None
    place = tmp_path / "autorizaciones.json"
    place.write_bytes(moved.autorizaciones)
    assert [one.codigo for one in authorisations(place)] == ["ENCABEZADO_ORIGEN", "HORA_DISTINTA"]
    place.write_bytes(
        de_otra_fecha(b'[{"codigo":"X","motivo":"m","operador":"o","hora":"2024-06-02T20:00-06:00"}]', inicio)
    )
    assert [one.codigo for one in authorisations(place)] == ["X", "HORA_DISTINTA"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"noche.json": b"{}"}, "índice"),
        ({"noche.json": b"[]"}, "índice"),
        ({"noche.json": None}, "índice"),
        ({"convocatoria.toml": None}, "índice"),
        ({"otro.txt": b"x"}, "no es de una noche"),
        ({"archivos/../../fuera.csv": b"x"}, "fuera.csv"),
        ({"archivos": "uno menos"}, "le falta"),
        ({"formato": "pregon/noche/9"}, "formato"),
        ({"cortes": "al revés"}, "uno tras otro"),
    ],
)
def test_a_file_that_is_no_night_is_refused_and_nothing_runs(
    noche: Grabacion, tmp_path: Path, change: dict[str, bytes | str | None], told: str
) -> None:
    escribe(tmp_path / "buena.noche", noche, disk=Disk())
    with zipfile.ZipFile(tmp_path / "buena.noche") as archive:
        content: dict[str, bytes] = {name: archive.read(name) for name in archive.namelist()}
    index = json.loads(content["noche.json"])
    for name, value in change.items():
        if name == "archivos":
            content.pop(next(one for one in content if one.startswith("archivos/")))
        elif name == "formato":
            content["noche.json"] = json.dumps({**index, "formato": value}).encode()
        elif name == "cortes":
            content["noche.json"] = json.dumps({**index, "cortes": index["cortes"][::-1]}).encode()
        elif value is None:
            content.pop(name)
        else:
            assert isinstance(value, bytes)
            content[name] = value
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    (tmp_path / "mala.noche").write_bytes(made.getvalue())
    with pytest.raises(PregonError) as refused:
        lee(tmp_path / "mala.noche", tmp_path / "a" / "b", disk=Disk())
    assert told in refused.value.que_paso
    assert not (tmp_path / "fuera.csv").exists()
    answer = CliRunner().invoke(app, ["simulacro", "repite", str(tmp_path / "mala.noche"), "--json"])
    assert answer.exit_code in (FormatoError.salida, 76)


def test_hours_of_a_faster_replay_keep_their_order_or_it_is_refused(noche: Grabacion) -> None:
    inicio = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
    plain = horario(noche, inicio=inicio, acelerar=1.0)
    gaps = [one.hora - inicio for one in plain if one.corte.numero]
    assert gaps == [cut.hora - noche.convocatoria.inicio for cut in noche.plan.cortes]
    assert plain[0].corte.numero == 0
    assert plain[0].hora < inicio
    fast = horario(noche, inicio=inicio, acelerar=10.0)
    assert [one.hora for one in fast] == sorted({one.hora for one in fast})
    assert fast[-1].hora - inicio <= (plain[-1].hora - inicio) / 10 + timedelta(minutes=1)
    with pytest.raises(UsoError, match="mismo minuto"):
        horario(noche, inicio=inicio, acelerar=1000.0)


def test_an_institute_replays_it_for_its_own_difusores(noche: Grabacion, tmp_path: Path) -> None:
    """Its profile, its keys, its hours: each cut is signed and delivered; an official one is never touched."""
    inicio = datetime.now(UTC) - timedelta(minutes=90)
    moved = trasladada(noche.convocatoria, inicio.replace(second=0, microsecond=0))
    profile = tmp_path / "hoy.toml"
    profile.write_text(to_toml_text(moved), encoding="utf-8")
    made = create(tmp_path / "instituto", profile, ambiente="simulacro", clock=SystemClock(), disk=Disk())
    inbox = tmp_path / "entrada"
    inbox.mkdir()
    settings = made.folder / "instituto.toml"
    settings.write_text(
        settings.read_text() + f'\n[[destino]]\ndifusor = "diario-uno"\nurl = "file://{inbox}"\ntodo = true\n',
        encoding="utf-8",
    )
    workspace = open_workspace(made.folder)
    two = Grabacion(noche.convocatoria, Plan(None, noche.plan.cortes[:2]))
    given = tmp_path / "autorizaciones.json"
    given.write_bytes(de_otra_fecha(None, inicio))
    told: list[Repetido] = []
    done = repite(
        workspace,
        two,
        acelerar=1.0,
        stop=threading.Event(),
        entorno={},
        autorizaciones=authorisations(given),
        dice=told.append,
    )
    # Both hours are past: only the last of them is made.
    assert [one.numero for one in done] == [1]
    assert told == list(done)
    assert [line.codigo for line in done[0].entregas] == ["ENTREGADO"]
    assert (inbox / "metadata" / "timestamp.json").is_file()

    official = create(tmp_path / "oficial", profile, ambiente="oficial", clock=SystemClock(), disk=Disk())
    before = sorted(path for path in official.folder.rglob("*"))
    with pytest.raises(AjustesError, match="oficial"):
        repite(official, two, acelerar=1.0, stop=threading.Event(), entorno={}, autorizaciones=())
    other = replace(two, convocatoria=load("ine-2021"))
    with pytest.raises(AjustesError, match="DIP_FED"):
        repite(workspace, other, acelerar=1.0, stop=threading.Event(), entorno={}, autorizaciones=())
    assert sorted(path for path in official.folder.rglob("*")) == before


def test_the_command_records_and_replays_here(noche: Grabacion, tmp_path: Path) -> None:
    folder = noche.plan.cortes[0].fuentes[0].actas.parents[1]
    target = tmp_path / "noche.noche"
    run = CliRunner().invoke
    order = ["simulacro", "graba", str(folder), "--en", str(target)]
    recorded = run(app, [*order, "--convocatoria", "mor-2024", "--json"])
    assert recorded.exit_code == 0, recorded.output
    assert json.loads(recorded.stdout)["cortes"] == 3
    again = run(app, order)
    assert again.exit_code == UsoError.salida
    replayed = run(
        app,
        [
            "simulacro",
            "repite",
            str(target),
            "--inicio",
            "2027-06-06T20:00",
            "--cortes",
            "2",
            "--difusores",
            "1",
            "--informe",
            str(tmp_path / "informe"),
            "--json",
        ],
    )
    assert replayed.exit_code == 0, replayed.output
    result = json.loads(replayed.stdout)
    # As far from the new start as they were from theirs, in the zone of the call.
    assert [cut["hora_corte"] for cut in result["cortes"]] == ["2027-06-06T20:10:00-06:00", "2027-06-06T20:20:00-06:00"]
    assert result["ok"]
    assert [(one["puntos"], one["grado"]) for one in result["notas"]["difusores"]] == [(100, "listo")]
    shown = {
        one["periodo"]: one["ocurrido"] for one in result["notas"]["notas"] if one["asunto"] == "CORTES_PUBLICADOS"
    }
    assert shown == {1: "muestra el corte 0001", 2: "muestra el corte 0002"}
    assert result["fallas"] == []
    signed = revisa(tmp_path / "informe")
    assert (signed["ok"], signed["convocatoria"], signed["grados"]) == (True, "mor-2024", {"difusor-1": "listo"})
    told = json.loads((tmp_path / "informe" / "informe.json").read_bytes())
    assert (told["notas"], told["cortes"]) == (result["notas"], result["cortes"])
    page = (tmp_path / "informe" / "informe.html").read_text()
    assert "Ninguna: una noche sin fallas." in page
    assert "MOR-" in page
    assert (tmp_path / "informe" / "informe.pdf").read_bytes().startswith(b"%PDF-")
