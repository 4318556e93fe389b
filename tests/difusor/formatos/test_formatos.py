"""The papers of each call, from one file: every field that its text asks, every blank told, and nothing retyped."""

from __future__ import annotations

import json
import re
import stat
import subprocess
import sys
import tomllib
from datetime import date
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest

from pregon.convocatoria import perfiles
from pregon.convocatoria.clausulas import clausulas_de
from pregon.convocatoria.solicitud import formulario
from pregon.difusor.formatos import solicitud as archivo
from pregon.difusor.formatos.papeles import CLAUSULAS
from tests.difusor.formatos.solicitudes import PERFILES, escribe_solicitud, hace, lee, pregon
from tests.instituto.registro import fichas

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.xdist_group("formatos")

PAPELES = {
    "gro-2021": {"solicitud", "carta-compromiso", "personal"},
    "dgo-2024": {"solicitud", "formato-de-registro", "carta-compromiso", "personal", "aviso-comite"},
    "mor-2024": {"solicitud", "formato-de-registro", "carta-compromiso", "personal"},
    "mex-2021": {"solicitud", "formato-de-registro", "carta-compromiso", "personal"},
    "ine-2021": {"solicitud", "carta-compromiso", "personal"},
}


@pytest.fixture(scope="module")
def hechos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, dict[str, Any]]]:
    """The papers of the five calls, made once: their folder and the list of ``--json``."""
    base = tmp_path_factory.mktemp("papeles")
    return {perfil: (base / perfil / "papeles", hace(base / perfil, perfil)) for perfil in PERFILES}


def test_each_call_gets_its_papers_and_no_other_blank(hechos: dict[str, tuple[Path, dict[str, Any]]]) -> None:
    # What the text prints on one page is one page.
    assert "Página 1 de 1" in lee(hechos["gro-2021"][0] / "solicitud.pdf")
    for perfil, (folder, told) in hechos.items():
        assert {one["clave"] for one in told["papeles"]} == PAPELES[perfil], perfil
        # INE-V-a-i: the diagram is drawn from the settings of a difusor, which there are not yet.
        wanted = ["difusor.toml"] if perfil == "ine-2021" else []
        assert [one["ruta"] for one in told["blancos"]] == wanted, perfil
        assert told["impide"] == [], perfil
        assert told["logo"]["archivo"] == "logotipo.svg"
        names = {one["ruta"] for one in told["archivos"]}
        assert {path.name for path in folder.iterdir()} == names | {"formatos.json"}
        assert json.loads((folder / "formatos.json").read_text()) == {k: v for k, v in told.items() if k != "carpeta"}


def test_every_clause_that_a_paper_says_it_answers_is_one_of_its_call() -> None:
    for perfil, papers in CLAUSULAS.items():
        known = {one.id for one in clausulas_de(perfil)}
        for paper, ids in papers.items():
            assert set(ids) <= known, (perfil, paper)


@pytest.mark.parametrize("perfil", ["gro-2021", "mor-2024", "mex-2021"])
def test_the_form_has_each_question_of_its_text_and_its_answer_in_every_form(
    perfil: str, hechos: dict[str, tuple[Path, dict[str, Any]]]
) -> None:
    """GRO-1.7d; MOR-A2-1 to MOR-A2-7; MEX-A1-1 to MEX-A1-6."""
    folder, _ = hechos[perfil]
    call = perfiles.load(perfil)
    asked = archivo.lee(folder.parent / "solicitud.toml").solicitud
    stem = "solicitud" if perfil == "gro-2021" else "formato-de-registro"
    for form in ("pdf", "docx", "xlsx"):
        text = lee(folder / f"{stem}.{form}")
        for question in call.formulario.campos:
            answer = formulario.responde(asked, question).valor
            assert answer is not None
            label = question.partition(":")[0]
            assert label in text, (form, question)
            for part in answer.split("; "):
                assert part.replace("&", "&amp;") in text, (form, question, part)
    assert "contraseña = " not in lee(folder / f"{stem}.pdf")


