"""The peak of the formulas against a night that happens person by person, which knows none of them."""

from __future__ import annotations

import math
import statistics
from dataclasses import replace
from typing import Any

import pytest

from pregon.convocatoria.perfiles import load
from pregon.difusor.aforo import curva, peso, pico
from pregon.difusor.aforo.ajustes import AjustesAforo, Curva, Visita
from pregon.difusor.aforo.curva import VENTANA_S, extendida, llegadas, noche
from pregon.difusor.aforo.peso import Consulta, Pesos
from pregon.simulacro.modelo.noche import Cuenta, cuenta, multitud
from pregon.simulacro.modelo.publico import en_visitas
from tests.difusor.aforo.conftest import PESOS

NOCHES: dict[str, tuple[str, int, AjustesAforo]] = {
    "entidad": ("gro-2021", 24_000, AjustesAforo()),
    "insistentes": (
        "ine-2021",
        12_000,
        AjustesAforo(intervalo_min=30, visita=Visita(visitas=3, paginas=5, minutos=25, descarga_pct=2)),
    ),
    "pulsos": ("mex-2021", 20_000, AjustesAforo(curva=Curva(apertura_pct=15, pulso_pct=80, pulso_min=1.5))),
}


def analysed(call: str, people: int, settings: AjustesAforo, pesos: Pesos = PESOS) -> pico.Trafico:
    night = noche(load(call), settings.intervalo_min)
    shape = llegadas(night, settings.curva, settings.visita)
    visits = round(people * settings.visita.visitas)
    return pico.trafico(visits, shape, pesos, settings, peso.partes(pesos, settings.visita))


def simulated(call: str, people: int, settings: AjustesAforo, seed: int, pesos: Pesos = PESOS, **other: Any) -> Cuenta:
    night = noche(load(call), settings.intervalo_min)
    habits, portal = en_visitas(night, settings, pesos, **other)
    stays, asked = multitud(seed, people, habits, portal)
    return cuenta(stays, asked, segundos=night.segundos, tope=settings.red.mbps_usuario * 1e6 / 8)


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.aguante)])
@pytest.mark.parametrize("name", list(NOCHES))
def test_the_peak_is_within_ten_percent_of_a_simulated_night(name: str, seed: int) -> None:
    call, people, settings = NOCHES[name]
    found, real = analysed(call, people, settings), simulated(call, people, settings, seed)
    assert real.pico_peticiones == pytest.approx(found.peticiones.medio, rel=0.1)
    assert real.pico_mbps == pytest.approx(found.mbps.medio, rel=0.1)
    assert real.abiertas_max == pytest.approx(found.simultaneos.medio, rel=0.1)
    assert real.visitas == pytest.approx(found.visitas, rel=0.02)
    assert sum(real.peticiones) == pytest.approx(found.total_peticiones, rel=0.03)
    assert real.consultas == pytest.approx(found.total_consultas, rel=0.03)


def test_the_band_is_where_the_peaks_of_many_small_nights_fall() -> None:
    """With few people chance moves the peak by a third: the middle is still the middle, and the band holds most."""
    call, settings, people = "mex-2021", AjustesAforo(), 1500
    found = analysed(call, people, settings)
    peaks = [simulated(call, people, settings, seed).pico_peticiones for seed in range(16)]
    assert statistics.median(peaks) == pytest.approx(found.peticiones.medio, rel=0.1)
    assert max(peaks) > 1.1 * found.peticiones.medio
    within = sum(found.peticiones.bajo * 0.95 <= one <= found.peticiones.alto * 1.05 for one in peaks)
    assert within >= 13
    # The mean of the busiest window says less than what happens in it: that is why there is a distribution.
    assert max(found.serie_peticiones) < 0.9 * statistics.median(peaks)


def test_few_who_take_something_big_for_longer_than_a_window() -> None:
    """A data base of 3 MB takes a slow telephone 15 seconds, so it is in two windows or three; one visit in fifty takes
    it, and how many do so at once decides the peak."""
    call, people = "gro-2021", 12_000
    settings = AjustesAforo(visita=Visita(descarga_pct=2))
    pesos = replace(PESOS, descarga=Consulta("descarga", 3_000_000, 3_000_000, None, 1))
    found = analysed(call, people, settings, pesos)
    peaks = [simulated(call, people, settings, seed, pesos).pico_mbps for seed in range(4)]
    assert statistics.median(peaks) == pytest.approx(found.mbps.medio, rel=0.1)
    assert sum(found.mbps.bajo * 0.95 <= one <= found.mbps.alto * 1.05 for one in peaks) >= 3
    # All in the window in which each begins, the peak would be another.
    assert max(found.serie_mbps) < 0.8 * found.mbps.medio


