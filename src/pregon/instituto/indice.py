"""The index of a contest: every data file by level, so that no reader has to guess an address.

It holds neither votes nor the cut's number or hour: between two cuts it is nearly always the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pregon.instituto import cambios, estadistica, noche

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pregon.instituto.portal.modelo import Renglon
    from pregon.instituto.portal.vistas import VistaContienda
    from pregon.tablas.model import ContestTotals

FORMATO = "pregon/indice/1"
_UP = "../../../"
"""From the contest's folder to the root of the package."""


def index(totals: ContestTotals, view: VistaContienda, secciones: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The object of ``indice.json``. ``secciones``: what it says of each of their files (``secciones.described``)."""
    lines = {line.clave: line for line in view.resultados.candidaturas}
    parties = (party for line in view.resultados.columnas if len(line.partidos) == 1 for party in line.partidos)
    return {
        "formato": FORMATO,
        "contienda": view.id,
        "titulo": view.titulo,
        "nivel": totals.nivel,
        "entidad": "entidad.json",
        "cambios": cambios.ARCHIVO,
        "noche": noche.ARCHIVO,
        "estadistica": estadistica.ARCHIVO,
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
        "secciones": list(secciones),
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
