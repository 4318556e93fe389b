"""When they come, and what is asked in each window of ten seconds, in the mean. Pure; for one visit of the night.

Visits come as a Poisson process of varying rate and stay an exponential time, so the pages that are open are those of
an Mt/G/inf queue (Eick, Massey and Whitt, 1993), and everything is proportional to the number of visits: the curve is
made once, for one visit, and multiplied.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pregon.convocatoria.model import Convocatoria
    from pregon.difusor.aforo.ajustes import Curva, Visita

VENTANA_S = 10
"""A peak is the most in so many seconds: the time that a page has to arrive (GRO-2.4h, INE-II-a-iii-3a)."""
ESPERA_S = 60.0
"""An open page asks for the next cut at a random moment of so many seconds after its hour (docs/adr/0008)."""
DESCARGA_S = 60.0
"""Who takes a data base does so within so many seconds of arriving."""
_HORA = 3600


@dataclass(frozen=True)
class Noche:
    """The hours: how many seconds are looked at, and at which of them there is a new cut."""

    inicio: datetime
    segundos: int
    cortes: tuple[int, ...]
    intervalo_min: int


@dataclass(frozen=True)
class Llegadas:
    """What one visit of the night brings to each window, in the mean: each tuple has one number per window.

    ``primeras`` and ``repetidas``: visits that begin there, of who comes for the first time and of who was here before;
    ``descargas`` begin there; ``paginas``: opened after the first; ``novedades``: open pages that take the new cut;
    ``abiertas``: pages open at its end.
    """

    primeras: tuple[float, ...]
    repetidas: tuple[float, ...]
    paginas: tuple[float, ...]
    novedades: tuple[float, ...]
    descargas: tuple[float, ...]
    abiertas: tuple[float, ...]


def noche(call: Convocatoria, intervalo_min: int | None = None) -> Noche:
    """The night of a call: a cut every interval from the start to the end of updates, that one included."""
    step = intervalo_min or call.intervalo_min
    seconds = int((call.fin_actualizacion - call.inicio).total_seconds())
    hours = list(range(step * 60, seconds + 1, step * 60))
    if not hours or hours[-1] != seconds:
        hours.append(seconds)
    return Noche(call.inicio, seconds, tuple(hours), step)


def llegadas(noche: Noche, curva: Curva, visita: Visita) -> Llegadas:
    """What one visit brings to each window of the night."""
    rate = _rate(noche, curva)
    stay = visita.minutos * 60
    stays_on = math.exp(-1 / stay)
    open_now, opened = 0.0, []
    for each in rate:
        # Who comes within this second has been here for half of it, in the mean.
        open_now = open_now * stays_on + each * (1 - 0.5 / stay)
        opened.append(open_now)
    per_second = (visita.paginas - 1) / stay
    news = [0.0] * len(rate)
    for cut in noche.cortes:
        there = opened[cut - 1] if 0 < cut <= len(opened) else 0.0
        # Of those that have the page open when the cut comes, who still does when its moment arrives.
        for second in range(int(ESPERA_S)):
            if cut + second < len(news):
                news[cut + second] += there / ESPERA_S * math.exp(-(second + 0.5) / stay)
    part = visita.descarga_pct / 100
    takes = [part * each for each in _smeared(rate, DESCARGA_S)]
    first = _firsts(rate, visita.visitas - 1)
    return Llegadas(
        _windows(first),
        _windows([a - b for a, b in zip(rate, first, strict=True)]),
        _windows([each * per_second for each in opened]),
        _windows(news),
        _windows(takes),
        tuple(opened[VENTANA_S - 1 :: VENTANA_S]),
    )


def extendida(values: Sequence[float], segundos: float) -> list[float]:
    """The same, each window's share spread over the windows that follow: what takes so long to be sent."""
    if segundos <= VENTANA_S:
        return list(values)
    return _smeared(values, segundos / VENTANA_S)


def _rate(noche: Noche, curva: Curva) -> list[float]:
    """Visits that come in each second; they sum 1."""
    opening, pulse = curva.apertura_pct / 100, curva.pulso_pct / 100
    weights = [_weight(curva, second) for second in range(noche.segundos)]
    total = math.fsum(weights)
    rate = [(1 - opening - pulse) * each / total for each in weights]
    _add_burst(rate, 0, opening, curva.apertura_min * 60)
    cuts = [cut for cut in noche.cortes if cut < noche.segundos]
    heights = [_weight(curva, cut) for cut in cuts]
    whole = math.fsum(heights)
    for cut, height in zip(cuts, heights, strict=True):
        _add_burst(rate, cut, pulse * height / whole, curva.pulso_min * 60)
    all_of_it = math.fsum(rate)  # What a burst at the end leaves for after the night comes before it.
    return [each / all_of_it for each in rate]


def _firsts(rate: Sequence[float], more: float) -> list[float]:
    """Of the visits of each second, those of who comes for the first time.

    Who comes ``1 + Poisson(more)`` times, each at a moment of its own, has his first there if all the others are later:
    with F the part of all visits that came before, exp(-more F) (1 + more (1 - F)) of every ``1 + more``. Early in the
    night nearly all are first visits, and those weigh more.
    """
    found, before = [], 0.0
    for each in rate:
        past = before + each / 2
        found.append(each * math.exp(-more * past) * (1 + more * (1 - past)) / (1 + more))
        before += each
    return found


def _weight(curva: Curva, second: int) -> float:
    return curva.horas[min(second // _HORA, len(curva.horas) - 1)]


def _add_burst(rate: list[float], start: int, amount: float, mean: float) -> None:
    left = 1.0
    for second in range(start, min(len(rate), start + math.ceil(mean * 12))):
        after = math.exp(-(second + 1 - start) / mean)
        rate[second] += amount * (left - after)
        left = after


def _smeared(values: Sequence[float], length: float) -> list[float]:
    """The running mean over the last ``length`` places."""
    whole = math.floor(length)
    sums = [0.0]
    for each in values:
        sums.append(sums[-1] + each)
    rest = length - whole

    def before(n: int) -> float:
        """What fell in the ``length`` places that end at ``n``."""
        low = max(0, n - whole)
        partial = values[low - 1] * rest if low > 0 and rest else 0.0
        return sums[n] - sums[low] + partial

    return [before(n) / length for n in range(1, len(values) + 1)]


def _windows(values: Sequence[float]) -> tuple[float, ...]:
    edges = [*range(0, len(values), VENTANA_S), len(values)]
    return tuple(math.fsum(values[a:b]) for a, b in pairwise(edges))
