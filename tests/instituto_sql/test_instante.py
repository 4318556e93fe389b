"""A cut is of one instant, whatever is captured while it is read; and reading it takes little memory."""

from __future__ import annotations

import contextlib
import csv
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from pregon.base.errors import RedError
from pregon.instituto.sql.fuentes import contest_sources
from pregon.instituto.workspace import open_workspace
from tests.instituto.conftest import HORA, Night
from tests.instituto_sql.eleccion import both, configure, first_source

if TYPE_CHECKING:
    from pregon.instituto.workspace import Workspace
    from tests.instituto_sql.servidores import Base

COLUMNS = "clave_casilla, id_distrito_local, pan, tipo_casilla, lista_nominal, total_votos_calculado, contabilizada"


def _read(path: Path) -> list[dict[str, str]]:
    lines = path.read_text().splitlines()[5:]
    return list(csv.DictReader(lines))


def _insert(table: str, key: int, pan: int) -> str:
    return f"INSERT INTO {table} (renglon, {COLUMNS}) VALUES ({key}, '04{key:04d}B0100', 1, {pan}, 'B', 400, {pan}, 1)"


def test_what_is_captured_between_two_contests_waits_for_the_next_cut(
    base: Base, night: Night, space: Workspace
) -> None:
    configure(space, base, *both())
    opened = open_workspace(space.folder, clock=night.clock)
    with contextlib.closing(contest_sources(opened, hora=HORA, ultimo=False, entorno={})) as reading:
        gub = _read(next(reading).actas)
        base.run(
            _insert("actas_gub", 900, 7),
            _insert("actas_dip_loc", 900, 7),
            "UPDATE actas_dip_loc SET pan = 777 WHERE renglon = 1",
            "DELETE FROM actas_dip_loc WHERE renglon = 2",
        )
        dip = _read(next(reading).actas)
        assert next(reading, None) is None
    assert [row["PAN"] for row in dip] == [row["PAN"] for row in gub]  # loaded equal, read equal
    assert len(dip) == 60
    again = [_read(source.actas) for source in contest_sources(opened, hora=HORA, ultimo=False, entorno={})]
    assert [len(found) for found in again] == [61, 60]
    assert again[1][0]["PAN"] == "777"


def test_a_writer_that_never_stops_does_not_mix_two_instants(base: Base, night: Night, space: Workspace) -> None:
    configure(space, base, *both())
    opened = open_workspace(space.folder, clock=night.clock)
    stop, written = threading.Event(), threading.Event()
    faults: list[BaseException] = []

    def write() -> None:
        engine = base.engine()
        try:
            with engine.connect() as connection:
                for key in range(1000, 9999):
                    with connection.begin():
                        for table in ("actas_gub", "actas_dip_loc"):
                            connection.execute(text(_insert(table, key, key)))
                            connection.execute(text(f"UPDATE {table} SET pan = {key} WHERE renglon = 1"))
                    written.set()
                    if stop.wait(0.002):
                        return
        except BaseException as exc:  # noqa: BLE001 - a thread's border: the test reports it
            faults.append(exc)
        finally:
            engine.dispose()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        assert written.wait(10)
        sizes = []
        for _ in range(4):
            reading = contest_sources(opened, hora=HORA, ultimo=False, entorno={})
            gub, dip = (_read(source.actas) for source in reading)
            assert [row["PAN"] for row in gub] == [row["PAN"] for row in dip]
            assert gub[0]["PAN"] == gub[-1]["PAN"]  # the last transaction that it sees, it sees whole
            sizes.append(len(gub))
    finally:
        stop.set()
        thread.join(10)
    assert not faults
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1]  # it did write meanwhile


_MANY = {
    "postgres": "SELECT generate_series(1, {n}) AS i",
    "mariadb": "SELECT seq AS i FROM seq_1_to_{n}",
    "sqlite": "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < {n}) SELECT i FROM s",
}
_WIDE = {"postgres": "repeat('x', 3900)", "mariadb": "repeat('x', 3900)", "sqlite": "printf('%.3900c', 'x')"}


def test_memory_does_not_grow_with_the_rows(base: Base, night: Night, space: Workspace) -> None:
    number = 15_000  # of 4 kB each: 60 MB
    many = _MANY[base.nombre].format(n=number)
    first, second = both()
    first.orden = None
    first.origen = (
        f'consulta = """SELECT a.*, n.i AS numero, {_WIDE[base.nombre]} AS ancho\n'
        f'FROM (SELECT * FROM actas_gub WHERE renglon = 1) a CROSS JOIN ({many}) n -- todas"""'
    )
    first.columnas = {"CLAVE_CASILLA": "'numero'", "TIPO_DOCUMENTO": "'ancho'"}
    configure(space, base, first, second)
    opened = open_workspace(space.folder, clock=night.clock)
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from here
    before = _memory("VmRSS")
    source = first_source(opened, ultimo=False)
    assert source.actas.stat().st_size > number * 3_900
    assert _memory("VmHWM") - before < 30 << 20


def _memory(name: str) -> int:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) << 10


@pytest.mark.parametrize("base", ["postgres", "mariadb"], indirect=True)
def test_a_server_that_drops_the_cut_in_the_middle_leaves_nothing_signed(
    base: Base, night: Night, space: Workspace
) -> None:
    configure(space, base, *both())
    opened = open_workspace(space.folder, clock=night.clock)
    with contextlib.closing(contest_sources(opened, hora=HORA, ultimo=False, entorno={})) as reading:
        next(reading)
        if base.nombre == "postgres":
            base.scalar("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'lector'")
        else:
            number = base.scalar("SELECT max(id) FROM information_schema.processlist WHERE user = 'lector'")
            base.run(f"KILL CONNECTION {number}")
        with pytest.raises(RedError) as failed:
            next(reading)
    assert "fuente[1].tabla" in failed.value.que_paso
