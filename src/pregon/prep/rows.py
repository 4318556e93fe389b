"""Rows of an ``ActaTable`` understood one by one as ``Acta``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pregon.prep.model import Acta, ActaTable, Cell, Estado, Marker
from pregon.prep.text import NO_UNIT, clean_key, entity_id, fold, parse_cell, parse_count

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_CACHE = 100_000


class _Cells(dict[str, Cell]):
    """Each distinct text is read once; bounded, because a hostile file may make every cell distinct."""

    def __missing__(self, text: str) -> Cell:
        cell = parse_cell(text)
        if len(self) < _MAX_CACHE:
            self[text] = cell
        return cell


def actas(table: ActaTable) -> Iterator[Acta]:
    """The actas of ``table`` in the file's order.

    Those of no district or municipality (voto en el extranjero, voto anticipado) get the unit ``sin-<nivel>``, so
    that the units still add up to the entity; those fuera de catálogo get the empty unit.
    """
    c = table.columns
    columnas = table.columnas_voto
    several = table.varias_entidades
    cells = _Cells()
    states: dict[tuple[str, str, bool], Estado] = {}
    for linea, row in zip(table.lineas, table.filas, strict=True):
        clave = clean_key(row[c.clave_casilla])
        key = (row[c.contabilizada], row[c.observaciones], clave in NO_UNIT)
        estado = states.get(key)
        if estado is None:
            estado = _estado(*key)
            if len(states) < _MAX_CACHE:
                states[key] = estado
        unidad = clean_key(row[c.unidad_id])
        nombre = "" if c.unidad_nombre is None else row[c.unidad_nombre].strip().strip("'")
        if unidad in NO_UNIT:
            unidad, nombre = ("", "") if estado is Estado.FUERA_CATALOGO else (f"sin-{table.nivel}", "")
        entidad = ""
        if several and c.entidad_id is not None:
            entidad = entity_id(row[c.entidad_id])
            unidad = f"{entidad}-{unidad}" if unidad else ""
        votos = tuple([cells[text] for text in row[c.votos]])
        yield Acta(
            linea=linea,
            clave_casilla=clave,
            clave_acta=_text(row, c.clave_acta),
            unidad=unidad,
            unidad_nombre=nombre,
            seccion=clean_key(row[c.seccion]),
            id_casilla=_text(row, c.id_casilla),
            tipo=clean_key(row[c.tipo]).upper(),
            ext_contigua=_text(row, c.ext_contigua),
            estado=estado,
            contabilizada=row[c.contabilizada].strip(),
            votos=votos,
            suma=sum([v for v in votos if type(v) is int]),
            columnas=columnas,
            asentado=Marker.VACIO if c.asentado is None else cells[row[c.asentado]],
            calculado=cells[row[c.calculado]],
            lista_nominal=cells[row[c.lista_nominal]],
            representantes=Marker.VACIO if c.representantes is None else cells[row[c.representantes]],
            observaciones=row[c.observaciones].strip(),
            sha=_text(row, c.sha),
            fechas=(_text(row, c.acopio), _text(row, c.captura), _text(row, c.verificacion)),
            entidad=entidad,
        )


def counted_value(cell: Cell) -> int:
    """What a cell adds to a total: its count, or zero for a marker."""
    return cell if isinstance(cell, int) else 0


def estado_of(contabilizada: str, observaciones: str, clave_casilla: str) -> Estado:
    """Where an acta stands, from the text of three of its cells."""
    return _estado(contabilizada, observaciones, clean_key(clave_casilla) in NO_UNIT)


def _text(row: tuple[str, ...], place: int | None) -> str:
    return "" if place is None else clean_key(row[place])


def _estado(contabilizada: str, observaciones: str, no_key: bool) -> Estado:  # noqa: FBT001 - private, a cache key
    """CONTABILIZADA as given, never judged again; fuera de catálogo by any of its marks.

    ``2`` (Puebla 2024); or the words in OBSERVACIONES, or a row without key, with ``0`` (Campeche) or ``-`` (Sonora).
    """
    given = parse_count(contabilizada)
    if given == 1:
        return Estado.CONTABILIZADA
    if given == 2 or no_key or "FUERA DE CATALOGO" in fold(observaciones):
        return Estado.FUERA_CATALOGO
    return Estado.NO_CONTABILIZADA if given == 0 else Estado.PENDIENTE
