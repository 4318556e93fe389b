"""The commands: thin, with stable exits and JSON."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner, Result

from pregon.base.clock import SimulatedClock
from pregon.cli.instituto import app
from tests.instituto.conftest import HORA, INICIO, Night, tree_digest

if TYPE_CHECKING:
    from pathlib import Path

CIERRE = INICIO + timedelta(days=1)


@pytest.fixture
def space(night: Night) -> Path:
    """A workspace of the ambiente simulacro whose clock, shared by every process, reads the night."""
    night.ambiente = "simulacro"
    folder = night.create().folder
    (folder / "reloj.json").write_bytes(SimulatedClock.start(HORA, 1.0).dump())
    settings = folder / "instituto.toml"
    settings.write_text(settings.read_text() + 'reloj_simulado = "reloj.json"\n')
    return folder


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def at_terminal(types: str, *arguments: object) -> tuple[int, str]:
    """Status and standard error of the real program with a person at its terminal, who ``types`` one line."""
    person, terminal = os.openpty()
    try:
        os.write(person, f"{types}\n".encode())
        words = [sys.executable, "-m", "pregon", "instituto", *map(str, arguments)]
        done = subprocess.run(words, stdin=terminal, capture_output=True, text=True, timeout=60, check=False)
    finally:
        os.close(person)
        os.close(terminal)
    return done.returncode, done.stderr


def actas(night: Night) -> list[object]:
    return [word for source in night.sources() for word in ("--actas", source.actas)]


def test_inicia_says_which_keys_leave_the_machine(tmp_path: Path) -> None:
    result = run("inicia", tmp_path / "e", "--convocatoria", "gro-2021", "--json")
    assert result.exit_code == 0, result.output
    told: dict[str, Any] = json.loads(result.stdout)
    assert told["llaves_a_resguardo"] == [
        *("raiz-1.pem", "raiz-2.pem", "raiz-3.pem"),
        *("cortes-2.pem", "avisos-2.pem", "snapshot-2.pem", "timestamp-2.pem"),
    ]
    assert told["ambiente"] == "oficial"
    again = run("inicia", tmp_path / "e", "--convocatoria", "gro-2021")
    assert again.exit_code == 78
    assert "ya es un espacio de trabajo" in again.stderr


def test_inicia_with_an_unknown_profile_creates_nothing(tmp_path: Path) -> None:
    assert run("inicia", tmp_path / "e", "--convocatoria", "xyz-1999").exit_code == 66
    assert run("inicia", tmp_path / "e", "--convocatoria", "gro-2021", "--ambiente", "prueba").exit_code == 2
    assert not (tmp_path / "e").exists()


def test_corte_and_entrega_tell_what_they_did(night: Night, space: Path, tmp_path: Path) -> None:
    result = run("corte", space, *actas(night), "--json")
    assert result.exit_code == 0, result.output
    told: dict[str, Any] = json.loads(result.stdout)
    assert told["corte"] == 1
    assert told["hora_corte"] == HORA.isoformat()
    assert told["proximo"] == (HORA + timedelta(minutes=20)).isoformat()
    assert told["paquete"]["nombre"] == "20210606_2240_PREP_CAMP.zip"
    target = tmp_path / "entrada"
    delivered = run("entrega", space, "--destino", target, "--json")
    assert delivered.exit_code == 0, delivered.output
    assert json.loads(delivered.stdout)["corte"] == 1
    assert tree_digest(target) == tree_digest(space / "repositorio")
    assert json.loads(run("entrega", space, "--destino", target, "--json").stdout)["archivos"] == 0


def test_one_option_takes_all_the_files_that_follow(night: Night, space: Path) -> None:
    files = [source.actas for source in night.sources()]
    result = run("corte", space, "--actas", *files, "--hora", "2021-06-06T22:40", "--json")
    assert result.exit_code == 0, result.output
    manifest = json.loads((space / "repositorio/targets/cortes/0001/manifiesto.json").read_bytes())
    assert manifest["elecciones"] == ["GUB", "DIP"]


def test_corte_for_people_names_number_hour_and_hash(night: Night, space: Path) -> None:
    result = run("corte", space, *actas(night), "--hora", "2021-06-06T22:40")
    assert result.exit_code == 0, result.output
    assert "Corte 0001 de las 22:40 h del 06/06/2021, firmado." in result.stdout
    assert "20210606_2240_PREP_CAMP.zip" in result.stdout


def test_wrong_options_are_usage_errors_and_change_nothing(night: Night, space: Path) -> None:
    before = tree_digest(space / "repositorio")
    files = actas(night)
    assert run("corte", space, *files, "--hora", "anoche").exit_code == 2
    assert run("corte", space, *files, "--ultimo", "--cierre", "pronto").exit_code == 2
    assert run("corte", space, *files, "--corte", "9").exit_code == 77
    failed = run("corte", space, *files, "--hora", (INICIO + timedelta(hours=1)).isoformat(), "--json")
    assert failed.exit_code == 65
    assert set(json.loads(failed.stderr)) == {"codigo", "que_paso", "intacto", "que_hacer"}
    assert tree_digest(space / "repositorio") == before


def test_a_person_answers_for_a_finding_with_a_file(night: Night, space: Path, tmp_path: Path) -> None:
    allowed = tmp_path / "autoriza.json"
    item = {
        "codigo": "HORA_DISTINTA",
        "motivo": "reloj de captura",
        "operador": "ana",
        "hora": "2021-06-06T23:01-05:00",
    }
    allowed.write_text(json.dumps([{**item, "hora": "2021-06-06T23:01"}]))
    later = ("--hora", (HORA + timedelta(minutes=20)).isoformat(), "--autorizaciones", allowed)
    assert run("corte", space, *actas(night), *later).exit_code == 78  # an hour without offset
    allowed.write_text(json.dumps([item]))
    result = run("corte", space, *actas(night), *later)
    assert result.exit_code == 0, result.output
    manifest = json.loads((space / "repositorio/targets/cortes/0001/manifiesto.json").read_bytes())
    assert manifest["autorizaciones"][0]["operador"] == "ana"


def test_an_authorisation_with_a_key_that_does_not_exist_lets_nothing_pass(
    night: Night, space: Path, tmp_path: Path
) -> None:
    before = tree_digest(space / "repositorio")
    allowed = tmp_path / "autoriza.json"
    item = {"codigo": "HORA_DISTINTA", "motivo": "reloj", "operador": "ana", "hora": "2021-06-06T23:01-05:00"}
    later = ("--hora", (HORA + timedelta(minutes=20)).isoformat(), "--autorizaciones", allowed)
    allowed.write_text(json.dumps([{**item, "contiendas": "gub"}]))  # meant for one contest: never for all
    refused = run("corte", space, *actas(night), *later)
    assert (refused.exit_code, "no existe la clave «contiendas»" in refused.stderr) == (78, True)
    allowed.write_text(json.dumps([{**item, "contienda": "gub"}, {**item, "codigo": "HORA_ATRAS"}]))
    refused = run("corte", space, *actas(night), *later)
    assert refused.exit_code == 65
    assert "De las que dio, no sirven para esto: HORA_ATRAS (todas)." in refused.stderr
    assert tree_digest(space / "repositorio") == before
    allowed.write_text(json.dumps([item]))
    signed = run("corte", space, *actas(night), *later)
    assert signed.exit_code == 0, signed.output
    assert "autorizado: gub: HORA_DISTINTA" in signed.stderr
    assert "bloquea" not in signed.output


@pytest.mark.parametrize(("ahead", "asked"), [(22, 1), (24 * 60 + 10, 0)])
def test_an_hour_that_has_not_come_is_asked_about_or_refused(night: Night, space: Path, ahead: int, asked: int) -> None:
    before = tree_digest(space / "repositorio")
    later = HORA + timedelta(minutes=ahead)
    files = [word for source in night.sources(later) for word in ("--actas", source.actas)]
    status, said = at_terminal("n", "corte", space, *files)
    assert (status, said.count("¿Firmar de todos modos?")) == (77, asked)
    assert f"{later:%H:%M del %d/%m/%Y}" in said
    assert "son las 22:40 del 06/06/2021" in said
    assert tree_digest(space / "repositorio") == before
    assert run("corte", space, *actas(night)).exit_code == 0  # the night goes on


@pytest.mark.parametrize("how", [("--ultimo",), ("--ultimo", "--cierre", "horario")])
def test_closing_before_its_hour_is_asked_of_a_person_and_told_to_a_script(
    night: Night, space: Path, tmp_path: Path, how: tuple[str, ...]
) -> None:
    other = tmp_path / "otro"
    shutil.copytree(space, other)
    script = run("corte", other, *actas(night), *how)
    assert (script.exit_code, "Aviso: Es el último corte" in script.stderr) == (0, True)
    assert "¿Firmar" not in script.output
    before = tree_digest(space / "repositorio")
    status, said = at_terminal("n", "corte", space, *actas(night), *how)
    assert status == 77
    assert "la convocatoria cierra a las 20:00 del 07/06/2021" in said
    assert tree_digest(space / "repositorio") == before
    (space / "reloj.json").write_bytes(SimulatedClock.start(CIERRE, 1.0).dump())
    files = [word for source in night.sources(CIERRE) for word in ("--actas", source.actas)]
    closed = run("corte", space, *files, *how, "--json")
    assert closed.exit_code == 0, closed.output
    assert json.loads(closed.stdout)["ultimo"] is True
    # A delay ends with the next cut, and there is no other: every portal would say it for good.
    before = tree_digest(space / "repositorio")
    late = run("aviso", "retraso", space, "--texto", "Tarda.", "--operador", "Ana")
    assert (late.exit_code, "ya cerró" in late.stderr) == (2, True)
    assert tree_digest(space / "repositorio") == before


def test_a_folder_that_is_no_workspace_is_an_input_error(night: Night, tmp_path: Path) -> None:
    assert run("corte", tmp_path, *actas(night)).exit_code == 66
    assert run("entrega", tmp_path, "--destino", tmp_path / "x").exit_code == 66
    assert not (tmp_path / "x").exists()


def test_catalogues_are_paired_by_election_and_a_stray_one_is_refused(
    night: Night, space: Path, tmp_path: Path
) -> None:
    catalogue = tmp_path / "CAMP_GUB_CANDIDATURAS_2021.csv"
    catalogue.write_text("ID_ESTADO,PARTIDO_CI,CANDIDATURA_PROPIETARIA\n4,MC,EVA DE LA O\n4,C_PAN_PRI_PRD,ANA\n")
    stray = tmp_path / "CAMP_AYUN_CANDIDATURAS_2021.csv"
    stray.write_bytes(catalogue.read_bytes())
    files = actas(night)
    assert run("corte", space, *files, "--candidaturas", catalogue, "--candidaturas", stray).exit_code == 2
    result = run("corte", space, *files, "--candidaturas", catalogue)
    assert result.exit_code == 0, result.output
