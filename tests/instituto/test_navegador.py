"""The pages in a real browser: under a path, with the strictest policy, with and without scripts, in an iframe."""

from __future__ import annotations

import shutil
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from playwright.sync_api import Browser, Page, Request

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
SHIFTS = """() => new Promise(done => {
  let sum = 0;
  new PerformanceObserver(list => { for (const entry of list.getEntries()) sum += entry.value; })
    .observe({type: "layout-shift", buffered: true});
  setTimeout(() => done(sum), 150);
})"""
"""How far the page moved by itself: the layout shifts since it was opened."""


class _Quiet(SimpleHTTPRequestHandler):
    def __init__(self, *args: Any, hora: Callable[[], datetime] | None, **options: Any) -> None:
        self._hora = hora
        super().__init__(*args, **options)

    def date_time_string(self, timestamp: float | None = None) -> str:
        if timestamp is None and self._hora is not None:
            timestamp = self._hora().timestamp()
        return super().date_time_string(timestamp)

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        del format, args


@contextmanager
def serving(folder: Path, hora: Callable[[], datetime] | None = None) -> Iterator[str]:
    """A folder on the web, ``hora`` o'clock there (None: what this machine says)."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder), hora=hora))
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
    # Going to the next page cancels what comes after the first paint; what is missing would be a 404 below.
    page.on("requestfailed", lambda asked: None if _cancelled(asked) else wrong.append(f"failed {asked.url}"))
    page.on("response", lambda got: wrong.append(f"{got.status} {got.url}") if got.status >= 400 else None)
    page.on("request", lambda asked: wrong.append(asked.url) if "//127.0.0.1" not in asked.url else None)
    return wrong


def _cancelled(request: Request) -> bool:
    return request.failure == "net::ERR_ABORTED" and any(
        part in request.url for part in ("/assets/icono.", "/corte.json", ".js")
    )


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
    table = page.get_by_role("table", name="Votos por candidatura", exact=True)
    assert table.get_by_role("row").count() >= 9
    assert table.get_by_role("columnheader").all_inner_texts() == ["Candidatura", "Votos", "Porcentaje"]
    assert table.get_by_role("rowheader").count() >= 8
    page.close()
