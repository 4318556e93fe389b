"""Local hours become instants: Mexico had summer time in 2021 and not in 2024."""

from __future__ import annotations

import os
import sys
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from pregon.base import procesos
from pregon.convocatoria.model import Convocatoria
from pregon.convocatoria.perfiles import load
from tests.convocatoria.muestras import local, possible

if TYPE_CHECKING:
    from pathlib import Path


def test_2021_is_five_hours_behind_utc_and_2024_is_six() -> None:
    assert load("gro-2021").inicio.utcoffset() == timedelta(hours=-5)
    assert load("gro-2021").inicio == datetime(2021, 6, 7, 1, tzinfo=UTC)
    assert load("mor-2024").inicio.utcoffset() == timedelta(hours=-6)
    assert load("mor-2024").inicio == datetime(2024, 6, 3, 2, tzinfo=UTC)


def test_every_instant_is_aware() -> None:
    profile = load("mor-2024")
    limit = profile.plazos.solicitud
    assert isinstance(limit, datetime)
    assert limit.tzinfo is not None
    assert profile.fin_actualizacion.tzinfo is not None


def test_a_deadline_without_hour_lasts_the_whole_day() -> None:
    profile = load("gro-2021")
    assert profile.vence(date(2021, 5, 3)) == datetime(2021, 5, 4, 4, 59, 59, tzinfo=UTC)


def test_a_deadline_with_hour_is_that_instant() -> None:
    profile = load("mor-2024")
    assert profile.plazos.solicitud is not None
    assert profile.vence(profile.plazos.solicitud) == datetime(2024, 5, 23, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("inicio", "kind"),
    [
        (local("2021-04-04T02:30"), "hora_inexistente"),  # clocks went from 2 to 3
        (local("2021-10-31T01:30"), "hora_ambigua"),  # clocks went from 2 back to 1
        (datetime(2024, 6, 2, 20, tzinfo=UTC), "desfase"),
    ],
)
def test_an_hour_that_names_no_single_instant_is_refused(inicio: datetime, kind: str) -> None:
    table = possible() | {"inicio": inicio}
    for later in ("fin_actualizacion", "permanencia_hasta", "plazos", "simulacros", "ventanas_prueba"):
        del table[later]
    with pytest.raises(ValidationError) as refusal:
        Convocatoria.model_validate(table)
    assert [(error["loc"], error["type"]) for error in refusal.value.errors()] == [(("inicio",), kind)]


def test_an_offset_is_admitted_when_it_is_the_zones_own() -> None:
    table = possible()
    aware = datetime.fromisoformat("2024-06-02T20:00:00-06:00")
    assert Convocatoria.model_validate(table | {"inicio": aware}) == Convocatoria.model_validate(table)


def test_a_machine_with_an_old_zone_database_is_told_so_instead_of_opening_an_hour_early(tmp_path: Path) -> None:
    # Chicago kept the summer time that Mexico City dropped in 2022: under this name, it is the database of before.
    old = tmp_path / "America" / "Mexico_City"
    old.parent.mkdir()
    old.write_bytes(files("tzdata").joinpath("zoneinfo", "America", "Chicago").read_bytes())
    program = "from pregon.convocatoria.perfiles import problems; print(*problems('mor-2024'), sep='\\n')"
    output = tmp_path / "salida"
    with procesos.running(
        [sys.executable, "-c", program], output=output, environment={**os.environ, "PYTHONTZPATH": str(tmp_path)}
    ) as process:
        assert process.wait(30) == 0, process.tail()
    named = [line.split(":")[0] for line in output.read_text().splitlines()]
    assert named == ["inicio", "fin_actualizacion", "plazos"]
    assert "atrasados" in output.read_text()
