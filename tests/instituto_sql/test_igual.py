"""The same election as official files and in the three databases gives the same cut."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pregon.base.clock import ManualClock
from pregon.base.jsonio import compact_json
from pregon.instituto import fuentes
from pregon.instituto.build import build_cut
from pregon.instituto.sql.fuentes import CARPETA, configured, contest_sources
from pregon.instituto.workspace import open_workspace
from pregon.prep.reader import read_actas
from pregon.tablas.totales import totals
from tests.instituto.conftest import HORA, Night, tree_digest, unpack
from tests.instituto_sql.eleccion import CONTESTS, both, configure, first_source, load, rows, write_csv, write_people

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.instituto.workspace import Workspace
    from tests.instituto_sql.servidores import Base


def _files(folder: Path) -> list[fuentes.ContestSource]:
    found = []
    for name in CONTESTS:
        actas = write_csv(folder / name, name, rows())
        found.append(fuentes.ContestSource(name, actas, write_people(folder / name, name)))
    return found


def _normal(source: fuentes.ContestSource) -> bytes:
    read = fuentes.read(source)
    computed = totals(read.tabla, eleccion=read.eleccion.id, candidaturas=read.candidaturas)
    return compact_json(replace(computed, dialecto="").to_json())


def test_totals_and_data_are_those_of_the_official_files(base: Base, night: Night, space: Workspace) -> None:
    configure(space, base, *both(personas=True))
    opened = open_workspace(space.folder, clock=night.clock)
    official = _files(night.folder / "csv")
    expected = [_normal(source) for source in official]
    found = [_normal(source) for source in contest_sources(opened, hora=HORA, ultimo=False, entorno={})]
    assert found == expected
    built = build_cut(opened, configured(opened, hora=HORA, ultimo=False, entorno={}), hora=HORA)
    other = Night(night.folder / "otra", ManualClock(night.clock.instant))
    other.folder.mkdir()
    from_files = build_cut(other.create(), official)
    data = tree_digest(unpack(built, night.folder / "a") / "datos")
    assert data == tree_digest(unpack(from_files, night.folder / "b") / "datos")
    assert len(data) > 10
    assert not (opened.trabajo / CARPETA).exists()


def test_without_an_order_of_its_own_the_file_is_the_same_in_any_database(
    base: Base, night: Night, space: Workspace
) -> None:
    actas = rows()
    actas[-1] |= {"CLAVE_CASILLA": "", "CLAVE_ACTA": ""}  # fuera de catálogo: last, though its key is the first
    load(base, dict.fromkeys(CONTESTS, actas), seed=random.randrange(1000))
    configure(space, base, *both(orden=None))
    opened = open_workspace(space.folder, clock=night.clock)
    official = write_csv(night.folder / "csv", "GUB", actas)
    source = first_source(opened, ultimo=False)
    assert source.actas.read_bytes() == official.read_bytes()


def test_the_last_cut_states_turnout_with_especiales(base: Base, night: Night, space: Workspace) -> None:
    configure(space, base, *both())
    opened = open_workspace(space.folder, clock=night.clock)
    field = "PORCENTAJE_PARTICIPACION_CIUDADANA"
    stated = {}
    for last in (False, True):
        source = first_source(opened, ultimo=last)
        table = read_actas(source.actas)
        stated[last] = table.encabezado[field]
        assert totals(table, incluye_especiales=last).recalculado == table.encabezado
    assert stated[True] != stated[False]


@pytest.mark.parametrize("base", ["sqlite"], indirect=True)
def test_expected_actas_may_come_from_a_table(base: Base, night: Night, space: Workspace) -> None:
    first, second = both()
    first.extra = 'esperadas_consulta = "SELECT count(*) + 41 FROM actas_gub"'
    configure(space, base, first, second)
    opened = open_workspace(space.folder, clock=night.clock)
    source = first_source(opened, ultimo=False)
    computed = totals(read_actas(source.actas))
    assert computed.encabezado["ACTAS_ESPERADAS"] == 101
    assert "ENCABEZADO_ORIGEN" in {finding.codigo for finding in computed.hallazgos}  # and the gate knows
