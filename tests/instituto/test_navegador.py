"""The pages in a real browser: under a path, with the strictest policy, with and without scripts, in an iframe."""

from __future__ import annotations

import os
import shutil
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect, sync_playwright

from pregon.base.clock import ManualClock
from pregon.instituto.portal.vigencia import kept
from tests.instituto.conftest import HORA, INICIO, Night, unpack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Locator, Page, Request

    from tests.instituto.conftest import Published

POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'"
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


class _Quiet(SimpleHTTPRequestHandler):
    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        del format, args


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium")
    assert program is not None, "chromium is missing: scripts/instala-debian.sh pruebas"
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield found
        found.close()


@pytest.fixture(scope="module")
def site(campeche: Published, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The package under ``/prep2021/`` of a server, as inside a medium's own portal."""
    root = tmp_path_factory.mktemp("servidor")
    (root / "prep2021").symlink_to(campeche.folder, target_is_directory=True)
    frame = "<!doctype html><title>Medio</title><iframe src='prep2021/gub/index.html' width=600 height=700></iframe>"
    (root / "medio.html").write_text(frame)
    with serving(root) as url:
        yield url


def watch(page: Page) -> list[str]:
    """Everything that goes wrong from here on: console, page errors, failed or refused requests, foreign hosts."""
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(f"console {message.type}: {message.text}"))
    page.on("pageerror", lambda error: wrong.append(f"error {error}"))
    # Going to the next page cancels an icon still on its way; a missing one would be a 404 below.
    page.on("requestfailed", lambda asked: None if _cancelled(asked) else wrong.append(f"failed {asked.url}"))
    page.on("response", lambda got: wrong.append(f"{got.status} {got.url}") if got.status >= 400 else None)
    page.on("request", lambda asked: wrong.append(asked.url) if "//127.0.0.1" not in asked.url else None)
    return wrong


def _cancelled(request: Request) -> bool:
    return request.failure == "net::ERR_ABORTED" and "/assets/icono." in request.url


def numbers(page: Page) -> list[str]:
    texts = page.locator("[data-votos], [data-cifra], [data-ventaja], [data-unidades]").all_inner_texts()
    return [text.strip() for text in texts]


@pytest.mark.datos
def test_every_kind_of_page_loads_clean_and_fits_every_width(browser: Browser, site: str) -> None:
    for scheme, widths in (("light", WIDTHS), ("dark", WIDTHS[1:2])):
        for width in widths:
            context = browser.new_context(
                viewport={"width": width, "height": 800}, color_scheme="dark" if scheme == "dark" else "light"
            )
            page = context.new_page()
            wrong = watch(page)
            for kind in KINDS:
                page.goto(f"{site}/prep2021/{kind}", wait_until="load")
                assert page.evaluate("document.documentElement.scrollWidth") == width, (kind, width)
                assert page.locator("p.corte").is_visible()
                assert page.locator("p.simulacro").is_visible()
            assert wrong == []
            context.close()


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
    table = page.get_by_role("table", name="Votos por candidatura")
    assert table.get_by_role("row").count() >= 9
    assert table.get_by_role("columnheader").all_inner_texts() == ["Candidatura", "Votos", "Porcentaje"]
    assert table.get_by_role("rowheader").count() >= 8
    page.close()


# --- the script: which cut is the current one ---

CHANGED, SAME = "dip/distrito-001/index.html", "dip/distrito-002/index.html"
SHIFTS = """() => new Promise(done => {
  let sum = 0;
  new PerformanceObserver(list => { for (const entry of list.getEntries()) sum += entry.value; })
    .observe({type: "layout-shift", buffered: true});
  setTimeout(() => done(sum), 150);
})"""


@dataclass
class Cuts:
    """Two cuts, 22:40 and 23:00, of which only district 1 differs; ``show`` puts one of them at ``url``/prep/."""

    url: str
    publico: Path
    folders: tuple[Path, Path]

    def show(self, number: int) -> None:
        new = self.publico.with_name("nuevo")
        new.symlink_to(self.folders[number - 1], target_is_directory=True)
        new.replace(self.publico)


@pytest.fixture(scope="module")
def cuts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cuts]:
    folder = tmp_path_factory.mktemp("cortes")
    night = Night(folder, ManualClock(INICIO))
    space = night.create()
    first = unpack(night.cut(space), folder / "1")
    second = unpack(night.cut(space, HORA.replace(hour=23, minute=0), votes="41"), folder / "2")
    for path in second.rglob("*"):
        if path.is_file():
            if path.parent.name.startswith("distrito-") and path.suffix == ".html":
                path.write_bytes(kept(path.read_bytes(), (first / path.relative_to(second)).read_bytes()))
            moment = path.stat().st_mtime + 60  # this server's only validator is a date, in whole seconds
            os.utime(path, (moment, moment))
    assert (first / SAME).read_bytes() == (second / SAME).read_bytes()
    assert (first / CHANGED).read_bytes() != (second / CHANGED).read_bytes()
    root = folder / "raiz"
    root.mkdir()
    (root / "medio.html").write_text(
        f"<!doctype html><title>Medio</title><iframe src='prep/{SAME}' width=600></iframe>"
    )
    with serving(root) as url:
        yield Cuts(url, root / "prep", (first, second))