@pytest.mark.parametrize("other", [{"pulso": 0.0}, {"estancia_s": 60.0}, {"visitas": 1.0}], ids=str)
def test_a_crowd_of_other_habits_is_told_apart(other: dict[str, Any]) -> None:
    call, _, settings = NOCHES["entidad"]
    found, real = analysed(call, 12_000, settings), simulated(call, 12_000, settings, 1, **other)
    assert max(abs(real.pico_mbps / found.mbps.medio - 1), abs(real.abiertas_max / found.simultaneos.medio - 1)) > 0.1


def test_every_visit_is_somewhere_and_open_pages_follow_little() -> None:
    """With visits that come evenly, pages open at once are the rate of coming times the stay."""
    settings = AjustesAforo(curva=Curva(apertura_pct=0, pulso_pct=0, horas=(1.0,)))
    night = noche(load("gro-2021"))
    shape = llegadas(night, settings.curva, settings.visita)
    assert sum(shape.primeras) + sum(shape.repetidas) == pytest.approx(1)
    assert sum(shape.primeras) == pytest.approx(1 / settings.visita.visitas, rel=1e-3)
    assert shape.primeras[0] > 1.4 * shape.repetidas[0]  # who comes first has not been here before
    assert shape.abiertas[-1] == pytest.approx(600 / night.segundos, rel=1e-3)
    assert sum(shape.paginas) == pytest.approx(settings.visita.paginas - 1, rel=0.01)
    assert len(night.cortes) == 72
    per_cut = shape.abiertas[-1] * 600 / 60 * (1 - math.exp(-60 / 600))
    assert sum(shape.novedades[719:730]) == pytest.approx(per_cut, rel=0.01)
    assert sum(shape.descargas) == pytest.approx(settings.visita.descarga_pct / 100, rel=0.01)


def test_the_curve_follows_the_cuts() -> None:
    night = noche(load("gro-2021"))
    settings = AjustesAforo(curva=Curva(apertura_pct=0, pulso_pct=100, pulso_min=1))
    shape = llegadas(night, settings.curva, settings.visita)
    coming = [a + b for a, b in zip(shape.primeras, shape.repetidas, strict=True)]
    before, after = coming[: 1200 // VENTANA_S], coming[1200 // VENTANA_S : 2400 // VENTANA_S]
    assert sum(before) == 0
    assert sum(after[:6]) > 0.6 * sum(after)
    other = noche(load("gro-2021"), 60)
    assert other.cortes[:2] == (3600, 7200)
    assert other.cortes[-1] == other.segundos


def test_what_takes_long_is_spread_over_the_windows_that_follow() -> None:
    assert extendida([6.0, 0.0, 0.0, 0.0], 5.0) == [6.0, 0.0, 0.0, 0.0]
    assert extendida([6.0, 0.0, 0.0, 0.0], 30.0) == [2.0, 2.0, 2.0, 0.0]
    assert sum(extendida([6.0, 0, 0, 0, 0], 25.0)) == pytest.approx(6.0)
    assert curva.ESPERA_S == 60.0


def test_the_greatest_of_many_equal_windows_is_known() -> None:
    """Of n equal normals the middle of the greatest is where each is with probability 0.5 ** (1/n)."""
    for n in (1, 30, 3000):
        sums = pico._Sumas([100.0] * n, [25.0] * n, [0.0] * n)
        found = pico._greatest(sums)
        for part, value in zip(pico.BANDA, (found.bajo, found.medio, found.alto), strict=True):
            assert value == pytest.approx(statistics.NormalDist(100, 5).inv_cdf(part ** (1 / n)), abs=0.01)
    # Every sixth of them is as many chances fewer.
    spread = pico._greatest(pico._Sumas([100.0] * 3000, [25.0] * 3000, [0.0] * 3000), step=6)
    assert spread.medio == pytest.approx(statistics.NormalDist(100, 5).inv_cdf(0.5 ** (1 / 500)), abs=0.01)


def test_a_window_that_leans_is_a_gamma() -> None:
    """With skew 2 it is the exponential, whose tail is known."""
    window = pico._Ventana(mean=1.0, sigma=1.0, skew=2.0)
    for x in (0.3, 1.0, 2.0, 4.0, 6.0):
        assert 1 - window.below(x) == pytest.approx(math.exp(-x), abs=0.01)
    assert window.below(-5.0) == 0.0
