"""The pages of a package, read as a browser would: figures, links, and what every page must say."""

from __future__ import annotations

import gzip
import json
import posixpath
import re
import shlex
import subprocess
import zipfile
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from pregon.base.clock import ManualClock
from pregon.instituto import fuentes
from pregon.instituto.autorizaciones import load
from pregon.instituto.build import build_cut
from pregon.instituto.elecciones import from_code
from pregon.instituto.portal.vigencia import kept
from pregon.instituto.portal.vistas import contienda
from pregon.prep.candidaturas import read_candidaturas
from pregon.prep.percent import trunc4
from pregon.prep.reader import read_actas
from pregon.tablas.totales import totals
from tests.instituto.conftest import AUTORIZACIONES, CAMPECHE, HORA, INICIO, Night, Published, campeche_sources, unpack
from tests.instituto.html import Element, parse

if TYPE_CHECKING:
    from pathlib import Path

LATER = HORA.replace(hour=23, minute=0)
LEGEND = "carecen de efectos jurídicos"
FIRST_VIEW_BYTES = 60_000
"""First view of any page, compressed, in all."""
UNIT_PAGE = re.compile(r"/((distrito|municipio|entidad)-[\w-]+|(\d\d-)?sin-\w+)(/secciones(/\d+)?)?/index\.html$")
CONTESTS = {"GOB": "gub", "DIP_LOC": "dip", "AYUN": "ayun", "JUNTAS": "juntas"}


def pages(site: Path) -> dict[str, Element]:
    return {str(path.relative_to(site)): parse(path.read_bytes()) for path in sorted(site.rglob("*.html"))}


@pytest.fixture(scope="module")
def leidas(campeche: Published) -> dict[str, Element]:
    """The pages of Campeche, read once for all that only look at them."""
    return pages(campeche.folder)


def votes(table: Element) -> dict[str, int]:
    """The figures of a table of votes, as shown; the raw attribute must say the same."""
    found: dict[str, int] = {}
    for line in table.all("tr", data_clave=None):
        cell = line.one("td", data_votos=None)
        found[line.attrs["data-clave"]] = int(cell.text.replace(",", ""))
        assert cell.text == f"{int(cell.attrs['data-votos']):,}"
    return found


def check_page(site: Path, name: str, page: Element) -> None:
    """What holds for every page: stamp, legend, structure, nothing inline, every link inside the package."""
    assert page.one("html").attrs["lang"] == "es-MX"
    stamp = page.one("p", class_="corte")
    words = "Cifras al corte" if UNIT_PAGE.search(name) else "Corte"
    assert re.match(rf"{words}: \d+ de [a-z]+ de \d{{4}}, \d\d:\d\d h \(UTC−[56]\), Tiempo del Centro", stamp.text)
    check_link(site, name, page, page.one("section", class_="fija").attrs["data-vigente"])
    for script in page.all("script"):
        assert script.children == []
        assert script.attrs["src"]
    assert LEGEND in page.one("p", class_="leyenda").text
    assert len(page.all("h1")) == len(page.all("main")) == 1
    always = page.one("div", class_="siempre").text  # GRO-1.9c and prep.md §5.1: on every page, wherever it is read
    for word in ("ontabilizadas", "apturadas", "articipación", "sin efectos jurídicos"):
        assert word in always, (name, always)
    for element in page.walk():
        assert element.name not in ("style", "iframe", "object", "embed", "base")
        assert not [key for key in element.attrs if key == "style" or key.startswith("on")]
        for key in ("href", "src", "action", "srcset", "poster"):
            if key in element.attrs:
                check_link(site, name, page, element.attrs[key])
    for table in page.all("table"):
        assert table.all("caption")
        assert all(head.attrs.get("scope") in ("col", "row") for head in table.all("th"))
    ids = [item.attrs["id"] for item in page.all(id=None)]
    assert len(set(ids)) == len(ids)


