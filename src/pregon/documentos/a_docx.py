"""A document of blocks as DOCX: styles, tagged headings, repeated heading rows, pictures with words; no macro or field
but those of the page number. Bytes depend on the document alone.
"""

from __future__ import annotations

import io
import math
import zipfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pregon.documentos.bloques import Campos, Figura, Firmas, Lista, Nota, Parrafo, Salto, Tabla, Titulo
from pregon.documentos.formas import falta
from pregon.documentos.pdf import como_png
from pregon.documentos.texto import en_papel, legible

if TYPE_CHECKING:
    from docx.document import Document
    from docx.table import _Cell
    from docx.text.paragraph import Paragraph

    from pregon.documentos.bloques import Bloque, Columna, Documento

_LETRA = "Arial"
_TINTA = "1F3A4D"
_FECHA_ZIP = (1980, 1, 1, 0, 0, 0)
_ANCHO_MM, _LARGO_MM, _MARGEN_MM = 215.9, 279.4, 22.0
"""Letter, as it is printed in Mexico."""


def escribe(documento: Documento) -> bytes:
    """The document as DOCX.

    Raises:
        AjustesError: python-docx is not installed; or typst is not, and there is a figure that it must draw.
    """
    try:
        import docx
    except ImportError as exc:
        raise falta("los documentos de texto", exc) from exc
    paper = docx.Document()
    _set_up(paper, documento)
    if documento.titulo_visible:
        paper.add_heading(legible(documento.titulo), level=1)
    writer = _Escritor(paper, documento)
    for block in documento.bloques:
        writer.escribe(block)
    parts = paper.part.package.rels
    for key in [key for key, one in parts.items() if one.reltype.endswith("/thumbnail")]:
        del parts[key]  # the picture of the library's empty page is none of this paper
    made = io.BytesIO()
    paper.save(made)
    return _without_hour(made.getvalue())


def _without_hour(data: bytes) -> bytes:
    """The same members with one date: the library gives them the hour of writing."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as whole, zipfile.ZipFile(made, "w") as again:
        for member in whole.infolist():
            info = zipfile.ZipInfo(member.filename, _FECHA_ZIP)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o600 << 16
            again.writestr(info, whole.read(member))
    return made.getvalue()


def _set_up(paper: Document, documento: Documento) -> None:
    from docx.enum.section import WD_ORIENT
    from docx.oxml.ns import qn
    from docx.shared import Mm, Pt, RGBColor

    day = documento.fecha
    instant = datetime(day.year, day.month, day.day, tzinfo=UTC).replace(tzinfo=None)
    core = paper.core_properties
    core.title, core.author, core.last_modified_by = legible(documento.titulo, 255), legible(documento.autor, 255), ""
    core.created = core.modified = instant
    core.language, core.comments, core.revision = "es-MX", "", 1
    section = paper.sections[0]
    wide = documento.horizontal
    section.orientation = WD_ORIENT.LANDSCAPE if wide else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = Mm(_LARGO_MM if wide else _ANCHO_MM), Mm(_ANCHO_MM if wide else _LARGO_MM)
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Mm(_MARGEN_MM)
    for name, size in (("Normal", 10.5), ("Heading 1", 17), ("Heading 2", 13), ("Heading 3", 11.5), ("Caption", 9.5)):
        style = paper.styles[name]
        style.font.name, style.font.size = _LETRA, Pt(size)
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for which in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
            fonts.attrib.pop(qn(f"w:{which}"), None)
        fonts.set(qn("w:eastAsia"), _LETRA)
        if name != "Normal":
            style.font.color.rgb = RGBColor.from_string(_TINTA)
    for lang in paper.styles.element.iter(qn("w:lang")):
        lang.set(qn("w:val"), "es-MX")
    header = section.header.paragraphs[0]
    header.text = "SIMULACRO: no es la jornada electoral" if documento.simulacro else legible(documento.encabezado)
    header.runs[0].bold = documento.simulacro
    foot = section.footer.paragraphs[0]
    foot.text = legible(documento.pie) + ("   " if documento.pie else "") + "Página "
    _number(foot, "PAGE")
    foot.add_run(" de ")
    _number(foot, "NUMPAGES")
    for run in (*header.runs, *foot.runs):
        run.font.size = Pt(8.5)


def _number(paragraph: Paragraph, field: str) -> None:
    """The number of this page or of all, which only who lays the paper out knows."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn
    from docx.shared import Pt

    simple = OxmlElement("w:fldSimple")
    simple.set(qn("w:instr"), field)
    run = paragraph.add_run("1")
    run.font.size = Pt(8.5)
    simple.append(run._r)  # noqa: SLF001 - the library has no fields
    paragraph._p.append(simple)  # noqa: SLF001


