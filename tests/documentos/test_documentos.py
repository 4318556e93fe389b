"""The three forms of a paper: what each says, what none of them executes, and that the same paper is the same bytes."""

from __future__ import annotations

import io
import re
import sys
import zipfile
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import docx
import openpyxl
import pypdf
import pytest

from pregon.base.errors import AjustesError
from pregon.documentos.a_xlsx import CELDA_MAX
from pregon.documentos.bloques import (
    Campo,
    Campos,
    Celda,
    Columna,
    Documento,
    Figura,
    Firmante,
    Firmas,
    Lista,
    Nota,
    Parrafo,
    Salto,
    Tabla,
    Titulo,
)
from pregon.documentos.formas import FORMAS, Forma, escribe
from pregon.documentos.pdf import a_png

if TYPE_CHECKING:
    from pregon.documentos.bloques import Bloque

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 100" width="300" height="100">'
    '<rect width="300" height="100" fill="#e4e8eb"/>'
    '<text x="10" y="40" font-family="Libertinus Serif">Año ≤ 10 s</text></svg>'
).encode()
HOSTILES = (
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("https://malo.example","x")',
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "\t=1+1",
    "  =1+1",
    "%0A=1",
    "|calc",
    "https://malo.example/x",
    "mailto:a@b.mx",
    "0042",
    "1e5",
    "<w:fldSimple w:instr='DDEAUTO c calc'/>",
    "</t></si><script>alert(1)</script>",
    "_x0041_",
    "#panic(1) $x^2$ \\include",
    "nulo\x00 campana\x07 escape\x1b[31m borra\x7f",
    "vuelto \u202egnp.exe",
    "roto \ud800 fin",
    "no carácter \ufffe",
    "emoji 🗳 y árabe العربية",
    "renglón\r\notro\rotro",
)
"""What a line of a log or a field of a form may bring."""


def hecho(*bloques: Bloque, **cambios: Any) -> Documento:
    keys: dict[str, Any] = {"titulo": "Memoria técnica", "autor": "Diario Uno", "fecha": date(2024, 6, 12)}
    return Documento(**keys | {"bloques": bloques} | cambios)


def tabla(*filas: tuple[Celda, ...], titulo: str = "Visitas", hoja: str | None = None) -> Tabla:
    columns = tuple(Columna(nombre=f"Columna {n}", clase="numero" if n else "texto") for n in range(len(filas[0])))
    return Tabla(titulo=titulo, columnas=columns, filas=filas, hoja=hoja, nota="De las bitácoras.")


def texto_de_pdf(data: bytes) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages)


def texto_de_docx(data: bytes) -> str:
    paper = docx.Document(io.BytesIO(data))
    return "\n".join(node.text or "" for node in paper.element.iter() if node.tag.endswith("}t"))


def miembros(data: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(data)) as whole:
        return {name: whole.read(name).decode() for name in whole.namelist() if name.endswith((".xml", ".rels"))}


def celdas(data: bytes) -> list[Any]:
    book = openpyxl.load_workbook(io.BytesIO(data))
    return [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]


def todo() -> Documento:
    """One of each block."""
    return hecho(
        Titulo(texto="Primera parte"),
        Parrafo(texto="Un párrafo.\nSegundo renglón."),
        Titulo(texto="Detalle", nivel=2),
        Lista(elementos=("primero", "segundo"), numerada=True),
        Lista(elementos=("punto",)),
        Nota(texto="Faltan doce minutos.", tono="aviso"),
        tabla(("20:00", 18403, Decimal("12.3456")), ("21:00", None, 7)),
        Figura(imagen=SVG, tipo="svg", alt="Las visitas suben a las 20:00", titulo="Visitas por minuto"),
        Figura(imagen=a_png(SVG), tipo="png", alt="La misma, en puntos", ancho_mm=40),
        Salto(),
        Campos(titulo="DATOS", filas=((Campo(rotulo="Nombre", valor="Ana"), Campo(rotulo="Cargo", valor=None)),)),
        Campos(
            filas=((Campo(rotulo="Solo", valor="Uno"),), tuple(Campo(rotulo=f"R{n}", valor=f"V{n}") for n in "abc"))
        ),
        Firmas(firmantes=(Firmante(nombre="Ana Ruiz", cargo="Directora"), Firmante(nombre=None))),
        pie="PREP Durango 2024",
        encabezado="Memoria",
    )


