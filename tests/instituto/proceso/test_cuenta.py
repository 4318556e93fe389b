"""How a slot ends and what is counted: cuts and not looks, and never what was not the difusor's (GRO-3.3a)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import reduce
from typing import TYPE_CHECKING

import pytest

from pregon.convocatoria import perfiles
from pregon.instituto.proceso.cuenta import MAX_EVIDENCIA, cierra, suma, terminado, tolerancia
from pregon.instituto.proceso.modelo import Cierre, Cuenta
from tests.instituto.proceso.relojes import DIFUSOR, INICIO, INTERVALO, TOLERANCIA, periodo, visto

if TYPE_CHECKING:
    from pregon.instituto.monitor.modelo import Dictamen


def cierre(indice: int, *seen: Dictamen, firmado_min: float | None = 1) -> Cierre:
    return cierra(DIFUSOR, periodo(indice, firmado_min=firmado_min), seen, tolerancia=TOLERANCIA)


@pytest.mark.parametrize("look_s", [10, 60, 300])
def test_twenty_looks_that_fail_are_one_failed_cut(look_s: int) -> None:
    looks = [visto(0, second / 60, "inaccesible") for second in range(0, 20 * 60, look_s)]
    closed = cierre(0, *looks)
    assert closed.resultado == "fallo"
    count = suma(Cuenta(difusor=DIFUSOR), closed)
    assert count.seguidas == 1
    assert count.cierres == (closed,)


def test_last_thing_found_out_decides() -> None:
    solved = cierre(0, visto(0, 12, "inaccesible"), visto(0, 19, "al_dia"))
    broke = cierre(0, visto(0, 12, "al_dia"), visto(0, 19, "atrasado", corte=0))
    blind = cierre(0, visto(0, 12, "atrasado", corte=0), visto(0, 19, "sin_determinar"))
    assert [one.resultado for one in (solved, broke, blind)] == ["cumplio", "fallo", "fallo"]
    assert broke.evidencia == (19,)
    assert (broke.veredicto, broke.corte_visto) == ("atrasado", 0)
    assert blind.evidencia == (12,)


def test_order_in_which_they_are_given_changes_nothing() -> None:
    looks = [visto(0, 12, "inaccesible"), visto(0, 15, "al_dia"), visto(0, 19, "alterado")]
    assert cierre(0, *looks) == cierre(0, *reversed(looks))
    assert cierre(0, *looks).resultado == "fallo"


@pytest.mark.parametrize("firmado_min", [None, 11, 19.9])
def test_cut_that_the_institute_missed_or_signed_late_counts_for_nobody(firmado_min: float | None) -> None:
    closed = cierre(0, visto(0, 19.95, "inaccesible"), firmado_min=firmado_min)
    assert closed.resultado == "no_cuenta"
    assert "el instituto" in closed.porque
    before = Cuenta(difusor=DIFUSOR, seguidas=2)
    assert suma(before, closed) == before


def test_signed_with_exactly_the_promised_time_left_is_judged() -> None:
    assert cierre(0, visto(0, 19.9, "inaccesible"), firmado_min=9).resultado == "fallo"
    # Of the ten minutes, none is over before the slot is: nothing accuses it.
    assert cierre(0, visto(0, 19.9, "inaccesible"), firmado_min=10).resultado == "no_cuenta"


def test_within_the_tolerance_only_the_very_cut_weighs() -> None:
    assert cierre(0, visto(0, 3, "inaccesible")).resultado == "no_cuenta"
    assert cierre(0, visto(0, 3, "al_dia", corte=0)).resultado == "no_cuenta"
    assert cierre(0, visto(0, 3, "al_dia")).resultado == "cumplio"
    assert cierre(0, visto(0, 11, "inaccesible")).resultado == "fallo"


@pytest.mark.parametrize("causa", ["red", "instituto"])
def test_failure_that_is_not_the_difusors_does_not_count(causa: str) -> None:
    closed = cierre(0, visto(0, 12, "inaccesible"), visto(0, 19, "inaccesible", causa))  # type: ignore[arg-type]
    assert closed.resultado == "no_cuenta"
    assert suma(Cuenta(difusor=DIFUSOR, seguidas=2), closed).seguidas == 2


def test_failure_that_is_nobodys_finds_nothing_out() -> None:
    """Not reached from a point that reached nobody, with too few to say that its network was lost."""
    nobodys = visto(0, 19, "inaccesible", "sin_determinar")
    assert cierre(0, nobodys).resultado == "no_cuenta"
    assert cierre(0, visto(0, 12), nobodys).resultado == "cumplio"
    assert cierre(0, visto(0, 12, "inaccesible"), nobodys).resultado == "fallo"


def test_what_is_of_others_or_of_other_slots_is_left_aside() -> None:
    others = [
        visto(0, 15, "inaccesible", difusor="tele-dos"),
        visto(1, 0, "inaccesible"),
        visto(-1, 19.9, "inaccesible"),
    ]
    assert cierre(0, *others).resultado == "no_cuenta"
    assert cierre(0, *others, visto(0, 15)).resultado == "cumplio"


def test_count_goes_to_zero_with_a_fulfilled_cut_and_stays_with_one_that_does_not_count() -> None:
    fail, good, nothing = (visto(0, 15, "inaccesible"), visto(0, 15), visto(0, 15, "sin_determinar"))

    def night(*each: Dictamen) -> list[int]:
        counts, count = [], Cuenta(difusor=DIFUSOR)
        for index, one in enumerate(each):
            moved = replace(one, hora=one.hora + index * INTERVALO, corte=index + 1)
            count = suma(count, cierre(index, moved))
            counts.append(count.seguidas)
        return counts

    assert night(fail, fail, good, fail, nothing, fail, fail) == [1, 2, 0, 1, 1, 2, 3]


def test_three_failures_with_missed_cuts_of_the_institute_between_them() -> None:
    """GRO-3.3a counts updates; one that the institute did not make is none, for good or for bad."""
    closed = [
        cierre(0, visto(0, 15, "inaccesible")),
        cierre(1, visto(1, 15, "inaccesible"), firmado_min=None),
        cierre(2, visto(2, 15, "inaccesible")),
        cierre(3, visto(3, 15, "inaccesible"), firmado_min=15),
        cierre(4, visto(4, 15, "inaccesible")),
    ]
    count = reduce(suma, closed, Cuenta(difusor=DIFUSOR))
    assert count.seguidas == 3
    assert [one.periodo for one in count.cierres] == [0, 2, 4]


def test_evidence_is_bounded_and_keeps_the_last() -> None:
    looks = [visto(0, 11 + n / 60, "inaccesible", evidencia=(n, n + 1000)) for n in range(200)]
    closed = cierre(0, *looks)
    assert len(closed.evidencia) == MAX_EVIDENCIA
    assert closed.evidencia[-2:] == (199, 1199)


def test_slot_ends_with_its_time_or_with_the_next_signature() -> None:
    one, late = periodo(0), periodo(1, firmado_min=None)
    early = periodo(1, firmado_min=-1)
    assert not terminado(one, late, INICIO + timedelta(minutes=19, seconds=59))
    assert terminado(one, late, INICIO + INTERVALO)
    assert terminado(one, early, INICIO + timedelta(minutes=19))
    assert not terminado(one, early, INICIO + timedelta(minutes=18))
    assert terminado(one, None, INICIO + INTERVALO)


@pytest.mark.parametrize(
    ("profile", "seconds"),
    [("gro-2021", 600), ("dgo-2024", 60), ("mor-2024", 300), ("mex-2021", 600), ("ine-2021", 600)],
)
def test_time_that_each_call_gives_a_cut(profile: str, seconds: int) -> None:
    """GRO-2.2b ten minutes, DGO-I-11d one; the others say nothing: half of their interval."""
    assert tolerancia(perfiles.load(profile)) == timedelta(seconds=seconds)
