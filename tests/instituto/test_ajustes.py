"""Theme, size of text and contrast that a reader chooses, in a real browser."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Literal

import pytest
from playwright.sync_api import expect

from pregon.base.clock import ManualClock
from pregon.base.errors import AjustesError
from pregon.instituto.portal.oscuro import obedient
from pregon.instituto.portal.recursos import Recursos
from tests.instituto.conftest import HORA, INICIO, Night, unpack
from tests.instituto.navegador import SHIFTS, axe_faults, fewer_rows, serving, watch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Page

UNIT, CONTEST, COVER = "dip/distrito-001/index.html", "gub/index.html", "index.html"
PAPER = "() => getComputedStyle(document.body).backgroundColor"
LIGHT, DARK = "rgb(251, 250, 247)", "rgb(18, 20, 23)"
SIZE = "() => getComputedStyle(document.documentElement).fontSize"
LUMINANCE = """([ink, paper]) => {
  const channel = value => (value /= 255) <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const of = text => { const [r, g, b] = text.match(/[0-9.]+/g).map(Number);
    return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b); };
  const [high, low] = [of(ink), of(paper)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("ajustes")
    night = Night(folder, ManualClock(INICIO))
    site = unpack(night.cut(night.create()), folder / "sitio")
    with serving(site, lambda: HORA + timedelta(minutes=1)) as address:
        yield address


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    found = browser.new_context(viewport={"width": 360, "height": 740})
    yield found
    found.close()


def choose(page: Page, name: str) -> None:
    page.locator(".ajustes summary").click()
    page.get_by_role("button", name=name, exact=True).click()
    expect(page.get_by_role("button", name=name, exact=True)).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    expect(page.locator(".ajustes")).not_to_have_attribute("open", "")


@pytest.mark.parametrize("device", ["light", "dark"])
def test_the_theme_chosen_wins_over_the_device_both_ways(browser: Browser, url: str, device: str) -> None:
    found = browser.new_context(color_scheme="dark" if device == "dark" else "light")
    page = found.new_page()
    wrong = watch(page)
    page.goto(f"{url}/{CONTEST}")
    own = DARK if device == "dark" else LIGHT
    assert page.evaluate(PAPER) == own
    for name, paper in (("Oscuro", DARK), ("Claro", LIGHT), ("Automático", own)):
        choose(page, name)
        assert page.evaluate(PAPER) == paper
        page.goto(f"{url}/{UNIT}")  # and on every other page
        assert page.evaluate(PAPER) == paper
    assert wrong == []
    found.close()


def test_paper_is_white_whatever_was_chosen(context: BrowserContext, url: str) -> None:
    page = context.new_page()
    page.goto(f"{url}/{UNIT}")
    for names in (("Oscuro",), ("Alto",)):
        for name in names:
            choose(page, name)
        page.emulate_media(media="print")
        assert page.evaluate(PAPER) == "rgb(255, 255, 255)"
        assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
        assert not page.locator(".ajustes").is_visible()
        page.emulate_media(media="screen")


def test_settings_hold_before_anything_is_painted(context: BrowserContext, url: str) -> None:
    page = context.new_page()
    page.goto(f"{url}/{UNIT}")
    for name in ("Oscuro", "Texto muy grande", "Alto"):
        choose(page, name)
    wrong = watch(page)
    page.add_init_script(
        """new MutationObserver((_, observer) => {
             if (!document.body) return;
             window.atBody = { ...document.documentElement.dataset };
             observer.disconnect();
           }).observe(document, { childList: true, subtree: true });
           requestAnimationFrame(() => {  // the first one: nothing is drawn before the style sheet is there
             window.atPaint = [getComputedStyle(document.body).backgroundColor,
               getComputedStyle(document.documentElement).fontSize];
           });"""
    )
    for _ in range(2):
        page.reload()
        assert page.evaluate("window.atBody") == {"tema": "oscuro", "texto": "150", "contraste": "alto", "ajustes": ""}
        assert page.evaluate("window.atPaint") == ["rgb(0, 0, 0)", "24px"]
        assert page.evaluate(SHIFTS) == 0
    assert context.cookies() == []
    assert page.evaluate("Object.keys(localStorage)") == ["pregon.ajustes"]
    assert page.evaluate("Object.keys(sessionStorage)") == []
    assert wrong == []


@pytest.mark.parametrize("refused", ["reading", "writing"])
def test_where_nothing_can_be_kept_it_holds_for_the_page(context: BrowserContext, url: str, refused: str) -> None:
    context.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError'); } })"
        if refused == "reading"
        else "Storage.prototype.setItem = () => { throw new DOMException('no', 'QuotaExceededError'); }"
    )
    page = context.new_page()
    wrong = watch(page)
    page.goto(f"{url}/{UNIT}")
    choose(page, "Oscuro")
    assert page.evaluate(PAPER) == DARK
    page.locator(".ajustes summary").click()
    expect(page.locator(".ajustes-panel .menor")).to_contain_text("vale en esta página")
    page.reload()
    assert page.evaluate(PAPER) == LIGHT
    assert wrong == []


