"""The memorias of a rehearsed night of the three calls that ask for one: what they say is what happened."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
from pypdf import PdfReader
from typer.testing import CliRunner

from pregon.cli.app import app
from pregon.convocatoria.perfiles import load, to_toml_text
from pregon.difusor.workspace import open_workspace
from tests.difusor.memoria.ensayo import FORMULAS, con_bitacoras, ensaya

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.xdist_group("memorias")

LLAMADAS = {"gro-2021": 2, "dgo-2024": 2, "ine-2021": 2}
"""The calls, and of how many cuts each one's night is."""
PIDE = {
    "gro-2021": ("GRO-6.2", "GRO-6.3", "GRO-6.4", "GRO-6.5", "viernes 4 de junio de 2021", "lunes 7 de junio de 2021"),
    "dgo-2024": ("DGO-IV-2", "DGO-IV-3", "DGO-IV-4", "DGO-IV-5", "domingo 2 de junio de 2024"),
    "ine-2021": ("INE-VII-a-i", "INE-VII-a-ii", "Martes 8 de junio", "martes 15 de junio de 2021"),
}
"""What each paper must say: the clauses that ask, and their days."""


@dataclass(frozen=True)
class Noche:
    """A night's folder, and the answer of the command that made its memoria."""

    folder: Path
    dicho: dict[str, Any]

    @property
    def papeles(self) -> Path:
        return self.folder / "memoria"

    def texto(self) -> str:
        reader = PdfReader(self.papeles / "memoria.pdf")
        return " ".join(" ".join(page.extract_text().split()) for page in reader.pages)

    def pedidas(self) -> list[dict[str, Any]]:
        """The requests that the server noted."""
        lines = (self.folder / "registros" / "prep.log").read_text().splitlines()
        return [json.loads(line) for line in lines]


def corre(*words: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["memoria", *map(str, words)])
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture(scope="module")
def noches(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Noche]:
    """The three nights, each of one election and rehearsed once, and their memorias."""
    base = tmp_path_factory.mktemp("memorias")
    made = {}
    for call, cuts in LLAMADAS.items():
        whole, profile = load(call), base / f"{call}.toml"
        profile.write_text(to_toml_text(whole.model_copy(update={"elecciones": whole.elecciones[:1]})))
        workspace, public = ensaya(base / call, str(profile), cortes=cuts, acelerar=1800.0, ritmo=0.04)
        assert public.pedidas > 60
        folder = con_bitacoras(workspace, public).folder
        status, out, err = corre(folder, "--json")
        assert status == 0, err
        made[call] = Noche(folder, json.loads(out))
    return made


@pytest.mark.parametrize("call", LLAMADAS)
def test_the_paper_says_what_the_call_asks_and_what_an_independent_count_finds(
    call: str, noches: dict[str, Noche]
) -> None:
    night = noches[call]
    text = night.texto()
    for said in PIDE[call]:
        assert said in text, said
    prep = next(
        one for one in night.dicho["medidas"]["medidas"] if (one["sitio"], one["ventana"]) == ("prep", "eleccion")
    )
    asked = night.pedidas()
    zone = open_workspace(night.folder).convocatoria.zona
    first, last = night.dicho["eleccion"]
    days = ((one, datetime.fromtimestamp(one["ts"], zone).date().isoformat()) for one in asked)
    inside = [one for one, day in days if first <= day <= last]
    assert prep["hits"] == len(inside) > 60
    assert prep["bytes"] == sum(one["size"] for one in inside)
    assert {one["nombre"]: one["hits"] for one in prep["estados"]} == Counter(str(one["status"]) for one in inside)
    for number in (prep["hits"], prep["paginas"], prep["visitas"]):
        assert f"{number:,}" in text
    sold = openpyxl.load_workbook(night.papeles / "memoria.xlsx")
    totals = {row[0]: row[1] for row in sold["Consultas"].iter_rows(values_only=True)}
    assert (totals["Hits"], totals["Visitas"], totals["Bytes"]) == (prep["hits"], prep["visitas"], prep["bytes"])


