"""What no access log knows, from the difusor's own events: how fresh each cut was, and when the site was not there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Publicacion:
    """One cut: its hour, and when this difusor showed it."""

    corte: int
    hora_corte: datetime
    visible: datetime


@dataclass(frozen=True, slots=True)
class Caida:
    """A stretch in which the site did not answer as it must, as our own watch saw it."""

    desde: datetime
    hasta: datetime


@dataclass(frozen=True, slots=True)
class Frescura:
    """Seconds from the hour of each cut until it was public: of ``cortes`` cuts, the middle, the 95th and the worst."""

    cortes: int
    mediana_s: float
    p95_s: float
    peor_s: float
    peor_corte: int


@dataclass(frozen=True, slots=True)
class Disponibilidad:
    """Of so many ``segundos``, those in which the site was not there, in how many stretches."""

    segundos: int
    caido_s: int
    caidas: int

    @property
    def por_cien_mil(self) -> int:
        """How much of the time it was there, rounded down: 99 950 is 99.950 %."""
        return 0 if not self.segundos else (self.segundos - self.caido_s) * 100_000 // self.segundos


def freshness(publicaciones: Sequence[Publicacion]) -> Frescura | None:
    """How fresh the cuts were; None without any. A cut shown twice counts the first time."""
    first: dict[int, Publicacion] = {}
    for one in sorted(publicaciones, key=lambda one: one.visible):
        first.setdefault(one.corte, one)
    if not first:
        return None
    ages = sorted(((one.visible - one.hora_corte).total_seconds(), one.corte) for one in first.values())
    return Frescura(len(ages), _nearest(ages, 50), _nearest(ages, 95), ages[-1][0], ages[-1][1])


def availability(desde: datetime, hasta: datetime, caidas: Sequence[Caida]) -> Disponibilidad:
    """How much of the time from ``desde`` to ``hasta`` the site was there; stretches that touch count once."""
    down = timedelta()
    count = 0
    end = desde
    for one in sorted(caidas, key=lambda one: one.desde):
        begin, finish = max(one.desde, end), min(one.hasta, hasta)
        if finish > begin:
            down += finish - begin
            count += 1 if begin > end or not count else 0
            end = finish
    return Disponibilidad(int((hasta - desde).total_seconds()), int(down.total_seconds()), count)


def _nearest(ages: Sequence[tuple[float, int]], share: int) -> float:
    return ages[max(0, -(-len(ages) * share // 100) - 1)][0]