def test_nothing_that_anybody_wrote_is_a_formula_a_field_or_an_address() -> None:
    """In each form, in a table, a box, a paragraph, a title, a sheet's name and what the file says of itself."""
    for text in HOSTILES:
        paper = hecho(
            Titulo(texto=text),
            Parrafo(texto=text),
            Lista(elementos=(text,)),
            Campos(titulo=text, filas=((Campo(rotulo=text, valor=text),),)),
            tabla((text, text), titulo=text, hoja=text),
            titulo=text,
            autor=text,
            pie=text,
            encabezado=text,
        )
        sheet, word = escribe(paper, "xlsx"), escribe(paper, "docx")
        inside = miembros(sheet)
        assert not any("<f>" in each or "<f " in each or "<hyperlink" in each for each in inside.values()), text
        found = celdas(sheet)
        assert {cell.data_type for cell in found} == {"s"}, text
        assert all("External" not in each for name, each in inside.items() if name.endswith(".rels")), text
        document = miembros(word)["word/document.xml"]
        assert not re.search(r"<w:(instrText|hyperlink|object|fldChar|fldSimple)\b", document), text
        fields = re.findall(r'w:instr="([^"]*)"', "".join(miembros(word).values()))
        assert sorted(fields) == ["NUMPAGES", "PAGE"], text
        if text.isprintable():  # what can be shown is there, letter by letter
            assert sum(cell.value == text for cell in found) >= 3, text
            assert text in texto_de_docx(word)
        assert escribe(paper, "pdf").startswith(b"%PDF"), text


def test_a_text_that_looks_like_a_formula_stays_text_when_somebody_edits_the_cell() -> None:
    paper = hecho(tabla(*((text, 1) for text in ("=1+1", "@x", "+1", "-1", "|x", "%1", "llano"))))
    book = openpyxl.load_workbook(io.BytesIO(escribe(paper, "xlsx")))
    marked = {
        cell.value: cell.quotePrefix for cell in next(book.worksheets[0].iter_cols(max_col=1, min_row=2, max_row=8))
    }
    assert marked == {"=1+1": True, "@x": True, "+1": True, "-1": True, "|x": True, "%1": True, "llano": False}


def test_numbers_are_numbers_as_long_as_a_sheet_keeps_every_digit() -> None:
    values: tuple[Celda, ...] = (
        0,
        -7,
        10**15 - 1,
        10**15,
        Decimal("99.9999"),
        Decimal("0.12345678901234567"),
        None,
        "12",
    )
    paper = hecho(tabla(*(("x", each) for each in values)))
    sheet = openpyxl.load_workbook(io.BytesIO(escribe(paper, "xlsx"))).worksheets[0]
    assert [sheet.cell(row=n, column=2).value for n in range(2, 10)] == [
        0, -7, 999_999_999_999_999, "1000000000000000", 99.9999, "0.12345678901234567", None, "12",
    ]  # fmt: skip
    printed = texto_de_pdf(escribe(paper, "pdf"))
    assert "999,999,999,999,999" in printed
    assert "1,000,000,000,000,000" in printed
    with pytest.raises(TypeError):
        escribe(hecho(tabla(("x", True))), "xlsx")


def test_the_same_paper_is_the_same_bytes_and_another_is_not() -> None:
    for form in FORMAS:
        first = escribe(todo(), form)
        assert escribe(todo(), form) == first, form
        other = hecho(*todo().bloques, fecha=date(2024, 6, 13))
        assert escribe(other, form) != first, form
    for form in ("docx", "xlsx"):
        with zipfile.ZipFile(io.BytesIO(escribe(todo(), form))) as whole:
            assert {member.date_time for member in whole.infolist()} == {(1980, 1, 1, 0, 0, 0)}, form


def test_every_block_is_in_every_form() -> None:
    words = (
        "Memoria técnica", "Primera parte", "Segundo renglón.", "Detalle", "segundo", "punto", "Faltan doce minutos.",
        "Columna 1", "20:00", "De las bitácoras.", "Visitas por minuto", "DATOS", "Cargo", "Ana Ruiz", "Vc",
    )  # fmt: skip
    cells = "\n".join(str(cell.value) for cell in celdas(escribe(todo(), "xlsx")))
    for form, text in (
        ("pdf", texto_de_pdf(escribe(todo(), "pdf"))),
        ("docx", texto_de_docx(escribe(todo(), "docx"))),
        ("xlsx", cells),
    ):
        assert [word for word in words if word not in text] == [], form
    assert "18,403" in texto_de_docx(escribe(todo(), "docx"))


