"""``pregon prep genera`` as people run it: same bytes in any process, folders that a night reads, refusals."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from pregon.base.procesos import start
from pregon.cli.app import app
from pregon.prep.reader import read_actas
from pregon.simulacro.prepare import real_night

if TYPE_CHECKING:
    from pathlib import Path


def genera(folder: Path, *options: str) -> Any:
    return CliRunner().invoke(app, ["prep", "genera", str(folder), *options])


def hashes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_same_arguments_give_same_bytes_in_processes_that_hash_differently(tmp_path: Path) -> None:
    options = ("--eleccion", "presidencia,senado,diputaciones", "--casillas", "400", "--cortes", "3", "--semilla", "7")
    found = []
    for seed in ("1", "2"):
        folder = tmp_path / seed
        command = [sys.executable, "-m", "pregon", "prep", "genera", str(folder), *options]
        process = start(
            command, output=tmp_path / "salida", folder=tmp_path, environment={**os.environ, "PYTHONHASHSEED": seed}
        )
        try:
            assert process.wait(60) == 0, (tmp_path / "salida").read_text()
        finally:
            process.stop()
        found.append(hashes(folder))
    assert found[0] == found[1]
    assert len(found[0]) == 18
    # A change of these bytes is a change of every bench and trial made from them: say so in CHANGELOG.md.
    assert "20210606_2020_PREP_PRES_NAC/NAC_PRES_2021.csv" in found[0]


def test_folder_is_a_night_that_the_simulacro_reads(tmp_path: Path) -> None:
    done = genera(
        tmp_path / "noche",
        *("--eleccion", "gubernatura,diputaciones,ayuntamientos", "--casillas", "120", "--cortes", "4", "--previo"),
        *("--dialecto", "campeche-2021", "--entidad", "4:CAMP:CAMPECHE", "--json"),
    )
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert [one["eleccion"] for one in told] == ["GUB", "DIP", "AYU"]
    assert [len(one["archivos"]) for one in told] == [5, 5, 5]
    assert sum(one["bytes"] for one in told) == sum(p.stat().st_size for p in (tmp_path / "noche").rglob("*.csv"))
    profile, plan = real_night(tmp_path / "noche")
    assert profile.elecciones == ("AYU", "DIP", "GUB")
    assert profile.entidad.clave == "CAMP"
    assert plan.previo is not None
    assert [cut.hora.strftime("%H%M") for cut in plan.todos] == ["1930", "2020", "2040", "2100", "2120"]
    assert plan.cortes[-1].ultimo
    assert all(source.candidaturas is not None for cut in plan.todos for source in cut.fuentes)


def test_cuts_keep_their_distance_across_a_change_of_hour(tmp_path: Path) -> None:
    done = genera(
        tmp_path / "n",
        *("--eleccion", "PRES", "--entidad", "2:BC:BAJA CALIFORNIA", "--casillas", "9", "--cortes", "4"),
        *("--inicio", "2027-03-14T00:30", "--intervalo", "60", "--zona", "America/Tijuana", "--json"),
    )
    assert done.exit_code == 0, done.output
    tables = [read_actas(tmp_path / path) for path in json.loads(done.stdout)[0]["archivos"]]
    assert [table.hora_corte.strftime("%H:%M %z") for table in tables] == [
        *("01:30 -0800", "03:30 -0700", "04:30 -0700", "05:30 -0700"),
    ]


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--eleccion", "regidurias"), "regidurias"),
        (("--eleccion", "GUB,gubernatura"), "dos veces"),
        (("--eleccion", "presidencia,gubernatura"), "locales y federales"),
        (("--eleccion", "GUB", "--casillas", "0"), "casillas"),
        (("--eleccion", "PRES", "--casillas", "31"), "casillas"),
        (("--eleccion", "GUB", "--casillas", "10", "--unidades", "11"), "distritos"),
        (("--eleccion", "GUB", "--cortes", "0"), "cortes"),
        (("--eleccion", "GUB", "--intervalo", "0"), "intervalo"),
        (("--eleccion", "GUB", "--dialecto", "klingon"), "klingon"),
        (("--eleccion", "GUB", "--zona", "Marte/Base"), "zona horaria"),
        (("--eleccion", "GUB", "--zona", "../etc"), "zona horaria"),
        (("--eleccion", "GUB", "--inicio", "ayer"), "ISO 8601"),
        (("--eleccion", "GUB", "--inicio", "0001-01-01T00:00"), "año"),
        (("--eleccion", "GUB", "--entidad", "33:SIM:SIMULADA"), "entidad"),
        (("--eleccion", "GUB", "--entidad", "12:../X:GUERRERO"), "entidad"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(tmp_path: Path, options: tuple[str, ...], word: str) -> None:
    done = genera(tmp_path / "noche", *options)
    assert done.exit_code == 2
    assert word in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_folder_with_something_is_left_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "nota.txt").write_text("mía")
    done = genera(tmp_path, "--eleccion", "GUB", "--casillas", "9")
    assert done.exit_code == 73
    assert [path.name for path in tmp_path.iterdir()] == ["nota.txt"]


def test_letter_that_the_dialect_lacks_is_refused(tmp_path: Path) -> None:
    done = genera(
        tmp_path / "n",
        *("--eleccion", "GUB", "--casillas", "9", "--dialecto", "cdmx-2024", "--entidad", "9:CDMX:ĈIUDAD"),
    )
    assert done.exit_code == 65
    assert "Ĉ" in done.stderr
    assert not (tmp_path / "n").exists()
