"""The index of a contest: every data file by level, so that no reader has to guess an address.

It holds neither votes nor the cut's number or hour: between two cuts it is nearly always the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pregon.instituto.portal.modelo import Renglon
    from pregon.instituto.portal.vistas import VistaContienda
    from pregon.tablas.model import ContestTotals

FORMATO = "pregon/indice/1"
_UP = "../../../"
"""From the contest's folder to the root of the package."""


def index(totals: ContestTotals, view: VistaContienda, shards: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """The object of ``indice.json``. ``shards`` are the contest's files of secciones, by name."""
    lines = {line.clave: line for line in view.resultados.candidaturas}
    parties = (party for line in view.resultados.columnas if len(line.partidos) == 1 for party in line.partidos)
    return {
        "formato": FORMATO,
        "contienda": view.id,
        "titulo": view.titulo,
        "nivel": totals.nivel,
        "entidad": "entidad.json",
        "partidos": [{"clave": p.clave, "siglas": p.siglas, "nombre": p.nombre} for p in parties],
        "candidaturas": [who(lines[key]) for key in totals.candidaturas if key in lines],
        "unidades": [
            {
                "id": unit.id,
                "nombre": total.nombre,
                "archivo": f"{totals.nivel}/{unit.archivo}.json",
                "pagina": f"{_UP}{unit.ruta}",
            }
            for unit, total in zip(view.unidades, totals.unidades, strict=True)
        ],
        "secciones": [_shard(name, shards[name]) for name in sorted(shards)],
    }


def who(line: Renglon) -> dict[str, Any]:
    """Who contends on a line: its key, its parties, its people; ``pendiente`` where the catalogue has a placeholder."""
    return {
        "clave": line.clave,
        "partidos": [party.clave for party in line.partidos],
        "propietaria": line.nombre,
        "suplente": line.suplente,
        "pendiente": line.pendiente,
    }


def _shard(name: str, content: Mapping[str, Any]) -> dict[str, Any]:
    entity = name.rpartition("-")[0]
    ids = {section["id"] for section in content["secciones"]}
    numbers = _numbers(ids | {acta["seccion"] or "" for acta in content["casillas"]})
    return {
        "archivo": f"seccion/{name}.json",
        "entidad": entity or None,
        "desde": numbers[0] if numbers else None,
        "hasta": numbers[-1] if numbers else None,
        "secciones": len(ids),
        "actas": len(content["casillas"]),
    }


def _numbers(ids: Iterable[str]) -> list[str]:
    return sorted({text for text in ids if text.isascii() and text.isdecimal()}, key=int)