@pytest.mark.parametrize("stored", ["{", "[]", "null", '"x"', '{"tema": "verde", "texto": 9, "contraste": {"a": 1}}'])
def test_what_was_kept_and_means_nothing_changes_nothing(context: BrowserContext, url: str, stored: str) -> None:
    page = context.new_page()
    wrong = watch(page)
    page.goto(f"{url}/{UNIT}")
    page.evaluate("stored => localStorage.setItem('pregon.ajustes', stored)", stored)
    page.reload()
    assert page.evaluate("({ ...document.documentElement.dataset })") == {"ajustes": ""}
    choose(page, "Oscuro")
    assert page.evaluate(PAPER) == DARK
    assert wrong == []


def test_another_tab_follows(context: BrowserContext, url: str) -> None:
    one, other = context.new_page(), context.new_page()
    one.goto(f"{url}/{UNIT}")
    other.goto(f"{url}/{COVER}")
    choose(one, "Oscuro")
    for _ in range(100):  # a function that waits would be evaluated by the page, which its policy refuses
        if other.evaluate(PAPER) == DARK:
            break
        other.wait_for_timeout(50)
    assert other.evaluate(PAPER) == DARK
    assert one.evaluate(PAPER) == DARK


@pytest.mark.parametrize("kind", [COVER, CONTEST, UNIT, "dip/cambios/index.html", "base-de-datos/index.html"])
def test_with_large_text_every_page_fits_and_nothing_is_cut(context: BrowserContext, url: str, kind: str) -> None:
    page = context.new_page()
    page.goto(f"{url}/{kind}")
    for name, size in (("Texto grande", "20px"), ("Texto muy grande", "24px"), ("Texto normal", "16px")):
        page.set_viewport_size({"width": 320, "height": 700})
        choose(page, name)
        for width in (320, 360, 768, 1280):
            page.set_viewport_size({"width": width, "height": 700})
            assert page.evaluate(SIZE) == size
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (kind, width, name)
            strip = page.locator(".fija").bounding_box()
            assert strip is not None
            words = "() => { const s = document.querySelector('.siguiente'); return s.scrollWidth - s.clientWidth; }"
            assert page.evaluate(words) <= 0, (kind, width, name)


def test_high_contrast_is_high(context: BrowserContext, url: str) -> None:
    page = context.new_page()
    page.goto(f"{url}/{CONTEST}")
    for theme in ("Claro", "Oscuro"):
        choose(page, theme)
        choose(page, "Alto")
        for selector in ("main p", ".menor", ".proceso", "main a", ".siguiente"):
            colours = page.locator(selector).first.evaluate(
                "item => [getComputedStyle(item).color, getComputedStyle(document.body).backgroundColor]"
            )
            assert page.evaluate(LUMINANCE, colours) >= 10, (theme, selector, colours)
        line = page.locator("main .hoja").first.evaluate("item => getComputedStyle(item).borderTopColor")
        assert page.evaluate(LUMINANCE, [line, page.evaluate(PAPER)]) >= 10
        assert "underline" in page.locator(".menu a").first.evaluate(
            "item => getComputedStyle(item).textDecorationLine"
        )
        choose(page, "Normal")


def test_axe_finds_nothing_whatever_was_chosen_and_whatever_the_strip_says(browser: Browser, url: str) -> None:
    """By day and by night each."""
    page = browser.new_page(viewport={"width": 360, "height": 740})
    page.goto(f"{url}/{CONTEST}")
    fewer_rows(page)
    page.locator(".ajustes summary").click()
    for name in ("Texto muy grande", "Alto", "Oscuro", "Claro", "Normal", "Texto normal"):
        page.get_by_role("button", name=name, exact=True).click()
        _no_fault(page, name)
    page.keyboard.press("Escape")
    for state in ("vieja", "suspendida", "retirada", "recarga"):
        page.evaluate("state => { document.querySelector('.fija').dataset.estado = state; }", state)
        _no_fault(page, state)
    page.close()


