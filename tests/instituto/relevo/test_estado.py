"""The state on a server does what the file does: each test runs on both."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from pregon.base import cadena
from pregon.base.clock import ManualClock
from pregon.base.errors import DanadoError, DiscoError, VersionError
from pregon.base.esquema import VERSION, move, version_of
from pregon.base.estado_postgres import LOTE, PostgresState
from pregon.base.postgres import Direccion, Servidor
from pregon.base.state import StateDatabase
from pregon.instituto.bitacora.cadena import verifica
from tests.instituto.relevo.conftest import hora
from tests.instituto_sql.servidores import as_operator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pregon.base.estado import Estado
    from tests.instituto_sql.servidores import Base

Manos = tuple["Estado", "Callable[[str], Any]"]
"""A state, and what runs SQL in it past the program."""


@pytest.fixture
def servidor(postgres: Base, esquema: str) -> Iterator[Servidor]:
    server = Servidor(Direccion(as_operator(postgres.dueno), esquema))
    yield server
    server.cierra()


@pytest.fixture(params=["archivo", "servidor"])
def manos(request: pytest.FixtureRequest, tmp_path: Path) -> Manos:
    clock = ManualClock(hora(0))
    if request.param == "archivo":
        state = StateDatabase(tmp_path / "estado.sqlite", clock)

        def in_file(text: str) -> None:
            with closing(sqlite3.connect(state.path)) as connection, connection:
                connection.execute(text)

        return state, in_file
    server: Servidor = request.getfixturevalue("servidor")

    def in_server(text: str) -> None:
        with server.transaccion() as cursor:
            cursor.execute(text.encode())

    return PostgresState(server, clock, identidad="ensayo"), in_server


def test_values_rows_and_events(manos: Manos) -> None:
    state, _ = manos
    assert (state.get("nada"), state.last_row("serie"), list(state.rows("serie"))) == (None, None, [])
    assert (state.cabeza(), state.dados(), state.events()) == (cadena.Cabeza(), 0, [])
    state.put(b=[1, {"ñ": "«»"}], a=None, c=1.5)
    state.put(a="x\u0000y")
    assert [state.get(key) for key in "abc"] == ["x\u0000y", [1, {"ñ": "«»"}], 1.5]
    for n in (-3, 10, 2, 1 << 40):
        state.put_row("serie", n, {"n": n})
    state.put_row("serie", 2, "otro")
    state.put_row("otra", 7, [])
    assert list(state.rows("serie")) == [{"n": -3}, "otro", {"n": 10}, {"n": 1 << 40}]
    assert state.last_row("serie") == {"n": 1 << 40}
    for n in range(5):
        state.record("nota", n=n, texto="á")
    assert [(event.n, event.tipo, event.dato["n"]) for event in state.events(after=2, limit=2)] == [
        (3, "nota", 2), (4, "nota", 3),
    ]  # fmt: skip
    assert state.events()[0].hora == hora(0)
    state.check()


def test_what_is_longer_than_one_reading_comes_whole_and_in_order(manos: Manos) -> None:
    state, run = manos
    many = 2 * LOTE + 1
    values = ", ".join(f"('serie', {n}, '{n}')" for n in range(many))
    run(f"INSERT INTO renglon VALUES {values}")
    assert list(state.rows("serie")) == list(range(many))
    values = ", ".join(f"({n}, '{hora(0).isoformat()}', 'nota', '{{}}')" for n in range(1, many + 1))
    run(f"INSERT INTO evento (n, hora, tipo, dato) VALUES {values}")
    notes = list(state.apuntes())
    assert [note.n for note in notes] == list(range(1, many + 1))
    assert state.cabeza() == cadena.sigue(cadena.Cabeza(), notes)
    state.record("nota")
    assert state.cabeza() == cadena.sigue(cadena.Cabeza(), state.apuntes())


def test_who_writes_at_once_makes_one_chain(manos: Manos) -> None:
    state, _ = manos

    def write(name: str) -> None:
        for n in range(10):
            state.record("nota", quien=name, n=n)

    threads = [threading.Thread(target=write, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    notes = list(state.apuntes())
    assert [note.n for note in notes] == list(range(1, 31))
    head = cadena.Cabeza()
    for note in notes:
        head = cadena.sigue(head, (note,))
        assert note.eslabon == head.eslabon


def test_a_number_of_the_journal_is_given_once_though_its_event_is_taken_out(manos: Manos) -> None:
    state, run = manos
    for _ in range(3):
        state.record("nota")
    run("DELETE FROM evento WHERE n = 3")
    assert (state.dados(), state.cabeza().n) == (3, 2)
    state.record("nota")
    assert [event.n for event in state.events()] == [1, 2, 4]


@pytest.mark.parametrize(
    ("statements", "faults"),
    [
        (["UPDATE evento SET dato = '{\"n\": 77}' WHERE n = 3"], [("ALTERADO", 3, 3)]),
        (["DELETE FROM evento WHERE n = 2"], [("FALTAN", 2, 2)]),
        (["DELETE FROM evento WHERE n > 4"], [("FALTAN", 5, 6)]),
        (["INSERT INTO evento VALUES (7, '2021-06-07', 'nota', '{}', NULL)"], [("SIN_ESLABON", 7, 7)]),
        (
            ["UPDATE evento SET n = 99 WHERE n = 3", "UPDATE evento SET n = 3 WHERE n = 4",
             "UPDATE evento SET n = 4 WHERE n = 99"],
            [("ALTERADO", 3, 3), ("ALTERADO", 4, 4), ("ALTERADO", 5, 5)],
        ),
    ],
)  # fmt: skip
def test_tampering_is_found_where_it_is(
    manos: Manos, statements: list[str], faults: list[tuple[str, int, int]]
) -> None:
    state, run = manos
    for n in range(6):
        state.record("nota", n=n)
    assert verifica(state.apuntes(), dados=state.dados()).ok
    for statement in statements:
        run(statement)
    found = verifica(state.apuntes(), dados=state.dados()).fallas
    assert [(each.codigo, each.desde, each.hasta) for each in found] == faults


def test_what_cannot_be_read_is_told(manos: Manos) -> None:
    state, run = manos
    state.put(bueno=1)
    run("INSERT INTO valor VALUES ('malo', '{')")
    with pytest.raises(DanadoError):
        state.get("malo")
    assert state.get("bueno") == 1


def test_a_server_of_a_newer_program_is_not_touched(servidor: Servidor) -> None:
    PostgresState(servidor, ManualClock(hora(0)), identidad="ensayo").put(a=1)
    with servidor.transaccion() as cursor:
        cursor.execute("UPDATE version SET n = 99")
    with pytest.raises(VersionError):
        PostgresState(servidor, ManualClock(hora(0)), identidad="ensayo")
    with servidor.transaccion() as cursor:
        assert cursor.execute("SELECT dato FROM valor").fetchall() == [("1",)]


def test_connections_that_the_server_closed_are_replaced_and_a_failed_transaction_leaves_nothing(
    servidor: Servidor, postgres: Base
) -> None:
    state = PostgresState(servidor, ManualClock(hora(0)), identidad="ensayo")
    state.put(a=1)
    with psycopg.connect(as_operator(postgres.dueno), autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pregon' "
            "AND pid <> pg_backend_pid()"
        )
    assert state.get("a") == 1

    def fail(cursor: psycopg.Cursor[Any]) -> None:
        cursor.execute("UPDATE valor SET dato = '2'")
        cursor.execute("SELECT 1/0")

    with pytest.raises(DiscoError):
        servidor.corre(fail)
    assert state.get("a") == 1


def test_a_commit_is_on_the_disk_of_the_server_whatever_the_account_says(postgres: Base, esquema: str) -> None:
    url = as_operator(postgres.dueno) + "?options=-csynchronous_commit%3Doff"
    server = Servidor(Direccion(url, esquema))
    with server.transaccion() as cursor:
        assert cursor.execute("SHOW synchronous_commit").fetchone() == ("on",)
    server.cierra()


def test_a_file_of_an_older_program_is_copied_whole_and_its_chain_goes_on(servidor: Servidor, tmp_path: Path) -> None:
    """From before events had links, in a folder whose name no address has as it is."""
    folder = tmp_path / "año 100% #1?"
    folder.mkdir()
    clock = ManualClock(hora(0))
    old = StateDatabase(folder / "estado.sqlite", clock)
    old.put(a="á")
    old.put_row("serie", 7, ["x"])
    for n in range(3):
        old.record("nota", n=n)
    with closing(sqlite3.connect(old.path, isolation_level=None)) as connection:
        move(connection, 1)
    state = PostgresState(servidor, clock, identidad="ensayo", antes=old.path)
    assert (state.get("a"), list(state.rows("serie")), state.dados()) == ("á", [["x"]], 3)
    assert [one.eslabon for one in state.apuntes()] == [None] * 3
    state.record("nota", n=3)
    with closing(sqlite3.connect(old.path, isolation_level=None)) as connection:
        assert version_of(connection) == VERSION
    again = StateDatabase(old.path, clock)
    again.record("nota", n=3)
    assert state.cabeza() == again.cabeza()
