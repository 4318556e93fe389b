"""«Consulta tu casilla» in a real browser: figures equal to the CSV, few bytes, nothing sent, every wrong turn told."""

from __future__ import annotations

import dataclasses
import gzip
import json
import re
import shutil
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from pregon.base.clock import ManualClock
from pregon.convocatoria.secciones import Entidad
from pregon.difusor.pages import AVISOS, notices
from pregon.instituto import fuentes
from pregon.instituto.build import build_cut
from pregon.instituto.portal.formato import casilla
from pregon.instituto.portal.vista_unidad import folder_of_unit
from pregon.instituto.secciones import shard_of
from pregon.prep.marcas import Marker
from pregon.prep.percent import trunc4
from pregon.prep.reader import read_actas
from pregon.prep.rows import actas
from tests.instituto.conftest import CAMPECHE, HORA, INICIO, Night, unpack
from tests.instituto.navegador import axe_faults, fewer_rows, serving, watch
from tests.prep.muestras import SUMMARY, Sample, row

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from playwright.sync_api import Browser, Locator, Page, Request, Route

    from pregon.prep.model import Acta, ActaTable
    from tests.instituto.conftest import Published

PAGE = "consulta/index.html"
LIMIT = 40_000
IMAGES = "https://prep.example.mx/actas/{entidad}/{seccion}/{clave_acta}.jpg"
CONTESTS = {"gub": "GOB", "dip": "DIP_LOC", "ayun": "AYUN", "juntas": "JUNTAS"}
# With a special casilla, pending, markers in a counted and in a not counted acta, two units, extraordinarias.
SECCIONES = (66, 112, 122, 150, 293, 296, 332, 460, 533, 534)


@dataclasses.dataclass
class Small:
    """Two cuts of a small institute; ``show`` puts one at ``url``/prep/ as a difusor that keeps no other data would."""

    url: str
    publico: Path
    folders: tuple[Path, Path]

    def show(self, number: int) -> None:
        if self.publico.exists():
            shutil.rmtree(self.publico)
        shutil.copytree(self.folders[number - 1], self.publico)
        (self.publico / AVISOS).write_bytes(notices(()))  # as every difusor's server answers

    @property
    def page(self) -> str:
        return f"{self.url}/prep/{PAGE}"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    folder = tmp_path_factory.mktemp("consulta")
    night = Night(folder, ManualClock(INICIO))
    space = night.create()
    space = dataclasses.replace(space, convocatoria=space.convocatoria.model_copy(update={"imagenes_url": IMAGES}))
    first = unpack(night.cut(space), folder / "1")
    second = unpack(night.cut(space, HORA.replace(hour=23, minute=0), votes="41"), folder / "2")
    root = folder / "raiz"
    root.mkdir()
    with serving(root) as url:
        yield Small(url, root / "prep", (first, second))


