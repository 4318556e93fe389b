"""What carries the peak with a page in time for 99 of each 100 people: machines, link, or a CDN. Pure.

The link towards the Internet is an M/G/R-PS queue: everybody shares it by equal parts, and none takes more than its own
link; how many are under way is as in M/M/R (Erlang C), whatever the sizes. Each machine is an M/M/c queue in order of
arrival. docs/memoria/aforo.md has the formulas and where they come from.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pregon.difusor.preflight.revision import HOLGURA, POR_NUCLEO

if TYPE_CHECKING:
    from pregon.difusor.aforo.ajustes import Red, Servidor

COLA = 0.01
"""One of each hundred may wait longer: p99."""
_INICIAL = 14_600
"""Bytes that a server sends before the first acknowledgement: ten segments (RFC 6928)."""
_CONEXION = 4
"""Round trips before the first question: name, TCP, and two of TLS 1.2 (1.3 needs one)."""
_NUNCA = math.inf
_MAX_EQUIPOS = 10_000


@dataclass(frozen=True)
class Carga:
    """What is asked at the peak, per second: requests, Mbit, and the heaviest page of those that people wait for.

    ``bytes`` and ``peticiones`` of that page, on the wire.
    """

    peticiones: float
    mbps: float
    pagina_bytes: float
    pagina_peticiones: int

    def por(self, factor: float) -> Carga:
        """So many times the people: the page is the same."""
        return replace(self, peticiones=self.peticiones * factor, mbps=self.mbps * factor)


@dataclass(frozen=True)
class Espera:
    """How long that page takes at the peak for 99 of each 100, in seconds, and of what it is made.

    ``red``: what it would take with nobody else. ``ocupacion_*``: parts of 1; at 1 or more the wait has no end.
    """

    p99: float
    red: float
    enlace: float
    equipos: float
    ocupacion_enlace: float
    ocupacion_equipos: float

    def cumple(self, limite_s: float, ocupacion_max: float) -> bool:
        """Within the limit, and with room left."""
        return self.p99 <= limite_s and max(self.ocupacion_enlace, self.ocupacion_equipos) <= ocupacion_max


@dataclass(frozen=True)
class Plan:
    """What carries a load. ``equipos`` and ``mbps``: the least that does. ``declarado``: how what there is would do;
    ``aguanta``: how many times that load it carries; ``basta``: at least once."""

    equipos: int
    mbps: float
    minimo: Espera
    declarado: Espera
    aguanta: float
    basta: bool


def por_nucleo(servidor: Servidor) -> float:
    """Answers that one core gives in a second and that are counted on."""
    return servidor.por_nucleo or POR_NUCLEO[servidor.programa] * HOLGURA


def erlang_c(servidores: int, carga: float) -> float:
    """The part of those who come that must wait, with so many servers and so many Erlang; 1 with too much."""
    if carga <= 0:
        return 0.0
    if carga >= servidores:
        return 1.0
    blocked = 1.0
    for n in range(1, servidores + 1):
        blocked = carga * blocked / (n + carga * blocked)
    busy = carga / servidores
    return blocked / (1 - busy + busy * blocked)


def espera_enlace(bytes_: float, mbps: float, ocupado: float, mbps_usuario: float, cola: float = COLA) -> float:
    """Seconds that a transfer takes, of which only a part ``cola`` take longer, with ``ocupado`` Mbit/s offered.

    M/G/R-PS with R = link / user's link. With N under way each has min(user's, link / N); N is as in M/M/R, and it is
    taken as bad from beginning to end. More may come meanwhile, so the N of half of ``cola`` is taken: against
    simulations with constant, exponential and two very different sizes this gave from 0.9 to 2 times their p99.
    """
    if ocupado >= mbps:
        return _NUNCA
    own = min(mbps, mbps_usuario)
    bits = bytes_ * 8 / 1e6
    if math.isinf(mbps):
        return bits / own
    places = max(1, math.floor(mbps / own))
    busy = ocupado / mbps
    waits = erlang_c(places, busy * places)
    cola /= 2
    if waits <= cola or busy <= 0:
        return bits / own
    under_way = places + math.ceil(math.log(cola / waits) / math.log(busy))
    return bits / min(own, mbps / (under_way + 1))


def espera_equipo(peticiones: float, nucleos: int, por_nucleo: float, cola: float = COLA) -> float:
    """Seconds that a request waits and is served, of which only a part ``cola`` take longer: M/M/c, first come first.

    The wait exceeds t with probability C exp(-(c mu - lambda) t); the service is added at its own ``cola``.
    """
    room = nucleos * por_nucleo - peticiones
    if room <= 0:
        return _NUNCA
    waits = erlang_c(nucleos, peticiones / por_nucleo)
    wait = max(0.0, math.log(waits / cola)) / room if waits > 0 else 0.0
    return wait + math.log(1 / cola) / por_nucleo


def solo(carga: Carga, red: Red) -> float:
    """Seconds that the page takes for that telephone with nobody else: round trips, and its own link."""
    starts = math.ceil(math.log2(carga.pagina_bytes / _INICIAL + 1))
    trips = _CONEXION + red.vueltas + max(0, starts - 1)
    return trips * red.ida_vuelta_ms / 1000 + carga.pagina_bytes * 8 / 1e6 / red.mbps_usuario


def espera(carga: Carga, red: Red, servidor: Servidor, *, equipos: int, mbps: float) -> Espera:
    """How the page does with so many machines and such a link. Load is shared by equal parts."""
    alone = solo(carga, red)
    own = carga.pagina_bytes * 8 / 1e6 / min(mbps, red.mbps_usuario)
    link = espera_enlace(carga.pagina_bytes, mbps, carga.mbps, red.mbps_usuario) - own
    rate = por_nucleo(servidor)
    # Each turn may be the bad one: each gets its part of the hundredth.
    each = espera_equipo(carga.peticiones / equipos, servidor.nucleos, rate, COLA / red.vueltas)
    machines = red.vueltas * each
    return Espera(
        p99=alone + link + machines,
        red=alone,
        enlace=link,
        equipos=machines,
        ocupacion_enlace=carga.mbps / mbps,
        ocupacion_equipos=carga.peticiones / (equipos * servidor.nucleos * rate),
    )


def planea(carga: Carga, red: Red, servidor: Servidor, limite_s: float) -> Plan:
    """The least that carries the load, and how what there is does."""
    ceiling = servidor.ocupacion_max_pct / 100
    machines = max(1, math.ceil(carga.peticiones / (servidor.nucleos * por_nucleo(servidor) * ceiling)))
    link = _least_link(carga, red, servidor, machines, limite_s)
    here = espera(carga, red, servidor, equipos=servidor.equipos, mbps=servidor.mbps)
    times = _times(carga, red, servidor, limite_s)
    return Plan(
        equipos=machines,
        mbps=link,
        minimo=espera(carga, red, servidor, equipos=machines, mbps=link),
        declarado=here,
        aguanta=times,
        basta=here.cumple(limite_s, ceiling),
    )


def _least_link(carga: Carga, red: Red, servidor: Servidor, machines: int, limite_s: float) -> float:
    """The least link, to the whole Mbit/s, that keeps its part busy at most and the page in time. Infinity: none does,
    since the page alone takes longer than the limit on that telephone."""
    ceiling = servidor.ocupacion_max_pct / 100
    least = max(1, math.ceil(carga.mbps / ceiling))

    def does(mbps: float) -> bool:
        return espera(carga, red, servidor, equipos=machines, mbps=mbps).cumple(limite_s, ceiling)

    if not does(_NUNCA):
        return _NUNCA
    high = least
    while not does(high):
        high *= 2
    low = least
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if does(middle) else (middle + 1, high)
    return float(high)


def _times(carga: Carga, red: Red, servidor: Servidor, limite_s: float) -> float:
    """How many times the load fits in what there is; 0 where not even one person's page is in time."""
    ceiling = servidor.ocupacion_max_pct / 100

    def fits(factor: float) -> bool:
        there = espera(carga.por(factor), red, servidor, equipos=servidor.equipos, mbps=servidor.mbps)
        return there.cumple(limite_s, ceiling)

    low, high = 0.0, 1.0
    if not fits(1e-9):
        return 0.0
    while fits(high) and high < _MAX_EQUIPOS:
        low, high = high, high * 2
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low