def check_link(site: Path, name: str, page: Element, link: str) -> None:
    parts = urlsplit(link)
    assert not parts.scheme, link
    assert not parts.netloc, link
    assert not link.startswith("/"), link
    if not parts.path:
        assert page.all(id=parts.fragment), link
        return
    target = posixpath.normpath(posixpath.join(posixpath.dirname(name), parts.path))
    assert not target.startswith(".."), link
    assert (site / target).is_file(), f"{name} -> {link}"


def test_small_cut_every_page_and_every_figure(night: Night, tmp_path: Path) -> None:
    site = unpack(night.cut(night.create()), tmp_path / "sitio")
    found = pages(site)
    assert set(found) == {
        "index.html",
        "consulta/index.html",
        "base-de-datos/index.html",
        "para-programadores/index.html",
        "preguntas-frecuentes/index.html",
        "glosario/index.html",
        "incrusta/index.html",
        *(f"{c}/{p}index.html" for c in ("gub", "dip") for p in ("", "cambios/", "noche/", "estadistica/")),
        *(f"{c}/distrito-00{n}/{p}index.html" for c in ("gub", "dip") for n in (1, 2) for p in ("", "secciones/")),
    }
    for name, page in found.items():
        check_page(site, name, page)
        assert "SIMULACRO" not in page.text
    shown = votes(found["gub/distrito-001/index.html"].one("table", id="candidaturas"))
    assert shown == {"C_PAN_PRI_PRD": 85, "MC": 10, "CAND_IND_1": 0, "no_registradas": 1, "nulos": 4, "total": 100}
    assert "2. Hopelchén" in found["dip/index.html"].text


def test_simulacro_is_marked_on_every_page_and_file(night: Night, tmp_path: Path) -> None:
    night.ambiente = "simulacro"
    site = unpack(night.cut(night.create()), tmp_path / "sitio")
    for page in pages(site).values():
        assert page.one("p", class_="simulacro").text.startswith("SIMULACRO Datos de prueba")
        assert page.one("div", class_="marca-agua").attrs["aria-hidden"] == "true"
    assert json.loads((site / "corte.json").read_bytes())["ambiente"] == "simulacro"
    assert "SIMULACRO" in (site / "resumen.txt").read_text()


def test_a_name_that_is_markup_is_shown_and_not_obeyed(night: Night, tmp_path: Path) -> None:
    space = night.create()
    sources = night.sources()
    for source in sources:
        text = source.actas.read_text().replace("TENABO", '<script src="https://x.mx">"T&')
        source.actas.write_text(text)
    night.clock.instant = HORA
    site = unpack(build_cut(space, sources), tmp_path / "sitio")
    page = (site / "gub/distrito-001/index.html").read_text()
    assert page.count("<script") == page.count('<script src="../../assets/ajustes.') == 1
    assert "https://x.mx" in page
    assert "&lt;script src=" in page
    for name, parsed in pages(site).items():
        check_page(site, name, parsed)


EMPTY = ["3", "0", "0", "0", "0.0000", "0", "0.0000", "0.0000", "0", "0", "0", "0", "0.0000"]
"""The summary of a file where no acta has arrived."""


def test_before_any_acta_the_pages_say_so(night: Night, tmp_path: Path) -> None:
    space = night.create()
    hora = INICIO.replace(hour=19)
    sources = night.sources(hora)
    for source in sources:
        lines = source.actas.read_text().replace(",1,0,0000", ",,0,0000").splitlines()
        lines[3] = ",".join(EMPTY)
        source.actas.write_text("\n".join(lines) + "\n")
    night.clock.instant = hora
    built = build_cut(space, sources)
    assert built.corte == 0
    found = pages(unpack(built, tmp_path / "sitio"))
    for name, page in found.items():
        check_page(tmp_path / "sitio", name, page)
        if "/cambios/" in name:
            assert "No hay un corte anterior" in page.one("main").text
        elif name == "index.html" or name.split("/")[0] in CONTESTS.values():
            assert "Aún no hay actas contabilizadas" in page.text


