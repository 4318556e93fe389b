"""``python -m bench.hijos.corte ORDEN.json``: one cut of an institute, from files on disk to a signed package on disk.

The order: ``espacio``, ``hora``, ``fuentes`` (actas, candidaturas and LEEME or null of each contest), ``ultimo`` and
``autorizaciones`` (a path or null).
"""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path

from bench.procesos import listo
from pregon.base.clock import ManualClock
from pregon.instituto.autorizaciones import load
from pregon.instituto.build import ContestSource, build_cut
from pregon.instituto.workspace import open_workspace


def main() -> None:
    """Make it; print where its archives are."""
    order = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    listo()
    hour = datetime.fromisoformat(order["hora"])
    sources = [
        ContestSource(None, Path(actas), None if catalogue is None else Path(catalogue), leeme and Path(leeme))
        for actas, catalogue, leeme in order["fuentes"]
    ]
    built = build_cut(
        open_workspace(Path(order["espacio"]), clock=ManualClock(hour)),
        sources,
        hora=hour,
        ultimo=order["ultimo"],
        autorizaciones=() if order["autorizaciones"] is None else load(Path(order["autorizaciones"])),
    )
    changes = None if built.cambios is None else str(built.carpeta / built.cambios.nombre)
    print(json.dumps({"paquete": str(built.carpeta / built.paquete.nombre), "cambios": changes}))


if __name__ == "__main__":
    main()