class _Escritor:
    """Adds each block to the paper; the library's own document is what changes."""

    def __init__(self, paper: Document, documento: Documento) -> None:
        self._paper = paper
        self._first = 2 if documento.titulo_visible else 1
        self._width = (_LARGO_MM if documento.horizontal else _ANCHO_MM) - 2 * _MARGEN_MM

    def escribe(self, block: Bloque) -> None:
        from docx.enum.text import WD_BREAK

        paper = self._paper
        match block:
            case Titulo():
                paper.add_heading(legible(block.texto), level=block.nivel + self._first - 1)
            case Parrafo():
                self._paragraph(block)
            case Lista():
                self._list(block)
            case Nota():
                self._note(block)
            case Tabla():
                self._table(block)
            case Campos():
                self._fields(block)
            case Figura():
                self._figure(block)
            case Firmas():
                self._signatures(block)
            case Salto():
                paper.add_paragraph().add_run().add_break(WD_BREAK.PAGE)

    def _paragraph(self, block: Parrafo) -> None:
        from docx.enum.text import WD_ALIGN_PARAGRAPH

        made = self._paper.add_paragraph()
        made.add_run(legible(block.texto)).bold = block.negrita
        made.alignment = {
            "izquierda": WD_ALIGN_PARAGRAPH.LEFT,
            "derecha": WD_ALIGN_PARAGRAPH.RIGHT,
            "centro": WD_ALIGN_PARAGRAPH.CENTER,
        }[block.alinea]
        made.paragraph_format.keep_with_next = block.alinea == "centro"  # who signs never stands alone on a page

    def _list(self, block: Lista) -> None:
        for n, item in enumerate(block.elementos, 1):
            if block.numerada:  # the style's own numbers go on from one list to the next
                self._paper.add_paragraph(f"{n}. {legible(item)}", style="List Paragraph")
            else:
                self._paper.add_paragraph(legible(item), style="List Bullet")

    def _note(self, block: Nota) -> None:
        from docx.shared import Mm

        made = self._paper.add_paragraph()
        made.paragraph_format.left_indent = Mm(5)
        made.add_run("Atención. " if block.tono == "aviso" else "Nota. ").bold = True
        made.add_run(legible(block.texto))

    def _caption(self, text: str) -> None:
        made = self._paper.add_paragraph(legible(text), style="Caption")
        made.paragraph_format.keep_with_next = True

    def _table(self, block: Tabla) -> None:
        from docx.enum.text import WD_ALIGN_PARAGRAPH
        from docx.shared import Pt

        self._caption(block.titulo)
        made = self._paper.add_table(rows=1, cols=len(block.columnas), style="Table Grid")
        _loosen(made)
        widths = _widths(block.columnas, self._width)
        _widen(made, widths)
        size = Pt(8 if len(block.columnas) >= 6 else 9.5)
        _heading_row(made.rows[0])
        for cell, column in zip(made.rows[0].cells, block.columnas, strict=True):
            _fill(cell, column.nombre, bold=True, shade="E4E8EB")
        for row in block.filas:
            for cell, column, value in zip(made.add_row().cells, block.columnas, row, strict=True):
                _fill(cell, en_papel(value))
                if column.clase == "numero":
                    cell.paragraphs[0].alignment = WD_ALIGN_PARAGRAPH.RIGHT
        for row in made.rows:
            for cell, width in zip(row.cells, widths, strict=True):
                cell.width = width
                for run in cell.paragraphs[0].runs:
                    run.font.size = size
        self._paper.add_paragraph(legible(block.nota or "")).paragraph_format.space_after = Pt(6)

    def _fields(self, block: Campos) -> None:
        from docx.shared import Pt

        if block.titulo:
            self._caption(block.titulo)
        wide = math.lcm(*(len(row) for row in block.filas))
        made = self._paper.add_table(rows=len(block.filas), cols=wide, style="Table Grid")
        _loosen(made)
        for row, fields in zip(made.rows, block.filas, strict=True):
            share = wide // len(fields)
            for n, field in enumerate(fields):
                cell = row.cells[n * share].merge(row.cells[(n + 1) * share - 1])
                _fill(cell, field.rotulo, bold=True)
                cell.paragraphs[0].runs[0].font.size = Pt(8.5)
                cell.add_paragraph(en_papel(field.valor) if field.valor else "\n" * (field.renglones - 1))
        self._paper.add_paragraph()

    def _figure(self, block: Figura) -> None:
        from docx.shared import Mm

        if block.titulo:
            self._caption(block.titulo)
        drawn = como_png(block)
        width = min(block.ancho_mm or self._width, self._width)
        picture = self._paper.add_picture(io.BytesIO(drawn), width=Mm(width))
        picture._inline.docPr.set("descr", legible(block.alt))  # noqa: SLF001 - the library has no words for pictures

    def _signatures(self, block: Firmas) -> None:
        from docx.enum.text import WD_ALIGN_PARAGRAPH

        self._paper.add_paragraph("\n\n").paragraph_format.keep_with_next = True
        made = self._paper.add_table(rows=1, cols=len(block.firmantes))
        for cell, one in zip(made.rows[0].cells, block.firmantes, strict=True):
            lines = ["_" * 34, legible(one.nombre or "Nombre y firma"), *([legible(one.cargo)] if one.cargo else [])]
            _fill(cell, "\n".join(lines))
            cell.paragraphs[0].alignment = WD_ALIGN_PARAGRAPH.CENTER


