"""The pages in a real browser: under a path, with the strictest policy, with and without scripts, in an iframe."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import pytest

from tests.instituto.navegador import ARGUMENTS, LARGE, numbers, program, watch

if TYPE_CHECKING:
    from playwright.sync_api import Browser

KINDS = (
    "index.html",
    "gub/index.html",
    "dip/index.html",
    "dip/cambios/index.html",
    "dip/distrito-007/index.html",
    "base-de-datos/index.html",
    "para-programadores/index.html",
)
WIDTHS = (320, 360, 768, 1440)
SCHEMES: dict[Literal["light", "dark"], tuple[int, ...]] = {"light": WIDTHS, "dark": WIDTHS[1:2]}


@pytest.mark.datos
def test_every_kind_of_page_loads_clean_and_fits_every_width(browser: Browser, site: str) -> None:
    page = browser.new_page()
    wrong = watch(page)
    for kind in KINDS:
        page.goto("about:blank")
        page.set_viewport_size({"width": WIDTHS[0], "height": 800})
        page.goto(f"{site}/prep2021/{kind}", wait_until="load")
        for scheme, widths in SCHEMES.items():
            page.emulate_media(color_scheme=scheme)
            for width in widths:
                page.set_viewport_size({"width": width, "height": 800})
                assert page.evaluate("document.documentElement.scrollWidth") == width, (kind, width)
                assert page.locator("p.corte").is_visible()
                assert page.locator("p.simulacro").is_visible()
    assert wrong == []
    page.close()


@pytest.mark.datos
def test_cut_stamp_stays_on_screen_while_reading(browser: Browser, site: str) -> None:
    page = browser.new_page(viewport={"width": 360, "height": 740})
    page.goto(f"{site}/prep2021/dip/index.html")
    page.evaluate("window.scrollTo(0, document.body.scrollHeight / 2)")
    box = page.locator("p.corte").bounding_box()
    assert box is not None
    assert 0 <= box["y"] < 200  # GRO-1.9c: the date and time of the cut at all times
    page.close()


@pytest.mark.datos
def test_the_longest_name_of_a_casilla_fits_the_narrowest_phone(browser: Browser, site: str) -> None:
    """An «extraordinaria contigua» in a list of what changed: its line must not push the page aside."""
    page = browser.new_page(viewport={"width": 320, "height": 740})
    page.goto(f"{site}/prep2021/dip/cambios/index.html")
    page.locator("main").evaluate(
        "main => main.insertAdjacentHTML('beforeend', '<section class=hoja><table class=actas><tbody><tr>"
        "<th scope=row>1. Xicotepec de Juárez</th><td class=n>1234</td><td>Extraordinaria 1, contigua 12</td>"
        "</tr></tbody></table></section>')"
    )
    for width in (320, 360):
        page.set_viewport_size({"width": width, "height": 740})
        assert page.evaluate("document.documentElement.scrollWidth") == width
        sheet, table = (page.locator(name).last.bounding_box() for name in ("main .hoja", "main .actas"))
        assert sheet is not None
        assert table is not None
        assert table["x"] + table["width"] <= sheet["x"] + sheet["width"], width
    page.close()


@pytest.mark.datos
def test_very_large_letters_fit_a_phone_and_the_cut_stays(browser: Browser, site: str) -> None:
    """Letters of 32 px, as a reader's own settings ask, in 360 px: no name goes down one letter at a time."""
    large = browser.browser_type.launch(executable_path=program(), args=[*ARGUMENTS, LARGE])
    page = large.new_page(viewport={"width": 360, "height": 740})
    for kind in (*KINDS, "gub/noche/index.html", "gub/estadistica/index.html", "consulta/index.html"):
        page.goto(f"{site}/prep2021/{kind}")
        assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "32px"
        assert page.evaluate("document.documentElement.scrollWidth") == 360, kind
        names = page.locator("main .votos[role] .nombre").evaluate_all("all => all.map(one => one.offsetWidth)")
        assert all(width > 120 for width in names), kind
        boxes = (
            page.locator(".avance-fijo")
            .first.locator("b")
            .evaluate_all("all => all.map(one => one.getBoundingClientRect()).map(({ top, bottom }) => [top, bottom])")
        )
        assert all(above[1] <= below[0] for above, below in pairwise(boxes)), kind
    page.goto(f"{site}/prep2021/dip/index.html")
    page.evaluate("window.scrollTo(0, document.body.scrollHeight / 2)")
    stamp = page.locator("p.corte").bounding_box()
    assert stamp is not None
    assert stamp["y"] == 0  # GRO-1.9c
    assert stamp["height"] < 330  # and there is room to read
    large.close()


