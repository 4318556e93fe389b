"""Queues: known values, the simulation, and a night that the plan carries and half of it does not."""

from __future__ import annotations

import math
from dataclasses import replace
from random import Random

import pytest

from pregon.convocatoria.perfiles import load
from pregon.difusor.aforo.ajustes import AjustesAforo, Cdn, Red, Servidor
from pregon.difusor.aforo.analisis import analiza
from pregon.difusor.aforo.capacidad import (
    Carga,
    erlang_c,
    espera,
    espera_enlace,
    espera_equipo,
    planea,
    por_nucleo,
    solo,
)
from pregon.difusor.aforo.palabras import dictamen
from pregon.difusor.preflight.revision import HOLGURA, POR_NUCLEO
from pregon.simulacro.modelo.enlace import Enlace, mostrador
from pregon.simulacro.modelo.noche import percentil
from tests.difusor.aforo.conftest import PESOS

CARGA = Carga(peticiones=1500.0, mbps=60.0, pagina_bytes=90_000.0, pagina_peticiones=20)


def test_erlang_c_as_it_is_printed() -> None:
    """One server waits as often as it is busy; two at one Erlang, one in three; ten at eight, 0.4092."""
    assert erlang_c(1, 0.6) == pytest.approx(0.6)
    assert erlang_c(2, 1.0) == pytest.approx(1 / 3)
    assert erlang_c(10, 8.0) == pytest.approx(0.40918, abs=1e-5)
    assert erlang_c(4, 0.0) == 0.0
    assert erlang_c(4, 4.0) == 1.0


def test_a_link_with_room_gives_each_its_own_and_a_full_one_never_ends() -> None:
    assert espera_enlace(100_000, 1000.0, 100.0, 1.6) == pytest.approx(0.5)
    assert espera_enlace(100_000, 0.8, 0.1, 1.6) > 1.0  # a link slower than the telephone
    assert espera_enlace(100_000, 10.0, 10.0, 1.6) == math.inf
    grows = [espera_enlace(100_000, 10.0, 10.0 * part, 1.6) for part in (0.5, 0.9, 0.97, 0.995)]
    assert grows == sorted(grows)
    assert grows[-1] > 10 * grows[0]


@pytest.mark.parametrize(
    ("mbps", "user", "busy"), [(20.0, 5.0, 0.9), (100.0, 1.6, 0.9), (10.0, 20.0, 0.8)], ids=lambda value: f"{value:g}"
)
def test_the_link_is_as_slow_as_the_simulated_one(mbps: float, user: float, busy: float) -> None:
    """Sizes of 60 kB and of ten times that; what each waits for each byte, one hundredth waits longer."""
    rng, now, jobs = Random(3), 0.0, []
    rate = busy * mbps * 1e6 / 8 / 114_000
    for _ in range(15_000):
        now += rng.expovariate(rate)
        jobs.append((now, 60_000.0 if rng.random() < 0.9 else 600_000.0))
    passed = Enlace(mbps * 1e6 / 8, user * 1e6 / 8).pasa(jobs)
    real = percentil((one.segundos / jobs[one.quien][1] for one in passed), 0.99) * 60_000
    assert 0.9 * real <= espera_enlace(60_000, mbps, busy * mbps, user) <= 2 * real


def test_the_machine_is_no_faster_than_the_simulated_one() -> None:
    for cores, busy in ((1, 0.5), (2, 0.9)):
        rng, now, jobs = Random(1), 0.0, []
        for _ in range(20_000):
            now += rng.expovariate(busy * cores * 1000)
            jobs.append((now, rng.expovariate(1000)))
        real = percentil((one.segundos for one in mostrador(jobs, cores)), 0.99)
        assert real <= 1.05 * espera_equipo(busy * cores * 1000, cores, 1000.0) <= 1.7 * real
    assert espera_equipo(2000.0, 2, 1000.0) == math.inf


def test_a_page_alone_is_its_round_trips_and_its_bytes() -> None:
    """90 kB: 14.6, 29.2, then the rest: 3 rounds, the first with the question. 4 + 3 + 2 trips of 150 ms."""
    assert solo(CARGA, Red()) == pytest.approx(9 * 0.15 + 90_000 * 8 / 1.6e6)


