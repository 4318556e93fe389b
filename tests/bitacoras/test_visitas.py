"""Visits, visitors, windows and days, by the definitions; the half hour to the second."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from pregon.base.errors import UsoError
from pregon.bitacoras.ventanas import Ventana, windows
from tests.bitacoras.medir import FIREFOX, GOOGLEBOT, INICIO, Peticion, cuentas, escribe, mide, una

if TYPE_CHECKING:
    from pathlib import Path

CERO = int(INICIO.timestamp())


def test_a_visit_ends_after_thirty_minutes_without_a_hit(tmp_path: Path) -> None:
    seconds = [0, 1800, 3600, 5400 + 1, 5401 + 1800, 5401 + 3601]  # gaps: 1800, 1800, 1801, 1800, 1801
    one = una(mide(escribe(tmp_path / "a", [Peticion(second) for second in reversed(seconds)])))
    assert (one.visitas, one.visitantes, one.paginas) == (3, 1, 6)
    assert one.paginas_por_visita == 2.0
    assert one.segundos_por_visita == round((3600 + 1800 + 0) / 3, 1)


@pytest.mark.parametrize("offset", [0, 1, 899, 1799])
def test_where_the_half_hours_of_the_clock_fall_does_not_matter(offset: int, tmp_path: Path) -> None:
    some = [Peticion(offset + second) for second in (0, 1799, 1800, 3600, 3600 + 1801)]
    assert una(mide(escribe(tmp_path / "a", some))).visitas == 2


def test_what_keeps_a_visit_alive_need_not_be_a_page_but_a_visit_saw_one(tmp_path: Path) -> None:
    some = [
        Peticion(0),
        Peticion(1500, ruta="/corte.json"),
        Peticion(3000),
        Peticion(0, direccion="203.0.113.1", ruta="/corte.json"),  # never a page
        Peticion(0, direccion="203.0.113.2", estado=404),
        Peticion(0, direccion="203.0.113.3", metodo="POST"),
        Peticion(0, direccion="203.0.113.4", agente=GOOGLEBOT),
        Peticion(0, direccion="203.0.113.5", agente="-"),
        Peticion(0, agente=FIREFOX.replace("89", "90")),  # the same address, another visitor
    ]
    one = una(mide(escribe(tmp_path / "a", some)))
    assert (one.visitas, one.visitantes, one.paginas) == (2, 2, 3)
    assert (one.hits, one.hits_robots) == (9, 2)
    assert cuentas(one.robots) == {"Googlebot": 1, "sin agente": 1}
    assert [(row.desde, row.visitantes) for row in one.por_media_hora] == [(CERO, 2), (CERO + 1800, 1)]
    assert [(row.desde - CERO, row.visitas) for row in one.por_minuto] == [(0, 2), (1500, 1), (3000, 1)]


def test_windows_are_local_days_and_what_is_outside_is_only_counted(tmp_path: Path) -> None:
    mexico = ZoneInfo("America/Mexico_City")
    days = {"base": (date(2021, 5, 30), date(2021, 5, 31)), "eleccion": (date(2021, 6, 6), date(2021, 6, 7))}
    spans = windows(1, days, mexico)
    first = spans[1].desde - CERO  # midnight of 6 June, in México: -05:00 that year
    assert first == -20 * 3600
    some = [
        Peticion(first - 1),
        Peticion(first),
        Peticion(first + 600),
        Peticion(first + 2 * 86400 - 1),
        Peticion(first + 2 * 86400),
        Peticion(spans[0].desde - CERO + 5, bytes=3),
    ]
    found = mide(escribe(tmp_path / "a", some), ventanas=spans)
    assert [(one.ventana, one.hits, one.visitas) for one in found.medidas] == [("base", 1, 1), ("eleccion", 3, 2)]
    assert [(one.nombre, one.hits, one.bytes) for one in found.fuera] == [("prep", 2, 2000)]
    election = found.de("prep", "eleccion")
    assert election is not None
    assert [(day.dia, day.hits, day.visitas, day.visitantes) for day in election.por_dia] == [
        ("2021-06-06", 2, 1, 1),
        ("2021-06-07", 1, 1, 1),
    ]
    assert found.de("prep", "todo") is None
    with pytest.raises(UsoError, match="se enciman"):
        windows(1, {"base": days["base"], "eleccion": (date(2021, 5, 31), date(2021, 6, 7))}, mexico)


def test_a_log_without_a_hit_in_any_window_measures_nothing_and_says_so(tmp_path: Path) -> None:
    found = mide(escribe(tmp_path / "a", [Peticion()]), ventanas=[Ventana(0, "eleccion", 5, 6)])
    assert found.medidas == ()
    assert [(one.nombre, one.hits) for one in found.fuera] == [("prep", 1)]
    empty = tmp_path / "vacio"
    empty.write_bytes(b"")
    assert mide(empty).as_dict()["medidas"] == ()


def test_visitors_are_told_apart_alike_under_any_key(tmp_path: Path) -> None:
    path = escribe(tmp_path / "a", [Peticion(n, direccion=f"198.51.100.{n % 37}") for n in range(200)])
    assert una(mide(path, clave=b"una")) == una(mide(path, clave=b"otra"))
    assert una(mide(path, clave=b"una")).visitantes == 37