@pytest.fixture(scope="module")
def federal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Presidencia in two entidades that both have a sección 118."""
    folder = tmp_path_factory.mktemp("federal")
    night = Night(folder, ManualClock(INICIO), elecciones=("PRES",))
    space = night.create()
    nation = Entidad(numero=0, clave="NAC", nombre="Nacional")
    space = dataclasses.replace(
        space, convocatoria=space.convocatoria.model_copy(update={"entidad": nation, "imagenes_url": IMAGES})
    )
    rows = [
        row(1, SECCION="0118", PAN="40"),
        row(2, SECCION="0118", ID_ESTADO="09", ESTADO="CIUDAD DE MEXICO", CLAVE_CASILLA="090118B0100", PAN="41",
            TOTAL_VOTOS_CALCULADO="101"),
    ]  # fmt: skip
    summary = SUMMARY | {
        "TOTAL_VOTOS_C_CS": "201",
        "TOTAL_VOTOS_S_CS": "201",
        "PORCENTAJE_PARTICIPACION_CIUDADANA": "25.1250",
    }
    path = folder / "PRES_2021.csv"
    Sample(titulo="PRESIDENCIA", summary=summary, rows=rows).write(path)
    night.clock.instant = HORA
    built = build_cut(space, fuentes.sources([path]), hora=HORA)
    site = unpack(built, folder / "sitio")
    (site / AVISOS).write_bytes(notices(()))
    with serving(site) as url:
        yield f"{url}/{PAGE}"


def status(page: Page) -> Locator:
    return page.get_by_role("status").and_(page.locator("#estado"))


def requests(page: Page) -> list[tuple[str, str]]:
    """Method and path of what is asked for from here on; the icon comes whenever the browser wants."""
    asked: list[tuple[str, str]] = []

    def note(request: Request) -> None:
        path = urlsplit(request.url).path
        if "/assets/icono." not in path:
            asked.append((request.method, path))

    page.on("request", note)
    return asked


def visit(page: Page, url: str) -> None:
    """Go to the page and wait until its module, which comes after the first paint, answers."""
    page.goto(url)
    page.wait_for_selector("#consulta[data-lista]", state="attached")


def found(page: Page, number: int) -> None:
    expect(page.get_by_role("heading", level=2, name=f"Sección {number}")).to_be_focused()


def ask(page: Page, number: str) -> None:
    page.get_by_label("Número de sección").fill(number)
    page.get_by_role("button", name="Consultar").click()


def read(datos: Path) -> Mapping[str, ActaTable]:
    folder = datos / "campeche-2021"
    return {
        contest: read_actas(folder / f"20210607_1320_PREP_{name}_CAMP" / f"CAMP_{name}_2021.csv")
        for contest, name in CONTESTS.items()
    }


def shown(card: Locator) -> dict[str, Any]:
    """What a card says: name, state, each column's figure or marker, and the rest of its figures."""
    facts = card.evaluate(
        """card => {
          const figure = cell => cell.dataset.votos ?? cell.dataset.marca ?? null;
          const words = name => card.querySelector(`[data-cifra=${name}]`)?.textContent ?? null;
          return {
            name: card.querySelector("h4").textContent, state: card.querySelector("[data-estado]")?.dataset.estado,
            told: card.querySelector(".observaciones")?.textContent ?? "",
            sha: card.querySelector("[data-sha]")?.textContent ?? "",
            all: card.querySelector("[data-marca-todas]")?.dataset.marcaTodas ?? null,
            votes: Object.fromEntries([...card.querySelectorAll("tr[data-clave]")].map(
              row => [row.dataset.clave, figure(row.lastElementChild)])),
            texts: [...card.querySelectorAll("td[data-votos]")].every(
              cell => cell.textContent.replaceAll(",", "") === cell.dataset.votos),
            roll: words("lista_nominal"), turnout: words("participacion"),
          };
        }"""
    )
    assert facts["texts"]
    return dict(facts)


def cell(value: int | Marker | None) -> str | None:
    return value.value if isinstance(value, Marker) else None if value is None else str(value)


def check_card(seen: dict[str, Any], acta: Acta) -> None:
    assert seen["name"] == casilla(acta.tipo, acta.id_casilla, acta.ext_contigua)
    assert seen["state"] == acta.estado.value
    assert seen["told"] == (f"Observaciones: {acta.observaciones}" if acta.observaciones else "")
    expected = {key: cell(value) for key, value in zip(acta.columnas, acta.votos, strict=True)}
    total = acta.calculado if isinstance(acta.calculado, int) else None
    if seen["state"] == "pendiente":
        assert seen["votes"] == {}
        return
    assert seen["sha"] == acta.sha
    if seen["all"] is not None:
        assert set(expected.values()) == {seen["all"]}
        assert isinstance(acta.votos[0], Marker)
    else:
        assert seen["votes"] == expected | {"total": cell(total)}
    if not acta.especial and isinstance(acta.lista_nominal, int):
        assert seen["roll"] == f"{acta.lista_nominal:,}"
    measured = seen["state"] == "contabilizada" and not acta.especial and acta.lista_nominal and total is not None
    if measured:
        assert isinstance(acta.lista_nominal, int)
        assert seen["turnout"] == f"{trunc4(total or 0, acta.lista_nominal)}\u00a0%"
    else:
        assert seen["turnout"] == "—"