def test_the_form_of_morelos_and_mexico_says_where_to_send_it(hechos: dict[str, tuple[Path, dict[str, Any]]]) -> None:
    """MOR-A2-0, MEX-A1-7; and the logo is on it."""
    for perfil, mail in (("mor-2024", "utsic@impepac.mx"), ("mex-2021", "uie@ieem.org.mx")):
        folder, told = hechos[perfil]
        assert mail in lee(folder / "formato-de-registro.pdf")
        [form] = [one for one in told["papeles"] if one["clave"] == "formato-de-registro"]
        assert form["destino"] == mail
        assert form["vence"] is not None


def test_the_sheet_of_durango_has_one_row_under_the_columns_of_the_institute(tmp_path: Path) -> None:
    """DGO-II-f: the columns are those of the institute's file, known questions or one's own words."""
    hace(
        tmp_path,
        "dgo-2024",
        mas='\n[anexo]\ncolumnas = ["Nombre del medio difusor", "Turno", "Email"]\n\n'
        '[respuestas]\n"Turno" = "=cmd|\' /C calc\'!A0"\n',
    )
    book = openpyxl.load_workbook(tmp_path / "papeles" / "formato-de-registro.xlsx")
    assert book.sheetnames == ["Difusores Oficiales"]
    rows = [[cell.value for cell in row] for row in book.worksheets[0].iter_rows()]
    assert rows == [
        ["Nombre del medio difusor", "Turno", "Email"],
        ["Diario Uno de la Montaña", "=cmd|' /C calc'!A0", "lquinones@diario-uno.example"],
    ]
    assert {cell.data_type for row in book.worksheets[0].iter_rows() for cell in row} == {"s"}


def test_without_columns_the_sheet_of_durango_has_all_that_is_known(
    hechos: dict[str, tuple[Path, dict[str, Any]]],
) -> None:
    sheet = openpyxl.load_workbook(hechos["dgo-2024"][0] / "formato-de-registro.xlsx").worksheets[0]
    [heads, values] = [[str(cell.value) for cell in row] for row in sheet.iter_rows()]
    row = dict(zip(heads, values, strict=True))
    assert row["Nombre del medio difusor"] == "Diario Uno de la Montaña"
    assert row["Propuesta de enlace (liga de acceso)"] == "https://prep.diario-uno.example/prep2024"
    assert row["Teléfono móvil"] == "747 555 0199"
    assert len(row) >= 12


def _llano(text: str) -> str:
    """Letters alone: a quotation has other marks and breaks than the page."""
    return re.sub(r"[^a-záéíóúñ0-9]+", " ", text.lower()).strip()


def test_the_letters_say_what_the_texts_say(hechos: dict[str, tuple[Path, dict[str, Any]]]) -> None:
    """MOR-A3-2 and MEX-A2 word by word, with the difusor's name in the blank; the others, what the call asks."""
    for perfil, clause, start, end in (
        ("mor-2024", "MOR-A3-2", "Por medio de la presente", "difusión de los resultados"),
        ("mex-2021", "MEX-A2", "Por medio de la presente", "difusión de los resultados"),
    ):
        [quoted] = [one.cita for one in clausulas_de(perfil) if one.id == clause]
        wanted = start + quoted.partition(start)[2].partition(end)[0] + end
        pieces = [_llano(piece) for piece in re.split(r"_{3,}|\(el / la\) ?;", wanted)]
        said = _llano(lee(hechos[perfil][0] / "carta-compromiso.docx"))
        for piece in pieces:
            assert piece in said, (perfil, piece)
        assert _llano("Diario Uno de la Montaña") in said
    for perfil in ("gro-2021", "dgo-2024", "ine-2021"):
        said = lee(hechos[perfil][0] / "carta-compromiso.docx")
        for word in (
            "apegarse y cumplir",
            "ética y responsabilidad cívica",
            "integridad",
            "continuidad",
            "no divulgar",
        ):
            assert word in said, (perfil, word)
        assert ("a reserva de que cuente con la autorización" in said) == (perfil == "ine-2021")
    # MOR-I-9 and MEX-I-9 ask in writing for what their annex leaves out: it is in the letter that goes before.
    for perfil in ("mor-2024", "mex-2021"):
        said = lee(hechos[perfil][0] / "solicitud.docx")
        assert "no divulgar" in said
        assert "a reserva de que cuente con la autorización" in said


