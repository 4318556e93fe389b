"""``python -m bench.hijos.nube ORDEN.json``: one cut of a difusor taken to a bucket, by a process started anew.

The order: ``difusor`` (its folder), ``corte`` and ``nube`` (one table of ``[[nube]]``). Prints what changed there and
the processor seconds of the publication alone.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from bench.procesos import listo
from pregon.base.clock import SystemClock
from pregon.base.durable import Disk
from pregon.difusor.libro import Libro
from pregon.difusor.nube.ajustes import AjustesNube
from pregon.difusor.nube.publica import Publicacion
from pregon.difusor.publish import Publisher
from pregon.difusor.workspace import open_workspace


def main() -> None:
    """Take it there."""
    order = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    listo()
    workspace, disk, clock = open_workspace(Path(order["difusor"])), Disk(), SystemClock()
    libro = Libro(workspace.open_state(workspace.open_clock()))
    publisher = Publisher(workspace, libro, disk)
    cut = next(cut for cut in libro.cortes() if cut.corte == order["corte"])
    what = publisher.plan_of(cut)
    publisher.show(what.name)  # Only what a difusor shows is taken anywhere.
    ajustes = AjustesNube.model_validate(order["nube"])
    target = Publicacion(ajustes, workspace, libro, publisher.store, clock=clock, disk=disk)
    start = time.process_time()
    cambio = target.muestra(cut, what)
    spent = time.process_time() - start
    print(json.dumps({"bytes": cambio.bytes, "objetos": cambio.objetos, "cpu": spent, "rutas": len(cambio.rutas)}))


if __name__ == "__main__":
    main()