@pytest.mark.datos
def test_every_casilla_says_what_the_csv_says(browser: Browser, site: str, datos: Path) -> None:
    """Several secciones of Campeche, every contest, acta by acta; sums are those of the counted ones."""
    tables = read(datos)
    rows = {contest: list(actas(table)) for contest, table in tables.items()}
    page = browser.new_page()
    wrong = watch(page)
    states: set[str] = set()
    markers = especiales = 0
    for number in SECCIONES:
        visit(page, f"{site}/prep2021/{PAGE}#{number}")
        found(page, number)
        for contest, all_actas in rows.items():
            here = [acta for acta in all_actas if acta.seccion.isdecimal() and int(acta.seccion) == number]
            whole = page.locator(f"[data-eleccion={contest}]")
            assert whole.count() == bool(here)
            if not here:
                continue
            seen = [shown(card) for card in whole.locator("[data-acta]").all()]
            ids = [card.get_attribute("data-acta") or "" for card in whole.locator("[data-acta]").all()]
            by_key = {(acta.clave_acta, acta.unidad): acta for acta in here}
            assert len(seen) == len(here) == len(by_key)
            units = sorted({acta.unidad for acta in here})
            places = iter(
                sorted(here, key=lambda a: (units.index(a.unidad), a.tipo, int(a.id_casilla), int(a.ext_contigua)))
            )
            for card, identity in zip(seen, ids, strict=True):
                acta = next(places)
                assert identity.split(".")[0] == acta.clave_acta
                check_card(card, acta)
                states.add(card["state"])
                markers += (
                    sum(isinstance(vote, Marker) for vote in acta.votos) if card["state"] == "contabilizada" else 0
                )
                especiales += acta.especial
            for unit, total in zip(units, whole.locator("[data-suma]").all(), strict=True):
                counted = [acta for acta in here if acta.unidad == unit and acta.estado.value == "contabilizada"]
                sums = shown(total)
                for place, key in enumerate(here[0].columnas):
                    votes = [acta.votos[place] for acta in counted]
                    assert int(sums["votes"][key]) == sum(vote for vote in votes if isinstance(vote, int)), (
                        number,
                        key,
                    )
                nominal = sum(a.lista_nominal for a in counted if isinstance(a.lista_nominal, int))
                ordinary = sum(a.calculado for a in counted if isinstance(a.calculado, int) and not a.especial)
                assert sums["roll"] == f"{nominal:,}"
                assert sums["turnout"] == (f"{trunc4(ordinary, nominal)}\u00a0%" if nominal else "—")
            links = [link.get_attribute("href") or "" for link in whole.locator(".lugar a").all()]
            level = tables[contest].nivel
            assert [urlsplit(link).path for link in links] == [
                f"/prep2021/{contest}/{folder_of_unit(level, unit)}/index.html" for unit in units
            ]
    assert states == {"contabilizada", "no_contabilizada", "pendiente"}
    assert markers
    assert especiales
    # A contest without that sección has no file for it, which the browser notes.
    assert [text for text in wrong if "404" not in text] == []
    assert all("/juntas/seccion/" in text for text in wrong if text.startswith("404"))
    page.close()


@pytest.mark.datos
def test_it_asks_for_one_small_file_per_contest_and_keeps_nothing(
    browser: Browser, site: str, campeche: Published
) -> None:
    context = browser.new_context()
    page = context.new_page()
    wrong = watch(page)
    visit(page, f"{site}/prep2021/{PAGE}")
    asked = requests(page)
    ask(page, "0112")
    found(page, 112)
    page.wait_for_load_state("networkidle")
    number = json.loads((campeche.folder / "corte.json").read_text())["datos"]
    sheets = [f"/prep2021/{number}{contest}/seccion/{shard_of('0112')}.json" for contest in CONTESTS]
    # The watch over cuts, on every page, reads corte.json too.
    data = {(method, path) for method, path in asked if "/assets/" not in path}  # modules come late, and once
    assert sorted(data) == sorted(("GET", path) for path in ("/prep2021/corte.json", *sheets))
    assert [path for _, path in asked if "seccion" in path] == sheets
    assert page.url == f"{site}/prep2021/{PAGE}#112"
    assert context.cookies() == []
    assert page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
    assert wrong == []
    sent = len((campeche.folder / "corte.json").read_bytes())
    one = max(path.stat().st_size for path in campeche.folder.glob("datos/*/*/seccion/*.json"))
    assert sent + one <= LIMIT  # a casilla, without any compression
    assert (
        sum(len(gzip.compress((campeche.folder / path.removeprefix("/prep2021/")).read_bytes())) for _, path in asked)
        <= LIMIT
    )
    context.close()


