"""A document of blocks as XLSX: each table a sheet, the rest in reading order on the first one.

Every text is written as a text cell, never looked at for a formula, a number or an address, and one that a program
would take for a formula if somebody edited it is marked as text (``quotePrefix``). The file has no formula at all.
"""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pregon.documentos.bloques import Campos, Figura, Firmas, Lista, Nota, Parrafo, Salto, Tabla, Titulo
from pregon.documentos.formas import falta
from pregon.documentos.pdf import como_png
from pregon.documentos.texto import legible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

    from pregon.documentos.bloques import Bloque, Celda, Documento

CELDA_MAX = 32_767
"""Most characters of a cell (ECMA-376, as Excel limits it)."""
EXACTO_MAX = 10**15
"""Whole numbers from here on are written as text: a spreadsheet keeps 15 digits and makes the others up."""
_HOJA_MAX = 31
_ANCHA_MAX = 32
"""Widest column, in letters: longer texts go on in the next line of their cell."""
_RENGLON = 14
"""Height of a line, in points; and no row is higher than 409."""
_IZQUIERDA, _DERECHA = 42, 78
"""Widths of the two columns of the sheet of texts."""
_FORMULA = re.compile(r"\s*[=+\-@|%]")
"""What programs take for the beginning of a formula or of an order to another program, in one of them or another."""
_NO_HOJA = re.compile(r"[\[\]:*?/\\\x00-\x1f]")


def escribe(documento: Documento) -> bytes:
    """The document as XLSX.

    Raises:
        AjustesError: xlsxwriter is not installed; or typst is not, and there is a figure that it must draw.
    """
    try:
        import xlsxwriter
    except ImportError as exc:
        raise falta("las hojas de cálculo", exc) from exc
    made = io.BytesIO()
    book = xlsxwriter.Workbook(
        made,
        {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False},
    )
    day = documento.fecha
    book.set_properties(
        {
            "title": legible(documento.titulo, 255),
            "author": legible(documento.autor, 255),
            "created": datetime(day.year, day.month, day.day, tzinfo=UTC),
        }
    )
    _Libro(book, documento).escribe()
    book.close()
    return made.getvalue()


