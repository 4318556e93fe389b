"""One cut from signed to visible at N difusores, event by event: the institute's processor, its uplink, each difusor.

1. Deliveries wait for one of ``a_la_vez`` turns; the institute's process works on one at a time.
2. The round trips of the carrier, then the bytes, through an uplink that all share and the difusor's own link.
3. The difusor verifies, publishes and asks its own address: on its own machine, or (``juntos``) on the one that
   everything shares, as in a calibration, where all the work takes equal parts of the processors.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pregon.simulacro.modelo.enlace import Enlace
from pregon.simulacro.modelo.noche import percentil

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MBIT = 125_000
"""Bytes a second of one megabit a second."""
VUELTAS = 8
"""Round trips of a delivery: TCP, SSH's keys and account, the session, and the three steps of a cut."""
P95 = 0.95


@dataclass(frozen=True)
class Trabajo:
    """What one cut costs at each end, measured. Seconds of one processor, and bytes on the link to each difusor.

    ``fijo_s``: what passes besides at any difusor, however few there are. ``nucleos``: processors that the machine of
    the measurement really gave.
    """

    instituto_s: float
    difusor_s: float
    bytes: float
    fijo_s: float
    nucleos: float


@dataclass(frozen=True)
class Escenario:
    """Who delivers to whom. ``subida_mbps``: of the institute to all; ``bajada_mbps``: of each difusor; ``ms``: there
    and back. ``juntos``: all on one machine of ``Trabajo.nucleos``.
    """

    difusores: int
    subida_mbps: float = math.inf
    bajada_mbps: float = math.inf
    ms: float = 0.0
    a_la_vez: int = 8
    juntos: bool = False


def visibles(trabajo: Trabajo, caso: Escenario) -> list[float]:
    """Seconds from signed to visible at each difusor, in the order in which they are served."""
    return _Corte(trabajo, caso).run()


def p95(trabajo: Trabajo, caso: Escenario) -> float:
    """The seconds that 95 of each 100 difusores do not exceed."""
    return percentil(visibles(trabajo, caso), P95)


def ajusta(trabajo: Trabajo, caso: Escenario, medidos: Sequence[float], *, sola_s: float, tope: float) -> Trabajo:
    """``trabajo`` with the ``fijo_s`` and ``nucleos`` (up to ``tope``) with which ``caso`` gives what was measured.

    ``sola_s``: what a cut took to one difusor alone; what is not work of it is ``fijo_s``. ``nucleos`` puts the p95 of
    ``medidos`` in its place.
    """
    fixed = replace(trabajo, fijo_s=max(0.0, sola_s - trabajo.instituto_s - trabajo.difusor_s), nucleos=tope)
    wanted, low, high = percentil(medidos, P95), tope / 64, tope
    if p95(fixed, caso) >= wanted:
        return fixed
    for _ in range(40):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if p95(replace(fixed, nucleos=middle), caso) > wanted else (low, middle)
    return replace(fixed, nucleos=high)


def subida_necesaria(trabajo: Trabajo, caso: Escenario, *, limite_s: float) -> float | None:
    """The least uplink (Mbit/s) with which 95 of each 100 see the cut within ``limite_s``; None: none is enough."""
    if p95(trabajo, replace(caso, subida_mbps=math.inf)) > limite_s:
        return None
    low, high = 0.01, 1.0
    while p95(trabajo, replace(caso, subida_mbps=high)) > limite_s:
        high *= 2
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (low, middle) if p95(trabajo, replace(caso, subida_mbps=middle)) <= limite_s else (middle, high)
    return high


def difusores_posibles(trabajo: Trabajo, caso: Escenario, *, limite_s: float, tope: int = 2000) -> int:
    """The most difusores, up to ``tope``, of which 95 of each 100 see the cut within ``limite_s``; 0: not even one."""
    low, high = 0, tope + 1
    while high - low > 1:
        middle = (low + high) // 2
        if p95(trabajo, replace(caso, difusores=middle)) <= limite_s:
            low = middle
        else:
            high = middle
    return low


class _Corte:
    """The events of one cut."""

    def __init__(self, trabajo: Trabajo, caso: Escenario) -> None:
        self._work, self._case = trabajo, caso
        self._office = Enlace(trabajo.nucleos, 1.0) if caso.juntos else Enlace(1.0)
        self._there = self._office if caso.juntos else None
        uplink = caso.subida_mbps * MBIT
        self._link = Enlace(min(uplink, 1e15), min(caso.bajada_mbps * MBIT, 1e15))
        self._later: list[tuple[float, int, int, Callable[[float, int], None]]] = []
        self._turns = caso.a_la_vez
        self._waiting = deque(range(caso.difusores))
        self._prepared: deque[int] = deque()
        self._busy = False
        self._seen = [math.nan] * caso.difusores

    def run(self) -> list[float]:
        self._take_turns(0.0)
        while (event := self._next()) is not None:
            event()
        return self._seen

    def _next(self) -> Callable[[], None] | None:
        """What happens next; None once nothing is under way."""
        hours = (self._office.siguiente(), self._link.siguiente(), self._later[0][0] if self._later else math.inf)
        first = min(hours)
        if math.isinf(first):
            return None
        if first == hours[0]:
            return self._work_ends
        return self._transfer_ends if first == hours[1] else self._wait_ends

    def _take_turns(self, hour: float) -> None:
        while self._turns and self._waiting:
            self._turns -= 1
            self._prepared.append(self._waiting.popleft())
        if self._prepared and not self._busy:
            self._busy = True
            self._office.llega(hour, self._work.instituto_s, self._prepared.popleft())

    def _work_ends(self) -> None:
        step = self._office.sale()
        if step.quien >= self._case.difusores:
            self._seen[step.quien - self._case.difusores] = step.sale + self._work.fijo_s
            return
        self._busy = False
        self._after(step.sale, VUELTAS * self._case.ms / 1000, step.quien, self._send)
        self._take_turns(step.sale)

    def _send(self, hour: float, who: int) -> None:
        self._link.llega(hour, self._work.bytes, who)

    def _transfer_ends(self) -> None:
        step = self._link.sale()
        self._turns += 1
        self._take_turns(step.sale)
        if self._there is not None:
            self._there.llega(step.sale, self._work.difusor_s, step.quien + self._case.difusores)
        else:
            self._after(step.sale, self._work.difusor_s + self._work.fijo_s, step.quien, self._shown)

    def _shown(self, hour: float, who: int) -> None:
        self._seen[who] = hour

    def _after(self, hour: float, seconds: float, who: int, then: Callable[[float, int], None]) -> None:
        heapq.heappush(self._later, (hour + seconds, len(self._later) + who * 10_000, who, then))

    def _wait_ends(self) -> None:
        hour, _, who, then = heapq.heappop(self._later)
        then(hour, who)