@pytest.mark.datos
def test_names_folders_and_files_are_those_of_the_programs(browser: Browser, site: str, campeche: Published) -> None:
    page = browser.new_page()
    visit(page, f"{site}/prep2021/{PAGE}")
    modules = {path.name.split(".")[0]: path.name for path in (campeche.folder / "assets").glob("*.js")}
    kinds = [
        (t, n, c) for t in ("B", "C", "E", "S", "M", "A", "P", "U", "X") for n in ("01", "10", "") for c in ("00", "03")
    ]
    names = page.evaluate(
        """async ([file, kinds]) => {
          const { casillaName } = await import(`/prep2021/assets/${file}`);
          const words = JSON.parse(document.querySelector("#consulta").dataset.casillas);
          return kinds.map(([tipo, id, following]) =>
            casillaName({ tipo, id_casilla: id, ext_contigua: following }, words));
        }""",
        [modules["casillas"], kinds],
    )
    assert names == [casilla(*kind) for kind in kinds]
    units = ["1", "007", "217", "09-012", "sin-distrito", "09-sin-distrito", "A B", "--"]
    folders = page.evaluate(
        "async ([file, ids]) => { const { unitFolder } = await import(`/prep2021/assets/${file}`);"
        " return ids.map((id) => unitFolder('distrito', id)); }",
        [modules["casillas"], units],
    )
    assert folders == [folder_of_unit("distrito", unit) for unit in units]
    numbers = [0, 1, 9, 10, 118, 999, 1000, 9999]
    files = page.evaluate(
        "async ([file, numbers]) => { const { sheetName } = await import(`/prep2021/assets/${file}`);"
        " return numbers.map((number) => [sheetName({ entity: '', number }), sheetName({ entity: '09', number })]); }",
        [modules["lectura"], numbers],
    )
    assert files == [[shard_of(str(n)), shard_of(str(n), "09")] for n in numbers]
    page.close()


@pytest.mark.datos
def test_wrong_turns_have_their_own_words(browser: Browser, site: str) -> None:
    page = browser.new_page()
    home = f"{site}/prep2021/{PAGE}"
    visit(page, home)
    asked = requests(page)
    field = page.get_by_label("Número de sección")
    for text in ("", "abc", "1a", "12 3", "-5", "1.5", "٣٤"):
        ask(page, text)
        expect(status(page)).to_have_text("Escriba el número de sección: de uno a cuatro dígitos, como 118.")
        expect(field).to_be_focused()
        assert field.get_attribute("aria-invalid") == "true"
        assert page.url == home
    assert not any("/datos/" in path for _, path in asked)  # nothing was looked for
    ask(page, "9999")
    expect(status(page)).to_have_text("No hay una sección 9999 en esta elección. Revise el número en su credencial.")
    expect(field).to_be_focused()
    assert page.locator("#resultado > *").count() == 0
    ask(page, " 0112 ")
    found(page, 112)
    assert field.get_attribute("aria-invalid") is None
    for address, words in (
        ("#juntas/1", "No hay una sección 1 en Juntas municipales."),
        ("#xyz/112", "Esa elección no está en estos resultados."),
        ("#gub/abc", "No se entiende esa dirección."),
        ("#gub/12345", "No se entiende esa dirección."),
        ("#09-0112", "No se entiende esa dirección."),
        ("#%E0%A4%A/1", "No se entiende esa dirección."),
    ):
        page.evaluate("address => { location.hash = address; }", address)
        expect(status(page)).to_contain_text(words)
        assert page.locator("#resultado > *").count() == 0
    page.evaluate("location.hash = '#ayun/112'")
    found(page, 112)
    assert page.locator("[data-eleccion]").count() == 1
    page.evaluate("location.hash = '#contenido'")  # an anchor of the page itself
    page.wait_for_timeout(100)
    assert page.locator("[data-eleccion=ayun]").is_visible()
    page.close()