def test_next_cut_last_cut_and_download_are_on_the_pages(night: Night, tmp_path: Path) -> None:
    space = night.create()
    first = pages(unpack(night.cut(space), tmp_path / "uno"))
    for name, page in first.items():
        of_unit = UNIT_PAGE.search(name)  # it states the cut of its figures, whatever comes next
        expected = "Vigentes hasta el corte en que cambien" if of_unit else "Siguiente corte: 23:00 h"
        assert page.one(class_="siguiente").text == expected
        assert ("Corte 1: 6 de junio" in page.one("footer").text) is not bool(of_unit)
    night.clock.instant = LATER
    site = tmp_path / "dos"
    last = pages(unpack(build_cut(space, night.sources(LATER), ultimo=True), site))
    assert all(page.one(class_="siguiente").text == "Último corte" for page in last.values())
    assert all(page.one("p", class_="corte").text.startswith("Corte: ") for page in last.values())
    for route in (name for name in last if UNIT_PAGE.search(name)):  # so none of them keeps the bytes it had
        closing = (site / route).read_bytes()
        assert kept(closing, (tmp_path / "uno" / route).read_bytes()) == closing
    links = [item.attrs["href"] for item in last["base-de-datos/index.html"].all("a", download=None)]
    assert links == [f"../base-de-datos/20210606_2300_PREP_{name}_CAMP.zip" for name in ("GUB", "DIP_LOC")]


def _golden(published: Published) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, source in zip(CAMPECHE, published.sources, strict=True):
        assert source.candidaturas is not None
        contest = totals(
            read_actas(source.actas),
            eleccion=CONTESTS[name],
            candidaturas=read_candidaturas(source.candidaturas),
        )
        found[CONTESTS[name]] = contest
    return found


@pytest.mark.datos
def test_campeche_every_page_holds(campeche: Published, leidas: dict[str, Element]) -> None:
    found = leidas
    units = 21 + 21 + 13 + 22
    of_contest, of_unit = ("resultados", "cambios", "noche", "estadistica"), ("resultados", "secciones")
    assert len(found) == 7 + 4 * len(of_contest) + units * len(of_unit)
    for name, page in found.items():
        check_page(campeche.folder, name, page)


@pytest.mark.datos
def test_campeche_figures_on_the_pages_are_those_of_the_totals(campeche: Published, leidas: dict[str, Element]) -> None:
    found = leidas
    cells = 0
    for contest_id, contest in _golden(campeche).items():
        scopes = {f"{contest_id}/index.html": contest.entidad}
        for unit in contest.unidades:
            scopes[f"{contest_id}/{contest.nivel}-{int(unit.id):03d}/index.html"] = unit
        for name, scope in scopes.items():
            page = found[name]
            for table in ("candidaturas", "partidos"):
                expected = dict(getattr(scope, table))
                blank, null = expected.pop("NO_REGISTRADOS"), expected.pop("NULOS")
                shown = votes(page.one("table", id=table))
                assert shown.pop("no_registradas") == blank
                assert shown.pop("nulos") == null
                assert shown.pop("total") == scope.total_votos == sum(shown.values()) + blank + null
                missing = expected.keys() - shown.keys()
                assert shown == {key: n for key, n in expected.items() if key not in missing}
                assert all(expected[key] == 0 for key in missing)  # lines that nobody contends
                for line in page.one("table", id=table).all("tr", data_clave=None):
                    percent = line.all("td")[1].text.removesuffix(" %")
                    number = int(line.one("td", data_votos=None).attrs["data-votos"])
                    assert percent == trunc4(number, scope.total_votos)
                    cells += 2
            strip = page.one("section", class_="tira")
            assert strip.one(data_cifra="contabilizadas").text == f"{scope.actas.contabilizadas:,}"
            assert strip.one(data_cifra="participacion").text == f"{scope.participacion} %"
            cells += 2
        rows = found[f"{contest_id}/index.html"].all("tr", data_unidad=None)
        for unit, line in zip(contest.unidades, rows, strict=True):
            assert line.attrs["data-unidad"] == unit.id
            assert line.one(data_cifra="contabilizadas").text == f"{unit.actas.contabilizadas:,}"
            ranked = sorted((n for k, n in unit.candidaturas.items() if k not in ("NULOS", "NO_REGISTRADOS")))
            if unit.total_votos:
                assert line.one(data_votos=None).attrs["data-votos"] == str(ranked[-1])
                assert line.one(data_ventaja=None).attrs["data-ventaja"] == str(ranked[-1] - ranked[-2])
                cells += 2
    assert cells >= 2000


