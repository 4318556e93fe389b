"""The whole night of a portal: everybody's visits through one link, counted in windows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import accumulate
from operator import attrgetter
from random import Random
from typing import TYPE_CHECKING

from pregon.simulacro.modelo.enlace import Enlace
from pregon.simulacro.modelo.visitas import personas

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pregon.simulacro.modelo.visitas import Costumbres, Estancia, Portal, Suceso


@dataclass(frozen=True)
class Cuenta:
    """What was asked: requests and bytes of each window of ``ventana_s``, and the most pages open at once.

    ``pico_peticiones`` per second and ``pico_mbps``, of the greatest window; ``visitas`` and ``consultas``, of the
    night.
    """

    ventana_s: float
    peticiones: Sequence[int]
    bytes: Sequence[float]
    abiertas_max: int
    visitas: int
    consultas: int

    @property
    def pico_peticiones(self) -> float:
        """The greatest rate of requests, per second."""
        return max(self.peticiones) / self.ventana_s

    @property
    def pico_mbps(self) -> float:
        """The greatest rate of bits, in Mbit/s."""
        return max(self.bytes) * 8 / 1e6 / self.ventana_s


def multitud(semilla: int, visitantes: int, como: Costumbres, portal: Portal) -> tuple[list[Estancia], list[Suceso]]:
    """What so many people do with this seed: their visits, and what they ask in order of hour."""
    stays: list[Estancia] = []
    asked: list[Suceso] = []
    for stay, events in personas(Random(semilla), visitantes, como, portal):  # noqa: S311 (a simulation repeats)
        stays.append(stay)
        asked += events
    asked.sort(key=attrgetter("hora"))
    return stays, asked


def cuenta(
    estancias: Sequence[Estancia],
    sucesos: Sequence[Suceso],
    *,
    segundos: int,
    tope: float,
    ventana_s: float = 10.0,
) -> Cuenta:
    """What a difusor would have to give if nothing held it back: each takes what it asks at ``tope`` bytes a second."""
    length = math.ceil(segundos / ventana_s)
    requests, sent = [0] * length, [0.0] * length
    for one in sucesos:
        place = int(one.hora // ventana_s)
        if place >= length:
            continue
        requests[place] += one.peso.peticiones
        begins, ends = one.hora, one.hora + one.peso.bytes / tope
        while place < length and begins < ends:
            edge = min(ends, (place + 1) * ventana_s)
            sent[place] += (edge - begins) * tope
            begins, place = edge, place + 1
    moves = [(one.llega, 1) for one in estancias] + [(one.se_va, -1) for one in estancias]
    moves.sort()
    most = max(accumulate(change for _, change in moves), default=0)
    return Cuenta(ventana_s, requests, sent, most, len(estancias), len(sucesos))


def esperas(sucesos: Iterable[Suceso], *, capacidad: float, tope: float) -> list[tuple[Suceso, float]]:
    """How many seconds each consultation took through one link of so many bytes a second; in the order they end."""
    listed = list(sucesos)
    link = Enlace(capacidad, tope)
    return [(listed[one.quien], one.segundos) for one in link.pasa((one.hora, one.peso.bytes) for one in listed)]


def percentil(valores: Iterable[float], parte: float) -> float:
    """The value that ``parte`` of them do not exceed."""
    ordered = sorted(valores)
    if not ordered:
        raise ValueError("no hay valores")
    return ordered[max(0, math.ceil(parte * len(ordered)) - 1)]