@pytest.mark.datos
def test_addresses_open_move_and_are_copied(browser: Browser, site: str) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    home = f"{site}/prep2021/{PAGE}"
    visit(page, f"{home}#gub/112")
    found(page, 112)
    assert page.locator("[data-eleccion]").count() == 1
    assert page.title().startswith("Sección 112 · Consulta tu casilla")
    ask(page, "66")
    found(page, 66)
    expect(status(page)).to_have_text(re.compile(r"La sección 66 tiene \d+ casillas?\."))
    assert page.url == f"{home}#66"
    page.go_back()
    found(page, 112)
    page.get_by_role("button", name="Copiar enlace").click()
    expect(status(page)).to_have_text("Enlace copiado.")
    assert page.evaluate("navigator.clipboard.readText()") == f"{home}#gub/112"
    context.clear_permissions()
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); }")
    page.get_by_role("button", name="Copiar enlace").click()
    expect(status(page)).to_have_text(f"No se pudo copiar. Esta es la dirección: {home}#gub/112")
    context.close()


@pytest.mark.datos
def test_by_keyboard_alone_and_on_a_phone(browser: Browser, site: str) -> None:
    page = browser.new_page(viewport={"width": 320, "height": 700})
    wrong = watch(page)
    visit(page, f"{site}/prep2021/{PAGE}")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "seccion":
            break
    page.keyboard.type("112")
    page.keyboard.press("Enter")
    found(page, 112)
    second = page.locator("[data-eleccion] > summary").nth(1)
    for _ in range(60):
        page.keyboard.press("Tab")
        if second.evaluate("node => node === document.activeElement"):
            break
    page.keyboard.press("Enter")
    assert page.locator("[data-eleccion]").nth(1).get_attribute("open") is not None
    for node in page.locator("[data-eleccion]").all():
        node.evaluate("node => { node.open = true; }")
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    assert wrong == []
    page.close()


@pytest.mark.datos
def test_without_scripts_it_leads_to_the_lists(browser: Browser, site: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site}/prep2021/{PAGE}")
    assert page.locator("noscript p").is_visible()
    assert "necesita JavaScript" in page.locator("noscript p").inner_text()
    assert not page.locator("#consulta").is_visible()
    assert page.locator("#consulta [name]").count() == 0  # nothing to send, even where the form shows
    for link in page.locator("ul.elecciones a").all():
        answer = page.request.get(f"{site}/prep2021/{(link.get_attribute('href') or '').removeprefix('../')}")
        assert answer.ok
    assert page.locator("ul.elecciones a").count() == len(CAMPECHE)
    context.close()


# --- a network that fails, data that moved on ---


def test_without_network_it_says_so_and_a_second_try_works(browser: Browser, small: Small) -> None:
    small.show(1)
    for fault in (
        lambda route: route.abort(),
        lambda route: route.fulfill(status=500),
        lambda route: route.fulfill(body="<"),
        lambda route: route.fulfill(body='{"formato": "pregon/seccion/2"}'),
    ):
        page = browser.new_page()
        visit(page, small.page)
        page.route("**/seccion/*.json", fault)
        ask(page, "1")
        expect(status(page)).to_contain_text("No se pudo leer; revise su conexión y vuelva a intentar")
        assert page.locator("#resultado > *").count() == 0
        assert page.get_by_label("Número de sección").input_value() == "1"
        page.unroute("**/seccion/*.json")
        page.get_by_role("button", name="Consultar").click()
        found(page, 1)
        page.close()


def test_without_corte_json_the_data_of_the_page_itself_do(browser: Browser, small: Small) -> None:
    small.show(1)
    page = browser.new_page()
    page.route("**/corte.json", lambda route: route.abort())
    visit(page, f"{small.page}#1")
    found(page, 1)
    assert page.locator("[data-corte-consulta]").get_attribute("data-corte-consulta") == "1"
    page.close()


