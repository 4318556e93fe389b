"""``totales``: from the CSV of one national contest to the totals of every level, against pandas.

Both are whole processes, from the start of the interpreter to its end. Once, apart and not timed, each prints a digest
of its answers: they must be equal. Parties after the split, circunscripciones and findings are ours alone.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from bench.informe import Limite
from bench.procesos import corre
from pregon.tablas.totales import totals

if TYPE_CHECKING:
    from pathlib import Path

    from bench.informe import Informe
    from bench.procesos import Corrida

PAR_NUESTRO = Limite(minimo=2)
_OURS, _PEER = "bench.hijos.totales", "bench.pares.totales_pandas"


def mide(informe: Informe, actas: Path, rondas: int) -> None:
    """Run it and print."""
    short = "detalle" in inspect.signature(totals).parameters
    informe.titulo("totales", f"de {actas.name} ({actas.stat().st_size / 1e6:.1f} MB) a los totales de cada nivel")
    mine, theirs = corre(_OURS, actas, "--huella").salida, corre(_PEER, actas, "--huella").salida
    same = mine == theirs
    if short:  # its secciones are summed but not given, so its digest goes down to the district
        down_to_units = corre(_OURS, actas, "--sin-detalle", "--huella").salida
        same = same and down_to_units["huella_distritos"] == theirs["huella_distritos"]
    ours: list[Corrida] = []
    brief: list[Corrida] = []
    peer: list[Corrida] = []
    for _ in range(rondas):
        ours.append(corre(_OURS, actas))
        peer.append(corre(_PEER, actas))
        if short:
            brief.append(corre(_OURS, actas, "--sin-detalle"))
    answers = [(run.salida["campos"], run.salida["votos"]) for run in (*ours, *brief, *peer)]
    same = same and all(answer == (mine["campos"], mine["votos"]) for answer in answers)
    informe.igual("respuestas de los dos (huella)", cierto=same)
    against = [run.total for run in peer]
    if short:
        informe.razon("pandas / nuestro, sin detalle", against, [run.total for run in brief], PAR_NUESTRO)
        informe.razon("pandas / nuestro, con detalle", against, [run.total for run in ours])
    else:
        informe.razon("pandas / nuestro, con detalle", against, [run.total for run in ours], PAR_NUESTRO)
    informe.razon(
        "sin contar arranques", [run.trabajo for run in peer], [run.trabajo for run in (brief if short else ours)]
    )
    if short:
        informe.segundos("nuestro, sin detalle, proceso entero", [run.total for run in brief])
    informe.segundos("nuestro, con detalle, proceso entero", [run.total for run in ours])
    informe.segundos("pandas, proceso entero", against)
    informe.segundos("nuestro: arranque e importaciones", [run.arranque for run in (*ours, *brief)])
    informe.segundos("pandas: arranque e importaciones", [run.arranque for run in peer])
