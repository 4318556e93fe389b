"""Tampering with the journal, each way there is: found out, and located."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING

import pytest

from pregon.base.cadena import GENESIS, eslabon
from pregon.base.clock import ManualClock
from pregon.base.state import StateDatabase
from pregon.instituto.bitacora.cadena import Sello, Verificacion, series, verifica
from tests.instituto.conftest import HORA

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Manipula = Callable[[sqlite3.Connection], object]

SUCESOS = 12
SELLADOS = (4, 8)


@pytest.fixture
def base(tmp_path: Path) -> StateDatabase:
    made = StateDatabase(tmp_path / "estado.sqlite", ManualClock(HORA))
    for n in range(1, SUCESOS + 1):
        made.record("dictamen", difusor=f"diario-{n}", veredicto="al_dia")
    return made


@pytest.fixture
def sellos(base: StateDatabase) -> list[Sello]:
    kept = {each.n: each.eslabon or "" for each in base.apuntes()}
    made: list[Sello] = []
    for numero, n in enumerate(SELLADOS, 1):
        before = made[-1].sha256 if made else None
        made.append(Sello(numero=numero, n=n, eslabon=kept[n], anterior=before, sha256=f"{numero:064d}"))
    return made


def manipula(base: StateDatabase, *statements: str, value: int | None = None) -> None:
    with contextlib.closing(sqlite3.connect(base.path)) as connection, connection:
        for statement in statements:
            connection.execute(statement, () if value is None else (value,))


def relink(base: StateDatabase) -> None:
    """Whoever knows how the links are made does them all again."""
    last = GENESIS
    with contextlib.closing(sqlite3.connect(base.path)) as connection, connection:
        for n, *texts in connection.execute("SELECT n, hora, tipo, dato FROM evento ORDER BY n").fetchall():
            last = eslabon(last, n, *texts)
            connection.execute("UPDATE evento SET eslabon = ? WHERE n = ?", (last, n))


def read(base: StateDatabase, sellos: list[Sello] | None = None) -> Verificacion:
    return verifica(base.apuntes(), dados=base.dados(), sellos=sellos or [])


def found(base: StateDatabase, sellos: list[Sello] | None = None) -> list[tuple[str, int, int]]:
    return [(each.codigo, each.desde, each.hasta) for each in read(base, sellos).fallas]


def test_untouched(base: StateDatabase, sellos: list[Sello]) -> None:
    whole = read(base, sellos)
    assert (whole.ok, whole.sucesos, whole.encadenados, whole.sellos, whole.sellado) == (True, 12, 1, 2, 8)
    assert whole.cabeza == base.cabeza()


EDITA = "UPDATE evento SET dato = replace(dato, 'al_dia', 'alterado') WHERE n = 6"
CASOS = {
    "dato": ([EDITA], [("ALTERADO", 6, 6)]),
    "hora": (["UPDATE evento SET hora = '2021-06-06T00:00:00+00:00' WHERE n = 6"], [("ALTERADO", 6, 6)]),
    "tipo": (["UPDATE evento SET tipo = 'nota' WHERE n = 6"], [("ALTERADO", 6, 6)]),
    "the link alone": (
        ["UPDATE evento SET eslabon = hex(zeroblob(32)) WHERE n = 6"],
        [("ALTERADO", 6, 6), ("ALTERADO", 7, 7)],
    ),
    "the last": (["UPDATE evento SET tipo = 'nota' WHERE n = 12"], [("ALTERADO", 12, 12)]),
    "two far from each other": (
        [EDITA, "UPDATE evento SET tipo = 'nota' WHERE n = 2"],
        [("ALTERADO", 2, 2), ("ALTERADO", 6, 6)],
    ),
    "one deleted": (["DELETE FROM evento WHERE n = 6"], [("FALTAN", 6, 6)]),
    "the first deleted": (["DELETE FROM evento WHERE n = 1"], [("FALTAN", 1, 1)]),
    "a run deleted": (["DELETE FROM evento WHERE n BETWEEN 3 AND 7"], [("FALTAN", 3, 7)]),
    "the end deleted": (["DELETE FROM evento WHERE n > 9"], [("FALTAN", 10, 12)]),
    "all deleted": (["DELETE FROM evento"], [("FALTAN", 1, 12)]),
    "one put in at the end": (
        ["INSERT INTO evento (hora, tipo, dato) VALUES ('2021-06-07', 'nota', '{}')"],
        [("SIN_ESLABON", 13, 13)],
    ),
    "one put in between, the others moved": (
        [
            "UPDATE evento SET n = -n - 1 WHERE n >= 6",
            "UPDATE evento SET n = -n WHERE n < 0",
            "INSERT INTO evento VALUES (6, '2021-06-07', 'nota', '{}', hex(zeroblob(32)))",
        ],
        [("ALTERADO", n, n) for n in range(6, 14)],
    ),
    "two exchanged": (
        [
            "UPDATE evento SET n = 99 WHERE n = 6",
            "UPDATE evento SET n = 6 WHERE n = 7",
            "UPDATE evento SET n = 7 WHERE n = 99",
            "UPDATE sqlite_sequence SET seq = 12",
        ],
        [("ALTERADO", 6, 6), ("ALTERADO", 7, 7), ("ALTERADO", 8, 8)],
    ),
}


@pytest.mark.parametrize("caso", CASOS)
def test_each_change_is_found_where_it_is(base: StateDatabase, caso: str) -> None:
    statements, expected = CASOS[caso]
    manipula(base, *statements)
    assert found(base) == expected


@pytest.mark.parametrize("caso", [caso for caso, (_, expected) in CASOS.items() if expected[0][0] == "ALTERADO"])
def test_what_is_found_stays_so_after_more_is_written(base: StateDatabase, caso: str) -> None:
    statements, _ = CASOS[caso]
    manipula(base, *statements)
    before = found(base)
    base.record("nota", texto="sigue la noche")
    assert found(base) == before


def test_the_end_cut_off_is_missed_when_the_night_goes_on(base: StateDatabase) -> None:
    manipula(base, "DELETE FROM evento WHERE n > 9")
    base.record("nota")
    [fault] = read(base).fallas
    assert (fault.codigo, fault.desde, fault.hasta) == ("FALTAN", 10, 12)
    assert "antes de que se escribiera el 13" in fault.que


def test_a_base_written_again_with_good_links_is_found_by_the_seals(base: StateDatabase, sellos: list[Sello]) -> None:
    manipula(base, EDITA)
    relink(base)
    assert found(base) == []  # By itself it agrees.
    assert found(base, sellos) == [("REESCRITA", 5, 8)]


def test_written_again_after_the_last_seal_is_not_found_and_the_reading_says_how_far(
    base: StateDatabase, sellos: list[Sello]
) -> None:
    manipula(base, "UPDATE evento SET tipo = 'nota' WHERE n = 10")
    relink(base)
    whole = read(base, sellos)
    assert (whole.ok, whole.sellado) == (True, 8)


@pytest.mark.parametrize(("left", "fault"), [(6, ("RECORTADA", 7, 8)), (0, ("RECORTADA", 1, 8))])
def test_the_end_and_the_count_cut_off_are_found_by_the_seals(
    base: StateDatabase, sellos: list[Sello], left: int, fault: tuple[str, int, int]
) -> None:
    for statement in ("DELETE FROM evento WHERE n > ?", "UPDATE sqlite_sequence SET seq = ?"):
        manipula(base, statement, value=left)
    assert found(base) == []
    assert found(base, sellos) == [fault]


def test_cut_off_and_written_again_up_to_the_same_number(base: StateDatabase, sellos: list[Sello]) -> None:
    manipula(base, "DELETE FROM evento WHERE n > 6", "UPDATE sqlite_sequence SET seq = 6")
    for _ in range(6):
        base.record("nota", texto="aquí no pasó nada")
    assert found(base) == []
    assert found(base, sellos) == [("REESCRITA", 5, 8)]


def test_a_head_that_a_person_kept_is_as_good(base: StateDatabase, sellos: list[Sello]) -> None:
    manipula(base, EDITA)
    relink(base)
    typed = Sello(numero=0, n=8, eslabon=sellos[1].eslabon)
    assert found(base, [typed]) == [("REESCRITA", 1, 8)]


def test_seals_that_are_missing_or_contradict_each_other(sellos: list[Sello]) -> None:
    third = Sello(numero=3, n=9, eslabon=GENESIS, anterior=sellos[1].sha256, sha256="3" * 64)
    assert series([*sellos, third]) == ()
    assert [(each.codigo, each.desde) for each in series([sellos[0], third])] == [("SELLO_FALTA", 2)]
    assert [(each.codigo, each.desde) for each in series([sellos[1], third])] == [("SELLO_FALTA", 1)]
    other = Sello(numero=2, n=8, eslabon=GENESIS, anterior=sellos[0].sha256, sha256="f" * 64)
    assert [(each.codigo, each.desde) for each in series([*sellos, other])] == [("SELLO_DISTINTO", 2)]
    alone = Sello(numero=2, n=8, eslabon=GENESIS, anterior="e" * 64, sha256="f" * 64)
    assert [(each.codigo, each.desde) for each in series([sellos[0], alone])] == [("SELLO_DISTINTO", 2)]


def test_before_the_chain_is_no_fault_and_is_told(tmp_path: Path) -> None:
    from pregon.base import state

    path = tmp_path / "estado.sqlite"
    base = StateDatabase(path, ManualClock(HORA))
    base.record("inicia")
    base.record("corte", corte=1)
    state.migrate(path, 1)
    base = StateDatabase(path, ManualClock(HORA))
    assert (read(base).ok, read(base).encadenados) == (True, None)
    base.record("corte", corte=2)
    assert (read(base).ok, read(base).encadenados) == (True, 3)
    manipula(base, "UPDATE evento SET tipo = 'nota' WHERE n = 1")
    assert found(base) == [("ALTERADO", 3, 3)]  # What ties them does not agree any more.