def _roles(root: Any) -> list[tuple[str, Any]]:
    """The tags of the structure tree, depth first, each with its element."""
    found: list[tuple[str, Any]] = []

    def walk(node: Any) -> None:
        node = node.get_object()
        if isinstance(node, pypdf.generic.ArrayObject):
            for each in node:
                walk(each)
        elif isinstance(node, pypdf.generic.DictionaryObject):
            if "/S" in node:
                found.append((str(node["/S"]), node))
            if "/K" in node:
                walk(node["/K"])

    walk(root["/StructTreeRoot"]["/K"])
    return found


def test_the_pdf_is_tagged_and_says_its_language_and_what_its_pictures_show() -> None:
    reader = pypdf.PdfReader(io.BytesIO(escribe(todo(), "pdf")))
    root: Any = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert str(root["/Lang"]).lower().startswith("es")
    assert reader.metadata is not None
    assert reader.metadata.title == "Memoria técnica"
    assert b"pdfuaid:part" in root["/Metadata"].get_object().get_data()
    tags = _roles(root)
    names = [name for name, _ in tags]
    assert {"/H1", "/H2", "/H3", "/Table", "/TH", "/TD", "/L", "/Figure"} <= set(names)
    assert names.count("/H1") == 1
    said = [str(node["/Alt"]) for name, node in tags if name == "/Figure" and "/Alt" in node]
    assert said == ["Las visitas suben a las 20:00", "La misma, en puntos"]


def test_a_long_table_goes_on_over_the_pages_under_its_heading() -> None:
    paper = hecho(tabla(*((f"renglón {n}", n) for n in range(400))), encabezado="Memoria")
    reader = pypdf.PdfReader(io.BytesIO(escribe(paper, "pdf")))
    pages = [page.extract_text() for page in reader.pages]
    assert len(pages) > 5
    assert all("Columna 0" in page for page in pages)
    rows = re.findall(r"renglón (\d+)", "\n".join(pages))
    assert [int(row) for row in rows] == list(range(400))
    body = miembros(escribe(paper, "docx"))["word/document.xml"]
    assert body.count("<w:tblHeader") == 1
    assert body.count("renglón ") == 400
    sheet = openpyxl.load_workbook(io.BytesIO(escribe(paper, "xlsx"))).worksheets[0]
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:B401"


def test_what_a_table_is_called_is_never_alone_and_a_short_one_is_never_parted() -> None:
    blocks: list[Bloque] = []
    for n in range(40):
        rows = 4 if n % 4 else 30
        blocks.append(Parrafo(texto="\n".join(["renglón"] * (3 + n % 7))))
        blocks.append(
            Tabla(
                titulo=f"Cuadro {n}:",
                columnas=(Columna(nombre="Uno"), Columna(nombre="Dos")),
                filas=tuple((f"de {n}: {row};", row) for row in range(rows)),
            )
        )
    paper = escribe(hecho(*blocks), "pdf")
    pages = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(paper)).pages]
    assert len(pages) > 8
    for n in range(40):
        [page] = [text for text in pages if f"Cuadro {n}:" in text]
        assert f"de {n}: 0;" in page
        if n % 4:
            assert f"de {n}: 3;" in page
    parted = [n for n in range(0, 40, 4) if not any(f"de {n}: 0;" in text and f"de {n}: 29;" in text for text in pages)]
    assert parted, "a long one goes on in the next page"


def test_a_table_with_much_in_few_rows_is_not_kept_whole_beyond_its_page() -> None:
    much = " ".join(f"palabra{n}" for n in range(180))
    paper = hecho(tabla(*((f"{n} {much} fin{n}", n) for n in range(6))))
    text = texto_de_pdf(escribe(paper, "pdf"))
    assert all(f"fin{n}" in text.replace("\n", "") for n in range(6))


def test_who_hears_the_docx_gets_language_headings_and_the_words_of_pictures() -> None:
    data = escribe(todo(), "docx")
    inside = miembros(data)
    assert re.findall(r'descr="([^"]*)"', inside["word/document.xml"]) == [
        "Las visitas suben a las 20:00",
        "La misma, en puntos",
    ]
    assert 'w:lang w:val="es-MX"' in inside["word/styles.xml"]
    paper = docx.Document(io.BytesIO(data))
    assert [one.text for one in paper.paragraphs if one.style is not None and one.style.name == "Heading 1"] == [
        "Memoria técnica"
    ]
    assert paper.core_properties.author == "Diario Uno"
    assert paper.core_properties.comments == ""
    with zipfile.ZipFile(io.BytesIO(data)) as whole:
        assert not any("thumbnail" in name for name in whole.namelist())


