"""Results inside other pages: a foreign host, with its own strict policy, in a real browser."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING
from zlib import crc32

import pytest
from playwright.sync_api import expect

from pregon.base.clock import ManualClock
from tests.instituto.conftest import HORA, INICIO, Night, unpack
from tests.instituto.html import parse
from tests.instituto.navegador import POLICY, serving, watch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Frame, Locator, Page, Route

    from tests.instituto.conftest import Published

LATER = HORA.replace(hour=23, minute=0)


@dataclass
class Scene:
    """A portal with two cuts (only PAN's votes of one acta differ), and a medium at another origin."""

    portal: str
    medio: str
    publico: Path
    folders: tuple[Path, Path]
    hojas: Path

    def show(self, number: int) -> None:
        new = self.publico.with_name("nuevo")
        new.symlink_to(self.folders[number - 1], target_is_directory=True)
        new.replace(self.publico)

    def withdraw(self) -> None:
        self.publico.unlink()

    def page(self, body: str) -> str:
        """The address of a page of the medium."""
        place = self.hojas / "nota.html"
        place.write_text(f"<!doctype html><html lang=es-MX><title>Medio</title><h1>Medio</h1>{body}")
        return f"{self.medio}/nota.html?{crc32(body.encode())}"  # its date has whole seconds: another page, another URL

    def component(self, attributes: str) -> str:
        return f"<pregon-resultados {attributes}></pregon-resultados>"

    @property
    def script(self) -> str:
        return f'<script type="module" src="{self.portal}/prep/incrusta/pregon-resultados.js"></script>'

    def frame(self, route: str) -> str:
        return f'<iframe src="{self.portal}/prep/{route}" title="Resultados" width="600" height="333"></iframe>'

    @property
    def height(self) -> str:
        return f'<script src="{self.portal}/prep/incrusta/altura.js"></script>'


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("incrusta")
    night = Night(folder, ManualClock(INICIO), "simulacro")
    space = night.create()
    first = unpack(night.cut(space), folder / "1")
    second = unpack(night.cut(space, LATER, votes="41"), folder / "2")
    root, sheets = folder / "raiz", folder / "medio"
    root.mkdir()
    sheets.mkdir()
    with serving(root, policy=f"{POLICY}; frame-ancestors *", cors=True, always_asked=True) as portal:
        policy = (
            f"default-src 'none'; frame-src {portal} http://127.0.0.1:*; script-src {portal}/prep/incrusta/; "
            f"connect-src {portal}/"
        )
        with serving(sheets, policy=policy, always_asked=True) as medio:
            made = Scene(portal, medio, root / "prep", (first, second), sheets)
            made.show(1)
            yield made


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 900, "height": 700})
    yield page
    page.close()


def shown(place: Page | Locator) -> dict[str, tuple[int, str]]:
    """Votes and percentage by key, as text says them."""
    found = {}
    for row in place.locator("tbody tr[data-clave]").all():
        _, votes, share = [cell.inner_text() for cell in row.locator("th, td").all()]
        found[row.get_attribute("data-clave") or ""] = (int(votes.replace(",", "")), share.replace("\u00a0", " "))
    return found


def published(site: Path, route: str, table: str) -> dict[str, tuple[int, str]]:
    """The same, of a page of the package."""
    body = parse((site / route).read_bytes()).one("table", id=table).one("tbody")
    found = {}
    for row in body.all("tr", data_clave=None):
        votes, share = (cell.text for cell in row.all("td"))
        found[row.attrs["data-clave"]] = (int(votes.replace(",", "")), share)
    return found


def embedded(page: Page) -> Frame:
    return next(frame for frame in page.frames if "/prep/" in frame.url)


def inside(page: Page) -> float:
    height: float = embedded(page).evaluate("document.body.getBoundingClientRect().height")
    return height


def settled(page: Page, frame: Locator) -> None:
    """The iframe is as high as the page inside: nothing to scroll and nothing left over."""
    page.wait_for_timeout(50)
    for _ in range(40):
        if abs(frame.evaluate("frame => frame.clientHeight") - inside(page)) <= 1:
            return
        page.wait_for_timeout(50)
    raise AssertionError((frame.evaluate("frame => frame.clientHeight"), inside(page)))


