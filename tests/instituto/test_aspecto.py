"""What an institute changes of its portal: the documented example on every page, and everything wrong refused."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pregon.base.clock import ManualClock
from pregon.base.emblemas import MAX_BYTES, MAX_ELEMENTOS, MAX_LADO, ImagenError, read
from pregon.base.errors import AjustesError
from pregon.instituto import armado
from pregon.instituto.portal.aspecto import Aspecto, load
from pregon.instituto.portal.colores import contrast, theme, variables
from pregon.instituto.portal.recursos import Recursos
from tests.instituto.conftest import INICIO, Night, tree_digest, unpack
from tests.instituto.html import Element, parse

if TYPE_CHECKING:
    from pregon.instituto.workspace import Workspace

DOC = Path(__file__).resolve().parents[2] / "docs" / "operacion" / "aspecto.md"
NS = 'xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"'


def block(kind: str) -> str:
    (found,) = re.findall(rf"```{kind}\n(.*?)```", DOC.read_text(), re.DOTALL)
    return str(found)


def dress(folder: Path, toml: str | None = None, **images: bytes) -> Path:
    """The documented folder ``portal/`` in a workspace; ``toml`` in place of its settings."""
    place = folder / "portal"
    (place / "emblemas").mkdir(parents=True)
    (place / "aspecto.toml").write_text(block("toml") if toml is None else toml)
    for name in ("logo.svg", "emblemas/mas.svg"):
        (place / name).write_text(block("svg"))
    for name, content in images.items():
        (place / name.replace("_", ".")).write_bytes(content)
    return place


@pytest.fixture
def night(tmp_path: Path) -> Night:
    return Night(tmp_path, ManualClock(INICIO - timedelta(hours=4)))


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """One cut without the folder and with it."""
    found = []
    for name in ("llano", "vestido"):
        folder = tmp_path_factory.mktemp(name)
        night = Night(folder, ManualClock(INICIO - timedelta(hours=4)))
        space = night.create()
        if name == "vestido":
            dress(space.folder)
        found.append(unpack(night.cut(space), folder / "sitio"))
    return found[0], found[1]


def figures(page: Element) -> list[tuple[str, str]]:
    return [(item.attrs.get("data-votos", ""), item.text) for item in page.all(data_votos=None)]


def test_the_documented_example_is_on_every_page_and_no_figure_changes(sites: tuple[Path, Path]) -> None:
    plain, dressed = sites
    routes = sorted(str(path.relative_to(dressed)) for path in dressed.rglob("*.html"))
    assert routes == sorted(str(path.relative_to(plain)) for path in plain.rglob("*.html"))
    for route in routes:
        page, before = (parse((site / route).read_bytes()) for site in (dressed, plain))
        header, foot = page.one("header"), page.one("footer").text
        assert header.one("p", class_="instituto").text == "Instituto Electoral de Ensayo"
        assert header.one("p", class_="marca").text == "Resultados Electorales Preliminares"
        assert header.one("p", class_="proceso").text == "Elecciones de Ensayo 2021"
        logo = header.one("img", class_="logo")
        assert logo.attrs["alt"] == ""  # its name is beside it
        assert (dressed / route).parent.joinpath(logo.attrs["src"]).is_file()
        assert "Unidad de Sistemas, teléfono 981 000 0000." in foot
        for law in (
            "carecen de efectos jurídicos",
            "Ley Federal del Derecho de Autor",
            "Alterarlo es un delito federal.",
        ):
            assert law in foot
        assert "puede ser un delito" not in foot  # in place of ours, not beside it
        assert figures(page) == figures(before)
    home = parse((dressed / "index.html").read_bytes())
    assert "comienzan el miércoles 9 de junio" in home.one("p", class_="hoja nota-portada").text
    asked = parse((dressed / "preguntas-frecuentes/index.html").read_bytes()).one("section", id="instituto-1")
    assert asked.one("h2").text == "¿Dónde son los cómputos?"
    assert [p.text for p in asked.all("p")] == ["En cada consejo distrital.", "Las sesiones son públicas."]


def test_actors_take_their_names_colours_and_emblems_where_they_contend(sites: tuple[Path, Path]) -> None:
    plain, dressed = sites
    gub, dip = ((dressed / f"{c}/distrito-001/index.html").read_text() for c in ("gub", "dip"))
    parties = parse(gub.encode()).one("table", id="partidos")
    row = parties.one("tr", data_clave="PAN")
    assert row.one("span", class_="emblema e-pan").children == []
    assert "Partido Acción Nacional (Ensayo)" in row.text
    assert row.all("rect", class_="t-x-pan")
    assert not parties.one("tr", data_clave="PRI").all("span", class_="emblema e-pan")
    assert parties.one("tr", data_clave="CAND_IND_1").text.startswith("Juana Pérez")
    assert "Juana Pérez" not in dip
    whole = parse(gub.encode()).one("table", id="candidaturas").one("tr", data_clave="C_PAN_PRI_PRD")
    assert "Va por el Ensayo" in whole.text
    assert [item.attrs["class"] for item in whole.all("rect")][:3] == ["t-x-pan", "t-pri", "t-prd"]
    assert "Va por el Ensayo" not in (plain / "gub/distrito-001/index.html").read_text()
    (sheet,) = (dressed / "assets").glob("estilo.*.css")
    css = sheet.read_text()
    assert "--x-pan:#0b4f9e" in css
    assert "--x-pan:#5aa0f0" in css
    (emblem,) = re.findall(r'\.e-pan\{background-image:url\("([^"]+)"\)\}', css)
    assert (dressed / "assets" / emblem).read_text().startswith('<svg xmlns="http://www.w3.org/2000/svg"')
    index = json.loads((dressed / "datos/0001/gub/indice.json").read_bytes())
    letters = {party["clave"]: party["siglas"] for party in index["partidos"]}
    assert letters["CAND_IND_1"] == "Juana Pérez"
    assert letters["PAN"] == "PAN"
    table = (dressed / "incrusta/colores.js").read_text()
    light = json.loads(re.findall(r"const CLAROS = (\{.*\});", table)[0])
    names = json.loads(re.findall(r"const SIGLAS = (\{.*\});", table)[0])
    assert light[names["PAN"]] == "#0b4f9e"
    assert light[names["Juana Pérez"]] == "#555b00"
    assert light["acento"] == "#6b1f5c"


def test_contests_in_their_own_processes_dress_the_same(
    night: Night, sites: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(armado, "APART_BYTES", 0)
    space = night.create()
    dress(space.folder)
    assert tree_digest(unpack(night.cut(space), tmp_path / "sitio")) == tree_digest(sites[1])


WRONG = {
    "nombres.titulo: debe decir «preliminares»": '[nombres]\ntitulo = "Resultados finales"\n',
    "nombres.lema: clave desconocida": '[nombres]\nlema = "x"\n',
    "colores.claro.acento: no se lee sobre el fondo: contraste 1.5": '[colores.claro]\nacento = "#cccccc"\n',
    "colores.oscuro.avance: no se lee sobre el fondo": '[colores.oscuro]\navance = "#333333"\n',
    "colores.claro.avance: debe ser un color como": '[colores.claro]\navance = "rojo"\n',
    "logo.archivo: debe ser un archivo dentro de la carpeta": '[logo]\narchivo = "../instituto.toml"\n',
    "actor[0].emblema: no se puede leer": '[[actor]]\nclave = "PAN"\nemblema = "nada.svg"\n',
    "actor[0].emblema: no es SVG, PNG ni WebP": '[[actor]]\nclave = "PAN"\nemblema = "aspecto.toml"\n',
    "actor[0].contienda: debe ser": '[[actor]]\nclave = "PAN"\ncontienda = "gobierno"\n',
    "actor: «MORENA» está dos veces": '[[actor]]\nclave = "MOR"\n[[actor]]\nclave = "MORENA"\n',
    "actor: las siglas «X» son de dos": '[[actor]]\nclave = "A"\nsiglas = "X"\n[[actor]]\nclave = "B"\nsiglas = "X"\n',
}


def refused(night: Night, space: Workspace) -> str:
    """What the operator is told; nothing of the workspace changed."""
    before = tree_digest(space.folder)
    with pytest.raises(AjustesError) as caught:
        night.cut(space)
    assert caught.value.salida == 78
    assert "ningún corte" in caught.value.intacto
    assert tree_digest(space.folder) == before
    return caught.value.que_paso


@pytest.mark.parametrize("words", WRONG)
def test_a_wrong_folder_stops_the_cut_before_anything_is_made(night: Night, words: str) -> None:
    space = night.create()
    place = dress(space.folder, WRONG[words])
    assert words in refused(night, space)
    (place / "aspecto.toml").write_text(block("toml"))
    assert night.cut(space).corte == 1


def test_every_problem_is_told_at_once(night: Night) -> None:
    space = night.create()
    dress(
        space.folder,
        '[nombres]\nlema = "x"\n[colores.claro]\nacento = "#eeeeee"\n[logo]\narchivo = "malo.svg"\n'
        '[[actor]]\nclave = "PAN"\ncolor = "azul"\n',
        malo_svg=f"<svg {NS}><script/></svg>".encode(),
    )
    told = refused(night, space)
    for key in ("nombres.lema", "colores.claro.acento", "logo.archivo: el SVG tiene <script>", "actor[0].color"):
        assert key in told
    assert "4 problema(s)" in told


def test_a_folder_without_settings_and_a_file_in_its_place_are_refused(night: Night) -> None:
    space = night.create()
    (space.folder / "portal").mkdir()
    assert "no está" in refused(night, space)
    (space.folder / "portal").rmdir()
    (space.folder / "portal").write_text("")
    assert "no está" in refused(night, space)
    (space.folder / "portal").unlink()
    assert night.cut(space).corte == 1


def test_a_link_that_leaves_the_folder_is_not_followed(night: Night) -> None:
    space = night.create()
    place = dress(space.folder, '[logo]\narchivo = "logo.png"\n')
    (place / "logo.png").symlink_to(space.folder / "instituto.toml")
    assert "logo.archivo: no es un archivo de esta carpeta" in refused(night, space)


def test_without_the_folder_the_sheet_has_nothing_of_its_own(tmp_path: Path) -> None:
    assert load(tmp_path) == Aspecto()
    assert Recursos(load(tmp_path)).hoja == Recursos().hoja
    assert "portal/aspecto.toml" not in Recursos().contenidos[Recursos().hoja].decode()


# --- images ---

HOSTILE = {
    "script": "<script>alert(1)</script>",
    "onload": '<rect onload="alert(1)"/>',
    "style": '<rect style="fill:url(https://otro.example/x)"/>',
    "<style>": "<style>@import url(https://otro.example/x.css)</style>",
    "foreign": '<foreignObject><body xmlns="http://www.w3.org/1999/xhtml"/></foreignObject>',
    "image": '<image href="https://otro.example/x.png"/>',
    "use": '<use href="#a"/>',
    "link": '<a href="javascript:alert(1)"><rect/></a>',
    "xlink": '<g xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="https://otro.example/"/>',
    "animate": '<rect><animate attributeName="href" to="javascript:alert(1)"/></rect>',
    "set": '<rect><set attributeName="onload" to="alert(1)"/></rect>',
    "remote fill": '<rect fill="url(https://otro.example/x#a)"/>',
    "remote clip": '<rect clip-path="url(//otro.example/x#a)"/>',
    "escaped url": '<rect fill="u&#114;l(http:x)"/>',
    "id": '<rect id="a b"/>',
    "html": '<div xmlns="http://www.w3.org/1999/xhtml"/>',
    "no space": '<rect xmlns=""/>',
    "nested": f"<svg {NS}/>",
    "text": "<text>PAN</text>",
    "loose text": "<g>PAN</g>",
    "filter": "<filter/>",
    "class": '<rect class="t-pan"/>',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_an_svg_with_anything_that_acts_or_asks_is_refused(name: str) -> None:
    with pytest.raises(ImagenError):
        read(f"<svg {NS}>{HOSTILE[name]}</svg>".encode())


@pytest.mark.parametrize(
    "text",
    [
        f'<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><svg {NS}><title>&b;</title></svg>',
        f'<!DOCTYPE svg SYSTEM "file:///etc/passwd"><svg {NS}/>',
        f'<?xml-stylesheet href="https://otro.example/x.css"?><svg {NS}/>',
        f"<svg {NS}><rect></svg>",
        '<svg xmlns="http://www.w3.org/2000/svg"/>',
        '<svg viewBox="0 0 1 1"/>',
        f"<html><svg {NS}/></html>",
        f"<svg {NS}>" + "<g>" * 40 + "</g>" * 40 + "</svg>",
        f"<svg {NS}>" + "<g/>" * (MAX_ELEMENTOS + 1) + "</svg>",
    ],
)
def test_an_svg_that_is_no_plain_svg_is_refused(text: str) -> None:
    with pytest.raises(ImagenError):
        read(text.encode())


def test_a_drawing_programs_svg_is_written_again_without_its_notes() -> None:
    made = read(
        f"""<?xml version="1.0" encoding="UTF-8"?><!-- <script>alert(1)</script> -->
        <svg {NS} xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape" inkscape:version="1.3" width="10">
        <metadata><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:li>x</rdf:li></rdf:RDF></metadata>
        <defs><linearGradient id="a"><stop offset="0" stop-color="#fff"/></linearGradient></defs>
        <title>A &amp; &lt;B&gt;</title><path inkscape:label="x" d="M0 0h10v10z" fill="url(#a)"/></svg>""".encode()
    )
    assert made.contenido.decode() == (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10" width="10"><defs><linearGradient id="a">'
        '<stop offset="0" stop-color="#fff"></stop></linearGradient></defs><title>A &amp; &lt;B&gt;</title>'
        '<path d="M0 0h10v10z" fill="url(#a)"></path></svg>'
    )
    assert (made.tipo, made.ancho, made.alto) == ("svg", 10, 10)
    assert read(made.contenido).contenido == made.contenido


def png(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes(20)


def webp(kind: bytes, body: bytes) -> bytes:
    return b"RIFF" + bytes(4) + b"WEBP" + kind + bytes(4) + body + bytes(20)


def test_raster_images_have_limits() -> None:
    assert (read(png(200, 100)).ancho, read(png(200, 100)).alto) == (200, 100)
    extended = webp(b"VP8X", bytes(4) + (299).to_bytes(3, "little") + (149).to_bytes(3, "little"))
    assert (read(extended).ancho, read(extended).alto) == (300, 150)
    lossless = webp(b"VP8L", b"\x2f" + (79 | 39 << 14).to_bytes(4, "little"))
    assert (read(lossless).ancho, read(lossless).alto) == (80, 40)
    lossy = webp(b"VP8 ", bytes(3) + b"\x9d\x01\x2a" + (64).to_bytes(2, "little") + (32).to_bytes(2, "little"))
    assert (read(lossy).ancho, read(lossy).alto) == (64, 32)
    for wrong in (
        png(MAX_LADO + 1, 10),
        png(0, 10),
        webp(b"VP8X", b"\x02" + bytes(9)),
        webp(b"ALPH", bytes(9)),
        png(10, 10) + bytes(MAX_BYTES),
        b"GIF89a" + bytes(40),
        b"",
    ):
        with pytest.raises(ImagenError):
            read(wrong)


# --- colours ---


def test_contrast_is_that_of_the_guidelines() -> None:
    assert contrast("#000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.478, abs=0.001)
    assert contrast("#ffffff", "#777777") == contrast("#777777", "#fff")


def test_our_own_colours_pass_what_we_ask_of_others() -> None:
    light, dark = variables(theme())
    assert light["pan"] != dark["pan"]
    for scheme in (light, dark):
        for name in ("acento", "avance"):
            assert min(contrast(scheme[name], scheme[paper]) for paper in ("papel", "hoja")) >= 4.5


def test_the_component_takes_the_colours_of_the_screen_and_not_those_of_paper(tmp_path: Path) -> None:
    dress(tmp_path)
    script = Recursos(load(tmp_path)).ajenos["incrusta/colores.js"].decode()
    light, dark = (json.loads(text) for text in re.findall(r"^const (?:CLAROS|OSCUROS) = (.*);$", script, re.MULTILINE))
    ours = {name: color for name, color in variables(theme())[0].items() if name not in ("acento", "avance")}
    assert {name: light[name] for name in ours} == ours
    assert (light["acento"], dark["acento"], light["x-pan"]) == ("#6b1f5c", "#e6a9da", "#0b4f9e")
