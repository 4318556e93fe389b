"""What other programs make of the papers: LibreOffice opens each one and lays it out."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import openpyxl
import pypdf
import pytest

from pregon.documentos.formas import escribe
from tests.difusor.formatos.solicitudes import hace, lee
from tests.documentos.test_documentos import HOSTILES, hecho, tabla, todo

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.xdist_group("formatos-oficina")

PAGINAS = {
    "gro-solicitud.docx": 2,
    "gro-solicitud.xlsx": 1,
    "gro-carta-compromiso.docx": 1,
    "gro-personal.docx": 2,
    "dgo-formato-de-registro.docx": 1,
    "dgo-aviso-comite.docx": 1,
    "mor-formato-de-registro.docx": 1,
    "mor-formato-de-registro.xlsx": 1,
}
"""The most pages that each may take: a form that the text prints on one page is one page."""


@pytest.fixture(scope="module")
def abiertos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """PDF files as LibreOffice prints what it opened; all at once, since it takes longer to begin than to open them."""
    base = tmp_path_factory.mktemp("oficina")
    given = base / "dados"
    given.mkdir()
    for short, perfil in (("gro", "gro-2021"), ("dgo", "dgo-2024"), ("mor", "mor-2024")):
        hace(base / short, perfil, formas=("docx", "xlsx"))
        for path in (base / short / "papeles").iterdir():
            if f"{short}-{path.name}" in PAGINAS:
                (given / f"{short}-{path.name}").write_bytes(path.read_bytes())
    for form in ("docx", "xlsx"):
        (given / f"todo.{form}").write_bytes(escribe(todo(), form))
    # A comma-separated copy has the values as the program reckoned them.
    (given / "hostil.xlsx").write_bytes(escribe(hecho(tabla(*((text, 1) for text in HOSTILES))), "xlsx"))
    home = f"-env:UserInstallation={(base / 'perfil').as_uri()}"
    for kind, names in (
        ("pdf", [path for path in given.iterdir() if path.stem != "hostil"]),
        ("csv", [given / "hostil.xlsx"]),
    ):
        for suffix in (".docx", ".xlsx"):
            some = [path for path in names if path.suffix == suffix]
            if some:
                out = base / f"{kind}{suffix}"
                subprocess.run(
                    ["soffice", home, "--headless", "--norestore", "--convert-to", kind, "--outdir", out, *some],
                    check=True,
                    capture_output=True,
                    timeout=120,
                )
    return base


def test_libreoffice_opens_every_form_and_it_is_no_longer_than_the_printed_one(abiertos: Path) -> None:
    for name, most in PAGINAS.items():
        stem, _, suffix = name.rpartition(".")
        made = abiertos / f"pdf.{suffix}" / f"{stem}.pdf"
        assert len(pypdf.PdfReader(made).pages) <= most, name
        said = lee(made)
        assert "Diario Uno de la Montaña" in said, name
    assert "DATOS DE LOS RESPONSABLES" in lee(abiertos / "pdf.docx" / "mor-formato-de-registro.pdf")
    assert "Teléfono: 747 555 0142" in lee(abiertos / "pdf.xlsx" / "mor-formato-de-registro.pdf")
    for suffix in ("docx", "xlsx"):
        said = lee(abiertos / f"pdf.{suffix}" / "todo.pdf")
        for word in ("Memoria técnica", "Faltan doce minutos.", "18,403", "Ana Ruiz", "Visitas por minuto"):
            assert word in said, (suffix, word)


def test_libreoffice_reckons_no_cell(abiertos: Path) -> None:
    """Formulas give their text and not a result: nothing was executed and nothing asked for."""
    said = (abiertos / "csv.xlsx" / "hostil.csv").read_text(encoding="cp1252")  # its own choice
    for text in ("=cmd|' /C calc'!A0", "+1+1", "-2+3", "=1+1", "@SUM(1+1)"):
        assert text in said
    assert "Err:" not in said
    assert "#NAME?" not in said
    sheet = openpyxl.load_workbook(abiertos / "dados" / "hostil.xlsx").worksheets[0]
    assert sheet.max_row == len(HOSTILES) + 3  # heading, and the note below