@pytest.mark.datos
def test_on_paper_totals_close_their_table_and_a_rehearsal_says_so(browser: Browser, site: str) -> None:
    page = browser.new_page(color_scheme="dark")
    page.emulate_media(media="print")
    page.goto(f"{site}/prep2021/gub/index.html")
    # As a group of the foot it would be at the bottom of every sheet, in the middle of the list.
    assert page.locator("#partidos tfoot").evaluate("it => getComputedStyle(it).display") == "table-row-group"
    assert page.locator("p.simulacro").evaluate("it => getComputedStyle(it).color") == "rgb(0, 0, 0)"
    assert page.locator("html").evaluate("it => getComputedStyle(it).getPropertyValue('--linea-2')") == "#efede7"
    page.close()


@pytest.mark.datos
def test_without_scripts_the_same_numbers_show(browser: Browser, site: str) -> None:
    seen: dict[bool, dict[str, list[str]]] = {}
    for scripts in (True, False):
        context = browser.new_context(java_script_enabled=scripts)
        page = context.new_page()
        seen[scripts] = {}
        for kind in KINDS:
            page.goto(f"{site}/prep2021/{kind}")
            seen[scripts][kind] = numbers(page)
        context.close()
    assert seen[True] == seen[False]
    assert sum(map(len, seen[False].values())) > 300


@pytest.mark.datos
def test_in_an_iframe_the_links_stay_inside(browser: Browser, site: str) -> None:
    page = browser.new_page()
    page.route("**/medio.html", lambda route: route.fulfill(body=route.fetch().text(), content_type="text/html"))
    wrong = watch(page)
    page.goto(f"{site}/medio.html")
    frame = page.frame_locator("iframe")
    frame.get_by_role("link", name="Diputaciones locales").first.click()
    frame.get_by_role("heading", level=1, name="Diputaciones locales").wait_for()
    frame.locator("table.unidades a").first.click()
    frame.locator("nav.migas").wait_for()
    assert page.url.endswith("/medio.html")
    assert wrong == []
    page.close()


@pytest.mark.datos
def test_tables_keep_their_meaning_on_a_narrow_screen(browser: Browser, site: str) -> None:
    page = browser.new_page(viewport={"width": 360, "height": 740})
    page.goto(f"{site}/prep2021/gub/index.html")
    table = page.get_by_role("table", name="Votos por candidatura", exact=True)
    assert table.get_by_role("row").count() >= 9
    assert table.get_by_role("columnheader").all_inner_texts() == ["Candidatura", "Votos", "Porcentaje"]
    assert table.get_by_role("rowheader").count() >= 8
    page.close()


@pytest.mark.datos
def test_what_an_address_names_is_not_under_the_strip(browser: Browser, site: str) -> None:
    page = browser.new_page()
    for address in (
        "preguntas-frecuentes/index.html#suma",
        "gub/index.html#partidos",
        "dip/distrito-007/secciones/index.html#s-0011",
        "consulta/index.html#t-lectura",
    ):
        for width in (320, 768, 1440):
            page.set_viewport_size({"width": width, "height": 740})
            page.goto("about:blank")
            page.goto(f"{site}/prep2021/{address}")
            edge, top = page.evaluate(
                "['.fija', ':target'].map(it => document.querySelector(it).getBoundingClientRect()).map((box, i) =>"
                " i ? box.top : box.bottom)"
            )
            assert edge <= top < 740, (address, width)
    page.close()
