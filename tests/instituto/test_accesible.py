"""What every kind of page owes to everybody: axe finds nothing, the keyboard reaches all of it, few bytes travel."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.instituto.navegador import Traffic, axe_faults, fewer_rows, watch

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from tests.instituto.conftest import Published

FIRST_VIEW_BYTES = 60_000
"""Compressed, all that a first view of any page asks for (issue: 60 kB)."""
BLOCKING = 3
"""Most requests before the first paint: the page, its style sheet and one script."""
WHOLE = "ayun/municipio-001/secciones/index.html"
"""The page whose every row axe looks at: the longest table of them."""
CONTESTS = ("gub", "dip", "ayun", "juntas")


def kinds(folder: Path) -> list[str]:
    """One page of each kind: every page of the whole site, and of the contests the first with each form of route."""
    found: dict[tuple[str, ...], str] = {}
    for path in sorted(folder.rglob("index.html")):
        parts = path.relative_to(folder).parts[:-1]
        of_contest = bool(parts) and parts[0] in CONTESTS
        form = ("contienda", *(part.rstrip("0123456789") for part in parts[1:])) if of_contest else parts
        found.setdefault(form, "".join(f"{part}/" for part in parts) + "index.html")
    return list(found.values())


def test_the_kinds_are_all_of_them(campeche: Published) -> None:
    listed = kinds(campeche.folder)
    for expected in ("index.html", "consulta/", "incrusta/", "glosario/", "preguntas-frecuentes/", "base-de-datos/"):
        assert [name for name in listed if name.startswith(expected)], expected
    for expected in ("cambios/", "noche/", "estadistica/", "secciones/", "distrito-"):
        assert [name for name in listed if f"/{expected}" in name], expected


@pytest.mark.datos
def test_axe_finds_nothing(browser: Browser, site: str, campeche: Published) -> None:
    """On a phone by day and on a desk by night: of one page all, of the others some of the lines that are alike."""
    page = browser.new_page()
    wrong: list[str] = []
    names = kinds(campeche.folder)
    assert WHOLE in names
    for name in names:
        page.goto("about:blank")  # so that it is loaded as a phone does
        page.set_viewport_size({"width": 360, "height": 800})
        page.emulate_media(color_scheme="light")
        page.goto(f"{site}/prep2021/{name}")
        if name != WHOLE:
            fewer_rows(page)
        wrong += [f"{name} phone {fault}" for fault in axe_faults(page)]
        page.set_viewport_size({"width": 1440, "height": 800})
        page.emulate_media(color_scheme="dark")
        wrong += [f"{name} desk {fault}" for fault in axe_faults(page)]
    page.close()
    assert wrong == []


@pytest.mark.datos
def test_the_keyboard_reaches_everything_in_order_and_sees_where_it_is(
    browser: Browser, site: str, campeche: Published
) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    traffic = Traffic(page)
    for name in kinds(campeche.folder):
        traffic.visits(f"{site}/prep2021/{name}")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "salto", name  # the first stop skips to the content
        seen = _tour(page, name)
        everything = page.evaluate(
            "[...document.querySelectorAll('a[href],button,input,select,textarea,summary,[tabindex=\"0\"]')]"
            ".filter(e => e.checkVisibility({visibilityProperty: true}) && !e.disabled).length"
        )
        assert seen >= everything, (name, seen, everything)
    page.goto(f"{site}/prep2021/index.html")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert urlsplit(page.url).fragment == "contenido"
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")
    page.close()


STOPS = """() => {
  window.stops = [document.activeElement];
  window.faults = [];
  window.over = false;
  let moved = false;
  window.look = () => {
    if (over || !moved) return;
    moved = false;
    const here = document.activeElement;
    if (here === document.body || stops.includes(here)) { over = true; return; }
    const before = stops.at(-1), box = here.getBoundingClientRect();
    stops.push(here);
    const after = !!(before.compareDocumentPosition(here) & Node.DOCUMENT_POSITION_FOLLOWING);
    const outline = getComputedStyle(here).outlineStyle !== "none";
    const visible = box.width > 0 && box.bottom > 0 && box.top < innerHeight;
    if (!(after && outline && visible)) faults.push({after, outline, visible, what: here.outerHTML.slice(0, 120)});
  };
  addEventListener("keydown", () => { look(); moved = true; }, true);
}"""
"""Looks at where a Tab led once it is done, when the next is pressed: to ask from here at each stop takes twice as
long."""
AT_ONCE = 10


def _tour(page: Page, name: str) -> int:
    """Tab until the page ends; each stop is further on than the last, is on screen and is outlined."""
    page.evaluate(STOPS)
    while True:
        for _ in range(AT_ONCE):
            page.keyboard.press("Tab")
        over, faults, many = page.evaluate("(look(), [over, faults, stops.length])")
        assert faults == [], name
        if over:
            return int(many)


@pytest.mark.datos
def test_a_first_view_of_any_page_is_small_and_asks_little(browser: Browser, site: str, campeche: Published) -> None:
    page = browser.new_page(viewport={"width": 360, "height": 740})
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    wrong = watch(page)
    traffic = Traffic(page)
    for name in kinds(campeche.folder):
        session.send("Network.clearBrowserCache")  # each is the first
        traffic.visits(f"{site}/prep2021/{name}")
        routes = {urlsplit(url).path.removeprefix("/prep2021/") for url in traffic.asked}
        assert len(routes) > BLOCKING, name  # nothing was kept from the page before
        weight = sum(len(gzip.compress((campeche.folder / route).read_bytes(), 6)) for route in routes)
        assert weight <= FIRST_VIEW_BYTES, (name, weight)
        blocking = page.locator("link[rel=stylesheet], head script[src]:not([type=module], [async], [defer])").count()
        assert 1 + blocking <= BLOCKING, name
        assert page.context.cookies() == []
        assert wrong == []
    page.close()