class _Libro:
    """Writes the sheets; the library's workbook is what changes."""

    def __init__(self, book: Workbook, documento: Documento) -> None:
        self._book = book
        self._document = documento
        self._formats: dict[tuple[str, bool], Format] = {}
        self._names: set[str] = set()

    def escribe(self) -> None:
        tables = [one for one in self._document.bloques if isinstance(one, Tabla)]
        rest = [one for one in self._document.bloques if not isinstance(one, Tabla | Salto)]
        names = {id(one): self._name(one.hoja or one.titulo) for one in tables}
        if rest or not tables:
            self._text(self._add(self._name("Documento")), names)
        for one in tables:
            self._table(self._add(names[id(one)]), one)

    def _name(self, wanted: str) -> str:
        """A name that a spreadsheet admits, and that no other sheet has."""
        clean = _NO_HOJA.sub(" ", legible(wanted)).strip(" '")[:_HOJA_MAX].strip() or "Hoja"
        name, n = clean, 1
        while name.lower() in self._names:
            n += 1
            name = f"{clean[: _HOJA_MAX - 1 - len(str(n))]} {n}"
        self._names.add(name.lower())
        return name

    def _add(self, name: str) -> Worksheet:
        sheet = self._book.add_worksheet(name)
        sheet.set_paper(1)  # letter
        sheet.fit_to_pages(1, 0)
        if self._document.horizontal:
            sheet.set_landscape()
        banner = "SIMULACRO: no es la jornada electoral" if self._document.simulacro else self._document.encabezado
        # An ampersand begins an order to the program that prints.
        head, foot = (legible(text, 200).replace("&", "&&") for text in (banner, self._document.pie))
        sheet.set_header(f"&L{head}" if head else "")
        sheet.set_footer((f"&L{foot}" if foot else "") + "&RPágina &P de &N")
        return sheet

    def _format(self, kind: str, *, quoted: bool = False) -> Format:
        """``texto rotulo respuesta titulo cabeza entero decimal``; made once each."""
        if (kind, quoted) not in self._formats:
            own: dict[str, dict[str, Any]] = {
                "titulo": {"bold": True, "font_size": 14},
                "rotulo": {"bold": True, "text_wrap": True, "border": 1},
                "respuesta": {"text_wrap": True, "num_format": "@", "border": 1},
                "cabeza": {"bold": True, "text_wrap": True, "bg_color": "#E4E8EB", "border": 1, "num_format": "@"},
                "texto": {"text_wrap": True, "num_format": "@"},
                "entero": {"num_format": "#,##0"},
                "decimal": {"num_format": "#,##0.0###"},
            }
            keys = {"valign": "top", "font_name": "Arial", "font_size": 10} | own[kind]
            self._formats[kind, quoted] = self._book.add_format(keys | ({"quote_prefix": True} if quoted else {}))
        return self._formats[kind, quoted]

    def _put(self, sheet: Worksheet, row: int, column: int, value: Celda, kind: str = "texto") -> None:
        match value:
            case None | "":
                sheet.write_blank(row, column, None, self._format(kind))
            case bool():
                raise TypeError("a cell is text or a number")
            case int() if abs(value) < EXACTO_MAX:
                sheet.write_number(row, column, value, self._format("entero"))
            case Decimal() if value.is_finite() and len(value.as_tuple().digits) <= 15:
                sheet.write_number(row, column, float(value), self._format("decimal"))
            case _:
                text = legible(str(value), CELDA_MAX)
                quoted = _FORMULA.match(text) is not None
                sheet.write_string(row, column, text, self._format(kind, quoted=quoted))

    def _table(self, sheet: Worksheet, table: Tabla) -> None:
        widths: list[int] = []
        for n, column in enumerate(table.columnas):
            self._put(sheet, 0, n, column.nombre, "cabeza")
            widths.append(_width(column.nombre, [row[n] for row in table.filas]))
            sheet.set_column(n, n, widths[n])
        sheet.freeze_panes(1, 0)
        sheet.repeat_rows(0)
        sheet.set_row(0, _height(tuple(one.nombre for one in table.columnas), widths))
        for n, row in enumerate(table.filas, 1):
            sheet.set_row(n, _height(row, widths))
            for m, cell in enumerate(row):
                self._put(sheet, n, m, cell)
        if table.filas:
            sheet.autofilter(0, 0, len(table.filas), len(table.columnas) - 1)
        if table.nota:
            self._put(sheet, len(table.filas) + 2, 0, table.nota)

    def _text(self, sheet: Worksheet, names: dict[int, str]) -> None:
        sheet.set_column(0, 0, _IZQUIERDA)
        sheet.set_column(1, 1, _DERECHA)
        place = 0
        if self._document.titulo_visible:
            self._put(sheet, 0, 0, self._document.titulo, "titulo")
            place = 2
        for block in self._document.bloques:
            if isinstance(block, Figura):
                place = self._figure(sheet, place, block)
                continue
            for kind, left, right in _lines(block, names):
                if kind == "texto":
                    sheet.merge_range(place, 0, place, 1, "", self._format("texto"))
                    sheet.set_row(place, _height((left,), [_IZQUIERDA + _DERECHA]))
                elif kind == "rotulo":
                    sheet.set_row(place, _height((left, right), [_IZQUIERDA, _DERECHA]))
                self._put(sheet, place, 0, left, kind)
                if right is not None:
                    self._put(sheet, place, 1, right, "respuesta")
                place += 1

    def _figure(self, sheet: Worksheet, place: int, block: Figura) -> int:
        if block.titulo:
            self._put(sheet, place, 0, block.titulo, "rotulo")
            place += 1
        drawn = como_png(block)
        wide, high = int.from_bytes(drawn[16:20], "big"), int.from_bytes(drawn[20:24], "big")
        scale = min(1.0, (block.ancho_mm or 170) / 25.4 * 96 / wide)
        options = {"image_data": io.BytesIO(drawn), "description": legible(block.alt, 2000)}
        sheet.insert_image(place, 0, "figura.png", options | {"x_scale": scale, "y_scale": scale, "object_position": 2})
        return place + int(high * scale / 20) + 3  # a row is 20 pixels high


def _width(name: str, cells: list[Celda]) -> int:
    lines = [name, *(line for cell in cells for line in str("" if cell is None else cell).split("\n"))]
    return min(max(8, *(len(line) for line in lines)) + 2, _ANCHA_MAX)


def _height(cells: tuple[Celda, ...], widths: list[int]) -> float:
    """Points that a row needs: not every program reckons it for itself when it opens the file."""
    rows = (
        sum(max(1, -(-len(line) // max(1, width - 2))) for line in str("" if cell is None else cell).split("\n"))
        for cell, width in zip(cells, widths, strict=True)
    )
    return min(409, _RENGLON * max(rows) + 2)


def _lines(block: Bloque, names: dict[int, str]) -> Iterator[tuple[str, str, str | None]]:
    """The rows that a block takes on the first sheet: what kind of cell, what is in it and what is beside it."""
    match block:
        case Titulo():
            yield from (("texto", "", None), ("titulo", block.texto, None))
        case Parrafo():
            yield "texto", block.texto, None
        case Lista():
            marks = (f"{n}." if block.numerada else "•" for n in range(1, len(block.elementos) + 1))
            yield from (("texto", f"{mark} {item}", None) for mark, item in zip(marks, block.elementos, strict=True))
        case Nota():
            yield "texto", f"{'Atención' if block.tono == 'aviso' else 'Nota'}. {block.texto}", None
        case Tabla():
            yield "rotulo", block.titulo, f"En la hoja «{names[id(block)]}»"
        case Campos():
            yield from (("texto", "", None), ("titulo", block.titulo or "", None))
            yield from (("rotulo", field.rotulo, field.valor or "") for row in block.filas for field in row)
        case Firmas():
            for one in block.firmantes:
                yield "rotulo", "Nombre y firma", "; ".join(each for each in (one.nombre, one.cargo) if each)
        case Figura() | Salto():
            return
