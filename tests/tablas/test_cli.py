"""``pregon prep totales`` and ``pregon prep revisa``: the object, the list, the table and the exit statuses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner, Result

from pregon.cli.prep import app
from tests.prep.muestras import Sample, row

if TYPE_CHECKING:
    from pathlib import Path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    return Sample().write(tmp_path / "LIMPIO.csv")


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    return Sample(rows=[row(1, PAN="¿?")]).write(tmp_path / "MALO.csv")


def test_one_file_gives_the_object_and_several_a_list(clean: Path) -> None:
    one = run("totales", clean, "--json")
    assert one.exit_code == 0
    assert json.loads(one.stdout)["recalculado"]["TOTAL_VOTOS_C_CS"] == 200
    several = json.loads(run("totales", clean, clean, "--json").stdout)
    assert [contest["titulo"] for contest in several] == ["DIPUTACIONES LOCALES"] * 2


def test_table_for_people_shows_both_figures(clean: Path, tmp_path: Path) -> None:
    sample = Sample()
    sample.summary["ACTAS_ESPERADAS"] = "3"
    result = run("totales", sample.write(tmp_path / "OTRO.csv"))
    assert result.exit_code == 0
    assert "C_PAN_PRI_PRD" in result.stdout
    assert "ENCABEZADO_ORIGEN" in result.stdout
    assert "Sin hallazgos" in run("totales", clean).stdout


def test_findings_that_block_end_with_65(clean: Path, faulty: Path) -> None:
    assert run("revisa", clean).exit_code == 0
    result = run("revisa", clean, faulty, "--json")
    assert result.exit_code == 65
    assert json.loads(result.stderr)["codigo"] == "HALLAZGOS"
    first, second = json.loads(result.stdout)
    assert first["hallazgos"] == []
    assert "VALOR_DESCONOCIDO" in {finding["codigo"] for finding in second["hallazgos"]}


def test_failures_have_their_own_status_and_text(clean: Path, tmp_path: Path) -> None:
    missing = run("totales", tmp_path / "no-esta.csv")
    assert (missing.exit_code, missing.stdout) == (66, "")
    bad = tmp_path / "x.csv"
    bad.write_text("hola\n", encoding="utf-8")
    assert run("totales", bad).exit_code == 65
    assert "x.csv" in run("totales", bad).stderr
    several = run("totales", clean, "--candidaturas", bad, "--candidaturas", bad)
    assert several.exit_code == 2