def test_the_plan_is_the_least_that_does() -> None:
    server, net = Servidor(), Red()
    plan = planea(CARGA, net, server, 10.0)
    assert plan.basta
    assert plan.minimo.cumple(10.0, 0.7)
    assert not espera(CARGA, net, server, equipos=plan.equipos, mbps=plan.mbps - 1).cumple(10.0, 0.7)
    assert plan.equipos == 1
    assert planea(CARGA.por(4), net, server, 10.0).equipos == math.ceil(6000 / (2 * por_nucleo(server) * 0.7))
    edge = CARGA.por(plan.aguanta * 0.999)
    assert espera(edge, net, server, equipos=1, mbps=100.0).cumple(10.0, 0.7)
    assert not espera(CARGA.por(plan.aguanta * 1.001), net, server, equipos=1, mbps=100.0).cumple(10.0, 0.7)
    small = planea(CARGA, net, server.model_copy(update={"mbps": 50.0}), 10.0)
    assert not small.basta
    assert small.declarado.p99 == math.inf
    assert small.aguanta < 1
    assert small.mbps == plan.mbps


def test_a_page_too_heavy_for_a_slow_telephone_has_no_plan() -> None:
    """A package of 20 MB a page (INE-II-a-iii-3d): 100 seconds at 1.6 Mbps, whatever the link."""
    plan = planea(replace(CARGA, pagina_bytes=20e6), Red(), Servidor(), 10.0)
    assert plan.mbps == math.inf
    assert plan.aguanta == 0
    heavy = replace(PESOS, primera=replace(PESOS.primera, gzip=20_000_000))
    found = analiza(load("ine-2021"), AjustesAforo(visitantes=1000, fuente="x"), heavy)
    assert any("aligerar" in one for one in dictamen(found))
    assert found.as_dict()["capacidad"]["mbps"] is None


def test_what_one_core_gives_is_what_was_measured_unless_somebody_measured_his() -> None:
    assert por_nucleo(Servidor()) == POR_NUCLEO["caddy"] * HOLGURA
    assert por_nucleo(Servidor(programa="nginx", por_nucleo=900.0)) == 900.0


def test_the_night_fits_in_the_planned_link_and_not_in_half_of_it() -> None:
    """The simulated crowd of the high scenario, through the link: what each waits in the minutes of the peak."""
    from pregon.difusor.aforo.curva import noche
    from pregon.simulacro.modelo.noche import esperas, multitud
    from pregon.simulacro.modelo.publico import en_visitas

    call, settings = "gro-2021", AjustesAforo(visitantes=12_000, fuente="x")
    found = analiza(load(call), settings, PESOS)
    people = found.demanda.visitantes("alto")
    habits, portal = en_visitas(noche(load(call)), settings, PESOS)
    _, asked = multitud(9, people, habits, portal)
    peak = found.escenarios["alto"].mbps.segundo
    near = [one for one in asked if peak - 600 <= one.hora < peak + 120]

    def p99(mbps: float) -> float:
        waits = esperas(near, capacidad=mbps * 1e6 / 8, tope=settings.red.mbps_usuario * 1e6 / 8)
        return percentil((s for one, s in waits if one.clase == "primera" and one.hora >= peak), 0.99)

    alone = found.carga.pagina_bytes * 8 / 1e6 / settings.red.mbps_usuario
    assert p99(found.plan.mbps) == pytest.approx(alone, rel=0.2)
    assert found.plan.minimo.p99 < found.limite_s
    assert p99(found.plan.mbps / 2) > found.limite_s > p99(found.plan.mbps)


def test_words_say_what_the_numbers_do() -> None:
    call = load("ine-2021")
    few = AjustesAforo(visitantes=20_000, fuente="x")
    alone = analiza(call, few, PESOS)
    assert alone.plan.basta
    assert not alone.resuelto  # INE-II-a-i-1 asks for a CDN whatever the load
    assert any("[cdn]" in one for one in dictamen(alone))
    gro = analiza(load("gro-2021"), few, PESOS)
    assert gro.resuelto
    many = few.model_copy(update={"visitantes": 3_000_000})
    assert not analiza(load("gro-2021"), many, PESOS).resuelto
    behind = analiza(call, many.model_copy(update={"cdn": Cdn(nombre="Una", mbps=20_000)}), PESOS)
    assert not behind.plan.basta
    assert behind.resuelto
    assert behind.origen is not None
    assert behind.origen.mbps == pytest.approx(15 * 600_000 * 8 / 1e6 / 60)
    short = analiza(call, many.model_copy(update={"cdn": Cdn(nombre="Una", mbps=500)}), PESOS)
    assert not short.resuelto
    assert any("no alcanza" in one and "contratado" in one for one in dictamen(short))
    crowd = analiza(call, many.model_copy(update={"cdn": Cdn(nombre="Una", orillas=2000)}), PESOS)
    assert not crowd.resuelto
    assert any("orillas" in one and "ni para" in one for one in dictamen(crowd))
    assert alone.si_pesara(1_000_000) == pytest.approx(alone.escenarios["alto"].consultas.alto * 8)
