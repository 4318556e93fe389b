"""When each cut is due and what is to be done at each instant: the whole of it without a clock, a disk or a network."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pregon.convocatoria.perfiles import load
from pregon.instituto.opera.programa import Corte, Tareas, periodos, tareas, texto_de_retraso
from pregon.trust.aviso import TODOS, Aviso

if TYPE_CHECKING:
    from pregon.convocatoria.model import Convocatoria

AVISO = timedelta(seconds=45)
MIN = timedelta(minutes=1)


@pytest.fixture(scope="module")
def gro() -> Convocatoria:
    """20:00 to 20:00, every 20 minutes (GRO-1.9b)."""
    return load("gro-2021")


def cortes(call: Convocatoria, *slots: int, ultimo: bool = False) -> list[Corte]:
    made = []
    for number, slot in enumerate(slots, start=1):
        hour = call.inicio + slot * timedelta(minutes=call.intervalo_min)
        made.append(
            Corte(number, hour, hour + timedelta(seconds=10), f"{number:064d}", ultimo and number == len(slots))
        )
    return made


def retraso(call: Convocatoria, desde: datetime, corte: int | None, hasta: datetime | None = None) -> Aviso:
    return Aviso(1, "retraso", (TODOS,), "m", "t", desde, hasta, corte)


def at(call: Convocatoria, ahora: datetime, signed: list[Corte], *avisos: Aviso, anotados: int = 0) -> Tareas:
    return tareas(
        call, signed, avisos, ahora=ahora, aviso_tras=AVISO, anotados=anotados, sellado=ahora - timedelta(minutes=1)
    )


@pytest.mark.parametrize("nombre", ["dgo-2024", "gro-2021", "ine-2021", "mex-2021", "mor-2024"])
def test_every_call_begins_at_its_start_and_closes_at_its_end(nombre: str) -> None:
    call = load(nombre)
    slots = periodos(call)
    assert slots[0].vence == call.inicio
    assert slots[-1].vence == call.fin_actualizacion
    step = timedelta(minutes=call.intervalo_min)
    assert [one.indice for one in slots] == list(range(len(slots)))
    for one, after in pairwise(slots):
        assert one.hasta == after.vence
        assert timedelta(0) < one.hasta - one.vence <= step


def test_before_the_start_nothing_is_made_and_the_timestamp_rests_until_the_last_interval(gro: Convocatoria) -> None:
    early = tareas(
        gro, [], [], ahora=gro.inicio - timedelta(hours=5), aviso_tras=AVISO, anotados=0,
        sellado=gro.inicio - timedelta(days=1),
    )  # fmt: skip
    assert (early.fase, early.corta, early.anuncia, early.sella) == ("antes", None, None, False)
    near = tareas(
        gro, [], [], ahora=gro.inicio - 10 * MIN, aviso_tras=AVISO, anotados=0, sellado=gro.inicio - timedelta(days=1)
    )
    assert near.sella
    assert near.despierta <= gro.inicio


def test_a_cut_is_due_at_its_hour_and_announced_as_late_within_the_minute(gro: Convocatoria) -> None:
    signed = cortes(gro, 0)
    due = gro.inicio + 20 * MIN
    before = at(gro, due - timedelta(seconds=1), signed)
    assert before.corta is None
    assert before.despierta == due
    now = at(gro, due, signed)
    assert now.corta is not None
    assert (now.corta.indice, now.ultimo, now.anuncia) == (1, False, None)
    assert now.despierta == due + AVISO
    late = at(gro, due + AVISO, signed)
    assert late.anuncia is not None
    assert late.anuncia.indice == 1
    assert late.anuncia.vence + MIN > due + AVISO, "within a minute"
    assert late.hasta is not None
    assert late.hasta > late.anuncia.hasta, "the next notice is there before this one ends"


def test_one_notice_is_enough_until_its_slot_ends_and_then_another_says_both_hours(gro: Convocatoria) -> None:
    signed = cortes(gro, 0)
    due = gro.inicio + 20 * MIN
    late = at(gro, due + AVISO, signed)
    notice = retraso(gro, due + AVISO, 2, late.hasta)
    for later in (AVISO + timedelta(seconds=1), 10 * MIN, 20 * MIN - timedelta(seconds=1)):
        assert at(gro, due + later, signed, notice).anuncia is None
    following = at(gro, due + 20 * MIN + AVISO, signed, notice)
    assert following.anuncia is not None
    assert following.anuncia.indice == 2
    assert [one.indice for one in following.ausentes] == [1, 2]
    text = texto_de_retraso(following.ausentes, signed[-1], gro)
    assert text == (
        "Los cortes de las 20:20 y 20:40 h se retrasan. "
        "Los resultados que se muestran son los del corte de las 20:00 h."
    )


def test_a_delay_that_a_person_announced_without_an_end_is_not_announced_again(gro: Convocatoria) -> None:
    signed = cortes(gro, 0)
    due = gro.inicio + 20 * MIN
    by_hand = retraso(gro, due - 5 * MIN, None)
    assert at(gro, due + 10 * MIN, signed, by_hand).anuncia is None
    # It ended with the cut that came after it: the next delay is another one.
    assert at(gro, due + 21 * MIN, cortes(gro, 0, 1), by_hand).anuncia is not None


def test_a_slot_without_a_cut_is_lost_and_the_next_one_is_made(gro: Convocatoria) -> None:
    signed = cortes(gro, 0)
    due = gro.inicio + 40 * MIN
    now = at(gro, due, signed)
    assert now.corta is not None
    assert now.corta.indice == 2
    assert [one.indice for one in now.terminados if one.corte is None] == [1]
    assert at(gro, due, signed, anotados=2).terminados == ()


def test_a_service_that_was_off_for_an_hour_announces_only_the_present(gro: Convocatoria) -> None:
    signed = cortes(gro, 0)
    now = at(gro, gro.inicio + 85 * MIN, signed)
    assert now.corta is not None
    assert now.corta.indice == 4
    assert [one.indice for one in now.terminados if one.corte is None] == [1, 2, 3]
    assert now.anuncia is not None
    assert [one.indice for one in now.ausentes] == [1, 2, 3, 4]


def test_the_closing_cut_is_owed_until_it_is_signed_and_its_notice_is_renewed(gro: Convocatoria) -> None:
    slots = len(periodos(gro))
    signed = cortes(gro, *range(slots - 1))
    end = gro.fin_actualizacion
    notice: Aviso | None = None
    for interval in range(4):
        instant = end + interval * 20 * MIN + AVISO
        now = at(gro, instant, signed, *(() if notice is None else (notice,)), anotados=slots - 1)
        assert now.corta is not None
        assert now.ultimo
        assert now.corta.indice == slots - 1
        assert now.terminados == (), "it is not lost"
        assert now.anuncia is not None
        assert now.hasta is not None
        assert now.hasta > instant + 19 * MIN
        notice = retraso(gro, instant, slots, now.hasta)
    closed = cortes(gro, *range(slots), ultimo=True)
    over = at(gro, end + timedelta(hours=2), closed, anotados=slots)
    assert (over.fase, over.corta, over.anuncia, over.sella) == ("cerrada", None, None, False)


def test_an_early_closing_leaves_nothing_due(gro: Convocatoria) -> None:
    closed = cortes(gro, 0, 1, 2, ultimo=True)
    assert len(periodos(gro, closed)) == 3
    over = at(gro, gro.inicio + timedelta(hours=3), closed)
    assert (over.fase, over.corta, over.anuncia, over.sella) == ("cerrada", None, None, False)


def test_the_timestamp_is_signed_again_each_interval_also_while_a_cut_is_late(gro: Convocatoria) -> None:
    signed = cortes(gro, 0)
    now = gro.inicio + 45 * MIN
    notice = retraso(gro, gro.inicio + 20 * MIN, 2)
    old = tareas(gro, signed, [notice], ahora=now, aviso_tras=AVISO, anotados=0, sellado=now - 20 * MIN)
    assert old.sella
    fresh = tareas(gro, signed, [notice], ahora=now, aviso_tras=AVISO, anotados=0, sellado=now - 19 * MIN)
    assert not fresh.sella
    # A notice is a signature too: what is about to announce does not sign twice.
    both = tareas(gro, signed, [], ahora=now, aviso_tras=AVISO, anotados=0, sellado=now - 20 * MIN)
    assert both.anuncia is not None
    assert not both.sella


@given(st.data())
def test_whatever_was_signed_one_thing_is_made_at_a_time_and_time_goes_on(data: st.DataObject) -> None:
    gro = load("gro-2021")
    every = periodos(gro)
    slots = sorted(data.draw(st.sets(st.integers(0, len(every) - 2), max_size=40)))
    signed = cortes(gro, *slots)
    after = signed[-1].firmado if signed else gro.inicio - timedelta(hours=1)
    now = after + timedelta(seconds=data.draw(st.integers(0, 100_000)))
    found = at(gro, now, signed)
    assert found.despierta > now
    if found.corta is not None:
        assert found.corta.vence <= now
        assert found.corta.corte is None
        assert found.ultimo == (found.corta.indice == len(every) - 1)
        if not found.ultimo:
            assert now < found.corta.hasta
        assert found.corta not in found.terminados
    if found.anuncia is not None:
        assert found.anuncia == found.corta
        assert now >= found.anuncia.vence + AVISO
    assert all(one.hasta <= now for one in found.terminados)


def test_texts_for_citizens() -> None:
    gro = load("gro-2021")
    slots = periodos(gro)
    assert texto_de_retraso(slots[:1], None, gro) == (
        "El corte de las 20:00 h se retrasa. El instituto publicará los primeros resultados en cuanto estén listos."
    )
    many = texto_de_retraso(slots[1:8], cortes(gro, 0)[0], gro)
    assert many.startswith("Los cortes de las …, 21:20, 21:40, 22:00 y 22:20 h se retrasan.")
    assert slots[0].vence.astimezone(UTC).hour == 1