@pytest.mark.parametrize("call", LLAMADAS)
def test_each_cut_has_the_hours_of_its_signed_acuses(call: str, noches: dict[str, Noche]) -> None:
    told = noches[call].dicho
    assert [one["numero"] for one in told["cortes"]] == list(range(LLAMADAS[call] + 1))
    for one in told["cortes"]:
        acuse = next((noches[call].folder / "acuses").glob(f"*-{one['numero']:04d}-publicado.json"))
        assert acuse.is_file()
        assert datetime.fromisoformat(one["publico"]) > datetime.fromisoformat(one["firmado"])
        assert one["segundos"] > 0
    fresh = told["frescura"]
    assert fresh["peor_s"] == max(one["segundos"] for one in told["cortes"])
    assert fresh["cortes"] == len(told["cortes"])
    assert told["disponibilidad"]["vigilado_s"] == 0  # nobody watched: it is told, and no percentage is made up
    assert "No consta: nadie miró" in noches[call].texto()
    assert any(one["ruta"] == "difusor.toml: vigilancia" for one in told["blancos"])


@pytest.mark.parametrize("call", LLAMADAS)
def test_what_somebody_changed_is_an_incident_that_waits_for_its_explanation(
    call: str, noches: dict[str, Noche]
) -> None:
    told = noches[call].dicho
    found = [one for one in told["incidencias"] if one["tipo"].startswith("alterado")]
    assert found
    assert all(one["afecto"] for one in found)
    assert "Incidencias que afectaron la publicación" in noches[call].texto()
    assert "resumen.txt" in noches[call].texto()
    keys = [one["clave"] for one in found]
    assert all(f"memoria.toml: incidencia «{key}»" in {one["ruta"] for one in told["blancos"]} for key in keys)
    notes = (noches[call].folder / "memoria.toml").read_text()
    assert all(f"clave = {json.dumps(key)}" in notes for key in keys)


def test_the_comparison_is_of_an_ordinary_day_with_those_of_the_election(noches: dict[str, Noche]) -> None:
    lines = (noches["gro-2021"].folder / "registros" / "portal.log").read_text().splitlines()
    ordinary = [line for line in lines if "/May/2021" in line]
    book = openpyxl.load_workbook(noches["gro-2021"].papeles / "memoria.xlsx")
    rows = [row for row in book["Comparativo portal"].iter_rows(values_only=True) if row[0]]
    mean = next(row for row in rows if str(row[0]).startswith("Promedio de un día ordinario (7 días"))
    assert Decimal(str(mean[3])) == (Decimal(len(ordinary)) / 7).quantize(Decimal("0.1"))
    most = next(row for row in rows if row[0] == "El mayor de esos días, veces el promedio")
    election = Counter(line.split("[")[1][:11] for line in lines if "/Jun/2021" in line)
    assert next(row for row in rows if row[0] == "Jornada y resultados, en total")[3] <= sum(election.values())
    assert most[3] > 1
    assert "días sin ningún hit: 4 de junio de 2021; 5 de junio de 2021." in noches["gro-2021"].texto()


