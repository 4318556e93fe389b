"""``python -m bench.hijos.totales ACTAS.csv [--sin-detalle] [--huella]``: totals of a per-acta file, with Pregón."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from bench.pares.huella import Renglon, huella
from bench.procesos import listo
from pregon.prep.reader import read_actas
from pregon.tablas.totales import totals


def main() -> None:
    """Add up, and print the same as the peer."""
    path = Path(sys.argv[1])
    options = {"detalle": False} if "--sin-detalle" in sys.argv else {}
    listo()
    found = totals(read_actas(path), **options)  # type: ignore[arg-type]
    result: dict[str, object] = {
        "campos": dict(found.recalculado),
        "votos": sum(found.contendientes.values()),
        "secciones": len(found.secciones),
    }
    if "--huella" in sys.argv:
        columns = tuple(found.contendientes)
        rows: list[Renglon] = [("total", (), found.entidad.actas.contabilizadas, found.contendientes.values())]
        rows += [("entidad", (e.id,), e.actas.contabilizadas, e.contendientes.values()) for e in found.entidades]
        rows += [
            ("distrito", u.id.split("-"), u.actas.contabilizadas, u.contendientes.values()) for u in found.unidades
        ]
        result["huella_distritos"] = huella(found.recalculado, columns, rows)
        rows += [
            ("seccion", (*s.unidad.split("-"), s.id), s.actas.contabilizadas, s.contendientes.values())
            for s in found.secciones
        ]
        result["huella"] = huella(found.recalculado, columns, rows)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