def bare(place: Frame) -> bool:
    """Only the stamp, the results and the legal line; False where all of the page is there."""
    away = [not place.locator(name).first.is_visible() for name in (".cabecera", ".menu", ".pie-ligas")]
    assert len(set(away)) == 1
    for name in ("p.corte", "p.simulacro", "p.sin-efectos", "p.leyenda", "h1"):
        assert place.locator(name).is_visible(), name
    return away[0]


# --- iframe ---


def test_an_embedded_page_is_bare_follows_its_height_and_stays_so_after_a_link(page: Page, scene: Scene) -> None:
    scene.show(1)
    wrong = watch(page)
    page.goto(scene.page(scene.frame("dip/index.html#incrusta") + scene.height))
    frame = page.locator("iframe")
    settled(page, frame)
    assert bare(embedded(page))
    high = inside(page)
    embedded(page).locator("main details summary").first.click()
    expect(embedded(page).locator("main details").first).to_have_attribute("open", "")
    settled(page, frame)
    assert inside(page) > high
    embedded(page).locator("table.unidades tbody a").first.click()
    embedded(page).wait_for_url("**/distrito-001/index.html#incrusta")
    settled(page, frame)
    assert bare(embedded(page))
    assert not embedded(page).locator("nav.migas").is_visible()
    embedded(page).locator("nav.vecinas .todas").click()
    embedded(page).wait_for_url("**/dip/index.html#incrusta")
    settled(page, frame)
    assert bare(embedded(page))
    assert wrong == []


def test_a_page_embedded_whole_keeps_its_header_and_follows_its_height_too(page: Page, scene: Scene) -> None:
    scene.show(1)
    page.goto(scene.page(scene.frame("gub/index.html") + scene.height))
    settled(page, page.locator("iframe"))
    assert not bare(embedded(page))


def test_without_scripts_the_embedded_page_is_bare_and_its_links_work(browser: Browser, scene: Scene) -> None:
    scene.show(1)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(scene.page(scene.frame("dip/index.html#incrusta") + scene.height))
    frame = page.frame_locator("iframe")
    expect(frame.locator(".cabecera")).to_be_hidden()
    expect(frame.locator(".menu")).to_be_hidden()
    expect(frame.locator("p.corte")).to_be_visible()
    expect(frame.locator("p.simulacro")).to_be_visible()
    expect(frame.locator("p.leyenda")).to_be_visible()
    frame.locator("table.unidades tbody a").first.click()
    expect(frame.locator("h1")).to_contain_text("Tenabo")  # the whole page: it can still be read and left
    assert page.locator("iframe").get_attribute("height") == "333"
    context.close()


def test_a_page_read_by_itself_sends_nothing_and_changes_nothing(page: Page, scene: Scene) -> None:
    scene.show(1)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.add_init_script("window.said = []; addEventListener('message', (event) => window.said.push(event.data))")
    page.goto(f"{scene.portal}/prep/dip/index.html#incrusta")
    page.locator("table.unidades tbody a").first.click()
    page.wait_for_url("**/distrito-001/index.html")
    assert page.evaluate("window.said") == []
    assert asked
    assert not any("marco-ajeno" in url for url in asked)  # only who is embedded pays for it


def test_hostile_messages_change_no_height(page: Page, scene: Scene, tmp_path: Path) -> None:
    scene.show(1)
    (tmp_path / "otro.html").write_text(
        "<!doctype html><script>const lie = {tipo: 'pregon:alto', alto: 5000, ruta: '/prep/gub/index.html'};"
        "parent.postMessage(lie, '*');"
        "for (let i = 0; i < parent.frames.length; i++) { parent.frames[i].postMessage({tipo: 'pregon:cuanto'}, '*');"
        "parent.frames[i].postMessage(lie, '*'); } document.title = 'dicho';</script>"
    )
    with serving(tmp_path, policy="") as hostile:
        liar = f'<iframe name="pregon" src="{hostile}/otro.html" title="Otro" width="300" height="200"></iframe>'
        page.goto(scene.page(scene.frame("gub/index.html#incrusta") + scene.height + liar))
        ours, _ = page.locator("iframe").all()
        settled(page, ours)
        right = ours.evaluate("frame => frame.clientHeight")
        page.wait_for_function("window.frames.length === 2")
        page.wait_for_timeout(300)
        # Its own height is its own business; ours is not.
        assert ours.evaluate("frame => frame.clientHeight") == right
        # Our iframe taken elsewhere: it has the right window and not the origin that was embedded.
        embedded(page).evaluate(f"location.replace('{hostile}/otro.html?')")
        page.wait_for_timeout(400)
        assert ours.evaluate("frame => frame.clientHeight") == right
    for wild in ("1e9", "'500'", "NaN", "null", "-5"):
        page.goto(scene.page(scene.frame("gub/index.html#incrusta") + scene.height))
        settled(page, page.locator("iframe"))
        before = page.locator("iframe").evaluate("frame => frame.clientHeight")
        embedded(page).evaluate(f"parent.postMessage({{tipo: 'pregon:alto', alto: {wild}}}, '*')")
        page.wait_for_timeout(100)
        now = page.locator("iframe").evaluate("frame => frame.clientHeight")
        assert now == {"1e9": 60000, "-5": 80}.get(wild, before), wild


