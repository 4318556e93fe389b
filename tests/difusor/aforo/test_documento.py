"""The paper and the commands: what is handed in says what was computed, and is made of the bytes of a real package."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from pypdf import PdfReader
from typer.testing import CliRunner

from pregon.base.procesos import start
from pregon.cli.app import app
from pregon.convocatoria.perfiles import load
from pregon.difusor.aforo.ajustes import AjustesAforo, Antecedente, Cdn, Poblacion
from pregon.difusor.aforo.analisis import analiza
from pregon.difusor.aforo.dibujos import graficas
from pregon.difusor.aforo.documento import archivos
from pregon.documentos.grafica import Eje, Linea, cifra, escala, lineas
from tests.difusor.aforo.conftest import PESOS

if TYPE_CHECKING:
    from pathlib import Path

HORA = datetime(2021, 4, 20, 18, tzinfo=UTC)
AJUSTES = AjustesAforo(
    difusor="Universidad <de> Ejemplo & Cía",
    zonas=("México central",),
    notas=("=2+2 se lee, no se calcula.",),
    poblacion=Poblacion(personas=98_000_000, fuente="censo", internet_pct=80, fuente_internet="encuesta"),
    antecedente=(Antecedente(nombre="2018", fuente="bitácora", visitantes=400_000),),
    cdn=Cdn(nombre="La contratada"),
)


def run(*words: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["aforo", *map(str, words)])
    return result.exit_code, result.stdout, result.stderr


def test_the_pdf_says_what_the_call_asks_and_what_was_computed() -> None:
    found = analiza(load("ine-2021"), AJUSTES, PESOS)
    files = archivos(found, HORA)
    assert files == archivos(found, HORA)
    reader = PdfReader(io.BytesIO(files["aforo.pdf"]))
    text = " ".join(" ".join(page.extract_text().split()) for page in reader.pages)
    for clause in ("INE-II-a-iii-3a", "INE-II-a-iii-3b", "INE-II-a-iii-3c", "INE-II-a-iii-3d"):
        assert clause in text
    peak = found.escenarios["alto"]
    for said in ("1,960,000", "3,920,000", cifra(peak.mbps.alto), cifra(peak.peticiones.alto), "México central",
                 "viernes 30 de abril de 2021", "La contratada", "Universidad <de> Ejemplo & Cía", "52,000",
                 f"{found.soporta:,}"):  # fmt: skip
        assert said in text, said
    root: Any = reader.trailer["/Root"]
    assert bool(root["/MarkInfo"]["/Marked"])
    assert root["/Lang"].startswith("es")
    told = json.loads(files["aforo.json"])
    assert told["formato"] == "pregon/aforo/1"
    assert told["demanda"]["visitantes"] == {"bajo": 980_000, "esperado": 1_960_000, "alto": 3_920_000}
    assert told["escenarios"]["alto"]["mbps"]["p95"] == round(peak.mbps.alto, 2)
    assert told["capacidad"]["resuelto"] is False or told["capacidad"]["basta"] is False
    assert len(told["supuestos"]) == 10


def test_other_forms_of_the_same_paper() -> None:
    files = archivos(analiza(load("gro-2021"), AJUSTES, PESOS), HORA, ("docx", "xlsx"))
    assert "aforo.pdf" not in files
    for name, member in (("aforo.docx", "word/document.xml"), ("aforo.xlsx", "xl/workbook.xml")):
        with zipfile.ZipFile(io.BytesIO(files[name])) as archive:
            assert archive.testzip() is None
            text = archive.read(member).decode()
            assert "<f>" not in "".join(archive.read(one).decode("utf-8", "replace") for one in archive.namelist())
        ET.fromstring(text)  # noqa: S314 (our own file)
    with zipfile.ZipFile(io.BytesIO(files["aforo.docx"])) as archive:
        assert "GRO-2.4h" in archive.read("word/document.xml").decode()


def test_plots_are_well_formed_and_inside_their_frame() -> None:
    found = analiza(load("ine-2021"), AJUSTES, PESOS)
    for name, text in graficas(found).items():
        root = ET.fromstring(text)  # noqa: S314 (our own file)
        width, height = float(root.get("width", "0")), float(root.get("height", "0"))
        drawn = 0
        for path in root.iter("{http://www.w3.org/2000/svg}path"):
            numbers = path.get("d", "").replace("M", " ").replace("L", " ").replace("Z", "").split()
            if (
                "H" in path.get("d", "")
                or "V" in path.get("d", "")
                or "v" in path.get("d", "")
                or "h" in path.get("d", "")
            ):
                continue
            drawn += 1
            xs, ys = [float(one) for one in numbers[::2]], [float(one) for one in numbers[1::2]]
            assert 0 <= min(xs) <= max(xs) <= width, name
            assert 0 <= min(ys) <= max(ys) <= height, name
        assert drawn or name == "peso"
        assert "nan" not in text
        assert "inf" not in text


def test_scales_and_numbers_for_people() -> None:
    assert escala(1323.0)[0] == 1500.0
    assert [label for _, label in escala(9.0)[1]] == ["0", "2", "4", "6", "8", "10"]
    assert escala(0.0)[0] > 0
    assert [cifra(value) for value in (0, 0.034, 1.26, 12, 12.34, 123.4, 12345.6)] == [
        "0", "0.034", "1.3", "12", "12.3", "123", "12,346",
    ]  # fmt: skip
    svg = lineas("t<i>t", Eje("x", 0, 1, []), Eje("y & z", 0, 1, []), [Linea("<a>", [(0, 0), (1, 1)])])
    assert "&lt;a&gt;" in svg
    assert "<a>" not in svg


def test_calcula_from_a_package_and_its_refusals(paquete: Path, tmp_path: Path) -> None:
    status, out, _ = run("calcula", paquete, "--convocatoria", "gro-2021", "--visitantes", 60_000, "--json")
    assert status == 0
    told = json.loads(out)
    assert told["demanda"]["visitantes"]["esperado"] == 60_000
    assert told["pesos"]["medido_en"] == str(paquete)
    assert told["cortes"] == 72
    status, out, _ = run("calcula", paquete, "--convocatoria", "gro-2021", "--visitantes", 60_000)
    assert status == 0
    assert "120,000" in out
    assert "mínimo" in out
    assert run("calcula", paquete, "--visitantes", 5)[0] == 2
    status, _, err = run("calcula", paquete, "--convocatoria", "gro-2021")
    assert status == 66
    assert "plantilla" in err
    assert run("calcula", tmp_path, "--convocatoria", "gro-2021", "--visitantes", 5)[0] == 66
    wrong = tmp_path / "aforo.toml"
    wrong.write_text("[visita]\nminutos = 0\n")
    status, _, err = run("calcula", paquete, "--convocatoria", "gro-2021", "--ajustes", wrong)
    assert status == 78
    assert "visita.minutos" in err


def test_a_refused_paper_leaves_the_folder_as_it_was(paquete: Path, tmp_path: Path) -> None:
    folder = tmp_path / "papeles"
    words = ("documento", paquete, "--convocatoria", "gro-2021", "--visitantes", 900, "--en", folder)
    assert run(*words, "--forma", "odt")[0] == 2
    assert not folder.exists()
    assert run(*words, "--forma", "xlsx", "--json")[0] == 0
    names = {path.name for path in folder.iterdir()}
    plots = {f"aforo-{name}.svg" for name in ("noche", "primeras-horas", "peso", "espera")}
    assert names == {"aforo.xlsx", "aforo.json", *plots}


def test_the_template_and_the_paper_as_a_person_asks_for_them(paquete: Path, tmp_path: Path) -> None:
    """A real process, with the template's own text as settings."""
    status, text, _ = run("plantilla")
    assert status == 0
    (tmp_path / "aforo.toml").write_text(text.replace("#: ", ""))
    output = tmp_path / "salida"
    command = [sys.executable, "-m", "pregon", "aforo", "documento", str(paquete), "--convocatoria", "ine-2021"]
    process = start([*command, "--ajustes", str(tmp_path / "aforo.toml"), "--en", str(tmp_path / "p")], output=output)
    try:
        assert process.wait(60) == 0, output.read_text()
    finally:
        process.stop()
    assert output.read_text().splitlines() == sorted(str(path) for path in (tmp_path / "p").iterdir())
    assert (tmp_path / "p/aforo.pdf").read_bytes().startswith(b"%PDF-")
    assert json.loads((tmp_path / "p/aforo.json").read_text())["demanda"]["rige"] == "Número decidido"


@pytest.mark.parametrize("call", ["gro-2021", "dgo-2024", "mor-2024", "mex-2021", "ine-2021"])
def test_every_call_has_its_analysis(call: str) -> None:
    found = analiza(load(call), AjustesAforo(visitantes=50_000, fuente="x"), PESOS)
    assert found.escenarios["bajo"].mbps.medio < found.escenarios["esperado"].mbps.medio
    assert found.escenarios["esperado"].mbps.alto < found.escenarios["alto"].mbps.medio
    assert found.plan.minimo.p99 <= found.limite_s
