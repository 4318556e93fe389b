"""The files of secciones and actas: one per hundred of section numbers (``datos/<NNNN>/<contienda>/seccion/…``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pregon.prep.model import Estado, Marker
from pregon.prep.text import natural
from pregon.tablas.model import casilla_as_dict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pregon.prep.model import Acta
    from pregon.tablas.model import ContestTotals, SectionTotals

FORMATO = "pregon/seccion/1"
SECCIONES_POR_ARCHIVO = 100
"""Secciones of one file: those with the same hundreds, so that the file of a sección is the same in every cut."""
_OTRAS = "otras"


def shard_of(seccion: str, entidad: str = "") -> str:
    """The file that holds a sección: its hundreds in three digits (``0118`` -> ``001``), or ``otras``.

    Sección numbers begin again in each entidad, so in a federal file its id comes first: ``09-001``.
    """
    numbered = seccion.isascii() and seccion.isdecimal()
    name = f"{int(seccion) // SECCIONES_POR_ARCHIVO:03d}" if numbered else _OTRAS
    return f"{entidad}-{name}" if entidad else name


def entity_of(totals: ContestTotals, section: SectionTotals) -> str:
    """The entidad of a sección in a federal file (its units are ``09-012``); empty in a local one."""
    entity = section.unidad.partition("-")[0] if totals.entidades else ""
    return entity if entity.isdecimal() else ""


def shards(totals: ContestTotals) -> dict[str, dict[str, Any]]:
    """Content of each file, by name. Votes are lists in the order of ``columnas``: several times smaller than objects.

    In an acta a vote is a count, or the name of the marker that the cell holds.
    """
    columns = list(totals.contendientes)
    found: dict[str, dict[str, Any]] = {}

    def shard(name: str) -> dict[str, Any]:
        return found.setdefault(name, {"formato": FORMATO, "columnas": columns, "secciones": [], "casillas": []})

    for section in sorted(totals.secciones, key=lambda s: (natural(s.id), natural(s.unidad))):
        item = section.as_dict(totals.nivel)
        del item["contendientes"]
        target = shard(shard_of(section.id, entity_of(totals, section)))
        target["secciones"].append({**item, "votos": list(section.votos)})
    for acta, identity in zip(totals.casillas, acta_ids(totals.casillas), strict=True):
        item = {"id": identity, **casilla_as_dict(acta, totals.nivel)}
        del item["contendientes"], item["marcas"]
        votes = [cell.value if isinstance(cell, Marker) else cell for cell in acta.votos]
        shard(shard_of(acta.seccion, acta.entidad))["casillas"].append({**item, "votos": votes})
    return found


def acta_ids(actas: Sequence[Acta]) -> tuple[str | None, ...]:
    """A stable id for each acta, None outside the catalogue.

    It is CLAVE_ACTA. Published files repeat some (one casilla in two municipalities, votes from abroad): the first
    keeps it and the others take ``.2``, ``.3``… by unit, sección and casilla, then in the order of the file.
    """
    ids: list[str | None] = [None] * len(actas)
    same: dict[str, list[int]] = {}
    for place, acta in enumerate(actas):
        if acta.estado is not Estado.FUERA_CATALOGO:
            same.setdefault(acta.clave_acta or acta.clave_casilla, []).append(place)
    for key, places in same.items():
        places.sort(key=lambda place: _order(actas[place]))
        for number, place in enumerate(places, start=1):
            ids[place] = key if number == 1 else f"{key}.{number}"
    return tuple(ids)


def _order(acta: Acta) -> tuple[Any, ...]:
    return tuple(natural(text) for text in (acta.unidad, acta.seccion, acta.id_casilla, acta.ext_contigua))
