"""When each acta of a made-up election arrives, in what case, and which are corrected later.

The share of actas in at each hour is that of the national night of 2018 (98 cuts). Casillas of one sección travel
together, and so do neighbouring secciones of one route: in Puebla 2024 two actas of one sección came within 20 minutes
in 34 % of the pairs (Campeche 21 %, two actas at random 4 %), two neighbouring secciones in 20 %. Some zones finish
early: in the last three hours 5 of Puebla's 26 districts still received actas.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pregon.prep.synthetic.catalogo import Casilla

# (part of the night, part of the actas that arrive with figures): INE 2018, contabilizadas over those of the end.
_CURVE = (
    (0.0, 0.0),
    (0.043, 0.004),
    (0.113, 0.027),
    (0.195, 0.216),
    (0.272, 0.363),
    (0.355, 0.480),
    (0.432, 0.571),
    (0.510, 0.649),
    (0.589, 0.734),
    (0.669, 0.817),
    (0.751, 0.883),
    (0.831, 0.924),
    (0.912, 0.978),
    (1.0, 1.0),
)
CASOS = ("buena", "algun", "todos", "excede", "sin_acta", "nunca")
"""What becomes of an acta; ``nunca``: it is pending when the publication ends."""
# Puebla GUB 2024 / Campeche GOB 2021 / Q. Roo DIP 2019, % of esperadas: algún 12.6/19.2/21.6, todos 5.2/2.0/1.4,
# excede 0.4/0.4/0, sin acta 11.4/1.1/3.5, pending at the end 0.9/8.2/0; national 2018, pending 6.4.
_FRECUENCIAS = (0.725, 0.160, 0.030, 0.004, 0.051, 0.030)
_JUNTO = 0.55  # an acta that travels with its route; both of a pair: 30 %
_RUTA = 0.5  # a sección that begins a route
_ZONA = 60  # secciones of one CATD, about
_CIERRE = 0.08  # the closing surge: the last two hours
# Of the actas without acta, those of the closing surge. Puebla 45 % in two hours, national 2018 some 70 %.
_EN_CIERRE = 0.6
# Puebla AYUN 2024: 41 of 6,876 counted, in one pair of cuts; none in its other two contests nor in Campeche.
_CORREGIDAS = 0.004
_TANDA = 0.9  # half of the corrections come in one batch, when a fault of the catalogue is found


@dataclass(frozen=True)
class Llegadas:
    """For each casilla: index of the first cut that has its acta (``cortes`` when none) and its case.

    ``correcciones``: place of an acta -> cut at which its values change. ``fuera``: first cut of each acta fuera de
    catálogo, in order.
    """

    cortes: int
    corte: array[int]
    caso: bytearray
    correcciones: dict[int, int]
    fuera: tuple[int, ...]


def arrivals(casillas: Sequence[Casilla], cortes: int, *, semilla: int, eleccion: str, corregir: bool) -> Llegadas:
    """Spread the night over ``cortes``: nothing at the first of several, everything that arrives by the last."""
    own = Random(f"{semilla}/{eleccion}/llegadas")  # noqa: S311 - made-up data, not a secret
    caso = bytearray(own.choices(range(len(CASOS)), weights=_FRECUENCIAS, k=len(casillas)))
    moments = _moments(casillas, own, semilla)
    last = cortes - 1
    limits = [_arrived(k / last) for k in range(1, cortes)] if last else []
    # By rank, so that the whole follows the curve whatever the size, and the clusters stay.
    found = array("l", bytes(array("l").itemsize * len(casillas)))
    for rank, place in enumerate(sorted(range(len(casillas)), key=moments.__getitem__)):
        found[place] = min(1 + bisect_left(limits, (rank + 0.5) / len(casillas)), last)
    for place, case in enumerate(caso):
        if CASOS[case] == "nunca":
            found[place] = cortes
        elif CASOS[case] == "sin_acta":
            late = own.random() < _EN_CIERRE
            part = own.uniform(1 - _CIERRE, 1.0) if late else own.uniform(0.4, 1 - _CIERRE)
            found[place] = _cut_of(part, last)
    fixes = _corrections(found, caso, cortes, own) if corregir else {}
    outside = sorted(_cut_of(own.uniform(0.1, 1.0), last) for _ in range(1 + len(casillas) // 600))
    return Llegadas(cortes, found, caso, fixes, tuple(outside))


def _moments(casillas: Sequence[Casilla], own: Random, semilla: int) -> list[float]:
    """A moment for each acta, of no scale: only their order counts. Routes are the same in every election of a seed."""
    shared = Random(f"{semilla}/rutas/{len(casillas)}")  # noqa: S311 - made-up data, not a secret
    found: list[float] = []
    place: tuple[int, int] = (-1, 0)
    end = route = 1.0
    for casilla in casillas:
        here = (casilla.unidad, casilla.seccion)
        if here != place:
            if here[0] != place[0] or shared.random() < 1 / _ZONA:
                end = 1.0 if shared.random() < 0.3 else shared.uniform(0.5, 0.95)
                route = shared.random() * end
            elif shared.random() < _RUTA:
                route = shared.random() * end
            place = here
        together = own.random() < _JUNTO
        found.append(route + own.random() * 0.008 if together else own.random() * end)
    return found


def _corrections(found: Sequence[int], caso: bytearray, cortes: int, own: Random) -> dict[int, int]:
    batch = int(_TANDA * (cortes - 1))
    fixes: dict[int, int] = {}
    for place, case in enumerate(caso):
        if own.random() >= _CORREGIDAS or CASOS[case] != "buena":
            continue
        first = found[place] + 1
        if first < cortes:
            fixes[place] = batch if batch >= first and own.random() < 0.5 else own.randrange(first, cortes)
    return fixes


def _cut_of(part: float, last: int) -> int:
    return min(max(-int(-part * last // 1), 1), last)


def _arrived(part: float) -> float:
    i = max(bisect_left(_CURVE, (part,)), 1)
    if i == len(_CURVE):
        return 1.0
    (x0, y0), (x1, y1) = _CURVE[i - 1], _CURVE[i]
    return y0 + (y1 - y0) * (part - x0) / (x1 - x0)
