"""The calendar of each call, line by line against its text, and what a calendar program reads of it."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar
from typer.testing import CliRunner

from pregon.cli.app import app
from pregon.convocatoria.calendario import apremian, fechas, ics, proximas
from pregon.convocatoria.perfiles import ids, load

if TYPE_CHECKING:
    from pathlib import Path

HOY = datetime(2021, 5, 1, 12, tzinfo=UTC)
CENTRO = ZoneInfo("America/Mexico_City")


def test_guerrero_is_the_calendar_of_its_text() -> None:
    """GRO-1.1a to 1.1c, 1.4, 1.5b, 1.6a, 5.1 to 5.3, 6.2 and 6.6, in the order in which they come."""
    told = [
        (one.clave, one.quien, one.desde.isoformat()[:16], one.hasta.isoformat()[:16])
        for one in fechas(load("gro-2021"))
    ]
    assert told == [
        ("plazos.solicitud", "difusor", "2021-05-03", "2021-05-03"),
        ("plazos.infraestructura", "difusor", "2021-05-11", "2021-05-11"),
        ("etapas.1", "ambos", "2021-05-11", "2021-05-15"),
        ("etapas.2", "ambos", "2021-05-16", "2021-05-30"),
        ("plazos.memoria_formato", "instituto", "2021-05-21", "2021-05-21"),
        ("etapas.3", "ambos", "2021-06-01", "2021-06-07"),
        ("plazos.lista", "instituto", "2021-06-03", "2021-06-03"),
        ("memoria.bitacoras", "difusor", "2021-06-04", "2021-06-07"),
        ("inicio", "ambos", "2021-06-06T20:00", "2021-06-07T20:00"),
        ("permanencia_hasta", "difusor", "2021-06-07T20:00", "2021-07-01T23:59"),
    ]


def test_list_is_public_from_its_day_or_by_it_at_the_latest() -> None:
    """DGO-I-7a, DGO-III-3: «una vez aprobada», «a más tardar»; the others say «a partir de»."""
    told = {name: next(one for one in fechas(load(name)) if one.clave == "plazos.lista") for name in ids()}
    assert {name: one.clase for name, one in told.items()} == dict.fromkeys(ids(), "desde") | {"dgo-2024": "plazo"}
    assert told["dgo-2024"].cuando() == "a más tardar el lunes 27 de mayo de 2024"
    assert told["mor-2024"].cuando() == "desde el lunes 27 de mayo de 2024"


@pytest.mark.parametrize("call", ids())
def test_every_date_of_a_profile_is_in_its_calendar(call: str) -> None:
    profile = load(call)
    dates = fechas(profile)
    told = {one.clave for one in dates}
    assert len(told) == len(dates)
    assert {f"plazos.{key}" for key, when in profile.plazos if when is not None} <= told
    for key in ("simulacros", "ventanas_prueba", "etapas"):
        assert {f"{key}.{n}" for n, _ in enumerate(getattr(profile, key), 1)} <= told
    assert ("permanencia_hasta" in told) is (profile.permanencia_hasta is not None)


def test_deadlines_press_for_a_week_and_count_their_whole_day() -> None:
    profile = load("gro-2021")
    last = datetime(2021, 5, 3, 23, 59, 59, tzinfo=CENTRO)
    pressing = [
        (one.clave, day) for day in (26, 27) for one in apremian(profile, datetime(2021, 4, day, 12, tzinfo=CENTRO))
    ]
    assert pressing == [("plazos.solicitud", 27)]
    assert proximas(profile, last)[0].clave == "plazos.solicitud"
    assert proximas(profile, last + timedelta(seconds=1))[0].clave == "plazos.infraestructura"
    assert apremian(profile, datetime(2021, 5, 20, tzinfo=CENTRO)) == ()  # the institute's own deadline is not ours


@pytest.mark.parametrize("call", ids())
def test_calendar_program_reads_the_same_dates(call: str) -> None:
    profile = load(call)
    raw = ics(profile, hecho=HOY)
    assert raw == ics(profile, hecho=HOY)
    assert all(len(line) <= 75 for line in raw.split(b"\r\n"))  # RFC 5545, 3.1: octets
    events = {str(event["uid"]): event for event in Calendar.from_ical(raw).walk("VEVENT")}
    for one in fechas(profile):
        found = [event for uid, event in events.items() if uid.startswith(f"{one.clave}.")]
        assert len(found) == (1 if one.horas is None else (one.hasta - one.desde).days + 1)
        first, last = found[0].decoded("dtstart"), found[-1].decoded("dtend")
        if one.horas is not None:
            assert first == datetime.combine(one.desde, one.horas[0], profile.zona)
            assert last == datetime.combine(one.hasta, one.horas[1], profile.zona)
        elif isinstance(one.hasta, datetime):
            assert first == one.desde
            assert last == one.hasta + timedelta(minutes=one.desde == one.hasta)  # an instant is seen as a minute
        else:
            assert (first, last) == (one.desde, one.hasta + timedelta(days=1))
            assert type(first) is date
        assert len(found[0].walk("VALARM")) == one.limite


def test_command_prints_and_writes_it(tmp_path: Path) -> None:
    target = tmp_path / "dgo.ics"
    result = CliRunner().invoke(app, ["convocatoria", "calendario", "dgo-2024", "--ics", str(target), "--json"])
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    assert [one["que"] for one in told if one["clase"] == "simulacro"]
    assert len(Calendar.from_ical(target.read_bytes()).walk("VEVENT")) >= len(told)
    plain = CliRunner().invoke(app, ["convocatoria", "calendario", "gro-2021"]).stdout
    assert "difusor    Solicitud o aviso al instituto: a más tardar el lunes 3 de mayo de 2021" in plain


def test_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        app, ["convocatoria", "calendario", "gro-2021", "--ics", str(tmp_path / "no" / "x.ics")]
    )
    assert result.exit_code == 73
    assert list(tmp_path.iterdir()) == []
