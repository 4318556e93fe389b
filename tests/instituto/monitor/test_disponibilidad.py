"""The availability of a month (INE-IV-a): what is known, what is pending, and what no ending can change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from pregon.base.clock import ManualClock
from pregon.base.errors import UsoError
from pregon.base.state import StateDatabase
from pregon.instituto.monitor.disponibilidad import SERIE, Juicio, Mes, limites, mes, suma
from pregon.instituto.monitor.modelo import Causa, Dictamen, Veredicto

if TYPE_CHECKING:
    from pathlib import Path

MEXICO = ZoneInfo("America/Mexico_City")
JUNIO = limites("2021-06", MEXICO)
PEDIDA = Decimal("99.9")
HORA = datetime(2021, 6, 7, 2, 0, tzinfo=UTC)


def said(veredicto: Veredicto, causa: Causa = "difusor", difusor: str = "uno") -> Dictamen:
    return Dictamen(difusor=difusor, hora=HORA, veredicto=veredicto, causa=causa)


def month(state: StateDatabase, *, alta: datetime | None = JUNIO[0], hasta: datetime | None = None) -> Mes:
    return mes(state.rows(SERIE), {"uno": alta}, mes=JUNIO, hasta=hasta, exigida=PEDIDA)[0]


@pytest.fixture
def state(tmp_path: Path) -> StateDatabase:
    return StateDatabase(tmp_path / "estado.sqlite", ManualClock(HORA))


def test_each_round_stands_for_its_seconds_by_what_it_found(state: StateDatabase) -> None:
    for veredicto, causa in (
        ("al_dia", "ninguna"),
        ("atrasado", "difusor"),
        ("alterado", "difusor"),
        ("inaccesible", "difusor"),
        ("inaccesible", "sin_determinar"),
        ("sin_determinar", "red"),
        ("al_dia", "red"),
    ):
        suma(state, HORA, [said(veredicto, causa)], 60)  # type: ignore[arg-type]
    found = month(state)
    assert (found.segundos.arriba, found.segundos.abajo, found.segundos.sin) == (240, 60, 120)
    assert found.segundos.al_dia == 120
    assert found.porcentaje == "80.0000"
    assert found.total == 30 * 86_400
    assert found.pendiente == found.total - 300


def test_hours_are_added_each_to_its_row_and_those_of_other_months_are_left_out(state: StateDatabase) -> None:
    edge = JUNIO[1]  # midnight of Mexico, not of UTC
    for when in (HORA, HORA + timedelta(hours=1), edge - timedelta(minutes=1), edge, JUNIO[0] - timedelta(minutes=1)):
        suma(state, when, [said("al_dia", "ninguna"), said("al_dia", "ninguna", "dos")], 60)
    assert month(state).segundos.arriba == 180
    assert len(list(state.rows(SERIE))) == 5


@pytest.mark.parametrize(
    ("arriba", "abajo", "expected"),
    [
        (2_592_000, 0, "cumple"),
        (2_592_000 - 2_592, 2_592, "cumple"),  # 99.9 % exactly
        (2_592_000 - 2_593, 2_593, "no_cumple"),
        (0, 2_593, "no_cumple"),  # whatever comes
        (0, 2_592, "pendiente"),
        (2_589_407, 0, "pendiente"),
        (2_589_408, 0, "cumple"),
        (0, 0, "pendiente"),
    ],
)
def test_only_what_no_ending_can_change_is_said(
    state: StateDatabase, arriba: int, abajo: int, expected: Juicio
) -> None:
    suma(state, HORA, [said("al_dia", "ninguna")], arriba)
    suma(state, HORA, [said("inaccesible")], abajo)
    assert month(state).juicio == expected


def test_it_counts_from_registration_to_permanence(state: StateDatabase) -> None:
    suma(state, HORA, [said("inaccesible")], 60)
    alta, end = HORA - timedelta(hours=1), HORA + timedelta(hours=2)
    found = month(state, alta=alta, hasta=end)
    assert (found.desde, found.hasta, found.total) == (alta, end, 3 * 3600)
    assert found.juicio == "no_cumple"
    assert month(state, alta=None, hasta=end).desde == HORA  # no form: from the first round that saw it
    never = mes(state.rows(SERIE), {"otro": None}, mes=JUNIO, hasta=None, exigida=None)[0]
    assert (never.total, never.porcentaje, never.juicio) == (0, None, "no_pide")
    assert month(state, alta=JUNIO[1] + timedelta(days=1)).total == 0


def test_a_month_is_written_as_year_and_month() -> None:
    assert limites("2021-12", MEXICO)[1] == datetime(2022, 1, 1, tzinfo=MEXICO)
    assert limites("2021-02", MEXICO)[1] == datetime(2021, 3, 1, tzinfo=MEXICO)
    for text in ("2021", "junio", "2021-13", ""):
        with pytest.raises(UsoError):
            limites(text, MEXICO)


def test_what_is_truncated_is_never_rounded_up(state: StateDatabase) -> None:
    suma(state, HORA, [said("al_dia", "ninguna")], 2_591_999)
    suma(state, HORA, [said("inaccesible")], 1)
    assert month(state).porcentaje == "99.9999"