def _no_fault(page: Page, where: str) -> None:
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme)
        assert axe_faults(page) == [], (where, scheme)


def test_controls_by_keyboard_and_touch(context: BrowserContext, url: str) -> None:
    page = context.new_page()
    page.goto(f"{url}/{UNIT}")
    summary = page.locator(".ajustes summary")
    for width in (320, 360, 1440):
        page.set_viewport_size({"width": width, "height": 740})
        box = summary.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44
        assert box["x"] + box["width"] <= width
        for words in (".marca a", ".proceso"):  # it lies on nothing
            hit = page.locator(words).evaluate(
                """item => { const range = document.createRange(); range.selectNodeContents(item);
                  return [...range.getClientRects()].map(r => [r.right, r.bottom]); }"""
            )
            assert all(right <= box["x"] or bottom <= box["y"] + 8 for right, bottom in hit), (width, words, hit, box)
    page.set_viewport_size({"width": 320, "height": 740})
    page.reload()
    summary.focus()
    page.keyboard.press("Enter")
    for button in page.locator(".ajustes button").all():
        page.keyboard.press("Tab")
        assert button.evaluate("item => item === document.activeElement")
        box = button.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 320
    page.keyboard.press("Space")  # the last one: high contrast
    assert page.evaluate("document.documentElement.dataset.contraste") == "alto"
    groups = page.locator(".ajustes [role=group]")
    assert groups.count() == 3
    for group in groups.all():
        assert group.locator("[aria-pressed=true]").count() == 1
    page.keyboard.press("Escape")
    assert summary.evaluate("item => item === document.activeElement")
    assert page.evaluate(SHIFTS) == 0


@pytest.mark.parametrize("kind", [COVER, CONTEST, UNIT, "consulta/index.html", "incrusta/index.html"])
def test_three_requests_come_before_the_first_paint(context: BrowserContext, url: str, kind: str) -> None:
    page = context.new_page()
    with page.expect_response("**/assets/corte.*.js"):
        page.goto(f"{url}/{kind}")
    before = page.evaluate(
        """() => { const [paint] = performance.getEntriesByName("first-contentful-paint");
          return performance.getEntriesByType("resource").filter(one => one.startTime < paint.startTime)
            .map(one => one.name.split("/").at(-1).split(".")[0]); }"""
    )
    assert sorted(set(before) - {"icono"}) == ["ajustes", "estilo"]  # and the page; the icon is the browser's own idea


def test_without_scripts_there_is_no_control_and_its_place_is_not_kept(browser: Browser, url: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{url}/{UNIT}")
    assert page.locator(".ajustes").count() == 0
    assert page.locator("button:visible, details.ajustes").count() == 0
    assert page.locator(".proceso").evaluate("item => getComputedStyle(item).paddingInlineEnd") == "0px"
    context.close()


def test_a_dark_block_obeys_the_choice_and_weighs_the_same() -> None:
    light, dark = ":root:where(:not([data-tema=claro]))", ":root:where([data-tema=oscuro])"
    query = "@media (prefers-color-scheme:dark)"
    sheet = f"a{{b:c}}{query}{{:root{{--x:#000}}\n.y,p:is(.a,.b){{d:e}}}}:root{{--x:#fff}}"
    assert obedient(sheet) == (
        f"a{{b:c}}{query}{{{light}{{--x:#000}}:where({light}) .y,:where({light}) p:is(.a,.b){{d:e}}}}\n"
        f"{dark}{{--x:#000}}:where({dark}) .y,:where({dark}) p:is(.a,.b){{d:e}}:root{{--x:#fff}}"
    )
    assert obedient("a{b:c}") == "a{b:c}"
    with pytest.raises(AjustesError):
        obedient("@media (prefers-color-scheme:dark){@media print{a{b:c}}}")


def test_every_dark_rule_of_the_sheet_obeys() -> None:
    assets = Recursos()
    sheet = assets.contenidos[assets.hoja].decode()
    blocks = sheet.split("@media (prefers-color-scheme:dark){")[1:]
    assert len(blocks) >= 2
    assert all(block.startswith((":root:where(:not(", ":where(:root:where(:not(")) for block in blocks)
    assert sheet.count("--papel:#121417") == 2