def test_letters_go_to_whom_the_call_says_with_place_day_and_who_signs(
    hechos: dict[str, tuple[Path, dict[str, Any]]],
) -> None:
    for perfil, place, day in (
        ("gro-2021", "Chilapa, Guerrero", "1 de mayo de 2021"),
        ("mor-2024", "Cuernavaca, Morelos", "20 de mayo de 2024"),
        ("mex-2021", "Toluca de Lerdo, México", "28 de mayo de 2021"),
    ):
        call = perfiles.load(perfil)
        assert call.carta is not None
        for name in ("solicitud.pdf", "carta-compromiso.pdf"):
            said = lee(hechos[perfil][0] / name)
            for text in (f"{place}, a {day}", call.carta.destinatario, "PRESENTE", "Rosalba Iturbide Neri"):
                assert text in said, (perfil, name, text)
    # What goes with it is named, also what somebody else makes.
    said = lee(hechos["ine-2021"][0] / "solicitud.pdf")
    assert "Certificado vigente ISO/IEC 27001" in said
    assert "Listado de personal" in said


def test_the_committee_is_told_and_nothing_confidential_goes_with_it(
    hechos: dict[str, tuple[Path, dict[str, Any]]],
) -> None:
    """DGO-I-4b."""
    said = lee(hechos["dgo-2024"][0] / "aviso-comite.docx")
    assert "Comité Técnico Asesor del PREP (COTAPREP)" in said
    assert "Secretaría Ejecutiva del IEPC Durango" in said
    assert "Diario Uno de la Montaña" in said
    for secret in ("Quiñones", "747 555", "Rosalba", "8.8.4.7", "@"):
        assert secret not in said


def test_the_staff_list_has_each_stage_with_name_office_phone_and_hours(
    hechos: dict[str, tuple[Path, dict[str, Any]]],
) -> None:
    """GRO-5.4, DGO-III-5: by stage; INE-V-a-ii: name, office, phone, mail, and whose staff it is."""
    for perfil, stages in (
        (
            "gro-2021",
            ("Instalación y pruebas", "Ejercicios y simulacros", "Jornada electoral y difusión de resultados"),
        ),
        ("ine-2021", ("Instalación, pruebas y simulacros", "Jornada electoral y difusión de resultados")),
    ):
        sheet = openpyxl.load_workbook(hechos[perfil][0] / "personal.xlsx")
        for stage in stages:
            rows = [[cell.value for cell in row] for row in sheet[stage[:31].strip()].iter_rows(min_row=2, max_row=3)]
            assert [row[0] for row in rows] == ["Lucía Quiñones Ávila", "Efraín Tlapanco"]
            assert rows[0][1:] == [
                "Jefa de sistemas de redacción", "747 555 0142\n747 555 0199", "lquinones@diario-uno.example",
                "08:00 a 20:00 h", "Diario Uno de la Montaña",
            ]  # fmt: skip
            assert rows[1][5] == "Nubes del Sur"
            assert stage in lee(hechos[perfil][0] / "personal.pdf")