def test_libreoffice_opens_them_and_nothing_that_somebody_sent_is_reckoned(
    noches: dict[str, Noche], tmp_path: Path
) -> None:
    given = tmp_path / "dados"
    given.mkdir()
    hostile = given / "hostil.log"
    stamp = "06/Jun/2021:23:10:00 -0500"
    roads = ["=cmd|'/C%20calc'!A0", "@SUM(1+1)", "+1+1", "-2+3", "=1+1"]
    lines = (f'203.0.113.{n} - - [{stamp}] "GET {road} HTTP/1.1" 404 9 "-" "{road}"\n' for n, road in enumerate(roads))
    hostile.write_text("".join(lines) * 300)  # more than anything else that was not there
    copy = tmp_path / "difusor"
    shutil.copytree(noches["gro-2021"].folder, copy, symlinks=True)
    notes = (copy / "memoria.toml").read_text()
    (copy / "memoria.toml").write_text(notes.replace("sugerencias = []", 'sugerencias = ["=2+2 se lee"]'))
    status, _, err = corre(copy, "--bitacora", hostile, "--en", given, "--forma", "docx", "--forma", "xlsx")
    assert status == 0, err
    book = openpyxl.load_workbook(given / "memoria.xlsx")
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert not [cell for cell in cells if cell.data_type == "f"]
    texts = {cell.value: cell for cell in cells if cell.data_type == "s"}
    for road in roads:
        assert texts[road].quotePrefix, road
    home = f"-env:UserInstallation={(tmp_path / 'perfil').as_uri()}"
    for name in ("memoria.docx", "memoria.xlsx"):
        command: list[str | Path] = [
            "soffice",
            home,
            "--headless",
            "--norestore",
            "--convert-to",
            "pdf",
            "--outdir",
            tmp_path / name[-4:],
        ]
        subprocess.run([*command, given / name], check=True, capture_output=True, timeout=120)
        reader = PdfReader(tmp_path / name[-4:] / "memoria.pdf")
        said = " ".join(" ".join(page.extract_text().split()) for page in reader.pages)
        for word in ("Memoria técnica: PREP Guerrero 2021", "=2+2 se lee", "=1+1", "@SUM(1+1)", "GRO-6.4"):
            assert word in said, (name, word)
        assert "#NAME?" not in said
    assert any(text in json.dumps(noches["gro-2021"].dicho, ensure_ascii=False) for text in FORMULAS[2:3])


def test_an_address_asked_for_before_it_was_there_is_no_wrong_link(noches: dict[str, Noche]) -> None:
    night = noches["gro-2021"]
    prep = next(
        one for one in night.dicho["medidas"]["medidas"] if (one["sitio"], one["ventana"]) == ("prep", "eleccion")
    )
    lost = [one["nombre"] for one in prep["perdidas"]]
    assert "/corte.json" in lost  # Before the start it answers 404.
    text = night.texto()
    assert "direcciones que nunca estuvieron" in text
    assert not any(f"la más pedida, «{road}»" in text for road in ("/corte.json", "/", "/gub/"))


def test_no_address_of_anybody_leaves(noches: dict[str, Noche]) -> None:
    for night in noches.values():
        seen = {one["request"]["remote_ip"] for one in night.pedidas()}
        assert len(seen) > 20
        told = night.texto() + (night.papeles / "memoria.json").read_text()
        book = openpyxl.load_workbook(night.papeles / "memoria.xlsx")
        told += " ".join(str(cell) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row)
        assert not [address for address in seen if address in told]
        assert "198.51.100." not in told


