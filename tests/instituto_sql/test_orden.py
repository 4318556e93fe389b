"""``pregon instituto corte`` without files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner, Result

from pregon.base.clock import SimulatedClock
from pregon.cli.instituto import app
from tests.instituto.conftest import HORA, Night, tree_digest
from tests.instituto_sql.eleccion import both, configure

if TYPE_CHECKING:
    from pathlib import Path

    from tests.instituto_sql.servidores import Base


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["corte", *(str(argument) for argument in arguments), "--json"])


@pytest.fixture
def folder(night: Night, base: Base) -> Path:
    night.ambiente = "simulacro"
    made = night.create()
    (made.folder / "reloj.json").write_bytes(SimulatedClock.start(HORA, 1.0).dump())
    settings = made.folder / "instituto.toml"
    settings.write_text(settings.read_text() + 'reloj_simulado = "reloj.json"\n')
    configure(made, base, *both(personas=True))
    return made.folder


def test_corte_without_actas_takes_the_configured_sources(folder: Path) -> None:
    result = _run(folder, "--hora", "2021-06-06T22:40")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["corte"] == 1
    assert told["hora_corte"] == HORA.isoformat()
    again = _run(folder, "--hora", "2021-06-06T23:00")
    assert again.exit_code == 0, again.output


@pytest.mark.parametrize("base", ["sqlite"], indirect=True)
def test_without_hour_or_without_sources_it_is_a_wrong_use(folder: Path) -> None:
    before = tree_digest(folder / "repositorio")
    assert "--hora" in (missing := _run(folder)).stderr
    assert missing.exit_code == 2
    settings = folder / "instituto.toml"
    settings.write_text(settings.read_text().split("[[fuente]]")[0])
    assert "[[fuente]]" in (empty := _run(folder, "--hora", "2021-06-06T22:40")).stderr
    assert empty.exit_code == 2
    assert tree_digest(folder / "repositorio") == before