@pytest.mark.parametrize("perfil", PERFILES)
def test_the_institute_registers_the_form_as_it_is(
    perfil: str, hechos: dict[str, tuple[Path, dict[str, Any]]], tmp_path: Path
) -> None:
    """``instituto difusor alta`` takes what was written, and misses only the papers that it has not received."""
    folder, _ = hechos[perfil]
    house = fichas.casa(fichas.funda(tmp_path / "modelo", perfil), tmp_path / "instituto")
    words: list[object] = ["difusor", "alta", house.folder, "diario-uno", "--ficha", folder / "ficha.toml", "--json"]
    done = fichas.run(*words, "--logo", folder / "logotipo.svg")
    assert done.exit_code == 0, done.output
    missing = json.loads(done.stdout)["faltantes"]
    assert [one for one in missing if not one.startswith("Documento: ")] == []
    kept = house.registro.ficha("diario-uno")
    assert kept == archivo.ficha(archivo.lee(folder.parent / "solicitud.toml").solicitud)
    assert kept.contacto[1].proveedor == "Nubes del Sur"
    assert house.registro.uno("diario-uno").logo is not None


def test_answers_in_ones_own_words_survive_the_way_to_the_registry(tmp_path: Path) -> None:
    words = 'Un "dato" con comillas, \\ y ñ'
    hace(
        tmp_path,
        "dgo-2024",
        mas=f"\n[respuestas]\n{json.dumps(words, ensure_ascii=False)} = 'sí; \"no\"'\n",
        formas=("pdf",),
    )
    made = tomllib.loads((tmp_path / "papeles" / "ficha.toml").read_text())
    assert made["respuestas"] == {words: 'sí; "no"'}


BLANCOS = (
    ("gro-2021", ('ciudad = "Chilapa"', 'ciudad = ""'), "domicilio.ciudad"),
    ("mor-2024", ('celular = "747 555 0122"\n', ""), "contacto[2].celular"),
    ("mor-2024", ('red = "Cortafuegos perimetral de la sala norte"', 'red = "  "'), "infraestructura.red"),
    ("mex-2021", ('sitio = "https://www.diario-uno.example"', ""), "sitio"),
    ("ine-2021", ('correo = "etlapanco@nubes-del-sur.example"\n', ""), "contacto[1].correo"),
    ("ine-2021", ('logo = "logo.svg"', 'logo = ""'), "logo"),
    ("dgo-2024", ('cargo = "Guardia nocturna"', 'cargo = ""'), "contacto[1].cargo"),
    ("dgo-2024", ('url = "https://prep.diario-uno.example/prep2024"', 'url = ""'), "url"),
)


def test_each_blank_is_told_with_its_path_and_the_papers_leave_room(tmp_path: Path) -> None:
    for n, (perfil, change, path) in enumerate(BLANCOS):
        told = hace(tmp_path / str(n), perfil, change, formas=("pdf",))
        assert path in [one["ruta"] for one in told["blancos"]], (perfil, change, told["blancos"])
        assert {one["clave"] for one in told["papeles"]} == PAPELES[perfil]
        whole = archivo.lee(tmp_path / str(n) / "solicitud.toml")
        registered = archivo.ficha(whole.solicitud)
        # Without an address nobody is registered; without any of the others, the institute asks for it.
        assert (told["ficha"] is None) == isinstance(registered, tuple) == (path in ("url", "domicilio.ciudad"))


def test_guerrero_takes_the_phone_of_whoever_has_one(tmp_path: Path) -> None:
    """The form asks for one phone; the list of staff, for each person's."""
    told = hace(tmp_path, "gro-2021", ('telefono = "747 555 0142"\ncelular = "747 555 0199"', ""), formas=("pdf",))
    assert [one["ruta"] for one in told["blancos"]] == ["contacto[0].celular", "contacto[0].telefono"]
    assert "747 555 0177" in lee(tmp_path / "papeles" / "solicitud.pdf")


