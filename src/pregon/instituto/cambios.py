"""``cambios.json``: what a cut brings over the one before it in one contest, acta by acta.

It tells nothing that the files of secciones do not say: it is the list of what to ask for again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pregon.prep.cambios import Cambios
from pregon.tablas.model import place_as_dict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pregon.prep.model import Acta, Nivel

FORMATO = "pregon/cambios/1"
ARCHIVO = "cambios.json"


def cambios_json(
    cambios: Cambios | None,
    *,
    nivel: Nivel,
    anterior: int | None,
    ids: Mapping[int, str | None],
    shard: Callable[[Acta], str],
) -> dict[str, Any]:
    """The object of ``datos/<NNNN>/<contienda>/cambios.json``, as its schema in ``contrato`` says.

    Args:
        cambios: ``prep.cambios.changes`` of the previous cut and this one; None where there is no previous cut.
        nivel: what the units of the contest are: the key under which an acta names its own.
        anterior: number of the previous cut; None with ``cambios`` None.
        ids: the stable id of each acta of this cut (``secciones.Ids``), by its line. An acta that left has none.
        shard: the name of the file of secciones that holds an acta of this cut.
    """
    if cambios is None or anterior is None:
        cambios, anterior = Cambios(), None

    def told(acta: Acta) -> dict[str, Any]:
        where = f"seccion/{shard(acta)}.json"
        return {"id": ids.get(acta.linea), **place_as_dict(acta, nivel), "archivo": where}

    return {
        "formato": FORMATO,
        "nivel": nivel,
        "anterior": anterior,
        "conteo": {
            "entraron": len(cambios.entraron),
            "corregidas": len(cambios.corregidas),
            "movidas": len(cambios.movidas),
            "salieron": len(cambios.salieron),
        },
        "entraron": [told(acta) for acta in cambios.entraron],
        "corregidas": [
            {
                **told(item.acta),
                "celdas": [{"columna": c.columna, "antes": c.antes, "despues": c.despues} for c in item.celdas],
            }
            for item in cambios.corregidas
        ],
        "movidas": [{**told(item.despues), "antes": place_as_dict(item.antes, nivel)} for item in cambios.movidas],
        "salieron": [place_as_dict(acta, nivel) for acta in cambios.salieron],
    }