# --- <pregon-resultados> ---


@pytest.mark.parametrize("table", ["candidaturas", "partidos"])
@pytest.mark.parametrize("level", ["entidad", "distrito/001", "distrito/002"])
def test_the_component_shows_the_figures_of_the_page_under_a_strict_policy(
    page: Page, scene: Scene, level: str, table: str
) -> None:
    scene.show(1)
    wrong = watch(page)
    page.goto(scene.page(scene.script + scene.component(f'contienda="gub" nivel="{level}" tabla="{table}"')))
    piece = page.locator("pregon-resultados")
    expect(piece.locator("table")).to_be_visible()
    route = f"gub/{'' if level == 'entidad' else level.replace('/', '-') + '/'}index.html"
    assert shown(piece) == published(scene.folders[0], route, table)
    assert shown(piece)
    feet = [row.inner_text() for row in piece.locator("tfoot tr").all()]
    strip = parse((scene.folders[0] / route).read_bytes())
    for key, words in (("no_registradas", "Candidaturas no registradas"), ("nulos", "Votos nulos"), ("total", "Total")):
        line = strip.one("table", id=table).one("tfoot").one("tr", data_clave=key)
        texts = [cell.text for cell in line.all("td")]
        assert any(foot.replace("\u00a0", " ").split("\t") == [words, *texts] for foot in feet), (key, feet)
    for name in ("pct-contabilizadas", "pct-capturadas", "participacion"):
        figure = strip.one("section", class_="tira").one(data_cifra=name).text
        assert figure in piece.locator(".avance").inner_text().replace("\u00a0", " ")
    text = piece.locator(".todo").inner_text().replace("\u00a0", " ")
    assert "6 de junio de 2021, 22:40 h (UTC−5)" in text
    assert "Resultados preliminares, sin efectos jurídicos" in text
    assert "SIMULACRO" in text
    assert "Siguiente corte: 23:00 h" in text
    assert piece.get_by_role("link").get_attribute("href") == f"{scene.portal}/prep/{route}"
    assert piece.locator(".ficha rect").first.evaluate("item => getComputedStyle(item).fill") != "rgb(0, 0, 0)"
    assert wrong == []


@pytest.mark.datos
def test_every_contest_of_a_real_night_is_the_same_in_both(page: Page, campeche: Published, tmp_path: Path) -> None:
    contests, tables = ("gub", "dip", "ayun", "juntas"), ("candidaturas", "partidos")
    (tmp_path / "raiz").mkdir()
    (tmp_path / "raiz" / "prep").symlink_to(campeche.folder, target_is_directory=True)
    with serving(tmp_path / "raiz", cors=True) as portal:
        pieces = [
            f'<pregon-resultados contienda="{contest}" tabla="{table}"></pregon-resultados>'
            for contest in contests
            for table in tables
        ]
        script = f'<script type="module" src="{portal}/prep/incrusta/pregon-resultados.js"></script>'
        (tmp_path / "nota.html").write_text(f"<!doctype html><title>Medio</title>{script}{''.join(pieces)}")
        with serving(tmp_path, policy="") as medio:
            page.goto(f"{medio}/nota.html")
            expect(page.locator("pregon-resultados table")).to_have_count(len(pieces))
            found = [shown(piece) for piece in page.locator("pregon-resultados").all()]
    assert found == [
        published(campeche.folder, f"{contest}/index.html", table) for contest in contests for table in tables
    ]
    assert all(len(lines) >= 7 for lines in found)