@pytest.mark.parametrize("perfil", PERFILES)
def test_the_empty_file_gives_empty_papers_and_the_path_of_each_key(perfil: str, tmp_path: Path) -> None:
    printed = pregon("formatos", "--plantilla", "--convocatoria", perfil)
    assert printed.exit_code == 0
    empty = re.findall(r'^(\w+) = ""', printed.stdout, flags=re.MULTILINE)
    assert {"nombre", "url", "correo", "software", "logo"} <= set(empty)
    path = tmp_path / "solicitud.toml"
    path.write_text(printed.stdout)
    words = ("formatos", "--solicitud", path, "--convocatoria", perfil, "--en", tmp_path / "papeles")
    refused = pregon(*words, "--completo", "--forma", "pdf")
    assert refused.exit_code == 65
    assert "contacto[0].nombre" in refused.stderr
    assert not (tmp_path / "papeles").exists()
    done = pregon(*words, "--json", "--forma", "pdf")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    paths = {one["ruta"] for one in told["blancos"]}
    asked = {"nombre", "url", "logo", "contacto[0].nombre", "contacto[0].cargo", "contacto[1].nombre", "firma.nombre"}
    assert asked | {"infraestructura.ip[0]", "domicilio.ciudad", "infraestructura.software"} <= paths
    assert told["ficha"] is None
    assert {one["clave"] for one in told["papeles"]} == PAPELES[perfil]
    assert ".example" not in "".join(lee(one) for one in (tmp_path / "papeles").glob("*.pdf"))


def test_something_wrong_is_refused_with_all_its_paths_and_nothing_is_written(tmp_path: Path) -> None:
    path = escribe_solicitud(
        tmp_path,
        "gro-2021",
        ('"lquinones@diario-uno.example"', '"no es un correo"'),
        ('ip = ["8.8.4.7"]', 'ip = ["10.0.0.7"]'),
        ('tipo = "medios"', 'tipo = "medios"\ncontrasena_ftp = "secreta"'),
    )
    words = ("formatos", "--solicitud", path, "--convocatoria", "gro-2021", "--en", tmp_path / "papeles")
    done = pregon(*words)
    assert done.exit_code == 78
    for place in ("contacto[0].correo", "infraestructura.ip", "contrasena_ftp"):
        assert place in done.stderr
    assert not (tmp_path / "papeles").exists()


def test_what_goes_against_the_call_is_said(tmp_path: Path) -> None:
    """MOR-0.1: no civil society; GRO-2.4b: a public address; a waiver goes only where the call foresees it."""
    told = hace(tmp_path / "mor", "mor-2024", ('tipo = "medios"', 'tipo = "osc"'), formas=("pdf",))
    assert told["impide"] == ["La convocatoria no admite difusores de tipo «osc»"]
    waiver = '\n[[dispensa]]\nconcepto = "Red redundante"\ndeclarado = "Una tarjeta de 10 Gbps"\n'
    told = hace(tmp_path / "dgo", "dgo-2024", mas=waiver, formas=("pdf",))
    assert told["impide"] == ["La convocatoria no prevé dispensas de infraestructura"]
    assert not (tmp_path / "dgo" / "papeles" / "infraestructura.pdf").exists()
    told = hace(tmp_path / "gro", "gro-2021", ('ip = ["8.8.4.7"]', ""), mas=waiver, formas=("pdf",))
    assert told["impide"] == ["Dirección IP pública de cada servidor ([infraestructura] ip)"]
    said = lee(tmp_path / "gro" / "papeles" / "infraestructura.pdf")
    assert "Una tarjeta de 10 Gbps" in said


