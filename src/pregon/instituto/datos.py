"""The data files of a cut: ``datos/<NNNN>/<contienda>/…`` and ``corte.json`` (design §7).

Cut number and hour appear only in ``entidad.json`` and ``corte.json``: whatever did not change between two cuts is the
same bytes, so it does not travel again in ``cambios`` (design §2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pregon.base.jsonio import canonical_json, compact_json
from pregon.instituto.portal.vistas import file_id
from pregon.prep.model import Marker
from pregon.prep.percent import trunc4
from pregon.prep.text import natural
from pregon.tablas.model import casilla_as_dict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pregon.instituto.portal.modelo import Renglon
    from pregon.instituto.portal.vistas import Portal, VistaContienda, VistaUnidad
    from pregon.tablas.model import ContestTotals, SectionTotals, UnitTotals

SECCIONES_POR_ARCHIVO = 100
"""Secciones of one file: those with the same hundreds, so that a reader knows the file from the number alone."""
_OTRAS = "otras"


def contest_files(totals: ContestTotals, view: VistaContienda, *, corte: int) -> Iterator[tuple[str, bytes]]:
    """Route and bytes of every data file of a contest.

    ``entidad.json`` is exactly ``totals.to_json(hasta="unidad")``; one file per unit with its people and the summary
    of its secciones; ``seccion/<centena>.json`` with the secciones and actas of that hundred.
    """
    base = f"datos/{corte:04d}/{totals.eleccion}"
    yield f"{base}/entidad.json", compact_json(totals.to_json(hasta="unidad"))
    sections: dict[str, list[SectionTotals]] = {}
    for section in totals.secciones:
        sections.setdefault(section.unidad, []).append(section)
    for unit, shown in zip(totals.unidades, view.unidades, strict=True):
        route = f"{base}/{totals.nivel}/{file_id(unit.id)}.json"
        yield route, compact_json(_unit(unit, shown, sections.get(unit.id, ())))
    for name, content in _shards(totals).items():
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
            "base_de_datos": [download.ruta for download in portal.descargas],
            "contiendas": [
                {"id": contest.id, "titulo": contest.titulo, "ruta": contest.ruta, "datos": contest.datos}
                for contest in portal.contiendas
            ],
        }
    )


def shard_of(seccion: str) -> str:
    """The file that holds a sección: its hundreds in three digits (``0118`` -> ``001``), or ``otras``."""
    return f"{int(seccion) // SECCIONES_POR_ARCHIVO:03d}" if seccion.isascii() and seccion.isdecimal() else _OTRAS


def _unit(unit: UnitTotals, view: VistaUnidad, sections: Sequence[SectionTotals]) -> dict[str, Any]:
    return {
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
                "archivo": f"../seccion/{shard_of(section.id)}.json",
            }
            for section in sections
        ],
    }


def _line(line: Renglon) -> dict[str, Any]:
    return {
        "clave": line.clave,
        "partidos": [party.clave for party in line.partidos],
        "propietaria": line.nombre,
        "suplente": line.suplente,
        "votos": line.votos,
        "porcentaje": line.porcentaje,
    }


def _shards(totals: ContestTotals) -> dict[str, dict[str, Any]]:
    """Secciones and actas by file. Votes are lists in the order of ``columnas``: several times smaller than objects.

    In an acta a vote is a count, or the name of the marker that the cell holds.
    """
    columns = list(totals.contendientes)
    found: dict[str, dict[str, Any]] = {}
    for section in sorted(totals.secciones, key=lambda s: (natural(s.id), natural(s.unidad))):
        shard = found.setdefault(shard_of(section.id), _empty_shard(columns))
        item = section.as_dict(totals.nivel)
        del item["contendientes"]
        shard["secciones"].append({**item, "votos": list(section.votos)})
    for acta in totals.casillas:
        shard = found.setdefault(shard_of(acta.seccion or _OTRAS), _empty_shard(columns))
        item = casilla_as_dict(acta, totals.nivel)
        del item["contendientes"], item["marcas"]
        votes = [cell.value if isinstance(cell, Marker) else cell for cell in acta.votos]
        shard["casillas"].append({**item, "votos": votes})
    return found


def _empty_shard(columns: list[str]) -> dict[str, Any]:
    return {"columnas": columns, "secciones": [], "casillas": []}
