"""Which plots the analysis has, and what each draws."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

from pregon.difusor.aforo.capacidad import espera
from pregon.difusor.aforo.curva import VENTANA_S
from pregon.difusor.aforo.demanda import ESCENARIOS
from pregon.difusor.aforo.peso import NOMBRES
from pregon.documentos.grafica import Eje, Linea, barras, escala, lineas

if TYPE_CHECKING:
    from collections.abc import Callable

    from pregon.difusor.aforo.analisis import Aforo
    from pregon.difusor.aforo.demanda import Escenario

PRIMERAS_H = 4
"""Hours of the plot in which each peak is seen."""
_MEDIO_DIA_H = 12
_PUNTOS = 400


def graficas(aforo: Aforo) -> dict[str, str]:
    """The plots, by name."""
    return {
        "noche": _night(aforo),
        "primeras-horas": _first_hours(aforo),
        "peso": barras(
            "Bytes de cada clase de consulta, por representación",
            "bytes, escala de diez en diez veces",
            [
                (
                    NOMBRES[one.clase],
                    [
                        ("sin comprimir", one.identidad),
                        ("gzip", one.gzip),
                        *([] if one.br is None else [("brotli", one.br)]),
                    ],
                )
                for one in aforo.pesos.todas
            ],
        ),
        "espera": _waits(aforo),
    }


def _night(aforo: Aforo) -> str:
    """The greatest window between one cut and the next, all night."""
    edges = [0, *aforo.noche.cortes]

    def points(name: Escenario) -> list[tuple[float, float]]:
        values = aforo.escenarios[name].serie_mbps
        return [
            (start / 3600, max(values[start // VENTANA_S : end // VENTANA_S]))
            for start, end in pairwise(edges)
            if end - start >= VENTANA_S
        ]

    return _bands(aforo, aforo.noche.segundos / 3600, "Mbps", "Mbps de cada corte", points)


def _first_hours(aforo: Aforo) -> str:
    hours = min(aforo.noche.segundos / 3600, PRIMERAS_H)
    last = round(hours * 3600 / VENTANA_S)

    def points(name: Escenario) -> list[tuple[float, float]]:
        values = aforo.escenarios[name].serie_peticiones[:last]
        return [(n * VENTANA_S / 3600, value) for n, value in enumerate(values)]

    return _bands(aforo, hours, "Peticiones por segundo", "Peticiones por segundo en las primeras horas", points)


def _bands(
    aforo: Aforo, hours: float, unit: str, title: str, points: Callable[[Escenario], list[tuple[float, float]]]
) -> str:
    low, middle, high = (points(name) for name in ESCENARIOS)
    top, marks = escala(max(y for _, y in high))
    start = aforo.convocatoria.inicio
    every = 1 if hours <= _MEDIO_DIA_H else 3
    names = [(float(h), f"{(start.hour + h) % 24}:{start.minute:02d}") for h in range(0, math.floor(hours) + 1, every)]
    return lineas(
        title,
        Eje("hora local", 0.0, hours, names),
        Eje(unit, 0.0, top, marks),
        [Linea("alto", high, "rayas", 1.1), Linea("esperado", middle), Linea("bajo", low, "puntos", 1.1)],
        banda=(low, high),
        leyenda=True,
    )


def _waits(aforo: Aforo) -> str:
    """How the page slows as more people come than were thought, up to where it never arrives."""
    server, net, limit = aforo.ajustes.servidor, aforo.ajustes.red, aforo.limite_s
    people = aforo.demanda.visitantes("alto")
    full = 1 / max(aforo.plan.declarado.ocupacion_enlace, aforo.plan.declarado.ocupacion_equipos, 1e-9)
    until = max(full * 1.1, aforo.plan.aguanta * 1.1)
    drawn: list[tuple[float, float]] = []
    for n in range(1, _PUNTOS + 1):
        factor = until * n / _PUNTOS
        waits = espera(aforo.carga.por(factor), net, server, equipos=server.equipos, mbps=server.mbps).p99
        drawn.append((factor * people, min(waits, limit * 1.5)))
        if waits >= limit * 1.5:
            break
    x_top, x_marks = escala(until * people)
    y_top, y_marks = escala(limit * 1.5)
    margin = aforo.plan.aguanta * people
    return lineas(
        "Segundos de la página, p99, según los visitantes de la noche",
        Eje("visitantes en la noche", 0.0, x_top, x_marks),
        Eje("segundos", 0.0, y_top, y_marks),
        [
            Linea(f"límite, {limit:g} s", [(0.0, limit), (x_top, limit)], "rayas", 1.0),
            Linea("lo declarado", drawn),
            Linea("con margen", [(margin, 0.0), (margin, y_top * 0.85)], "puntos", 1.0),
        ],
    )
