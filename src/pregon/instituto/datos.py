"""The data files of a cut: ``datos/<NNNN>/<contienda>/…`` and ``corte.json`` (design §7).

Cut number and hour appear only in ``entidad.json`` and ``corte.json``: whatever did not change between two cuts is the
same bytes, so it does not travel again in ``cambios`` (design §2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pregon.base.jsonio import canonical_json, compact_json
from pregon.instituto import contrato
from pregon.instituto.indice import index, who
from pregon.instituto.secciones import entity_of, shard_of, shards
from pregon.prep.percent import trunc4

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pregon.instituto.portal.modelo import Renglon
    from pregon.instituto.portal.vistas import Portal, VistaContienda, VistaUnidad
    from pregon.tablas.model import ContestTotals, SectionTotals, UnitTotals

FORMATO_UNIDAD = "pregon/unidad/1"


def contest_files(totals: ContestTotals, view: VistaContienda, *, corte: int) -> Iterator[tuple[str, bytes]]:
    """Route and bytes of every data file of a contest, each as its schema in ``contrato`` says.

    ``indice.json`` leads to all others; ``entidad.json`` is exactly ``totals.to_json(hasta="unidad")``; one file per
    unit with its people and the summary of its secciones; ``seccion/<centena>.json`` with the secciones and actas of
    that hundred.
    """
    base = f"datos/{corte:04d}/{totals.eleccion}"
    by_hundred = shards(totals)
    yield f"{base}/indice.json", compact_json(index(totals, view, by_hundred))
    yield f"{base}/entidad.json", compact_json(totals.to_json(hasta="unidad"))
    sections: dict[str, list[SectionTotals]] = {}
    for section in totals.secciones:
        sections.setdefault(section.unidad, []).append(section)
    for unit, shown in zip(totals.unidades, view.unidades, strict=True):
        route = f"{base}/{totals.nivel}/{shown.archivo}.json"
        yield route, compact_json(_unit(totals, unit, shown, sections.get(unit.id, ())))
    for name, content in by_hundred.items():
        yield f"{base}/seccion/{name}.json", compact_json(content)


def cut_file(portal: Portal) -> bytes:
    """``corte.json``: what a page asks for to know whether there is news (design §7)."""
    frame = portal.marco
    return canonical_json(
        {
            "formato": "pregon/corte/1",
            "corte": frame.corte,
            "hora_corte": frame.hora_corte.isoformat(timespec="seconds"),
            "ambiente": frame.ambiente,
            "ultimo": frame.ultimo,
            "proximo": None if frame.proximo is None else frame.proximo.isoformat(timespec="seconds"),
            "datos": f"datos/{frame.corte:04d}/",
            "esquemas": contrato.CARPETA,
            "base_de_datos": [download.ruta for download in portal.descargas],
            "contiendas": [
                {
                    "id": contest.id,
                    "titulo": contest.titulo,
                    "ruta": contest.ruta,
                    "datos": contest.datos,
                    "indice": contest.indice,
                }
                for contest in portal.contiendas
            ],
        }
    )


def _unit(
    totals: ContestTotals, unit: UnitTotals, view: VistaUnidad, sections: Sequence[SectionTotals]
) -> dict[str, Any]:
    return {
        "formato": FORMATO_UNIDAD,
        **unit.as_dict(),
        "porcentajes_actas": {
            "capturadas": view.avance.porcentaje_capturadas,
            "contabilizadas": view.avance.porcentaje_contabilizadas,
        },
        "resultado": {
            "candidaturas": [_line(line) for line in view.resultados.candidaturas],
            "partidos": [_line(line) for line in view.resultados.partidos],
        },
        "secciones": [
            {
                "id": section.id,
                "actas": section.actas.as_dict(),
                "lista_nominal": section.lista_nominal,
                "total_votos": section.total_votos,
                "participacion": trunc4(section.total_votos, section.lista_nominal),
                "archivo": f"../seccion/{shard_of(section.id, entity_of(totals, section))}.json",
            }
            for section in sections
        ],
    }


def _line(line: Renglon) -> dict[str, Any]:
    return {**who(line), "votos": line.votos, "porcentaje": line.porcentaje}