@pytest.mark.datos
def test_campeche_the_cover_tells_the_13_fields_that_it_shows(campeche: Published, leidas: dict[str, Element]) -> None:
    cover = leidas["index.html"]
    for contest_id, contest in _golden(campeche).items():
        strip = cover.one(data_avance=contest_id)
        shown = {item.attrs["data-cifra"]: item.text.removesuffix(" %") for item in strip.all(data_cifra=None)}
        fields = contest.recalculado
        assert shown == {
            "esperadas": f"{fields['ACTAS_ESPERADAS']:,}",
            "capturadas": f"{fields['ACTAS_CAPTURADAS']:,}",
            "pct-capturadas": fields["PORCENTAJE_ACTAS_CAPTURADAS"],
            "contabilizadas": f"{fields['ACTAS_CONTABILIZADAS']:,}",
            "pct-contabilizadas": fields["PORCENTAJE_ACTAS_CONTABILIZADAS"],
            "participacion": fields["PORCENTAJE_PARTICIPACION_CIUDADANA"],
        }


def test_a_unit_that_has_only_a_number_is_named_once(night: Night, tmp_path: Path) -> None:
    """Quintana Roo 2019 calls its districts «DISTRITO 1»; the votes from abroad have a name and no number."""
    space = night.create()
    night.sources()
    paths = sorted((night.folder / f"{HORA:%Y%m%d_%H%M}").glob("*.csv"))
    for path in paths:
        path.write_text(path.read_text().replace("002. HOPELCHÉN", "DISTRITO 2"))
    night.clock.instant = HORA + timedelta(seconds=30)
    folder = unpack(build_cut(space, fuentes.sources(paths)), tmp_path / "sitio")
    titles = {
        number: re.findall("<title>(.*?) · ", (folder / "dip" / f"distrito-{number}" / "index.html").read_text())
        for number in ("001", "002")
    }
    assert titles == {"001": ["Distrito 1, Tenabo"], "002": ["Distrito 2"]}


@pytest.mark.datos
def test_votes_from_abroad_are_a_page_but_not_a_district(datos: Path) -> None:
    table = read_actas(datos / "puebla-2024" / "20240603_2000_noche" / "PUE_GUB_2024.csv")
    view = contienda(from_code("GUB"), totals(table, eleccion="gub"), (), corte=9)
    assert len(view.unidades) == 27
    assert len(view.demarcaciones) == sum(entry.unidades for entry in view.liderazgos) == 26
    abroad = view.unidades[-1]
    assert (abroad.ruta, abroad.titulo) == ("gub/sin-distrito/index.html", "Voto en el extranjero")
    assert view.todas == "Los 26 distritos"


@pytest.mark.datos
def test_cut_number_and_hour_are_only_where_the_design_says(campeche: Published) -> None:
    for path in sorted((campeche.folder / "datos").rglob("*.json")):
        stamped = path.name in ("entidad.json", "noche.json")  # noche.json is the list of cuts
        text = path.read_text()
        assert ("2021-06-07T13:20" in text) is stamped, path
        assert stamped or '"corte"' not in text


@pytest.mark.datos
def test_source_figures_that_differ_are_noted_beside_ours(leidas: dict[str, Element]) -> None:
    page = leidas["dip/index.html"]
    notes = {row.attrs["data-nota"]: [cell.text for cell in row.all("td")] for row in page.all("tr", data_nota=None)}
    assert notes["ACTAS_ESPERADAS"] == ["1,190", "1,200"]  # ten RP actas are in the header and not in the rows
    assert page.one("section", class_="tira").one(data_cifra="esperadas").text == "1,190"
    assert page.all("a", class_="llamada", href="#nota-fuente")
    assert not leidas["ayun/index.html"].all(id="nota-fuente")