def test_the_same_night_is_the_same_bytes_and_a_second_making_keeps_what_people_wrote(
    noches: dict[str, Noche], tmp_path: Path
) -> None:
    copy = tmp_path / "difusor"
    shutil.copytree(noches["dgo-2024"].folder, copy, symlinks=True)
    notes = copy / "memoria.toml"
    text = notes.read_text()
    key = next(one["clave"] for one in noches["dgo-2024"].dicho["incidencias"] if one["afecto"])
    head, _, tail = text.partition(f"clave = {json.dumps(key)}")
    tail = tail.replace('explicacion = ""', 'explicacion = "Fue un ensayo del comité."', 1)
    text = f"{head}clave = {json.dumps(key)}{tail}"
    text = text.replace('difusor = "" ', 'difusor = "Diario Uno" ').replace(
        "# fecha = 2027-06-15", "fecha = 2024-06-20"
    )
    text += '\n[formato]\ntitulo = "Memoria del difusor"\n[[formato.apartado]]\ntitulo = "I. Lo que pasó"\n'
    text += (
        'partes = ["incidencias"]\n[[formato.apartado]]\ntitulo = "II. Visitas"\ntexto = "Como las pide el formato."\n'
    )
    text += 'partes = ["comparativo", "consultas"]\n'
    notes.write_text(text)
    first, second = tmp_path / "uno", tmp_path / "dos"
    assert corre(copy, "--en", first)[0] == 0
    command = [sys.executable, "-m", "pregon", "memoria", str(copy), "--en", str(second)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    for name in ("memoria.pdf", "memoria.docx", "memoria.xlsx"):
        assert (first / name).read_bytes() == (second / name).read_bytes(), name
        assert (first / name).stat().st_mode & 0o077 == 0
    assert notes.read_text() == text
    reader = PdfReader(first / "memoria.pdf")
    said = " ".join(" ".join(page.extract_text().split()) for page in reader.pages)
    places = [said.index(word) for word in ("Memoria del difusor", "I. Lo que pasó", "II. Visitas", "Anexo: lo que el")]
    assert places == sorted(places)
    assert "Fue un ensayo del comité." in said
    assert said.index("Como las pide el formato.") < said.index("Comparativo de visitas, páginas y hits (DGO-IV-4)")
    assert said.index("Anexo: lo que el") < said.index("Comentarios y sugerencias (DGO-IV-5)")
    assert "20 de junio de 2024" in said
    told = json.loads((first / "memoria.json").read_text())
    assert key not in " ".join(one["ruta"] for one in told["blancos"])
    assert not [one for one in told["blancos"] if one["ruta"].startswith("memoria.toml: formato")]


def test_without_any_log_it_still_has_cuts_and_incidents_and_says_what_is_missing(
    noches: dict[str, Noche], tmp_path: Path
) -> None:
    copy = tmp_path / "difusor"
    shutil.copytree(noches["ine-2021"].folder, copy, symlinks=True)
    shutil.rmtree(copy / "registros")
    for path in (copy / "servidor").glob("acceso*"):
        path.unlink()
    settings = (copy / "difusor.toml").read_text()
    (copy / "difusor.toml").write_text(settings[: settings.index("[[bitacora]]")])
    folder = tmp_path / "papeles"
    status, out, err = corre(copy, "--en", folder, "--forma", "pdf", "--completa")
    assert status == 65
    assert "difusor.toml: [[bitacora]]: No hay ninguna bitácora de acceso" in err
    assert not folder.exists()
    status, out, err = corre(copy, "--en", folder, "--forma", "pdf", "--json")
    assert status == 0, err
    told = json.loads(out)
    assert told["medidas"] is None
    assert [one["numero"] for one in told["cortes"]] == [0, 1, 2]
    assert told["incidencias"] == noches["ine-2021"].dicho["incidencias"]
    assert sorted(path.name for path in folder.iterdir()) == ["memoria.json", "memoria.pdf"]
    said = " ".join(page.extract_text() for page in PdfReader(io.BytesIO((folder / "memoria.pdf").read_bytes())).pages)
    assert "No consta" in said
    assert "No hay bitácora del portal principal" in " ".join(said.split())


def test_notes_with_something_wrong_are_refused_and_nothing_is_written(
    noches: dict[str, Noche], tmp_path: Path
) -> None:
    copy = tmp_path / "difusor"
    shutil.copytree(noches["ine-2021"].folder, copy, symlinks=True)
    notes = copy / "memoria.toml"
    for text, told in (
        ('sugerencia = ["otra clave"]\n', "sugerencia: clave desconocida"),
        ("[[otra]]\ndesde = 2021-06-06T22:00:00\nhasta = 2021-06-06T21:00:00\nque = 'luz'\n", "es anterior a"),
        ("[[formato.apartado]]\ntitulo = 'I'\npartes = ['cortes', 'cortes']\n", "está dos veces: cortes"),
        ("incidencia = [{clave = 'una', explicacion = 'x'}]\n", "no está como tablas"),
    ):
        notes.write_text(text)
        folder = tmp_path / "papeles"
        status, _, err = corre(copy, "--en", folder)
        assert (status, told in err) == (78, True), err
        assert notes.read_text() == text
        assert not folder.exists()