def test_sheets_have_names_that_a_spreadsheet_admits_each_its_own() -> None:
    names = ("Visitas", "visitas", "a/b[c]*?:\\d", "x" * 60, "x" * 60, "'", "")
    paper = hecho(*(tabla(("a", 1), hoja=name or None, titulo=name or "Sin nombre") for name in names))
    found = openpyxl.load_workbook(io.BytesIO(escribe(paper, "xlsx"))).sheetnames
    assert len(found) == len(names)  # only tables: no sheet for a text that there is not
    assert len({name.lower() for name in found}) == len(names)
    assert all(0 < len(name) <= 31 and not set(name) & set("[]:*?/\\'") for name in found)
    assert openpyxl.load_workbook(io.BytesIO(escribe(todo(), "xlsx"))).sheetnames == ["Documento", "Visitas"]


def test_an_endless_text_is_cut_and_said_so() -> None:
    paper = hecho(tabla(("z" * 1_000_000, 1), ("después", 2)))
    [cell] = [each for each in celdas(escribe(paper, "xlsx")) if str(each.value).startswith("zz")]
    assert len(cell.value) == CELDA_MAX
    assert cell.value.endswith("[…]")
    printed = texto_de_pdf(escribe(paper, "pdf"))
    assert "[…]" in printed
    assert "después" in printed


def test_an_address_copied_from_the_pdf_is_the_one_that_was_written() -> None:
    address = "https://prep.diario-uno.example/prep-2024"
    long = (
        "Los resultados electorales preliminares se publicarán conjuntamente con la infraestructura correspondiente. "
        * 9
    )
    printed = texto_de_pdf(escribe(hecho(Parrafo(texto=long), Parrafo(texto=address), tabla((address, 1))), "pdf"))
    assert printed.replace("\u200b", "").count(address) == 2
    assert "\u00ad" not in printed


def test_who_signs_is_never_alone_on_a_page() -> None:
    """However long the letter is, its last words and the line to sign stand together."""
    apart = set()
    for lines in range(38, 52):
        letter = hecho(
            Parrafo(texto="\n".join(f"Renglón {n}" for n in range(lines))),
            Parrafo(texto="ATENTAMENTE", alinea="centro", negrita=True),
            Firmas(firmantes=(Firmante(nombre="Ana Ruiz", cargo="Directora"),)),
            titulo_visible=False,
        )
        pages = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(escribe(letter, "pdf"))).pages]
        assert [("ATENTAMENTE" in page) == ("Ana Ruiz" in page) for page in pages] == [True] * len(pages), lines
        apart.add(len(pages))
    assert apart == {1, 2}  # both cases were seen
    word = miembros(escribe(hecho(Parrafo(texto="ATENTAMENTE", alinea="centro")), "docx"))["word/document.xml"]
    assert "<w:keepNext/>" in word


def test_a_rehearsal_says_so_on_every_page_of_every_form() -> None:
    paper = hecho(Parrafo(texto="uno"), Salto(), Parrafo(texto="dos"), simulacro=True)
    pages = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(escribe(paper, "pdf"))).pages]
    assert [page.count("SIMULACRO") for page in pages] == [1, 1]
    assert "SIMULACRO" in miembros(escribe(paper, "docx"))["word/header1.xml"]
    assert "SIMULACRO" in miembros(escribe(paper, "xlsx"))["xl/worksheets/sheet1.xml"]


def test_a_document_that_does_not_hold_together_is_not_made() -> None:
    with pytest.raises(ValueError, match="skips"):
        hecho(Titulo(texto="uno"), Titulo(texto="tres", nivel=3))
    with pytest.raises(ValueError, match="cells"):
        Tabla(titulo="t", columnas=(Columna(nombre="a"),), filas=(("x", "y"),))


@pytest.mark.parametrize(("forma", "programa"), [("pdf", "typst"), ("docx", "docx"), ("xlsx", "xlsxwriter")])
def test_without_its_library_a_form_says_what_to_install(
    forma: Forma, programa: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, programa, None)
    with pytest.raises(AjustesError) as caught:
        escribe(hecho(Parrafo(texto="uno")), forma)
    assert "pregon[papeles]" in caught.value.que_hacer