def test_data_gone_after_later_cuts_are_looked_for_once_more(browser: Browser, small: Small) -> None:
    small.show(1)
    stale = (small.folders[0] / "corte.json").read_text()
    page = browser.new_page()
    visit(page, small.page)
    small.show(2)  # datos/0001 is no longer there

    def held(route: Route) -> None:
        """An old corte.json until data that it names were asked for."""
        if any("/datos/0001/" in path for _, path in asked):
            route.continue_()
        else:
            route.fulfill(body=stale, content_type="application/json")

    asked = requests(page)
    page.route("**/corte.json", held)
    # The watch over cuts may not renew the page meanwhile: what is tested is a page that stays at an old cut.
    page.route("**/consulta/index.html", lambda route: route.abort())
    ask(page, "1")
    found(page, 1)
    sheets = [f"datos/{cut}/{contest}/seccion/0000.json" for cut in ("0001", "0002") for contest in ("gub", "dip")]
    assert [path.removeprefix("/prep/") for _, path in asked if "seccion" in path] == sheets
    note = page.locator("[data-corte-consulta]")
    assert note.get_attribute("data-corte-consulta") == "2"
    expect(note).to_contain_text("23:00\u00a0h (UTC−5). Son más recientes que las del encabezado de esta página.")
    assert (
        page.locator("[data-eleccion=gub] [data-acta] [data-clave=PAN] [data-votos]").get_attribute("data-votos")
        == "41"
    )
    page.close()


def test_a_new_cut_renews_the_result_and_the_reader_stays(browser: Browser, small: Small) -> None:
    small.show(1)
    page = browser.new_page()
    visit(page, f"{small.page}#1")
    found(page, 1)
    page.locator("[data-eleccion=dip] > summary").click()
    page.get_by_label("Número de sección").focus()
    small.show(2)
    page.evaluate("document.dispatchEvent(new CustomEvent('pregon:corte', { detail: { corte: 2 } }))")
    expect(page.locator("[data-corte-consulta='2']")).to_be_visible()
    assert (
        page.locator("[data-eleccion=gub] [data-acta] [data-clave=PAN] [data-votos]").get_attribute("data-votos")
        == "41"
    )
    assert page.locator("[data-eleccion=dip]").get_attribute("open") is not None
    expect(page.get_by_label("Número de sección")).to_be_focused()
    page.close()


def test_casillas_that_share_a_name_are_all_counted_and_the_hour_tells_its_zone(browser: Browser, small: Small) -> None:
    """Puebla 2024 wrote «Contigua 1» for 1, 10 and 11; an especial has an acta for each principle (real-data.md §4)."""
    small.show(1)
    for contest in ("gub", "dip"):
        path = small.publico / "datos" / "0001" / contest / "seccion" / "0000.json"
        sheet = json.loads(path.read_text())
        acta = next(one for one in sheet["casillas"] if one["id_casilla"] and one["seccion"] == "0001")
        named = [("C", f"c{n}") for n in range(3)] + [("S", f"s{n}") for n in range(2 if contest == "dip" else 1)]
        sheet["casillas"] += [acta | {"tipo": tipo, "id_casilla": "01", "id": id_} for tipo, id_ in named]
        path.write_text(json.dumps(sheet))
    page = browser.new_page(viewport={"width": 360, "height": 740})
    visit(page, f"{small.page}#1")
    expect(status(page)).to_have_text("La sección 1 tiene 5 casillas.")
    expect(page.locator("[data-corte-consulta]")).to_have_text(
        "Cifras del corte del 6 de junio de 2021, 22:40\u00a0h (UTC−5)."
    )
    figure = page.locator("[data-eleccion=gub] .suma dd[data-cifra=lista_nominal]")
    lines = figure.evaluate(
        "dd => { dd.textContent = '13,030'; const all = new Range(); all.selectNodeContents(dd);"
        " return all.getClientRects().length; }"
    )
    assert lines == 1  # a figure is never cut in two
    page.close()


# --- the acta's image; federal contests ---


def test_the_image_is_a_link_to_the_institute_and_its_hash_is_told(browser: Browser, small: Small) -> None:
    small.show(1)
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    visit(page, f"{small.page}#gub/1")
    found(page, 1)
    link = page.get_by_role("link", name="Ver el acta en el sitio del instituto")
    assert link.get_attribute("href") == "https://prep.example.mx/actas/04/0001/040001B010003.jpg"
    assert link.get_attribute("rel") == "noopener noreferrer"
    page.get_by_text("Huella de la imagen (SHA-256)").click()
    expect(page.locator("[data-sha]")).to_have_text(f"{1:064x}")
    page.evaluate("location.hash = '#gub/3'")
    found(page, 3)
    assert page.get_by_role("link", name="Ver el acta").count() == 0  # por capturar
    assert all("prep.example.mx" not in url for url in asked)
    page.close()


