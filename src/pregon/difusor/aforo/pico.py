"""The most that is asked in any ten seconds of the night: not its mean, but what the greatest of all windows reaches.

In a window each kind of consultation is a compound Poisson sum: its mean, variance and third cumulant are ``n E[X]``,
``n E[X**2]`` and ``n E[X**3]``. Windows are taken as independent, so that the greatest is below ``x`` with probability
``prod F_i(x)``. F is a gamma displaced to have these three (what insurers take for such sums), by the cube root of
Wilson and Hilferty: where few take something big, what is above the mean reaches farther than what is below.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pregon.difusor.aforo.curva import VENTANA_S, extendida
from pregon.difusor.aforo.peso import marca

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pregon.difusor.aforo.ajustes import AjustesAforo
    from pregon.difusor.aforo.curva import Llegadas
    from pregon.difusor.aforo.peso import Consulta, Marca, Pesos

BANDA = (0.05, 0.5, 0.95)
"""Of a hundred nights like this one, the peak of five is below the first, of fifty below the second."""
_SIGMAS, _REACH, _STEPS, _CLASES = 6.0, 9.0, 50, 300
_STRAIGHT = 1e-6
"""Below this the skew says nothing: the normal, to which the gamma tends."""


@dataclass(frozen=True)
class Pico:
    """The greatest window: ``bajo``, ``medio`` and ``alto`` are the ``BANDA`` of chance; ``segundo``: when it is
    due."""

    bajo: float
    medio: float
    alto: float
    segundo: int


@dataclass(frozen=True)
class Trafico:
    """What a number of visits brings: the peaks, the means per window of the whole night, and the totals.

    Rates per second: ``peticiones``, ``consultas`` (pages and news that somebody waits for) and ``mbps`` as bits on the
    wire. ``simultaneos``: pages open at once. ``serie_*``: means, for the plots.
    """

    visitas: int
    peticiones: Pico
    consultas: Pico
    mbps: Pico
    simultaneos: Pico
    serie_peticiones: tuple[float, ...]
    serie_mbps: tuple[float, ...]
    serie_simultaneos: tuple[float, ...]
    total_peticiones: int
    total_consultas: int
    total_bytes: int


def trafico(visitas: int, shape: Llegadas, pesos: Pesos, settings: AjustesAforo, partes: dict[str, float]) -> Trafico:
    """The traffic of so many visits in the night."""
    visit, net = settings.visita, settings.red

    def wire(one: Consulta, *, opens: bool = False) -> tuple[float, float]:
        """Requests and bytes on the wire of one consultation; ``opens``: on a connection of its own."""
        sent = one.bytes(visit.representacion) + one.peticiones * net.cabeceras_bytes + (net.tls_bytes if opens else 0)
        return one.peticiones, sent * (1 + net.sobrecosto_pct / 100)

    first = marca({"primera": 1.0}, lambda _: wire(pesos.primera, opens=True))
    again = marca({"repetida": 1.0}, lambda _: wire(pesos.repetida, opens=True))
    page = marca(partes, lambda name: wire(pesos.paginas[name]))
    news = marca({"novedad": 1.0}, lambda _: wire(pesos.novedad))
    streams = [(shape.primeras, first), (shape.repetidas, again), (shape.novedades, news)]
    if partes:
        streams.append((shape.paginas, page))
    asks = _sums(visitas, streams, lambda one: one.peticiones)
    sizes = _sums(visitas, streams, lambda one: one.bytes)
    consults = _sums(visitas, streams, lambda _: (1.0, 1.0, 1.0))
    apart = 1
    if pesos.descarga is not None:
        n, size = wire(pesos.descarga)
        lasts = size * 8 / (net.mbps_usuario * 1e6)
        taken = [visitas * each for each in shape.descargas]
        asks.add(taken, (n, n**2, n**3))
        consults.add(taken, (1.0, 1.0, 1.0))
        sizes.add(extendida(taken, lasts), _of_long(size, lasts))
        apart = max(1, math.ceil(lasts / VENTANA_S))  # Windows that share a transfer are not two chances.
    open_pages = [visitas * each for each in shape.abiertas]
    to_mbps = 8 / 1e6 / VENTANA_S
    people = _Sumas(open_pages, open_pages, open_pages)
    return Trafico(
        visitas,
        peticiones=_scaled(_greatest(asks), 1 / VENTANA_S),
        consultas=_scaled(_greatest(consults), 1 / VENTANA_S),
        mbps=_scaled(_greatest(sizes, step=apart), to_mbps),
        # From one window to the next they are nearly the same people: only one in each minute is another chance.
        simultaneos=_greatest(people, step=60 // VENTANA_S),
        serie_peticiones=tuple(one / VENTANA_S for one in asks.mean),
        serie_mbps=tuple(one * to_mbps for one in sizes.mean),
        serie_simultaneos=tuple(open_pages),
        total_peticiones=round(math.fsum(asks.mean)),
        total_consultas=round(math.fsum(consults.mean)),
        total_bytes=round(math.fsum(sizes.mean)),
    )


@dataclass
class _Sumas:
    """Mean, variance and third cumulant of each window."""

    mean: list[float]
    variance: list[float]
    third: list[float]

    def add(self, counts: Sequence[float], powers: tuple[float, float, float]) -> None:
        first, second, third = powers
        for n, count in enumerate(counts):
            if count:
                self.mean[n] += count * first
                self.variance[n] += count * second
                self.third[n] += count * third


def _sums(
    visitas: int,
    streams: Sequence[tuple[tuple[float, ...], Marca]],
    of: Callable[[Marca], tuple[float, float, float]],
) -> _Sumas:
    """Over all kinds."""
    length = len(streams[0][0])
    found = _Sumas([0.0] * length, [0.0] * length, [0.0] * length)
    for counts, mark in streams:
        first, second, third = of(mark)
        found.add(counts, (first * visitas, second * visitas, third * visitas))
    return found


def _of_long(size: float, lasts: float) -> tuple[float, float, float]:
    """What one transfer in each window, of so many bytes and seconds, adds to a window's mean, variance and third.

    Of a transfer at an even rate that starts anywhere, a window of W seconds sees an overlap; over all starts its first
    three powers add up to ab, aa(b - a/3) and aaa(b - a/2); a and b are the lesser and the greater of its length and W.
    """
    lasts = max(lasts, 1e-9)
    a, b = sorted((lasts, float(VENTANA_S)))
    rate = size / lasts
    return size, rate**2 * a**2 * (b - a / 3) / VENTANA_S, rate**3 * a**3 * (b - a / 2) / VENTANA_S


def _greatest(sums: _Sumas, *, step: int = 1) -> Pico:
    """The distribution of the greatest of every ``step`` windows."""
    top = max(sums.mean)
    where = sums.mean.index(top)
    looked = sorted({*range(where % step, len(sums.mean), step), where})
    reach = top - _SIGMAS * math.sqrt(max(sums.variance[where], 0.0))
    near = [one for n in looked if (one := _Ventana.of(sums, n)).mean + _REACH * one.sigma >= reach]
    kinds = _alike(near)
    low, mid, high = (_quantile(kinds, part) for part in BANDA)
    return Pico(low, mid, high, where * VENTANA_S)


@dataclass(frozen=True)
class _Ventana:
    """The distribution of one window."""

    mean: float
    sigma: float
    skew: float

    @classmethod
    def of(cls, sums: _Sumas, n: int) -> _Ventana:
        sigma = math.sqrt(max(sums.variance[n], 1e-12))
        return cls(sums.mean[n], sigma, sums.third[n] / sigma**3)

    def below(self, x: float) -> float:
        """The probability of less than ``x``."""
        z = (x - self.mean) / self.sigma
        if self.skew > _STRAIGHT:
            base = self.skew * z / 2 + 1
            if base <= 0:
                return 0.0
            z = 6 / self.skew * (base ** (1 / 3) - 1) + self.skew / 6
        return 0.5 * math.erfc(-z / math.sqrt(2))


def _alike(near: Sequence[_Ventana]) -> list[tuple[_Ventana, int]]:
    """Windows that are nearly the same, as one of them and how many: most of a night is."""
    top, wide = max(one.mean for one in near), max(one.sigma for one in near)
    found: dict[tuple[int, int], tuple[_Ventana, int]] = {}
    for one in near:
        key = (round(one.mean / max(top, 1e-12) * _CLASES), round(one.sigma / wide * _CLASES))
        first, count = found.get(key, (one, 0))
        found[key] = (max(first, one, key=lambda each: each.mean), count + 1)
    return sorted(found.values(), key=lambda pair: -pair[0].mean)


def _quantile(near: Sequence[tuple[_Ventana, int]], part: float) -> float:
    low = max(0.0, max(one.mean - _SIGMAS * one.sigma for one, _ in near))
    high = max(one.mean + 2 * _REACH * one.sigma for one, _ in near)
    target = math.log(part)
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if _log_below(near, middle, target) < target:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _log_below(near: Sequence[tuple[_Ventana, int]], x: float, enough: float) -> float:
    """The logarithm of the probability that every window is below ``x``; stops once it is less than ``enough``."""
    total = 0.0
    for one, count in near:
        below = one.below(x)
        if below <= 0:
            return -math.inf
        total += count * math.log(below)
        if total < enough:
            return total
    return total


def _scaled(peak: Pico, by: float) -> Pico:
    return Pico(peak.bajo * by, peak.medio * by, peak.alto * by, peak.segundo)
