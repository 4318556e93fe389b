"""What each person does on the night, drawn one by one: when he comes, what he opens, how long he stays.

Nothing is a mean here: the crowd is what so many people happen to do with one seed.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from random import Random

_T = TypeVar("_T")


@dataclass(frozen=True)
class Peso:
    """One consultation: requests, and bytes on the wire."""

    peticiones: int
    bytes: float


@dataclass(frozen=True)
class Costumbres:
    """How people are. Seconds and parts of 1.

    ``cortes``: seconds of the night at which there is a new cut, of ``segundos``. ``apertura`` of the visits wait for
    the start and come ``apertura_s`` after it, in the mean; ``pulso`` come ``pulso_s`` after some cut; the rest by
    ``horas``, weights of each hour (the last, of all that follow), which also say which cut moves more people.
    ``visitas``, ``paginas`` and ``estancia_s`` are means, of each person and of each visit; ``descarga``: visits that
    take a data base within ``descarga_s``; an open page asks for a new cut within ``espera_s`` of its hour.
    """

    segundos: int
    cortes: Sequence[int]
    horas: Sequence[float]
    apertura: float
    apertura_s: float
    pulso: float
    pulso_s: float
    visitas: float
    paginas: float
    estancia_s: float
    descarga: float = 0.0
    descarga_s: float = 60.0
    espera_s: float = 60.0


@dataclass(frozen=True)
class Portal:
    """What each thing weighs. ``paginas``: each with its part of those that are opened after the first."""

    primera: Peso
    repetida: Peso
    novedad: Peso
    paginas: Sequence[tuple[float, Peso]]
    descarga: Peso | None = None


class Suceso(NamedTuple):
    """Something is asked at ``hora``: ``clase`` as the fields of ``Portal``, or ``pagina``."""

    hora: float
    clase: str
    peso: Peso


class Estancia(NamedTuple):
    """One visit: from when to when its page is open."""

    llega: float
    se_va: float


def personas(azar: Random, cuantas: int, como: Costumbres, portal: Portal) -> Iterator[tuple[Estancia, list[Suceso]]]:
    """Each visit of each of so many people, with what it asks in no order."""
    draw = _Horas(azar, como)
    weights = list(accumulate(part for part, _ in portal.paginas))
    kinds = [weight for _, weight in portal.paginas]
    opens = (como.paginas - 1) / como.estancia_s if kinds else 0.0
    for _ in range(cuantas):
        hours = sorted(draw.una() for _ in range(1 + _poisson(azar, como.visitas - 1)))
        for number, hour in enumerate(hours):
            first = portal.primera if number == 0 else portal.repetida
            asked = [Suceso(hour, "repetida" if number else "primera", first)]
            leaves = hour + azar.expovariate(1 / como.estancia_s)
            when = hour
            while opens and (when := when + azar.expovariate(opens)) < leaves:
                asked.append(Suceso(when, "pagina", _pick(azar, kinds, weights)))
            for cut in como.cortes[bisect_right(como.cortes, hour) : bisect_right(como.cortes, leaves)]:
                moment = cut + azar.random() * como.espera_s
                if moment < leaves:
                    asked.append(Suceso(moment, "novedad", portal.novedad))
            if portal.descarga is not None and azar.random() < como.descarga:
                asked.append(Suceso(hour + azar.random() * como.descarga_s, "descarga", portal.descarga))
            yield Estancia(hour, leaves), asked


class _Horas:
    """Draws when a visit begins."""

    def __init__(self, azar: Random, como: Costumbres) -> None:
        self._rng = azar
        self._how = como
        hours = range(-(-como.segundos // 3600))
        self._hours = list(hours)
        spans = (min(como.segundos, (n + 1) * 3600) - n * 3600 for n in hours)
        self._by_hour = list(accumulate(self._weight(n) * span for n, span in zip(hours, spans, strict=True)))
        self._cuts = [cut for cut in como.cortes if cut < como.segundos]
        self._by_cut = list(accumulate(self._weight(cut // 3600) for cut in self._cuts))

    def una(self) -> float:
        """A moment of the night."""
        how, rng = self._how, self._rng
        while True:
            kind = rng.random()
            if kind < how.apertura:
                moment = rng.expovariate(1 / how.apertura_s)
            elif kind < how.apertura + how.pulso:
                moment = _pick(rng, self._cuts, self._by_cut) + rng.expovariate(1 / how.pulso_s)
            else:
                hour = _pick(rng, self._hours, self._by_hour)
                moment = hour * 3600 + rng.random() * min(3600, how.segundos - hour * 3600)
            if moment < how.segundos:
                return moment

    def _weight(self, hour: int) -> float:
        return self._how.horas[min(hour, len(self._how.horas) - 1)]


def _pick(rng: Random, things: Sequence[_T], sums: Sequence[float]) -> _T:
    """One of them; ``sums``: the running sums of their weights. As ``random.choices``, in a quarter of its time."""
    return things[bisect_right(sums, rng.random() * sums[-1], 0, len(things) - 1)]


def _poisson(rng: Random, mean: float) -> int:
    """How many events of a unit rate fit in ``mean``."""
    number, left = 0, mean
    while left > 0 and (left := left - rng.expovariate(1.0)) > 0:
        number += 1
    return number
