"""The simulated crowd does what its habits say, and the same seed does the same."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pregon.simulacro.modelo.noche import cuenta, esperas, multitud, percentil
from pregon.simulacro.modelo.visitas import Costumbres, Estancia, Peso, Portal, Suceso

COMO = Costumbres(
    segundos=7200,
    cortes=(1200, 2400, 3600, 4800, 6000, 7200),
    horas=(3.0, 1.0),
    apertura=0.1,
    apertura_s=120.0,
    pulso=0.3,
    pulso_s=120.0,
    visitas=1.5,
    paginas=3.0,
    estancia_s=600.0,
    descarga=0.1,
)
PORTAL = Portal(
    primera=Peso(10, 1000.0),
    repetida=Peso(3, 300.0),
    novedad=Peso(2, 200.0),
    paginas=((0.75, Peso(1, 100.0)), (0.25, Peso(2, 400.0))),
    descarga=Peso(1, 5000.0),
)


def kinds(asked: list[Suceso]) -> dict[str, int]:
    return {name: sum(one.clase == name for one in asked) for name in ("primera", "repetida", "pagina", "descarga")}


def test_the_same_seed_is_the_same_night_and_another_is_not() -> None:
    first = multitud(3, 200, COMO, PORTAL)
    assert first == multitud(3, 200, COMO, PORTAL)
    assert first != multitud(4, 200, COMO, PORTAL)


def test_people_do_what_their_habits_say() -> None:
    stays, asked = multitud(1, 8000, COMO, PORTAL)
    found = kinds(asked)
    assert found["primera"] == 8000
    assert found["repetida"] == pytest.approx(4000, rel=0.06)
    assert len(stays) == found["primera"] + found["repetida"]
    assert found["pagina"] == pytest.approx(2 * len(stays), rel=0.05)
    assert found["descarga"] == pytest.approx(0.1 * len(stays), rel=0.1)
    assert sum(stay.se_va - stay.llega for stay in stays) / len(stays) == pytest.approx(600, rel=0.03)
    assert all(0 <= stay.llega < 7200 for stay in stays)
    assert [one.hora for one in asked] == sorted(one.hora for one in asked)
    # By the hour 60 % come, three in the first for each in the second.
    plain = multitud(1, 8000, replace(COMO, apertura=0.0, pulso=0.0), PORTAL)[0]
    early = sum(stay.llega < 3600 for stay in plain)
    assert early / len(plain) == pytest.approx(0.75, abs=0.02)
    pulse = multitud(1, 2000, replace(COMO, apertura=0.0, pulso=1.0, pulso_s=1.0), PORTAL)[0]
    assert all(stay.llega % 1200 < 15 and stay.llega > 1199 for stay in pulse)


def test_only_pages_open_at_a_cut_ask_for_it_once_and_within_the_minute() -> None:
    stays, asked = multitud(2, 500, COMO, PORTAL)
    news = [one.hora for one in asked if one.clase == "novedad"]
    assert news
    assert all(moment % 1200 < 60 for moment in news)
    chances = sum(stay.llega < cut <= stay.se_va for stay in stays for cut in COMO.cortes)
    assert 0.9 * chances < len(news) <= chances


def test_windows_are_counted_and_a_long_transfer_is_spread() -> None:
    asked = [
        Suceso(1.0, "primera", Peso(4, 100.0)),
        Suceso(8.0, "descarga", Peso(1, 600.0)),
        Suceso(29.0, "x", Peso(2, 0)),
    ]
    stays = [Estancia(0.0, 9.0), Estancia(5.0, 25.0), Estancia(9.5, 10.0)]
    found = cuenta(stays, asked, segundos=30, tope=50.0)
    assert found.peticiones == [5, 0, 2]
    assert found.bytes == [100.0 + 2 * 50.0, 500.0, 0.0]
    assert found.pico_peticiones == 0.5
    assert found.pico_mbps == 500 * 8 / 1e6 / 10
    assert found.abiertas_max == 2


def test_a_narrow_link_makes_them_wait() -> None:
    _, asked = multitud(5, 300, COMO, PORTAL)
    wide = percentil((seconds for _, seconds in esperas(asked, capacidad=1e9, tope=1e4)), 0.99)
    narrow = percentil((seconds for _, seconds in esperas(asked, capacidad=300.0, tope=1e4)), 0.99)
    assert wide == pytest.approx(0.5)  # a data base alone: 5000 / 1e4
    assert narrow > 10 * wide