def test_the_logo_is_looked_at_by_the_rule_of_the_call(tmp_path: Path) -> None:
    """INE-I-f-2: vectors; anywhere: nothing that acts."""
    from pregon.documentos.pdf import a_png
    from tests.difusor.formatos.solicitudes import LOGO

    logos: tuple[tuple[str, bytes, str | None, str], ...] = (
        ("ine-2021", a_png(LOGO.encode()), None, "SVG o AI"),
        ("ine-2021", b"%PDF-1.5 " + b"\x00" * 40, "logotipo.ai", ""),
        ("gro-2021", b"%PDF-1.5 " + b"\x00" * 40, None, "AI"),
        ("gro-2021", LOGO.replace("<circle", "<script>alert(1)</script><circle").encode(), None, "script"),
        ("gro-2021", LOGO.replace("<svg", '<svg onload="x()"').encode(), None, "onload"),
        ("gro-2021", a_png(LOGO.encode()), "logotipo.png", ""),
    )
    for n, (perfil, data, name, why) in enumerate(logos):
        folder = tmp_path / str(n)
        path = escribe_solicitud(folder, perfil)
        (folder / "logo.svg").write_bytes(data)
        words = ("formatos", "--solicitud", path, "--convocatoria", perfil, "--en", folder / "papeles")
        done = pregon(*words, "--json", "--forma", "pdf")
        assert done.exit_code == 0, done.output
        told = json.loads(done.stdout)["logo"]
        assert told["archivo"] == name, n
        assert why in (told["motivo"] or ""), n
        assert (told["motivo"] is None) == (name is not None), n
        assert bool(list((folder / "papeles").glob("logotipo.*"))) == (name is not None), n
        if name is None:
            assert pregon(*words, "--completo").exit_code == 65
    (tmp_path / "0" / "logo.svg").unlink()
    gone = pregon(
        "formatos", "--solicitud", tmp_path / "0" / "solicitud.toml", "--convocatoria", "ine-2021", "--en", "x"
    )
    assert gone.exit_code == 66


def test_papers_are_for_this_account_alone_and_the_same_bytes_each_time(
    hechos: dict[str, tuple[Path, dict[str, Any]]], tmp_path: Path
) -> None:
    folder, told = hechos["dgo-2024"]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    again = hace(tmp_path, "dgo-2024")
    assert again["archivos"] == told["archivos"]
    other = hace(tmp_path / "otra", "dgo-2024", ("Lucía Quiñones", "Lucila Quiñones"))
    changed = {one["ruta"] for one in other["archivos"]} - {
        one["ruta"] for one in other["archivos"] if one in told["archivos"]
    }
    assert "formato-de-registro.xlsx" in changed
    assert "carta-compromiso.pdf" not in changed


def test_a_folder_with_other_things_is_left_as_it_is(tmp_path: Path) -> None:
    path = escribe_solicitud(tmp_path, "mor-2024")
    folder = tmp_path / "mio"
    folder.mkdir()
    (folder / "tesis.docx").write_text("años de trabajo")
    done = pregon("formatos", "--solicitud", path, "--convocatoria", "mor-2024", "--en", folder)
    assert done.exit_code == 2
    assert [one.name for one in folder.iterdir()] == ["tesis.docx"]
    waiver = '\n[[dispensa]]\nconcepto = "UPS"\ndeclarado = "1 KVA"\n'
    made = hace(tmp_path / "otra", "gro-2021", mas=waiver, formas=("pdf",))
    before = {one.name: one.read_bytes() for one in (tmp_path / "otra" / "papeles").iterdir()}
    done = pregon("formatos", "--solicitud", path, "--convocatoria", "mor-2024", "--en", tmp_path / "otra" / "papeles")
    assert done.exit_code == 2
    assert {one.name: one.read_bytes() for one in (tmp_path / "otra" / "papeles").iterdir()} == before
    # Made again with less, what is no longer of the list goes; what somebody added stays.
    (tmp_path / "otra" / "papeles" / "nota.txt").write_text("mía")
    again = hace(tmp_path / "otra", "gro-2021", formas=("pdf",))
    assert len(again["archivos"]) == len(made["archivos"]) - 1
    left = {one.name for one in (tmp_path / "otra" / "papeles").iterdir()}
    assert left == {one["ruta"] for one in again["archivos"]} | {"formatos.json", "nota.txt"}


