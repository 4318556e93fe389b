"""A link that everybody shares by equal parts, event by event; one of several servers with a line before them.

Units are the caller's: bytes and seconds here, but a link may as well carry jobs.
"""

from __future__ import annotations

import heapq
import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Paso(NamedTuple):
    """One transfer that ended: who, when it began and when it was all there."""

    quien: int
    llega: float
    sale: float

    @property
    def segundos(self) -> float:
        """How long it took."""
        return self.sale - self.llega


class Enlace:
    """``capacidad`` a second for all; ``tope``: the most that one transfer takes, the other end's own link.

    All that are under way have the same rate at every moment, so what each has received since any instant is one
    number, and who ends next is who was promised least: no transfer is touched until it ends.
    """

    def __init__(self, capacidad: float, tope: float = math.inf) -> None:
        if not capacidad > 0 or not tope > 0:
            raise ValueError((capacidad, tope))
        self._capacity = capacidad
        self._cap = tope
        self._given = 0.0
        """What somebody here since the first moment would have received."""
        self._now = 0.0
        self._ends: list[tuple[float, int, float]] = []

    @property
    def en_curso(self) -> int:
        """Transfers under way."""
        return len(self._ends)

    @property
    def ritmo(self) -> float:
        """What each of them receives in a second."""
        return min(self._cap, self._capacity / len(self._ends)) if self._ends else self._cap

    def siguiente(self) -> float:
        """When the next one ends if nobody else comes; infinity with none."""
        if not self._ends:
            return math.inf
        return self._now + max(0.0, self._ends[0][0] - self._given) / self.ritmo

    def llega(self, hora: float, cuanto: float, quien: int) -> None:
        """Somebody asks for so much. Times never go back, and whoever ended before was taken out (``sale``)."""
        self._advance(hora)
        heapq.heappush(self._ends, (self._given + cuanto, quien, hora))

    def sale(self) -> Paso:
        """Take out the next one that ends, at its time."""
        self._advance(self.siguiente())
        target, who, came = heapq.heappop(self._ends)
        self._given = max(self._given, target)
        return Paso(who, came, self._now)

    def pasa(self, llegadas: Iterable[tuple[float, float]]) -> Iterator[Paso]:
        """All of these (hour, how much), in order of hour; as each ends. ``quien`` is its place in the list."""
        for who, (hour, size) in enumerate(llegadas):
            while self.siguiente() <= hour:
                yield self.sale()
            self.llega(hour, size, who)
        while self._ends:
            yield self.sale()

    def _advance(self, hour: float) -> None:
        if hour < self._now:
            raise ValueError((hour, self._now))
        if self._ends:
            self._given += (hour - self._now) * self.ritmo
        self._now = hour


def mostrador(llegadas: Iterable[tuple[float, float]], servidores: int) -> Iterator[Paso]:
    """A line before so many servers, each takes who came first. ``llegadas``: hour and seconds of work, in order."""
    free = [0.0] * servidores
    heapq.heapify(free)
    for who, (hour, work) in enumerate(llegadas):
        ends = max(hour, heapq.heappop(free)) + work
        heapq.heappush(free, ends)
        yield Paso(who, hour, ends)
