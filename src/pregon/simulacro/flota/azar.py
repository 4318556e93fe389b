"""A night of faults out of a seed: the same seed, the same night."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING

from pregon.simulacro.flota.fallas import Falla, Guion, SinRed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from pregon.simulacro.flota.fallas import Clase, Reloj

SANOS = 0.4
"""Part of the fleet to which nothing happens."""
PUNTOS = ("punto-1", "punto-2", "punto-3")
_CLASES: tuple[Clase, ...] = (
    *(
        "muerto",
        "mudo",
        "lento",
        "viejo",
        "alterado",
        "anticipado",
        "tls",
        "autoinforme",
        "intermitente",
        "cdn",
        "camino",
    ),
    *("reinicio", "espera", "aviso", "ajeno"),
)
_DEMORA_S = (5, 240)
_DEMORA_PARTE = 0.4
"""Of the tolerance, what a difusor that is well takes at most: a minute is all that DGO-I-11d gives."""
_CORTA_S, _LARGA_S = (20, 400), (1200, 7200)
_TURNO_S = (45, 1300)


def sortea(
    semilla: int, reloj: Reloj, *, difusores: int, rutas: Sequence[str], puntos: Sequence[str] = PUNTOS
) -> Guion:
    """The night of ``semilla``. ``rutas``: files of which one byte may change, ``{corte}`` in their names.

    Among the faults there are some that last seconds and some that last hours; slots that the institute missed or
    signed late, too late for anybody, or at the last minute; and points that lose their network, alone or all at once.
    """
    azar = random.Random(semilla)  # noqa: S311 (a rehearsal: what matters is that it repeats)
    least, most = _DEMORA_S
    most = min(most, int(reloj.tolerancia_s * _DEMORA_PARTE))
    delays = {f"difusor-{n:02d}": azar.randint(least, most) for n in range(1, difusores + 1)}
    return Guion(
        reloj=reloj,
        demoras_s=delays,
        puntos=tuple(puntos),
        firmas=tuple(_signing(azar, reloj) for _ in range(reloj.periodos)),
        fallas=tuple(fault for name in delays for fault in _faults(azar, reloj, name, rutas, puntos)),
        sin_red=tuple(_lost(azar, reloj, puntos)),
        semilla=semilla,
    )


def _signing(azar: random.Random, reloj: Reloj) -> int | None:
    luck = azar.random()
    if luck < 0.08:
        return None
    if luck < 0.2:
        return azar.randrange(reloj.intervalo_s)
    return azar.randint(0, 45)


def _faults(
    azar: random.Random, reloj: Reloj, difusor: str, rutas: Sequence[str], puntos: Sequence[str]
) -> Iterator[Falla]:
    if azar.random() < SANOS:
        return
    free = reloj.inicio
    for _ in range(azar.randint(1, 3)):
        kind = azar.choice(_CLASES)
        start = free + timedelta(seconds=azar.randrange(reloj.intervalo_s * 3))
        length = timedelta(seconds=azar.randint(*(_LARGA_S if azar.random() < 0.6 else _CORTA_S)))
        if kind == "anticipado":
            if free > reloj.inicio:
                continue
            start, length = reloj.inicio - timedelta(seconds=reloj.antes * reloj.ronda_s), timedelta(0)
            yield Falla(clase=kind, difusor=difusor, desde=start, hasta=reloj.inicio)
            continue
        if kind == "espera":
            if free > reloj.inicio:
                continue
            start = reloj.inicio
        if kind == "reinicio":
            length = timedelta(seconds=azar.randint(20, 200))
        if start >= reloj.fin:
            return
        free = start + length
        yield _fault(azar, kind, difusor, (start, free), rutas, puntos)


def _fault(
    azar: random.Random,
    kind: Clase,
    difusor: str,
    span: tuple[datetime, datetime],
    rutas: Sequence[str],
    puntos: Sequence[str],
) -> Falla:
    return Falla(
        clase=kind,
        difusor=difusor,
        desde=span[0],
        hasta=span[1],
        punto=azar.choice(puntos) if kind in ("cdn", "camino") else None,
        ruta=azar.choice(rutas) if kind == "alterado" else None,
        turno_s=azar.randint(*_TURNO_S) if kind == "intermitente" else 0,
    )


def _lost(azar: random.Random, reloj: Reloj, puntos: Sequence[str]) -> Iterator[SinRed]:
    night = reloj.intervalo_s * reloj.periodos
    for punto in puntos:
        if azar.random() < 0.5:
            yield _without(azar, reloj, punto, azar.randrange(night))
    if azar.random() < 0.5:
        start = azar.randrange(night)
        for punto in puntos:
            yield _without(azar, reloj, punto, start)


def _without(azar: random.Random, reloj: Reloj, punto: str, start: int) -> SinRed:
    begin = reloj.inicio + timedelta(seconds=start)
    return SinRed(punto=punto, desde=begin, hasta=begin + timedelta(seconds=azar.randint(60, 3000)))