def test_a_hostile_name_is_text_in_every_paper(tmp_path: Path) -> None:
    name = "=cmd|' /C calc'!A0 <b>#panic(1)"
    hace(tmp_path, "mex-2021", ('nombre = "Diario Uno de la Montaña"', f'nombre = "{name}"'))
    for path in (tmp_path / "papeles").glob("*.xlsx"):
        book = openpyxl.load_workbook(path)
        cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
        assert {cell.data_type for cell in cells} == {"s"}
        assert any(cell.value == name for cell in cells)
    assert name in lee(tmp_path / "papeles" / "formato-de-registro.docx")
    assert tomllib.loads((tmp_path / "papeles" / "ficha.toml").read_text())["nombre"] == name


def test_a_letter_that_there_is_not_is_told_with_those_that_there_are(tmp_path: Path) -> None:
    from pregon.convocatoria.escribe import to_toml_text

    own = tmp_path / "propia.toml"
    own.write_text(to_toml_text(perfiles.load("dgo-2024")).replace('plantilla = "compromiso"', 'plantilla = "otra"'))
    path = escribe_solicitud(tmp_path, "dgo-2024")
    done = pregon("formatos", "--solicitud", path, "--convocatoria", own, "--en", tmp_path / "papeles")
    assert done.exit_code == 78
    assert "anexo-3-morelos" in done.stderr
    assert not (tmp_path / "papeles").exists()


def test_a_question_of_a_profile_of_ones_own_is_asked_and_answered_in_its_words(tmp_path: Path) -> None:
    from pregon.convocatoria.escribe import to_toml_text

    own = tmp_path / "propia.toml"
    question = "Número de «nodos» de publicación"
    text = to_toml_text(perfiles.load("gro-2021")).replace('"Estado"]', f'"Estado", "{question}"]')
    own.write_text(text)
    path = escribe_solicitud(tmp_path, "gro-2021")
    words: list[object] = ["formatos", "--solicitud", path, "--convocatoria", own, "--en", tmp_path / "papeles"]
    done = pregon(*words, "--json", "--forma", "pdf")
    assert done.exit_code == 0, done.output
    [blank] = json.loads(done.stdout)["blancos"]
    assert blank == {"ruta": f'respuestas."{question}"', "que": question, "papeles": ["solicitud"]}
    assert question in lee(tmp_path / "papeles" / "solicitud.pdf")
    path.write_text(path.read_text() + f'\n[respuestas]\n"{question}" = "Diecisiete"\n')
    done = pregon(*words, "--json", "--forma", "pdf")
    assert json.loads(done.stdout)["blancos"] == []
    assert "Diecisiete" in lee(tmp_path / "papeles" / "solicitud.pdf")


def test_without_a_date_the_papers_bear_the_day_of_the_call(tmp_path: Path) -> None:
    """The day where the institute is, not the machine's."""
    from datetime import UTC, datetime, timedelta

    call = perfiles.load("gro-2021")
    before = datetime.now(UTC).astimezone(call.zona).date()
    told = hace(tmp_path, "gro-2021", ("fecha = 2021-05-01\n", ""), formas=("pdf",))
    made = date.fromisoformat(told["fecha"])
    assert before <= made <= before + timedelta(days=1)


def test_the_program_itself(tmp_path: Path) -> None:
    path = escribe_solicitud(tmp_path, "mor-2024", ('sitio = "https://www.diario-uno.example"', 'sitio = ""'))
    words = ["formatos", "--solicitud", path, "--convocatoria", "mor-2024", "--en", tmp_path / "papeles"]
    done = subprocess.run(
        [sys.executable, "-m", "pregon", *map(str, words)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0
    assert "Formato de registro, Anexo 2: formato-de-registro.docx" in done.stdout
    assert "en blanco: sitio: Dirección del sitio web [formato-de-registro]" in done.stderr
