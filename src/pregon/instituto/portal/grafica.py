"""Line charts drawn on the server: where each point, line, label and tick goes. Pure; it knows nothing of votes.

The lines live in a drawing that stretches with its frame (minutes by hundredths of a unit; strokes do not stretch);
texts are beside it, placed in percentages, so they keep their size at any width. Nothing here needs a style attribute.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

CENTESIMAS = 100
"""A value is drawn in hundredths of its unit."""
MAX_PUNTOS = 40
"""With more cuts than this, the points are not marked: the line is enough."""
_LABEL = 900
"""Height that a label takes, in ten-thousandths of the drawing on a phone (1.3 of 14.5 em)."""
_FULL = 10_000
_GAP = 2.5
"""A wait of more than so many usual waits is drawn apart."""
_STEPS = (5, 10, 15, 20, 30, 60, 120, 180, 240, 360, 720, 1440)
_FEW, _MANY = 3, 9
"""Most ticks of hours on a phone and on a wide screen."""
_MESES = ("ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic")


@dataclass(frozen=True)
class Serie:
    """What is drawn of one line: ``valores`` in hundredths of a unit, one for each cut, None where there is none."""

    clave: str
    letra: str
    color: str
    valores: tuple[int | None, ...]
    final: str
    """The last value, as text."""
    nombre: str


@dataclass(frozen=True)
class Linea:
    """A drawn line. ``extremo`` and ``rotulo``: heights, from above, of its end and of its label (``35.2%``)."""

    serie: Serie
    trazo: str
    huecos: str
    puntos: str
    extremo: str
    rotulo: str


@dataclass(frozen=True)
class Guia:
    """A horizontal line of the grid: its height in the drawing and as a percentage, and what it says."""

    y: int
    lugar: str
    texto: str


@dataclass(frozen=True)
class Hora:
    """A tick of the axis of time. ``amplia``: only where there is room; ``fecha``: at midnight, the day that begins."""

    x: int
    lugar: str
    texto: str
    fecha: str
    amplia: bool


@dataclass(frozen=True)
class Grafica:
    """A chart ready to be placed. ``ancho``: minutes; ``alto``: hundredths of a unit."""

    ancho: int
    alto: int
    lineas: tuple[Linea, ...]
    guias: tuple[Guia, ...]
    horas: tuple[Hora, ...]


def draw(horas: Sequence[datetime], series: Sequence[Serie], *, tope: int, pasos: int, unidad: str) -> Grafica:
    """The chart of ``series`` over the local ``horas`` of at least two cuts, oldest first.

    Args:
        horas: aware, in the zone to be shown.
        series: lines, the most important first.
        tope: the value at the top, in units.
        pasos: into how many parts the grid divides it.
        unidad: what follows the numbers of the grid: ``%``, or nothing.
    """
    xs = [int((hour - horas[0]).total_seconds()) // 60 for hour in horas]
    width, height = max(xs[-1], 1), tope * CENTESIMAS
    waits = sorted(b - a for a, b in pairwise(xs))
    usual = waits[len(waits) // 2]
    marked = len(horas) <= MAX_PUNTOS
    ends = [_FULL - (_last(serie.valores) * _FULL) // height for serie in series]
    labels = spread(ends, _LABEL, _FULL)
    lines = []
    for serie, end, label in zip(series, ends, labels, strict=True):
        path, gaps, dots = _paths(xs, serie.valores, height, usual * _GAP, marked=marked)
        lines.append(Linea(serie, path, gaps, dots, _percent(end), _percent(label)))
    guides = tuple(
        Guia(
            height - height * step // pasos,
            _percent(_FULL - _FULL * step // pasos),
            f"{tope * step // pasos}{unidad}",
        )
        for step in range(pasos + 1)
    )
    return Grafica(width, height, tuple(lines), guides, _ticks(horas, xs))


def ceiling(best: int, *, percent: bool) -> tuple[int, int]:
    """The top of an axis that holds ``best`` (hundredths of a unit) and into how many whole parts it divides."""
    for top, parts in ((4, 4), (5, 5), (10, 5), (20, 4), (30, 3), (40, 4), (50, 5), (60, 3), (80, 4), (100, 4)):
        if best <= top * CENTESIMAS and not (percent and top < 10):
            return top, parts
    step = 25
    while best > step * 4 * CENTESIMAS:
        step *= 2
    return step * 4, 4


def spread(places: Sequence[int], size: int, full: int) -> list[int]:
    """Places for labels of a height, as near as they can be to where each should go, none over another."""
    order = sorted(range(len(places)), key=lambda n: (places[n], n))
    size = min(size, full // max(len(places), 1))
    found = list(places)
    floor = size // 2
    for n in order:
        found[n] = floor = max(found[n], floor)
        floor += size
    roof = full - size // 2
    for n in reversed(order):
        found[n] = roof = min(found[n], roof)
        roof -= size
    return found


def _paths(
    xs: Sequence[int], values: Sequence[int | None], height: int, gap: float, *, marked: bool
) -> tuple[str, str, str]:
    """The line, the stretches of it where no cut came for long, and its points."""
    line: list[str] = []
    gaps: list[str] = []
    dots: list[str] = []
    before: tuple[int, int] | None = None
    for x, value in zip(xs, values, strict=True):
        if value is None:
            before = None
            continue
        y = height - value
        if before is None:
            line.append(f"M{x} {y}")
        elif x - before[0] > gap:
            gaps.append(f"M{before[0]} {before[1]}L{x} {y}")
            line.append(f"M{x} {y}")
        else:
            line.append(f"L{x} {y}")
        if marked:
            dots.append(f"M{x} {y}h0")
        before = x, y
    return "".join(line), "".join(gaps), "".join(dots)


def _ticks(horas: Sequence[datetime], xs: Sequence[int]) -> tuple[Hora, ...]:
    total = max(xs[-1], 1)
    few = next((step for step in _STEPS if step * _FEW >= total), _STEPS[-1])
    many = next((step for step in _STEPS if step * _MANY >= total and few % step == 0), few)
    midnight = horas[0].replace(hour=0, minute=0, second=0, microsecond=0)
    begun = int((horas[0] - midnight).total_seconds()) // 60
    ticks: list[Hora] = []
    for minute in range(-(-begun // many) * many, begun + total + 1, many):
        x = minute - begun
        moment = midnight + timedelta(minutes=minute)
        date = f"{moment.day} {_MESES[moment.month - 1]}" if minute % 1440 == 0 else ""
        ticks.append(Hora(x, _percent(x * _FULL // total), f"{moment:%H:%M}", date, minute % few != 0))
    if all(tick.amplia for tick in ticks):
        ticks = [
            Hora(x, _percent(x * _FULL // total), f"{horas[n]:%H:%M}", "", amplia=False)
            for n, x in ((0, 0), (-1, total))
        ]
    return tuple(ticks)


def _last(values: Sequence[int | None]) -> int:
    return next((value for value in reversed(values) if value is not None), 0)


def _percent(part: int) -> str:
    """A ten-thousandth part as a CSS percentage with one decimal."""
    units, rest = divmod(part // 10, 10)
    return f"{units}.{rest}%" if rest else f"{units}%"
