"""The model against nights that can be worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pregon.simulacro.modelo.noche import percentil
from pregon.simulacro.modelo.reparto import (
    MBIT,
    VUELTAS,
    Escenario,
    Trabajo,
    ajusta,
    difusores_posibles,
    p95,
    subida_necesaria,
    visibles,
)

UNO = Trabajo(instituto_s=0.5, difusor_s=2.0, bytes=10 * MBIT, fijo_s=0.25, nucleos=2)


def test_one_difusor_takes_what_each_part_takes() -> None:
    caso = Escenario(1, subida_mbps=20, bajada_mbps=10, ms=80)
    assert visibles(UNO, caso) == pytest.approx([0.5 + VUELTAS * 0.08 + 1.0 + 2.0 + 0.25])
    assert visibles(UNO, replace(caso, bajada_mbps=100)) == pytest.approx([0.5 + VUELTAS * 0.08 + 0.5 + 2.0 + 0.25])


def test_uplink_is_shared_and_nobody_takes_more_than_its_own_link() -> None:
    quick = replace(UNO, instituto_s=1e-9)
    assert visibles(quick, Escenario(4, subida_mbps=10)) == pytest.approx([4 + 2.25] * 4)
    assert visibles(quick, Escenario(4, subida_mbps=1000, bajada_mbps=5)) == pytest.approx([2 + 2.25] * 4)


def test_nobody_begins_before_a_turn_is_free() -> None:
    quick = replace(UNO, instituto_s=1e-9, difusor_s=0.0, fijo_s=0.0)
    assert visibles(quick, Escenario(5, subida_mbps=10, a_la_vez=2)) == pytest.approx([2, 2, 4, 4, 5])


def test_institute_works_on_one_at_a_time_and_difusores_side_by_side() -> None:
    nothing = replace(UNO, bytes=0.0, fijo_s=0.0)
    assert visibles(nothing, Escenario(4)) == pytest.approx([2.5, 3.0, 3.5, 4.0])


def test_on_one_machine_all_the_work_shares_its_processors() -> None:
    """The last is seen when all the work is done: 30 deliveries and 30 receptions by two processors."""
    together = visibles(replace(UNO, fijo_s=0.0), Escenario(30, juntos=True))
    assert 37.5 <= max(together) <= 37.5 + 1.0  # Until the first delivery ends there is work for one.
    assert max(visibles(UNO, Escenario(30))) == pytest.approx(30 * 0.5 + 2.25, rel=0.01)


def test_what_is_fitted_to_ten_gives_back_ten_and_says_what_sixty_take() -> None:
    truth = replace(UNO, nucleos=1.3, fijo_s=0.4)
    ten = visibles(truth, Escenario(10, juntos=True))
    fitted = ajusta(replace(UNO, nucleos=2.0, fijo_s=0.0), Escenario(10, juntos=True), ten, sola_s=2.9, tope=2.0)
    assert p95(fitted, Escenario(10, juntos=True)) == pytest.approx(percentil(ten, 0.95), rel=0.01)
    for many in (30, 60):
        assert p95(fitted, Escenario(many, juntos=True)) == pytest.approx(
            p95(truth, Escenario(many, juntos=True)), rel=0.05
        )


def test_processors_are_never_more_than_there_are() -> None:
    ten = [0.01] * 10
    assert ajusta(UNO, Escenario(10, juntos=True), ten, sola_s=0.0, tope=2.0).nucleos == 2.0


def test_least_uplink_is_enough_and_a_tenth_less_is_not() -> None:
    caso = Escenario(60, ms=20)
    found = subida_necesaria(UNO, caso, limite_s=60)
    assert found is not None
    assert p95(UNO, replace(caso, subida_mbps=found)) <= 60 < p95(UNO, replace(caso, subida_mbps=found * 0.9))
    assert subida_necesaria(UNO, caso, limite_s=2) is None


def test_most_difusores_fit_and_one_more_does_not() -> None:
    caso = Escenario(1, subida_mbps=50, ms=20)
    most = difusores_posibles(UNO, caso, limite_s=60)
    assert p95(UNO, replace(caso, difusores=most)) <= 60 < p95(UNO, replace(caso, difusores=most + 1))
    assert difusores_posibles(UNO, caso, limite_s=1) == 0
    assert difusores_posibles(UNO, caso, limite_s=1e9, tope=7) == 7
