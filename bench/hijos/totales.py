"""``python -m bench.hijos.totales ACTAS.csv [--sin-detalle] [--huella]``: totals of a per-acta file, with Pregón."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.hijos.listo import listo
from pregon.prep.reader import read_actas
from pregon.tablas.totales import totals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.pares.huella import Renglon
    from pregon.tablas.model import ContestTotals, UnitTotals

HALLAZGOS = (
    *("SUMA_VOTOS", "EXCEDE_SIN_MARCA", "EMPATE_REPARTO"),
    *("CLAVE_REPETIDA", "SHA_REPETIDO", "SHA_FORMATO", "FECHA_RARA"),
)
"""Findings that a peer counts too: the first three always."""


def main() -> None:
    """Add up, and print the same as the peer."""
    path = Path(sys.argv[1])
    detail = "--sin-detalle" not in sys.argv
    listo()
    found = totals(read_actas(path), detalle=detail)
    result: dict[str, object] = {
        "campos": dict(found.recalculado),
        "votos": sum(found.contendientes.values()),
        "hallazgos": {code: _count(found, code) for code in HALLAZGOS},
    }
    if "--huella" in sys.argv:
        from bench.pares.huella import huella

        result["huella"] = huella(found.recalculado, _rows(found))
        if detail:
            result["huella_columnas"] = huella(found.recalculado, _columns(found))
    print(json.dumps(result))


def _count(found: ContestTotals, code: str) -> int:
    """How many a finding counts: the first number of its message."""
    told = next((finding.mensaje for finding in found.hallazgos if finding.codigo == code), "0")
    return int(re.findall(r"[\d,]+", told)[0].replace(",", ""))


def _places(found: ContestTotals) -> Iterator[tuple[str, list[str], UnitTotals]]:
    yield "total", [], found.entidad
    for unit in found.circunscripciones:
        yield "circunscripcion", [unit.id], unit
    for unit in found.entidades:
        yield "entidad", [unit.id], unit
    for unit in found.unidades:
        yield "distrito", unit.id.split("-"), unit


def _rows(found: ContestTotals) -> Iterator[Renglon]:
    """Every place down to the district, and its special votes apart."""
    for level, place, unit in _places(found):
        figures: dict[str, int | str] = {"nominal": unit.lista_nominal, "participacion": unit.participacion}
        figures |= {f"columna {name}": n for name, n in unit.contendientes.items()}
        figures |= {f"partido {name}": n for name, n in unit.partidos.items()}
        figures |= {f"candidatura {name}": n for name, n in unit.candidaturas.items()}
        yield level, place, [*figures.items(), *unit.actas.as_dict().items()]
        for special in unit.especiales:
            yield f"{level} {special.tipo}", place, [*special.contendientes.items(), *special.actas.as_dict().items()]


def _columns(found: ContestTotals) -> Iterator[Renglon]:
    """The votes of each column down to the sección, and the counted actas."""
    for level, place, unit in _places(found):
        if level != "circunscripcion":
            yield level, place, [*unit.contendientes.items(), ("contabilizadas", unit.actas.contabilizadas)]
    for section in found.secciones:
        place = [*section.unidad.split("-"), section.id]
        yield "seccion", place, [*section.contendientes.items(), ("contabilizadas", section.actas.contabilizadas)]


if __name__ == "__main__":
    main()
