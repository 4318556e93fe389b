"""``modelo``: what the model says of 30 and 60 difusores, from what it was told of 10, against real deliveries.

The calibration is made first and written to a file; only then are the others measured. All of them on this machine, by
the carrier and with the programs of the night (``pregon.simulacro.modelo.medicion``).
"""

from __future__ import annotations

import shutil
from statistics import median
from typing import TYPE_CHECKING

from bench.informe import Limite
from pregon.base.clock import SystemClock
from pregon.base.durable import Disk
from pregon.simulacro.modelo.calibracion import DIFUSORES, SOLAS, de_medicion, lee
from pregon.simulacro.modelo.medicion import mide as measure
from pregon.simulacro.modelo.noche import percentil
from pregon.simulacro.modelo.reparto import P95, Escenario, p95

if TYPE_CHECKING:
    from pathlib import Path

    from bench.informe import Informe

MUCHOS = (30, 60)
DICHO = Limite(minimo=0.6, maximo=1.4)
"""Predicted over measured: within 40 %."""


def mide(informe: Informe, folder: Path, rondas: int, calibracion: Path | None) -> None:
    """Run it and print. ``calibracion``: one that was made on this machine before; None makes one now."""
    informe.titulo("modelo", "el p95 de firmado a visible que se predice con 10 difusores")
    folder.mkdir()
    path = calibracion or folder / "calibracion.json"
    if calibracion is None:
        ten = measure(folder / "10", DIFUSORES, rondas=rondas, solas=SOLAS, disk=Disk(), dice=informe.nota)
        Disk().write(path, de_medicion(ten, hecha=SystemClock().now()).to_bytes())
        shutil.rmtree(folder / "10")
    known = lee(path)
    work = known.medida
    informe.nota(
        f"calibración de {known.hecha:%Y-%m-%d %H:%M} UTC: {work.instituto_s:.3f} y {work.difusor_s:.3f} s de "
        f"procesador por entrega, {work.nucleos:.2f} procesadores de {known.nucleos}, {work.fijo_s:.2f} s fijos"
    )
    for number in MUCHOS:
        seen = measure(folder / str(number), number, rondas=rondas, disk=Disk(), dice=informe.nota)
        shutil.rmtree(folder / str(number))
        # What neighbours leave free was looked at before each cut: the model is told, as it is told of a link.
        free = median(one.libres for one in seen.rondas)
        said = p95(known.con_libres(free), Escenario(number, juntos=True))
        informe.nota(f"{number} difusores: con {free:.2f} procesadores libres se predice {said:.2f} s")
        real = percentil(seen.segundos, P95)
        own, theirs = (median(getattr(one, name) for one in seen.rondas) for name in ("instituto_s", "difusor_s"))
        informe.nota(f"{number} difusores: {own:.3f} y {theirs:.3f} s de procesador por entrega")
        informe.segundos(f"  {number} difusores, p95 de cada corte", [percentil(r.segundos, P95) for r in seen.rondas])
        informe.cifra(f"{number} difusores: p95 predicho / medido", said / real, DICHO)
    shutil.rmtree(folder)
