"""The file of a calibration, what the command answers with one, and one that is made for real."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from pregon.base.durable import Disk
from pregon.base.errors import EntradaError, FormatoError
from pregon.cli.app import app
from pregon.convocatoria.perfiles import load
from pregon.difusor.aforo.ajustes import AjustesAforo
from pregon.simulacro.modelo.calibracion import DIFUSORES, de_medicion, incluida, lee
from pregon.simulacro.modelo.medicion import Medicion, Ronda, mide
from pregon.simulacro.modelo.noche import percentil
from pregon.simulacro.modelo.plan import INTERVALOS_MIN, Pregunta, responde
from pregon.simulacro.modelo.publico import al_origen, simula
from pregon.simulacro.modelo.reparto import Escenario, p95
from pregon.simulacro.modelo.visitas import Peso, Suceso
from tests.difusor.aforo.conftest import PESOS

if TYPE_CHECKING:
    from pathlib import Path

HECHA = datetime(2024, 1, 2, 3, 4, tzinfo=UTC)
SEGUNDOS = (0.9, 1.1, 1.2, 1.4, 1.6, 1.8, 2.0, 2.2, 2.4, 2.6)
MEDICION = Medicion(
    "mex-2021",
    "sftp",
    10,
    2,
    tuple(Ronda(n, 300_000.0, tuple(s + 0.1 * n for s in SEGUNDOS), 0.04, 0.3, 1.5) for n in (2, 3, 4)),
    (0.6, 0.7, 0.65),
)
PREGUNTA = Pregunta(difusores=60, subida_mbps=100, bajada_mbps=50, ms=40, bytes=None, limite_s=60)


def test_a_calibration_comes_back_from_its_file_and_repeats_what_was_measured(tmp_path: Path) -> None:
    made = de_medicion(MEDICION, hecha=HECHA)
    (tmp_path / "a.json").write_bytes(made.to_bytes())
    back = lee(tmp_path / "a.json")
    assert back == made
    work = back.medida
    assert work.fijo_s == pytest.approx(0.65 - 0.34)
    assert p95(work, Escenario(10, juntos=True)) == pytest.approx(percentil(MEDICION.segundos, 0.95), rel=0.01)
    assert 0 < work.nucleos <= 2
    assert back.con_libres(0.75).nucleos == pytest.approx(work.nucleos / 2)
    assert back.con_libres(150).nucleos == 2


@pytest.mark.parametrize(
    "change",
    [{"formato": "pregon/calibracion/2"}, {"difusores": 0}, {"trabajo": {}}, {"otra": 1}, {"rondas": []}],
    ids=["formato", "ninguno", "sin-trabajo", "clave-de-mas", "sin-rondas"],
)
def test_what_is_not_a_calibration_is_refused_with_its_reason(tmp_path: Path, change: dict[str, object]) -> None:
    good = json.loads(de_medicion(MEDICION, hecha=HECHA).to_bytes())
    path = tmp_path / "mala.json"
    path.write_text(json.dumps({**good, **change}))
    with pytest.raises(FormatoError) as refused:
        lee(path)
    assert next(iter(change)) in refused.value.que_paso
    with pytest.raises(EntradaError):
        lee(tmp_path / "no-esta.json")


def test_the_one_that_comes_with_it_is_of_ten_difusores_and_of_its_own_rounds() -> None:
    shipped = incluida()
    assert shipped.difusores == DIFUSORES
    assert all(len(one.segundos) == DIFUSORES for one in shipped.rondas)
    again = Medicion(
        shipped.convocatoria,
        shipped.transporte,
        shipped.difusores,
        shipped.nucleos,
        tuple(Ronda(**one.model_dump()) for one in shipped.rondas),
        shipped.solas,
    )
    assert de_medicion(again, hecha=shipped.hecha).trabajo == shipped.trabajo  # Nobody wrote the figures by hand.


def test_more_difusores_a_narrower_link_or_a_greater_cut_never_take_less() -> None:
    made = de_medicion(MEDICION, hecha=HECHA)
    plain = responde(made, PREGUNTA)
    times = [line.p95_s for line in plain.renglones]
    assert times == sorted(times)
    assert [line.difusores for line in plain.renglones] == [10, 30, 60, 100, 300]
    for harder in (
        replace(PREGUNTA, subida_mbps=2),
        replace(PREGUNTA, bajada_mbps=0.5),
        replace(PREGUNTA, ms=400),
        replace(PREGUNTA, bytes=40e6),
    ):
        other = responde(made, harder)
        assert all(a.p95_s > b.p95_s for a, b in zip(other.renglones, plain.renglones, strict=True))
        assert other.difusores_max < plain.difusores_max
        assert plain.intervalo_min is not None
        assert other.intervalo_min is None or other.intervalo_min >= plain.intervalo_min
        assert other.intervalo_min in (None, *INTERVALOS_MIN)


def test_a_national_cut_to_sixty_takes_at_least_what_the_link_takes() -> None:
    """40 MB (INE-II-a-ii-3b) to 60 through 100 Mbps: 192 seconds of link alone."""
    answer = responde(de_medicion(MEDICION, hecha=HECHA), replace(PREGUNTA, bytes=40e6))
    sixty = next(line for line in answer.renglones if line.difusores == 60)
    assert sixty.ultimo_s >= 60 * 40e6 * 8 / 100e6
    assert sixty.p95_s <= sixty.ultimo_s
    assert answer.intervalo_min is not None
    assert answer.intervalo_min * 60 >= 2 * sixty.p95_s


def test_an_edge_asks_once_for_each_thing_of_each_cut() -> None:
    cover, page = Peso(1, 100.0), Peso(1, 50.0)
    asked = [Suceso(float(n), "primera", cover) for n in range(100)]
    asked += [Suceso(200.0 + n, "pagina", page) for n in range(9)]
    assert al_origen(asked, (50,), orillas=1, semilla=1) == [asked[0], asked[50], asked[100]]
    assert 2 <= len(al_origen(asked[:100], (50,), orillas=3, semilla=1)) <= 6


def test_behind_a_cdn_a_difusor_gives_less_and_half_the_difusores_twice_as_much() -> None:
    def night(difusores: int) -> tuple[float, float]:
        found = simula(
            load("gro-2021"), AjustesAforo(), PESOS, visitantes=24_000, difusores=difusores, orillas=15, semilla=3
        )
        assert found.origen_peticiones_s < found.peticiones_s
        assert found.visitantes == 24_000 // difusores
        return found.peticiones_s, found.mbps

    four, eight = night(4), night(8)
    assert four[0] == pytest.approx(2 * eight[0], rel=0.25)  # Chance weighs more on fewer people.


def test_more_people_ask_more_of_a_difusor_and_hardly_more_of_it_behind_a_cdn() -> None:
    few, many = (
        simula(load("gro-2021"), AjustesAforo(), PESOS, visitantes=number, difusores=1, orillas=15, semilla=3)
        for number in (2_000, 16_000)
    )
    assert many.peticiones_s > 5 * few.peticiones_s
    assert many.origen_peticiones_s < 4 * few.origen_peticiones_s


def test_the_command_answers_without_measuring_and_refuses_visitors_without_weights() -> None:
    run = CliRunner().invoke(app, ["simulacro", "modelo", "--difusores", "45", "--json"])
    assert run.exit_code == 0, run.output
    found = json.loads(run.stdout)
    assert [line["difusores"] for line in found["renglones"]] == [10, 30, 45, 60, 100, 300]
    assert found["publico"] is None
    told = CliRunner().invoke(app, ["simulacro", "modelo"])
    assert told.exit_code == 0
    assert "95 de cada 100" in told.output
    refused = CliRunner().invoke(app, ["simulacro", "modelo", "--visitantes", "1000"])
    assert refused.exit_code == 2
    assert "--paquete" in refused.output


def test_a_calibration_is_not_written_over_another(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("mía")
    run = CliRunner().invoke(app, ["simulacro", "modelo", "--calibra", str(tmp_path / "a.json")])
    assert run.exit_code == 2
    assert (tmp_path / "a.json").read_text() == "mía"


def test_what_two_difusores_took_is_measured_for_real(tmp_path: Path) -> None:
    said: list[str] = []
    found = mide(tmp_path / "m", 2, rondas=1, solas=1, disk=Disk(), dice=said.append)
    assert found.transporte == "sftp"
    assert len(found.rondas) == 1
    round_ = found.rondas[0]
    assert len(round_.segundos) == 2
    assert 0 < round_.segundos[0] <= round_.segundos[1]
    assert found.solas[0] > 0
    assert round_.instituto_s > 0
    assert round_.difusor_s > 0
    assert 0 < round_.libres <= found.nucleos + 0.1
    cut = tmp_path / "m/instituto/repositorio/targets/cortes/0002"
    changes = next(iter(cut.glob("*.cambios.zip"))).stat().st_size
    assert round_.bytes == pytest.approx(changes + (cut / "manifiesto.json").stat().st_size, rel=0.1)
    for name in ("difusor-1", "difusor-2"):
        assert list((tmp_path / "m" / name / "acuses").glob("*-0002-visible.json"))
    assert not list((tmp_path / "m/difusor-2/acuses").glob("*-0003-visible.json"))
