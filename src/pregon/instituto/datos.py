"""The data files of a cut: ``datos/<NNNN>/<contienda>/…`` and ``corte.json`` (design §7).

Cut number and hour appear only in ``entidad.json``, ``noche.json`` and ``corte.json``: whatever did not change between
two cuts is the same bytes, so it does not travel again in ``cambios`` (design §2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pregon.base.jsonio import canonical_json, compact_json
from pregon.instituto import contrato
from pregon.instituto.indice import index, who
from pregon.instituto.secciones import described, in_order, joined_items, quoted, split_items
from pregon.prep.percent import trunc4

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from pregon.instituto.portal.modelo import Renglon
    from pregon.instituto.portal.vista_unidad import VistaUnidad
    from pregon.instituto.portal.vistas import Portal, VistaContienda
    from pregon.instituto.secciones import Hoja
    from pregon.tablas.model import ContestTotals, UnitTotals

FORMATO_UNIDAD = "pregon/unidad/1"
_SECCIONES = '"secciones":['


def contest_files(
    totals: ContestTotals,
    view: VistaContienda,
    hojas: Mapping[str, Hoja],
    *,
    corte: int,
    antes: Callable[[str], bytes | None] | None = None,
    tocadas: Collection[tuple[str, str]] = (),
) -> Iterator[tuple[str, bytes]]:
    """Route and bytes of every data file of a contest but those of its secciones, each as its schema says.

    ``antes``, where the previous cut had the same secciones: the file of a unit in it, by its name within the folder of
    the contest; from there the text of each sección is taken that is not in ``tocadas`` (unit and id). With it or
    without it the bytes are the same.

    ``indice.json`` leads to all others; ``entidad.json`` is exactly ``totals.to_json(hasta="unidad")``; one file per
    unit with its people and the summary of its secciones.
    """
    base = base_of(totals.eleccion, corte)
    yield f"{base}/indice.json", compact_json(index(totals, view, described(hojas)))
    yield f"{base}/entidad.json", compact_json(totals.to_json(hasta="unidad"))
    sections: dict[str, list[tuple[str, str, str]]] = {}
    for name, sheet in hojas.items():
        for unit, section, sums in sheet.secciones:
            sections.setdefault(unit, []).append((section, sums, name))
    for of_unit, shown in zip(totals.unidades, view.unidades, strict=True):
        route = f"{totals.nivel}/{shown.archivo}.json"
        whole = compact_json(_unit(of_unit, shown))
        rows = in_order(sections.get(of_unit.id, ()))
        known = _known(None if antes is None else antes(route), len(rows))
        listed = joined_items(
            [
                text if text is not None and (of_unit.id, row[0]) not in tocadas else _section(*row)
                for row, text in zip(rows, known, strict=True)
            ]
        )
        yield f"{base}/{route}", whole[:-2] + f",{_SECCIONES}{listed}]}}\n".encode()


def _known(content: bytes | None, secciones: int) -> Sequence[str | None]:
    """The text of each sección in the file of a unit; None of each where it is another file than was thought."""
    found = [] if content is None else split_items(content.decode().rpartition(_SECCIONES)[2].removesuffix("]}\n"))
    return found if len(found) == secciones else [None] * secciones


def base_of(contienda: str, corte: int) -> str:
    """The folder of a contest's data files."""
    return f"datos/{corte:04d}/{contienda}"


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


def _unit(unit: UnitTotals, view: VistaUnidad) -> dict[str, Any]:
    """The object of a unit but its ``secciones``."""
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
    }


def _section(section: str, sums: str, name: str) -> str:
    """A sección in the file of its unit, as text (``joined_items``): a national contest has 68,000."""
    expected, captured, counted, lista, total, _ = sums.split(",", 5)
    return (
        f"{quoted(section)},"
        f'"actas":{{"esperadas":{expected},"capturadas":{captured},"contabilizadas":{counted}}},'
        f'"lista_nominal":{lista},"total_votos":{total},"participacion":"{trunc4(int(total), int(lista))}",'
        f'"archivo":"../seccion/{name}.json"'
    )


def _line(line: Renglon) -> dict[str, Any]:
    return {**who(line), "votos": line.votos, "porcentaje": line.porcentaje}
