"""``python -m bench``: what Pregón costs, as ratios against a peer measured in turn in the same run.

The measures and their limits are told in ``docs/rendimiento.md``. Exit status 1 when a limit is broken.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from bench import campeche, costo, nacional, portal, recepcion, totales
from bench.informe import Informe
from bench.noche import ELECCIONES, NACIONAL, archivo, haz

MEDIDAS = ("recepcion", "nacional", "totales", "costo", "servidores", "bitacoras")
APARTE = ("portal", "transporte", "nube", "tablero", "aforo", "modelo")
"""Measures that need programs which `make entorno` does not install, or root, or that have no peer: by name only."""
CON_NOCHE = frozenset({"recepcion", "nacional", "totales", "transporte", "nube"})
"""Measures of the files of a national night."""
_PROGRAMS = ("zip", "unzip", "sha256sum")


def main() -> int:
    """Run what was asked for; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Mide a Pregón contra otros programas.")
    parser.add_argument("--medida", choices=(*MEDIDAS, *APARTE, "todas"), default="todas")
    parser.add_argument("--rondas", type=int, default=5, help="rondas intercaladas; se muestran mediana y mínimo")
    parser.add_argument(
        "--rondas-recepcion", type=int, default=recepcion.RONDAS, help="las mismas, de la medida «recepcion»"
    )
    parser.add_argument(
        "--casillas",
        type=int,
        default=NACIONAL,
        help="actas por elección; con menos de 171,000 es sólo un ensayo: los límites son de la escala nacional",
    )
    parser.add_argument(
        "--renglones", type=int, default=10_000_000, help="de la bitácora de acceso; con menos es sólo un ensayo"
    )
    parser.add_argument("--datos", type=Path, default=campeche.DATOS, help="carpeta de los archivos reales")
    parser.add_argument(
        "--calibracion",
        type=Path,
        help="de la medida «modelo»: la que se hizo antes en este equipo; sin ella, una nueva",
    )
    options = parser.parse_args()
    if min(options.rondas, options.rondas_recepcion) < 1 or options.casillas < 100:
        parser.error("al menos una ronda y 100 casillas")
    missing = [program for program in _PROGRAMS if shutil.which(program) is None]
    if missing:
        parser.error(f"faltan programas del sistema: {', '.join(missing)}")
    wanted = set(MEDIDAS if options.medida == "todas" else (options.medida,))
    informe = Informe()
    if options.casillas != NACIONAL:
        print(f"Ensayo con {options.casillas:,} casillas: los límites son de la escala nacional ({NACIONAL:,}).")
    start = time.perf_counter()
    folder = Path(tempfile.mkdtemp(prefix="pregon-bench-"))
    # Bytecode, ours and the peer's, is made by a first run that is not timed, however each was installed.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(folder / "bytecode")
    try:
        if wanted & CON_NOCHE:
            _with_night(informe, folder, wanted, options)
        if "costo" in wanted:
            costo.mide(informe, folder / "costo", options.casillas, options.rondas)
        if "servidores" in wanted:
            from bench import servidores  # It needs what the tests need.

            servidores.mide(informe, folder / "servidores")
        if "aforo" in wanted:
            from bench import aforo  # Same.

            aforo.mide(informe, folder / "aforo")
        if "portal" in wanted:
            portal.mide(informe, folder / "portal", options.rondas)
        if "bitacoras" in wanted:
            from bench import bitacoras  # It needs what the tests need.

            bitacoras.mide(informe, folder / "bitacoras", options.renglones)
        if "modelo" in wanted:
            from bench import modelo  # Its carrier needs what the tests need.

            modelo.mide(informe, folder / "modelo", options.rondas, options.calibracion)
        if "tablero" in wanted:
            from bench import tablero  # It needs what the tests need.

            tablero.mide(informe, folder / "tablero")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"\nTardó {time.perf_counter() - start:.0f} s.")
    return informe.fin()


def _with_night(informe: Informe, folder: Path, wanted: set[str], options: argparse.Namespace) -> None:
    """The measures of one made-up national night."""
    elections = ELECCIONES if wanted & (CON_NOCHE - {"totales"}) else ELECCIONES[:1]
    noche = haz(folder / "noche", options.casillas, elections)
    if "recepcion" in wanted:  # First: what the others delete would slow it down.
        recepcion.mide(informe, folder / "recepcion", noche, options.rondas_recepcion)
    if "nacional" in wanted:
        nacional.mide(informe, folder / "nacional", noche, options.rondas)
        campeche.mide(informe, folder / "campeche", options.datos)
    if "totales" in wanted:
        totales.mide(informe, archivo(noche.folder, 1, "PRES"), options.rondas)
    if "transporte" in wanted:
        from bench import transporte  # It needs what the tests need.

        transporte.mide(informe, folder / "transporte", noche)
    if "nube" in wanted:
        from bench import nube  # Same.

        nube.mide(informe, folder / "nube", noche, options.rondas)
    shutil.rmtree(noche.folder)


if __name__ == "__main__":
    sys.exit(main())
