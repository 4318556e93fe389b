"""``totales``: from the CSV of one national contest to the totals of every level, against pandas.

All are whole processes, from the start of the interpreter to its end. Once, apart and not timed, each prints a digest
of its answers: those that answer the same must be equal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.informe import MIB, Limite
from bench.procesos import corre

if TYPE_CHECKING:
    from pathlib import Path

    from bench.informe import Informe
    from bench.procesos import Corrida

PAR_NUESTRO = Limite(minimo=2)
_OURS, _PEER, _COLUMNS = "bench.hijos.totales", "bench.pares.totales_pandas", "bench.pares.columnas_pandas"


def mide(informe: Informe, actas: Path, rondas: int) -> None:
    """Run it and print."""
    informe.titulo("totales", f"de {actas.name} ({actas.stat().st_size / 1e6:.1f} MB) a los totales de cada nivel")
    whole, brief = (corre(_OURS, actas, *more, "--huella").salida for more in ((), ("--sin-detalle",)))
    peer, columns = (corre(module, actas, "--huella").salida for module in (_PEER, _COLUMNS))
    every = corre(_PEER, actas, "--hallazgos", "--huella").salida
    informe.igual("totales, partidos y candidaturas (huella)", cierto=brief["huella"] == peer["huella"])
    informe.igual(
        "votos por columna hasta la sección (huella)", cierto=whole["huella_columnas"] == columns["huella_columnas"]
    )
    shared = {code: brief["hallazgos"][code] for code in peer["hallazgos"]}
    informe.igual(
        "hallazgos (cuántos)", cierto=shared == peer["hallazgos"] and brief["hallazgos"] == every["hallazgos"]
    )
    runs: dict[str, list[Corrida]] = {}
    for _ in range(rondas):
        for name, module, more in (
            ("sin detalle", _OURS, ("--sin-detalle",)),
            ("par", _PEER, ()),
            ("con detalle", _OURS, ()),
            ("hallazgos", _PEER, ("--hallazgos",)),
            ("columnas", _COLUMNS, ()),
        ):
            runs.setdefault(name, []).append(corre(module, actas, *more))
    answers = [(run.salida["campos"], run.salida["votos"]) for some in runs.values() for run in some]
    informe.igual("los 13 datos, en cada ronda", cierto=all(one == (peer["campos"], peer["votos"]) for one in answers))
    total = {name: [run.total for run in some] for name, some in runs.items()}
    informe.razon("pandas / nuestro, mismos totales", total["par"], total["sin detalle"], PAR_NUESTRO)
    informe.razon("pandas con todos los hallazgos / nuestro", total["hallazgos"], total["sin detalle"])
    informe.razon("pandas, sólo columnas / nuestro", total["columnas"], total["sin detalle"])
    informe.razon("pandas, sólo columnas / nuestro con detalle", total["columnas"], total["con detalle"])
    informe.razon(
        "mismos totales, sin contar arranques",
        [run.trabajo for run in runs["par"]],
        [run.trabajo for run in runs["sin detalle"]],
    )
    for label, name in (
        ("nuestro, sin detalle", "sin detalle"),
        ("nuestro, con detalle", "con detalle"),
        ("pandas, mismos totales", "par"),
        ("pandas con todos los hallazgos", "hallazgos"),
        ("pandas, sólo columnas", "columnas"),
    ):
        informe.segundos(f"{label}, proceso entero", total[name])
    informe.segundos("nuestro: arranque e importaciones", [run.arranque for run in runs["sin detalle"]])
    informe.segundos("pandas: arranque e importaciones", [run.arranque for run in runs["par"]])
    for label, module, more in (
        ("nuestro, sin detalle", _OURS, ("--sin-detalle",)),
        ("pandas, mismos totales", _PEER, ()),
    ):
        memory = corre(module, actas, *more, memoria=True).memoria
        if memory is not None:
            informe.cifra(f"{label}: memoria, suma de PSS", memory.pss / MIB, decimales=0, unidad=" MiB")