def _widths(columns: tuple[Columna, ...], width: float) -> list[Any]:
    from docx.shared import Mm

    whole = sum(one.ancho for one in columns)
    return [Mm(width * one.ancho / whole) for one in columns]


def _widen(table: Any, widths: list[Any]) -> None:
    table.autofit = False
    for column, width in zip(table.columns, widths, strict=True):
        column.width = width


def _loosen(table: Any) -> None:
    """Room between the text of a cell and its border."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    margins = OxmlElement("w:tblCellMar")
    for side, width in (("top", "50"), ("left", "100"), ("bottom", "50"), ("right", "100")):  # twentieths of a point
        edge = OxmlElement(f"w:{side}")
        edge.set(qn("w:w"), width)
        edge.set(qn("w:type"), "dxa")
        margins.append(edge)
    look = table._tbl.tblPr.find(qn("w:tblLook"))  # noqa: SLF001 - the schema has it after the margins
    look.addprevious(margins)


def _heading_row(row: Any) -> None:
    """Repeated on each page, and told as the heading to who hears the paper."""
    from docx.oxml import OxmlElement

    row._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))  # noqa: SLF001


def _fill(cell: _Cell, text: str, *, bold: bool = False, shade: str | None = None) -> None:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    cell.paragraphs[0].add_run(legible(text)).bold = bold
    if shade is not None:
        made = OxmlElement("w:shd")
        made.set(qn("w:val"), "clear")
        made.set(qn("w:fill"), shade)
        cell._tc.get_or_add_tcPr().append(made)  # noqa: SLF001