def test_it_follows_the_hosts_letters_and_the_readers_scheme_and_fits_a_phone(page: Page, scene: Scene) -> None:
    scene.show(1)
    page.goto(scene.page(scene.script + scene.component('contienda="gub"')))
    piece = page.locator("pregon-resultados")
    expect(piece.locator("table")).to_be_visible()
    size = "item => parseFloat(getComputedStyle(item).fontSize)"
    before = piece.locator("h3").evaluate(size)
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert piece.locator("h3").evaluate(size) == 2 * before
    page.evaluate("document.documentElement.style.fontSize = ''")
    back = "item => getComputedStyle(item).backgroundColor"
    light = piece.locator(".todo").evaluate(back)
    page.emulate_media(color_scheme="dark")
    dark = piece.locator(".todo").evaluate(back)
    assert dark != light
    page.evaluate("document.querySelector('pregon-resultados').setAttribute('tema', 'claro')")
    assert piece.locator(".todo").evaluate(back) == light
    page.set_viewport_size({"width": 320, "height": 600})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_a_new_cut_arrives_once_for_two_components_and_is_told_politely(page: Page, scene: Scene) -> None:
    scene.show(1)
    page.clock.install(time=HORA.replace(minute=41))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    pieces = scene.component('contienda="gub"') + scene.component('contienda="dip" nivel="distrito/001"')
    page.goto(scene.page(scene.script + pieces))
    first, second = page.locator("pregon-resultados").all()
    expect(second.locator("table")).to_be_visible()
    assert [url.rpartition("/prep/")[2] for url in asked if url.endswith("corte.json")] == ["corte.json"]
    assert first.locator("[role=status]").inner_text() == ""
    before = shown(first)
    with page.expect_response("**/corte.json"):  # long before the announced hour it asks each quarter of an hour
        page.clock.fast_forward(17 * 60_000)
    page.wait_for_timeout(300)
    assert "22:40" in first.locator("time").inner_text()
    assert sum(url.endswith("corte.json") for url in asked) == 2
    scene.show(2)
    with page.expect_response("**/corte.json"):
        page.clock.fast_forward(4 * 60_000)
    expect(first.locator("time")).to_contain_text("23:00")
    expect(second.locator("time")).to_contain_text("23:00")
    assert shown(first) == published(scene.folders[1], "gub/index.html", "candidaturas") != before
    assert shown(second) == published(scene.folders[1], "dip/distrito-001/index.html", "candidaturas")
    told = first.locator("[role=status]").inner_text()
    assert told.replace("\u00a0", " ").startswith("Corte de las 23:00 h. Encabeza ")
    page.wait_for_timeout(300)
    scene.show(1)  # a server that lags: the reader is not taken back
    with page.expect_response("**/corte.json"):
        page.clock.fast_forward(30 * 60_000)
    page.wait_for_timeout(300)
    assert "23:00" in first.locator("time").inner_text()


