"""A document of blocks as PDF/UA-1: tagged, with title and language, the same bytes each time."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import resources
from typing import TYPE_CHECKING, Any

from pregon.documentos.bloques import Campos, Figura, Firmas, Lista, Nota, Parrafo, Salto, Tabla, Titulo
from pregon.documentos.pdf import compone
from pregon.documentos.texto import en_papel, legible

if TYPE_CHECKING:
    from pregon.documentos.bloques import Bloque, Documento

_ANCHA = 6
"""Columns from which a table is set in smaller letters."""
_CORTA = 20
"""Lines of text of a table that is never parted between two pages: half of the lowest one."""
_LETRAS = 80
"""Letters that fit across the narrowest page, at least."""


def escribe(documento: Documento) -> bytes:
    """The document as PDF.

    Raises:
        AjustesError: typst is not installed.
    """
    day = documento.fecha
    first = 2 if documento.titulo_visible else 1  # the level of what the blocks call 1
    return compone(
        resources.files("pregon.documentos").joinpath("documento.typ").read_bytes(),
        {
            "titulo": legible(documento.titulo),
            "titulo_visible": documento.titulo_visible,
            "autor": legible(documento.autor),
            "fecha": [day.year, day.month, day.day],
            "encabezado": legible(documento.encabezado),
            "pie": legible(documento.pie),
            "horizontal": documento.horizontal,
            "simulacro": documento.simulacro,
            "bloques": [_block(one, first) for one in documento.bloques],
        },
        hora=datetime(day.year, day.month, day.day, tzinfo=UTC),
        sin_papeles="o pida el documento en otra forma.",
    )


def _block(block: Bloque, first: int) -> dict[str, Any]:
    match block:
        case Titulo():
            return {"es": "titulo", "texto": legible(block.texto), "nivel": block.nivel + first - 1}
        case Parrafo():
            bold = block.negrita
            return {"es": "parrafo", "texto": legible(block.texto), "alinea": block.alinea, "negrita": bold}
        case Lista():
            items = [legible(one) for one in block.elementos]
            return {"es": "lista", "elementos": items, "numerada": block.numerada}
        case Nota():
            return {"es": "nota", "texto": legible(block.texto), "tono": block.tono}
        case Tabla():
            return _table(block)
        case Campos():
            return {
                "es": "campos",
                "titulo": legible(block.titulo or ""),
                "filas": [
                    [
                        {"rotulo": legible(one.rotulo), "valor": en_papel(one.valor), "renglones": one.renglones}
                        for one in row
                    ]
                    for row in block.filas
                ],
            }
        case Figura():
            return {
                "es": "figura",
                "imagen": block.imagen.decode() if block.tipo == "svg" else list(block.imagen),
                "tipo": block.tipo,
                "alt": legible(block.alt),
                "titulo": legible(block.titulo or ""),
                "ancho": block.ancho_mm,
            }
        case Firmas():
            signers = [
                {"nombre": legible(one.nombre or ""), "cargo": legible(one.cargo or "")} for one in block.firmantes
            ]
            return {"es": "firmas", "firmantes": signers}
        case Salto():
            return {"es": "salto"}


def _table(table: Tabla) -> dict[str, Any]:
    rows = [[en_papel(cell) for cell in row] for row in table.filas]
    whole = sum(one.ancho for one in table.columnas)
    across = [max(1, int(_LETRAS * one.ancho / whole) - 3) for one in table.columnas]
    lines = sum(max(_lines(cell, wide) for cell, wide in zip(row, across, strict=True)) for row in rows)
    return {
        "es": "tabla",
        "titulo": legible(table.titulo),
        "columnas": [legible(one.nombre) for one in table.columnas],
        "clases": [one.clase for one in table.columnas],
        "anchos": [one.ancho for one in table.columnas],
        "letra": 8 if len(table.columnas) >= _ANCHA else 9.5,
        "filas": rows,
        "entera": lines <= _CORTA,
        "nota": legible(table.nota or ""),
    }


def _lines(cell: str, wide: int) -> int:
    return sum(max(1, -(-len(line) // wide)) for line in cell.split("\n"))