def stamp(page: Page) -> Locator:
    return page.locator("p.corte")


def come_back(page: Page) -> None:
    """The reader returns to the tab a while later."""
    page.clock.fast_forward(61_000)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_a_unit_that_did_not_change_tells_the_current_cut_and_nothing_moves(browser: Browser, cuts: Cuts) -> None:
    for width in (320, 360, 480, 768, 928, 1440):
        page = browser.new_page(viewport={"width": width, "height": 800})
        wrong = watch(page)
        cuts.show(1)
        with page.expect_response("**/corte.json"):
            page.goto(f"{cuts.url}/prep/{SAME}")
        assert "22:40" in stamp(page).inner_text()
        assert "Vigentes hasta el corte en que cambien" in stamp(page).inner_text()
        before = numbers(page)
        height = stamp(page).bounding_box()
        cuts.show(2)
        page.reload()
        expect(page.locator(".siguiente")).to_have_text("Distrito sin cambios desde las 22:40\u00a0h")
        assert page.locator("time").inner_text() == "6 de junio de 2021, 23:00\u00a0h (UTC−5), Tiempo del Centro"
        assert page.locator("time").get_attribute("datetime") == "2021-06-06T23:00:00-05:00"
        assert stamp(page).bounding_box() == height
        assert page.evaluate(SHIFTS) == 0
        assert numbers(page) == before
        assert wrong == []
        page.close()


@pytest.mark.parametrize("kind", [CHANGED, "index.html", "dip/index.html"])
def test_an_open_page_of_an_older_cut_offers_the_new_one(browser: Browser, cuts: Cuts, kind: str) -> None:
    page = browser.new_page(viewport={"width": 360, "height": 800})
    wrong = watch(page)
    page.clock.install()
    cuts.show(1)
    page.goto(f"{cuts.url}/prep/{kind}?desde=medio#contenido")
    come_back(page)
    assert "más reciente" not in stamp(page).inner_text()
    before, height = numbers(page), stamp(page).bounding_box()
    cuts.show(2)
    come_back(page)
    link = page.get_by_role("link", name="Actualizar")
    expect(page.locator(".siguiente")).to_have_text("Hay un corte más reciente. Actualizar")
    assert "22:40" in stamp(page).inner_text()  # the figures on screen are still those
    assert numbers(page) == before
    assert stamp(page).bounding_box() == height
    assert page.evaluate(SHIFTS) == 0
    link.click()
    expect(page.locator("time")).to_contain_text("23:00")
    expect(page.locator(".siguiente")).not_to_contain_text("reciente")
    assert numbers(page) != before
    assert page.url.endswith(f"{kind}?desde=medio")
    assert wrong == []
    page.close()


def test_the_script_works_in_an_iframe_and_asks_once_a_minute(browser: Browser, cuts: Cuts) -> None:
    cuts.show(2)
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/corte.json") else None)
    page.route("**/medio.html", lambda route: route.fulfill(body=route.fetch().text(), content_type="text/html"))
    page.goto(f"{cuts.url}/medio.html")
    frame = page.frame_locator("iframe")
    expect(frame.locator(".siguiente")).to_contain_text("Distrito sin cambios")
    for _ in range(3):
        frame.locator("body").evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_timeout(200)
    assert asked == [f"{cuts.url}/prep/corte.json"]
    page.close()


def _note(errors: list[str], error: object) -> None:
    errors.append(str(error))


def test_without_network_or_from_a_folder_the_page_stays_as_it_is(browser: Browser, cuts: Cuts) -> None:
    cuts.show(2)
    for fault in (
        lambda route: route.abort(),
        lambda route: route.fulfill(status=500),
        lambda route: route.fulfill(body="<"),
        lambda route: route.fulfill(body='{"formato": "pregon/corte/2", "corte": 9}'),
    ):
        page = browser.new_page()
        errors: list[str] = []
        page.on("pageerror", partial(_note, errors))
        page.route("**/corte.json", fault)
        page.goto(f"{cuts.url}/prep/{SAME}")
        page.wait_for_timeout(200)
        assert "Vigentes hasta el corte en que cambien" in stamp(page).inner_text()
        assert errors == []
        page.close()
    page = browser.new_page()
    page.goto((cuts.folders[1] / SAME).as_uri())
    assert "Vigentes hasta el corte en que cambien" in stamp(page).inner_text()
    assert page.locator("table").count() >= 2
    page.close()