def test_when_the_portal_stops_the_last_figures_stay_and_say_of_when(page: Page, scene: Scene) -> None:
    scene.show(1)
    page.clock.install(time=HORA.replace(minute=41))
    page.goto(scene.page(scene.script + scene.component('contienda="gub"')))
    piece = page.locator("pregon-resultados")
    expect(piece.locator("table")).to_be_visible()
    before = shown(piece)
    page.wait_for_timeout(300)
    scene.withdraw()
    page.clock.fast_forward(21 * 60_000)
    notice = piece.locator("[role=status]")
    expect(notice).to_contain_text("no está publicando estos resultados")
    assert "Estas cifras son del corte de las 22:40" in notice.inner_text().replace("\u00a0", " ")
    assert shown(piece) == before
    assert "22:40" in piece.locator("time").inner_text()
    page.wait_for_timeout(300)
    scene.show(2)
    page.clock.fast_forward(3 * 60_000)
    expect(piece.locator("time")).to_contain_text("23:00")
    expect(notice).not_to_contain_text("publicando")


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ('contienda="ayun"', "Este portal no tiene la contienda «ayun»"),
        ("", "Este portal no tiene la contienda «»"),
        ('contienda="gub" nivel="distrito/099"', "«Gubernatura» no tiene «distrito/099»"),
        ('contienda="gub" nivel="../../corte"', "«Gubernatura» no tiene «../../corte»"),
        ('contienda="gub" base="http://["', "«http://[» no es la dirección de un portal."),
        ('contienda="gub" base="/nada/"', "El portal no está publicando estos resultados. Se volverá a intentar."),
        (
            'contienda="gub" base="/suyo/"',
            "No se pudo consultar el portal. Se volverá a intentar.",
        ),  # its policy refuses
    ],
)
def test_what_cannot_be_shown_is_said_in_words(page: Page, scene: Scene, attributes: str, words: str) -> None:
    scene.show(1)
    page.clock.install(time=HORA.replace(minute=41))
    text = attributes.replace("/nada/", f"{scene.portal}/nada/")
    page.goto(scene.page(scene.script + scene.component(text)))
    expect(page.locator("pregon-resultados [role=status]")).to_contain_text(words)
    assert page.locator("pregon-resultados table").count() == 0
    page.evaluate(f"""() => {{ const piece = document.querySelector("pregon-resultados");
      piece.setAttribute("nivel", "entidad"); piece.setAttribute("base", "{scene.portal}/prep/");
      piece.setAttribute("contienda", "dip"); }}""")
    expect(page.locator("pregon-resultados h3")).to_have_text("Diputaciones locales")
    expect(page.locator("pregon-resultados [role=status]")).to_have_text("")


def test_text_of_the_files_is_only_text_and_their_addresses_stay_in_the_portal(page: Page, scene: Scene) -> None:
    scene.show(1)

    def changed(route: Route, **values: object) -> None:
        found = json.loads(route.fetch().text())
        found["contiendas"][0].update(values)
        route.fulfill(json=found, headers={"Access-Control-Allow-Origin": "*"})

    page.route("**/corte.json", partial(changed, titulo="<img src=x onerror=alert(1)>"))
    page.goto(scene.page(scene.script + scene.component('contienda="gub"')))
    expect(page.locator("pregon-resultados h3")).to_have_text("<img src=x onerror=alert(1)>")
    assert page.locator("pregon-resultados img").count() == 0
    for bad in ("javascript:alert(1)", "https://otro.example/gub/"):
        page.unroute("**/corte.json")
        page.route("**/corte.json", partial(changed, ruta=bad))
        page.goto(scene.page(scene.script + scene.component('contienda="gub"')))
        expect(page.locator("pregon-resultados [role=status]")).to_contain_text("una dirección que no es suya")
        assert page.locator("pregon-resultados a").count() == 0


# --- the page that explains ---


def test_the_snippets_of_the_page_work_as_they_are(page: Page, scene: Scene) -> None:
    scene.show(1)
    wrong = watch(page)
    page.goto(f"{scene.portal}/prep/incrusta/index.html")
    preview = page.locator("pregon-resultados")
    expect(preview.locator("table")).to_be_visible()
    assert shown(preview) == published(scene.folders[0], "gub/index.html", "candidaturas")
    codes = [item.inner_text() for item in page.locator(".trozo code").all()]
    assert wrong == []
    assert sum("<iframe" in code for code in codes) == sum("<pregon-resultados" in code for code in codes) == 2
    for code in codes[:-1]:
        page.goto(scene.page(code.replace('loading="lazy"', "")))
        if "<iframe" in code:
            settled(page, page.locator("iframe"))
            assert bare(embedded(page))
        else:
            expect(page.locator("pregon-resultados table")).to_be_visible()
    assert wrong == []


@pytest.mark.parametrize("change", [{"embebido": "no"}, {"vistas": ("partidos", "glosario")}])
def test_where_embedding_is_forbidden_there_is_neither_page_nor_script(
    tmp_path: Path, change: dict[str, object]
) -> None:
    night = Night(tmp_path, ManualClock(INICIO))
    space = night.create()
    changed = replace(space, convocatoria=space.convocatoria.model_copy(update=change))
    site = unpack(night.cut(changed), tmp_path / "sitio")
    home = (site / "index.html").read_text()
    assert not (site / "incrusta").exists()
    assert "incrusta/index.html" not in home
