"""Types that a database has and a CSV does not."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import pytest

from pregon.instituto.workspace import open_workspace
from tests.instituto_sql.eleccion import both, configure, first_source

if TYPE_CHECKING:
    from pregon.instituto.workspace import Workspace
    from tests.instituto.conftest import Night
    from tests.instituto_sql.servidores import Base

SHA = "0A" * 32
_POSTGRES = (
    f"SELECT a.*, pan::numeric(9, 2) AS votos, contabilizada = 1 AS cuenta, decode('{SHA}', 'hex') AS huella, "
    "TIMESTAMPTZ '2021-06-07 03:10:00+00' AS hora, DATE '2021-06-06' AS dia, '10:30' AS texto FROM actas_gub a"
)
_MARIADB = (
    f"SELECT a.*, CAST(pan AS DECIMAL(9, 2)) AS votos, contabilizada = 1 AS cuenta, UNHEX('{SHA}') AS huella, "
    "TIMESTAMP '2021-06-06 22:10:00' AS hora, DATE '2021-06-06' AS dia, '10:30' AS texto FROM actas_gub a"
)


@pytest.mark.parametrize("base", ["postgres", "mariadb"], indirect=True)
def test_numbers_booleans_hashes_and_instants_are_written_as_the_official_file_does(
    base: Base, night: Night, space: Workspace
) -> None:
    first, second = both()
    query = _POSTGRES if base.nombre == "postgres" else _MARIADB
    first.origen = f'consulta = """{query}"""'
    first.votos = {"PAN": '{ nombre = "PAN", columna = "votos" }'}
    first.columnas = {
        "CONTABILIZADA": '"cuenta"',
        "SHA": '"HUELLA"',
        "FECHA_HORA_ACOPIO": '"hora"',
        "FECHA_HORA_CAPTURA": '"dia"',
        "ORIGEN": '"texto"',
    }
    configure(space, base, first, second)
    opened = open_workspace(space.folder, clock=night.clock)
    source = first_source(opened, ultimo=False)
    row = next(csv.DictReader(source.actas.read_text().splitlines()[5:]))
    assert row["PAN"].isdecimal()
    assert row["CONTABILIZADA"] == "1"
    assert row["SHA"] == SHA.lower()
    assert row["FECHA_HORA_ACOPIO"] == "06/06/2021 22:10:00"
    assert row["FECHA_HORA_CAPTURA"] == "06/06/2021"
    assert row["ORIGEN"] == "10:30"
    assert row["ID_DISTRITO_LOCAL"] == "002"