@pytest.mark.datos
def test_placeholders_of_the_catalogue_are_shown_as_not_registered(leidas: dict[str, Element]) -> None:
    found = [page for name, page in leidas.items() if name.startswith("juntas/distrito-")]
    assert any("Sin registro" in page.text for page in found)
    assert not any("Apellido" in page.text for page in found)


@pytest.mark.datos
def test_first_view_of_every_page_is_small(campeche: Published) -> None:
    sizes: dict[str, int] = {}
    for path in sorted(campeche.folder.rglob("*.html")):
        page = parse(path.read_bytes())
        files = [item.attrs["href"] for item in page.all("link")] + [item.attrs["src"] for item in page.all("script")]
        late = page.one("script", data_guiones=None).attrs["data-guiones"].split()  # they come after the first paint
        assert all((campeche.folder / "assets" / name).is_file() for name in late)
        asked = [path, *((path.parent / file).resolve() for file in files)]
        sizes[str(path.relative_to(campeche.folder))] = sum(len(gzip.compress(one.read_bytes(), 6)) for one in asked)
        own = path.parent.name in ("consulta", "incrusta")  # those have a module that comes with them
        assert len(asked) <= 4 + own
    assert max(sizes.values()) < FIRST_VIEW_BYTES
    assert sizes["index.html"] < FIRST_VIEW_BYTES // 3


@pytest.mark.datos
def test_database_zip_holds_the_source_verbatim(campeche: Published) -> None:
    for name, source in zip(CAMPECHE, campeche.sources, strict=True):
        with zipfile.ZipFile(campeche.folder / f"base-de-datos/20210607_1320_PREP_{name}_CAMP.zip") as archive:
            assert archive.read(f"CAMP_{name}_2021.csv") == source.actas.read_bytes()
            assert source.candidaturas is not None
            assert source.leeme is not None
            assert archive.read(source.candidaturas.name) == source.candidaturas.read_bytes()
            assert archive.read(source.leeme.name) == source.leeme.read_bytes()


@pytest.mark.datos
def test_the_order_that_checks_what_was_downloaded_works_as_written(
    campeche: Published, leidas: dict[str, Element], tmp_path: Path
) -> None:
    """Someone has one ZIP and the list: nothing is said to be missing, and a changed byte is told."""
    codes = [code.text for code in leidas["base-de-datos/index.html"].all("code")]
    (order,) = [code for code in codes if code.startswith("sha256sum") and "SHA256SUMS" in code]
    (tmp_path / "base-de-datos").mkdir()
    name = "base-de-datos/20210607_1320_PREP_GOB_CAMP.zip"
    for path in ("SHA256SUMS", name):
        (tmp_path / path).write_bytes((campeche.folder / path).read_bytes())
    done = subprocess.run(shlex.split(order), cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split(":")[0] for line in done.stdout.splitlines()] == [name]
    (tmp_path / name).write_bytes(b"x" + (tmp_path / name).read_bytes()[1:])
    assert subprocess.run(shlex.split(order), cwd=tmp_path, capture_output=True, check=False).returncode == 1


def test_a_source_without_leeme_gets_a_right_one(night: Night, tmp_path: Path) -> None:
    site = unpack(night.cut(night.create()), tmp_path / "sitio")
    with zipfile.ZipFile(site / "base-de-datos/20210606_2240_PREP_DIP_LOC_CAMP.zip") as archive:
        text = archive.read("LEEME.txt").decode()
    assert "Diputaciones locales" in text
    assert "CAMP_DIP_LOC_2021.csv" in text
    assert "coma (,)" in text
    assert "C_PAN_PRI_PRD" in text
    assert "22:40" not in text  # same source, same bytes


@pytest.mark.datos
def test_campeche_same_cut_twice_is_the_same_archive(campeche: Published, datos: Path, tmp_path: Path) -> None:
    again = Night(tmp_path, ManualClock(INICIO), "simulacro", elecciones=CAMPECHE)
    space = again.create()
    again.clock.instant = HORA.replace(day=8)
    built = build_cut(space, campeche_sources(datos, "20210607_1320"), autorizaciones=load(AUTORIZACIONES))
    assert built.paquete == campeche.built.paquete
