"""The chain under the journal: what each link is made of, and that every event has the one it must."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import sqlite3
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pregon.base import state
from pregon.base.cadena import GENESIS, Apunte, Cabeza, enlaza, eslabon, huella, sigue
from pregon.base.clock import ManualClock, SystemClock
from pregon.base.state import StateDatabase

if TYPE_CHECKING:
    from pathlib import Path

HORA = datetime(2021, 6, 7, 4, 40, tzinfo=UTC)
TEXTOS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def test_the_sums_are_those_of_any_other_program() -> None:
    """Made with printf and sha256sum: whoever checks years from now needs nothing of ours."""
    told = (1, "2021-06-07T04:40:00+00:00", "corte", '{"nota": "Hopelchén — «1»"}')
    print_ = "ba86ec42d28e748d004bab17bbc4307ebe79a71439f5deed0cc4ab0570c43027"
    link = "6a0cd714b5e36c28642d2e53b4e26ff64cbb0a940dd608b502965e9c67f5bbdd"
    assert huella(*told) == print_
    assert eslabon(GENESIS, *told) == enlaza(GENESIS, print_) == link


@given(st.tuples(st.integers(1, 9), TEXTOS, TEXTOS, TEXTOS), st.tuples(st.integers(1, 9), TEXTOS, TEXTOS, TEXTOS))
def test_no_two_events_have_one_link(one: tuple[int, str, str, str], other: tuple[int, str, str, str]) -> None:
    assert (eslabon(GENESIS, *one) == eslabon(GENESIS, *other)) == (one == other)


@given(TEXTOS, TEXTOS, st.integers(0, 20))
def test_no_text_moves_from_one_field_to_the_next(tipo: str, dato: str, at: int) -> None:
    whole = tipo + dato
    moved = (whole[:at], whole[at:])
    if moved != (tipo, dato):
        assert huella(1, "", *moved) != huella(1, "", tipo, dato)


def test_every_event_follows_the_one_before(tmp_path: Path) -> None:
    base = StateDatabase(tmp_path / "estado.sqlite", ManualClock(HORA))
    assert (base.cabeza(), base.dados(), list(base.apuntes())) == (Cabeza(0, GENESIS), 0, [])
    for corte in range(3):
        base.record("corte", corte=corte, texto="señal «viva»")
    kept = list(base.apuntes())
    last = GENESIS
    for n, apunte in enumerate(kept, 1):
        last = eslabon(last, n, HORA.isoformat(), "corte", json.dumps(_dato(n - 1), ensure_ascii=False, sort_keys=True))
        assert (apunte.n, apunte.eslabon) == (n, last)
    assert base.cabeza() == Cabeza(3, last) == sigue(Cabeza(), kept)
    assert list(base.apuntes(after=2)) == kept[2:]
    assert [event.dato for event in base.events()] == [_dato(n) for n in range(3)]


def _dato(corte: int) -> dict[str, object]:
    return {"corte": corte, "texto": "señal «viva»"}


def test_events_of_before_the_chain_are_tied_by_the_first_that_has_a_link(tmp_path: Path) -> None:
    path = tmp_path / "estado.sqlite"
    base = StateDatabase(path, ManualClock(HORA))
    for corte in (1, 2):
        base.record("corte", corte=corte)
    before = base.cabeza()
    state.migrate(path, 1)
    again = StateDatabase(path, ManualClock(HORA))
    assert [each.eslabon for each in again.apuntes()] == [None, None]
    assert again.cabeza() == before  # A link that was dropped can be worked out again: a seal still holds.
    again.record("corte", corte=3)
    kept = list(again.apuntes())
    assert [each.eslabon is None for each in kept] == [True, True, False]
    assert kept[2].eslabon == sigue(before, kept[2:]).eslabon
    changed = Apunte(kept[0].n, kept[0].hora, "otro", kept[0].dato, None)
    assert sigue(Cabeza(), [changed, *kept[1:]]).eslabon != kept[2].eslabon


def test_a_number_is_never_given_twice(tmp_path: Path) -> None:
    """The end that somebody cuts off is missed: what comes next does not take its numbers."""
    path = tmp_path / "estado.sqlite"
    base = StateDatabase(path, ManualClock(HORA))
    for corte in range(4):
        base.record("corte", corte=corte)
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM evento WHERE n > 2")
    assert (base.cabeza().n, base.dados()) == (2, 4)
    base.record("corte", corte=9)
    assert [each.n for each in base.apuntes()] == [1, 2, 5]


def _record(path: Path, writer: int, many: int) -> None:
    base = StateDatabase(path, SystemClock())
    for n in range(many):
        base.record("suceso", escribe=writer, n=n)


@pytest.mark.parametrize("many", [40])
def test_several_processes_write_one_chain(tmp_path: Path, many: int) -> None:
    path = tmp_path / "estado.sqlite"
    StateDatabase(path, SystemClock())
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_record, args=(path, writer, many)) for writer in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    base = StateDatabase(path, SystemClock())
    kept = list(base.apuntes())
    assert [each.n for each in kept] == list(range(1, 3 * many + 1))
    head = Cabeza()
    for each in kept:
        head = sigue(head, [each])
        assert each.eslabon == head.eslabon
    assert [each.hora for each in kept] == sorted(each.hora for each in kept)
