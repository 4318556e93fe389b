"""The plots of a memoria, as SVG that says the same without colour. What each draws also stands in a table."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pregon.documentos.grafica import Eje, Linea, escala, lineas

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from zoneinfo import ZoneInfo

    from pregon.bitacoras.medidas import Minuto
    from pregon.difusor.memoria.noche import Corte

_PUNTOS = 240
"""Most points of a line: more are not seen on paper."""
_PASOS = (60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 21600)
_MARCAS = (300, 600, 1200, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800)
_MARCAS_MAX = 12


def por_tiempo(minutos: Sequence[Minuto], zona: ZoneInfo) -> tuple[str, int]:
    """Pages by stretches of time and visits under way at their most; and how long each stretch is, in seconds."""
    first, last = minutos[0].desde, minutos[-1].desde + 60
    step = next((one for one in _PASOS if (last - first) / one <= _PUNTOS), _PASOS[-1])
    pages: dict[int, int] = defaultdict(int)
    under: dict[int, int] = defaultdict(int)
    for one in minutos:
        place = one.desde // step
        pages[place] += one.paginas
        under[place] = max(under[place], one.visitas)
    places = range(first // step, last // step + 1)
    drawn = [(float(n * step), float(pages[n])) for n in places], [(float(n * step), float(under[n])) for n in places]
    top, marks = escala(max(1.0, *(y for line in drawn for _, y in line)))
    begin, end = float(places[0] * step), float(max(places[-1], places[0] + 1) * step)
    words = "por minuto" if step == 60 else f"cada {step // 60} minutos"
    picture = lineas(
        f"Páginas y visitas, {words}",
        _hours(begin, end, zona),
        Eje("Cuántas", 0.0, top, marks),
        [Linea("páginas", drawn[0]), Linea("visitas en curso", drawn[1], "rayas", 1.2)],
        leyenda=True,
    )
    return picture, step


def frescura(cortes: Sequence[Corte], intervalo_s: float) -> str:
    """Seconds until each cut was public, and the interval between cuts where it can be seen beside them."""
    values = [(float(one.numero), one.segundos) for one in cortes if one.segundos is not None]
    most = max(1.0, *(y for _, y in values))
    seen = intervalo_s <= most * 20
    top, marks = escala(max(most, intervalo_s if seen else 0.0))
    first, last = values[0][0], max(values[-1][0], values[0][0] + 1)
    every = max(1, -(-int(last - first) // _MARCAS_MAX))
    names = [(float(n), str(n)) for n in range(int(first), int(last) + 1, every)]
    series = [Linea("segundos", values)]
    if seen:
        series.append(Linea("intervalo", [(first, intervalo_s), (last, intervalo_s)], "rayas", 1.0))
    return lineas(
        "Segundos hasta que cada corte fue público",
        Eje("corte", first, last, names),
        Eje("Segundos", 0.0, top, marks),
        series,
        leyenda=True,
    )


def _hours(begin: float, end: float, zona: ZoneInfo) -> Eje:
    """A local axis: whole hours, with the day where it changes."""
    every = next((one for one in _MARCAS if (end - begin) / one <= _MARCAS_MAX), _MARCAS[-1])
    offset = (datetime.fromtimestamp(begin, zona).utcoffset() or timedelta()).total_seconds()
    at = -(-(begin + offset) // every) * every - offset
    marks: list[tuple[float, str]] = []
    label: Callable[[datetime], str] = _day if every >= 86400 else _hour
    day = None
    while at <= end:
        local = datetime.fromtimestamp(at, zona)
        text = label(local)
        if every < 86400 and local.date() != day and end - begin > 86400:
            text = f"{local.day}/{local.month} {text}"
        day = local.date()
        marks.append((at, text))
        at += every
    return Eje("hora local", begin, end, marks)


def _hour(local: datetime) -> str:
    return f"{local.hour}:{local.minute:02d}"


def _day(local: datetime) -> str:
    return f"{local.day}/{local.month}"
