"""``costo``: what a cut costs from 10,000 to 500,000 actas, and whether it grows as they do."""

from __future__ import annotations

import math
import shutil
import statistics
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cortes import corta
from bench.informe import MIB, Limite
from bench.noche import NACIONAL, haz

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.informe import Informe

TAMANOS = (10_000, 20_000, 50_000, 100_000, NACIONAL, 300_000, 500_000)
POCAS = 200
"""Actas of the cut that tells what any cut costs: as many districts as the smallest of ``TAMANOS``, and signatures."""
PENDIENTE = Limite(minimo=0.85, maximo=1.15)
"""Slope of the logarithms of seconds and actas: 1 is proportional."""


def mide(informe: Informe, folder: Path, casillas: int, rondas: int) -> None:
    """Run it and print. ``casillas`` scales every size as it does to a national election."""
    informe.titulo("costo", "una elección; primer corte y el que sigue, con 5 % de actas nuevas")
    informe.nota(
        f"{'actas':>9} {'primero s':>10} {'siguiente s':>12} {'µs/acta':>8} {'µs/acta sig.':>13} "
        f"{'memoria PSS MiB':>16} {'paquete bytes':>14} {'bytes/acta':>11} {'rondas':>7}"
    )
    sizes = [max(size * casillas // NACIONAL, 100) for size in TAMANOS]
    fixed = _fixed(folder / "fijo", rondas)
    first, second, peaks, whole = [], [], [], []
    for full, size in zip(TAMANOS, sizes, strict=True):
        place = folder / str(full)
        noche = haz(place, size, ("PRES",))
        times: tuple[list[float], list[float]] = ([], [])
        peak, weight = 0, 0
        rounds = rondas if full <= NACIONAL else 1
        for number in range(rounds):
            espacio = noche.espacio(place / f"ronda-{number}")
            for cut in (0, 1):
                run = corta(espacio, noche.horas[cut], noche.fuentes(cut), memoria=True)
                times[cut].append(run.trabajo)
                peak = max(peak, 0 if run.memoria is None else run.memoria.pss)
                weight = Path(run.salida["paquete"]).stat().st_size if cut == 0 else weight
            shutil.rmtree(espacio)
        shutil.rmtree(place)
        a, b = statistics.median(times[0]), statistics.median(times[1])
        first.append(a)
        second.append(b)
        peaks.append(float(peak))
        whole.append(float(weight))
        informe.nota(
            f"{size:>9,} {a:>10.3f} {b:>12.3f} {1e6 * a / size:>8.1f} {1e6 * b / size:>13.1f} "
            f"{peak / MIB:>16,.0f} {weight:>14,} {weight / size:>11.1f} {rounds:>7}"
        )
    for name, seconds, base, limite in (
        ("del primero", first, fixed[0], PENDIENTE),
        ("del siguiente", second, fixed[1], None),
    ):
        more = [(size, one - base) for size, one in zip(sizes, seconds, strict=True) if one > base]
        if len(more) < len(sizes) // 2:
            raise SystemExit("demasiadas elecciones cuestan lo mismo que una casi vacía: mida con más --casillas")
        informe.cifra(f"pendiente: segundos {name}, sin lo fijo", pendiente(*zip(*more, strict=True)), limite)
        informe.cifra(f"pendiente: segundos {name}, con lo fijo", pendiente(sizes, seconds))
        informe.cifra(f"lo fijo {name}: un corte de {POCAS} actas", base, decimales=3, unidad=" s")
    informe.cifra("pendiente: memoria", pendiente(sizes, peaks))
    informe.cifra("pendiente: bytes del paquete", pendiente(sizes, whole))


def _fixed(folder: Path, rondas: int) -> tuple[float, float]:
    """Seconds that a first cut and the next take with next to no actas. The first round only makes bytecode."""
    noche = haz(folder, POCAS, ("PRES",))
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(rondas + 1):
        espacio = noche.espacio(folder / f"ronda-{number}")
        for cut in (0, 1):
            run = corta(espacio, noche.horas[cut], noche.fuentes(cut), memoria=True)
            if number:
                times[cut].append(run.trabajo)
    shutil.rmtree(folder)
    return statistics.median(times[0]), statistics.median(times[1])


def pendiente(x: Sequence[float], y: Sequence[float]) -> float:
    """Slope of the least-squares line through the logarithms."""
    return statistics.linear_regression([math.log(v) for v in x], [math.log(v) for v in y]).slope
