"""Thirty minutes with readers all the time: nothing of the difusor grows.

In the first five a cut comes every five seconds: sixty, as many as five hours have of the fastest convocatoria, one
every five minutes (INE-II-a-ii-3c). Then one every two minutes, and every five seconds the institute signs its hour
again, so that everything is verified anew. What is measured is from then on: what each process holds alone (private
and written), the least of ten looks; of Caddy, what is left of its heap after a collection. Each cut costs some 13 kB
for good: 8 kB are python-tuf's, which verifies the one list of all the cuts by writing it again whole, and what it held
once is kept by the allocator; 2 kB are what the difusor remembers of the cut. Thirty cuts an hour are 0.4 MiB of the
limit; twelve, 0.15.

``PREGON_AGUANTE_S`` (1800) and ``PREGON_CALIENTA_S`` (300) shorten it, to try it; then the slope says less.
"""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from pregon.base.clock import SimulatedClock
from tests.confiabilidad.medidas import Muestra, en_reposo, pendiente, vivo
from tests.confiabilidad.noche import LIMITE_S, Noche, servidor_de

DURA_S = float(os.environ.get("PREGON_AGUANTE_S", "1800"))
CALIENTA_S = float(os.environ.get("PREGON_CALIENTA_S", "300"))
FIRMA_S = 5.0
"""Between two signatures of the institute."""
CORTE_S = 120.0
"""Between two cuts, after the first minutes: INE-II-a-ii-3c asks for one in 300."""
MIRA_S = 10.0
RAFAGA_S = 1
"""Of every ``MIRA_S`` seconds, so many with twenty connections that ask as fast as they are answered."""
MIB = 1 << 20
DIA = timedelta(days=1)
MAXIMO = 1 * MIB
"""Bytes an hour. Of Caddy, of what it needs (``medidas.vivo``)."""
HOLGURA = 3
"""Handles and threads that may come and go."""


def grown(name: str, values: list[Muestra]) -> list[str]:
    """What grew, in words; and print what was seen."""
    slope, error = pendiente([(one.t, one.propia) for one in values])
    print(
        f"{name}: {slope / MIB:+.2f} ± {error / MIB:.2f} MiB/h en {len(values)} muestras, "
        f"{values[-1].propia / MIB:.1f} MiB, {values[-1].manijas} manijas, {values[-1].hilos} hilos"
    )
    print(" ".join(f"{one.t:.0f}:{one.propia >> 10}" for one in values))
    found = [f"{name}: {slope / MIB:+.2f} MiB/h"] if slope >= MAXIMO else []
    half = len(values) // 2
    for what in ("manijas", "hilos"):
        first, last = (max(getattr(one, what) for one in part) for part in (values[:half], values[half:]))
        if last > first + HOLGURA:
            found.append(f"{name}: {what} {first} -> {last}")
    return found


@pytest.mark.aguante
def test_memory_handles_and_threads_stay_flat(noche: Noche) -> None:
    seen: dict[str, list[Muestra]] = {"opera": [], "sirve": [], "caddy": []}
    clock = SimulatedClock.load(noche.carpeta / "reloj.json")
    noche.corte(hora=clock.now())
    with noche.sirviendo() as (url, server), noche.operando() as process, noche.juez.leyendo(url) as reading:
        noche.espera_corte(1, process)
        noche.juez.espera = False
        pids = {"opera": process.pid, "sirve": server.pid, "caddy": servidor_de(server)}
        start = time.monotonic()
        look = cut = sign = start + FIRMA_S
        while (now := time.monotonic()) < start + DURA_S:
            if now >= sign:
                sign += FIRMA_S
                if now >= cut:
                    cut += FIRMA_S if now < start + CALIENTA_S else CORTE_S
                    noche.espera_corte(noche.corte(hora=clock.now()), process)
                else:
                    noche.escena.repository.resign_timestamp(now=clock.now(), expires=clock.now() + DIA)
            if now >= look:
                look += MIRA_S
                for name, pid in pids.items():
                    look_at = en_reposo(pid, now - start)
                    if name == "caddy":
                        look_at = replace(look_at, propia=vivo(noche.workspace.servidor))
                    seen[name].append(look_at)
                burst = ["wrk", "-t1", "-c20", f"-d{RAFAGA_S}s", url]
                subprocess.run(burst, check=True, timeout=LIMITE_S, stdout=subprocess.DEVNULL)
            time.sleep(max(0.0, min(sign, look) - time.monotonic()))
        assert noche.sana(url, corte=noche.cortes) == []
    assert (reading.fallas, reading.sin_respuesta) == ([], 0)
    warm = {name: [one for one in values if one.t >= CALIENTA_S] for name, values in seen.items()}
    assert [text for name, values in warm.items() for text in grown(name, values)] == []
