"""``python -m bench.hijos.bitacoras REGISTRO``: all the measures of an access log, with Pregón."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from bench.hijos.listo import listo
from pregon.bitacoras.cuenta import Corrida, open_run
from pregon.bitacoras.lectura import Fuente
from pregon.bitacoras.resumen import summarise
from pregon.bitacoras.ventanas import windows


def main() -> None:
    """Measure, and print what GoAccess says too."""
    zona = ZoneInfo("America/Mexico_City")
    listo()
    with open_run(Corrida(windows(1, {}, zona))) as run:
        run.take([Fuente(Path(sys.argv[1]))])
        found = summarise(run, sitios=("prep",), zona=zona, now=datetime.now(UTC))
    one = found.medidas[0]
    told = json.dumps(found.as_dict())  # what the command would write is a part of the work
    result = {
        "hits": one.hits,
        "bytes": one.bytes,
        "malos": found.malos,
        "estados": {row.nombre: row.hits for row in one.estados},
        "visitas": one.visitas,
        "visitantes": one.visitantes,
        "json": len(told),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