def test_what_a_file_says_is_text_and_never_markup(browser: Browser, small: Small) -> None:
    small.show(1)
    path = small.publico / "datos" / "0001" / "gub" / "seccion" / "0000.json"
    sheet = json.loads(path.read_text())
    sheet["casillas"][0] |= {
        "observaciones": "<img src=x onerror=alert(1)>",
        "clave_acta": "a/../b?c#d&e",
        "sha": "<b>",
    }
    path.write_text(json.dumps(sheet))
    page = browser.new_page()
    wrong = watch(page)
    visit(page, f"{small.page}#gub/1")
    found(page, 1)
    expect(page.locator(".observaciones")).to_have_text("Observaciones: <img src=x onerror=alert(1)>")
    assert page.locator("#resultado img, #resultado b").count() == 0
    href = page.get_by_role("link", name="Ver el acta en el sitio del instituto").get_attribute("href")
    assert href == "https://prep.example.mx/actas/04/0001/a%2F..%2Fb%3Fc%23d%26e.jpg"
    sheet["casillas"][0] |= {"sha": None, "observaciones": " - "}  # Puebla 2024 says so that there are none
    path.write_text(json.dumps(sheet))
    page = browser.new_page()  # the other one keeps what it read: data of a cut never change
    visit(page, f"{small.page}#gub/1")
    expect(page.get_by_text("Su imagen aún no está digitalizada.")).to_be_visible()
    assert page.get_by_role("link", name="Ver el acta").count() == 0
    assert page.locator(".observaciones").count() == 0
    assert wrong == []
    page.close()


def test_in_a_federal_contest_the_entidad_says_which_seccion(browser: Browser, federal: str) -> None:
    page = browser.new_page()
    wrong = watch(page)
    visit(page, federal)
    chooser = page.get_by_label("Entidad")
    assert chooser.locator("option").all_inner_texts() == ["Elija su entidad", "Campeche", "Ciudad de México"]
    ask(page, "118")
    expect(status(page)).to_have_text("Elija su entidad.")
    expect(chooser).to_be_focused()
    assert page.url == federal
    votes = page.locator("[data-acta] [data-clave=PAN] [data-votos]")
    for entity, number, pan in (("Campeche", "04", "40"), ("Ciudad de México", "09", "41")):
        chooser.select_option(label=entity)
        page.get_by_role("button", name="Consultar").click()
        found(page, 118)
        expect(page.locator("#t-resultado")).to_have_text(f"Sección 118, {entity}")
        assert page.url == f"{federal}#{number}-0118"
        expect(votes).to_have_attribute("data-votos", pan)
        image = page.get_by_role("link", name="Ver el acta en el sitio del instituto").get_attribute("href") or ""
        assert image.startswith(f"https://prep.example.mx/actas/{number}/0118/")
        assert page.get_by_role("link", name=re.compile("^Distrito")).get_attribute("href", timeout=1000)
    page.evaluate("location.hash = '#pres/04-0118'")
    expect(votes).to_have_attribute("data-votos", "40")
    assert chooser.input_value() == "04"
    page.evaluate("location.hash = '#pres/33-0118'")
    expect(status(page)).to_contain_text("Elija su entidad y pulse Consultar")
    assert page.locator("#resultado > *").count() == 0
    assert wrong == []
    page.close()


@pytest.mark.datos
def test_axe_finds_nothing_in_a_result(browser: Browser, site: str) -> None:
    page = browser.new_page(viewport={"width": 360, "height": 800}, bypass_csp=True)
    visit(page, f"{site}/prep2021/{PAGE}#112")
    found(page, 112)
    for node in page.locator("#resultado details").all():
        node.evaluate("node => { node.open = true; }")
    fewer_rows(page)
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme)
        assert axe_faults(page) == [], scheme
    page.close()
