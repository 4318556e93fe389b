"""A real browser, folders on the web for it to read, and what goes wrong in a page meanwhile."""

from __future__ import annotations

import shutil
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from playwright.sync_api import Browser, Page, Request

POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'"
"""The strictest under which the pages of a cut must work."""
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
LARGE = "--blink-settings=defaultFontSize=32"
"""Letters of twice the usual size, as readers set them in their browser."""
LOOK_MS = 20
QUIET_LOOKS = 5
SHIFTS = """() => new Promise(done => {
  let sum = 0;
  new PerformanceObserver(list => { for (const entry of list.getEntries()) sum += entry.value; })
    .observe({type: "layout-shift", buffered: true});
  setTimeout(() => done(sum), 150);
})"""
"""How far the page moved by itself: the layout shifts since it was opened."""
AXE = "axe.run({resultTypes: ['violations']}).then(found => found.violations)"
"""All rules on all elements; of what passes nothing is described and brought here, which took most of the time."""

FEWER_ROWS = """([first, alike]) => {
  const names = ["class", "role", "style", "hidden", "scope", "colspan", "rowspan", "tabindex", "aria-hidden"];
  const own = e => [e.localName, ...names.map(name => e.getAttribute(name))].join();
  const inside = e => e.ariaHidden === "true" ? "" : [...e.childNodes].map(look).join("");
  const look = e => e.nodeType === 1 ? `${own(e)}(${inside(e)})` : e.nodeType === 3 && e.data.trim() ? "text" : "";
  const path = e => e ? `${path(e.parentElement)}>${own(e)}` : "";
  const seen = new Map();
  for (const list of document.querySelectorAll("tbody, ul, ol")) {
    const place = path(list);
    [...list.children].forEach((child, number) => {
      const kind = place + look(child), before = seen.get(kind) ?? 0;
      seen.set(kind, before + 1);
      if (number >= first && before >= alike) child.remove();
    });
  }
}"""
"""Takes out of tables and lists what differs only in its words and figures from as many as are kept: same elements,
classes and roles, within and around. Of each table and list its first lines stay."""


class _Quiet(SimpleHTTPRequestHandler):
    def __init__(
        self, *args: Any, hora: Callable[[], datetime] | None, headers: Mapping[str, str], **options: Any
    ) -> None:
        self._hora = hora
        self._headers = headers
        super().__init__(*args, **options)

    def send_head(self) -> Any:
        # It would answer «not modified» by the second of a file's date, and two cuts are unpacked within one.
        del self.headers["If-Modified-Since"]
        return super().send_head()

    def date_time_string(self, timestamp: float | None = None) -> str:
        if timestamp is None and self._hora is not None:
            timestamp = self._hora().timestamp()
        return super().date_time_string(timestamp)

    def end_headers(self) -> None:
        for name, value in self._headers.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        del format, args


@contextmanager
def serving(
    folder: Path,
    hora: Callable[[], datetime] | None = None,
    *,
    policy: str = POLICY,
    cors: bool = False,
    always_asked: bool = False,
) -> Iterator[str]:
    """A folder on the web, ``hora`` o'clock there (None: what this machine says).

    ``policy``: the Content-Security-Policy of every answer, none if empty. ``cors``: pages of other sites may read it.
    ``always_asked``: a browser asks again for what it has, as of a difusor.
    """
    headers = {"Content-Security-Policy": policy} if policy else {}
    if cors:
        headers["Access-Control-Allow-Origin"] = "*"
    if always_asked:
        headers["Cache-Control"] = "no-cache"
    handler = partial(_Quiet, directory=str(folder), hora=hora, headers=headers)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def program() -> str:
    """Where the browser is."""
    found = shutil.which("chromium-headless-shell")
    assert found is not None, "chromium-headless-shell is missing: scripts/instala-debian.sh pruebas"
    return found


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser of this machine, without the windows that nobody looks at: a context costs a third of the time."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=program(), args=ARGUMENTS)
        yield found
        found.close()


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


class Traffic:
    """What a page asks for from here on, by address, and what of it has not been answered yet."""

    def __init__(self, page: Page) -> None:
        self.asked: list[str] = []
        self._page = page
        self._flying: list[Request] = []
        page.on("request", self._started)
        page.on("requestfinished", self._ended)
        page.on("requestfailed", self._ended)

    def _started(self, request: Request) -> None:
        self.asked.append(request.url)
        self._flying.append(request)

    def _ended(self, request: Request) -> None:
        self._flying.remove(request)

    def comes(self, part: str) -> None:
        """Until something with ``part`` in its address is asked for."""
        while not any(part in asked for asked in self.asked):
            self._page.wait_for_timeout(LOOK_MS)

    def rests(self, looks: int = 2) -> None:
        """Until nothing is being asked, ``looks`` times in a row: of the real time, not of the page's."""
        quiet = 0
        while quiet < looks:
            self._page.wait_for_timeout(LOOK_MS)
            quiet = 0 if self._flying else quiet + 1

    def visits(self, url: str) -> None:
        """Opens a page of a cut, until it asked for the last that a page asks for by itself, and all of it arrived."""
        del self.asked[:]
        self._page.goto(url)
        self.comes("/corte.json")
        self.rests(QUIET_LOOKS)


def axe_faults(page: Page) -> list[str]:
    """What axe finds wrong in a page as it is now: rule, what it asks, and up to three of the elements."""
    if page.evaluate("typeof axe === 'undefined'"):
        page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8"))
    return [
        f"{fault['id']}: {fault['help']} {[node['html'][:160] for node in fault['nodes'][:3]]}"
        for fault in page.evaluate(AXE)
    ]


def fewer_rows(page: Page) -> None:
    """Leaves of the lines of the page that are made alike a few of each kind: axe says the same of all of them.

    The time that axe takes is that of how many elements there are. Whoever calls it looks at nothing else in the page.
    """
    page.evaluate(FEWER_ROWS, [2, 4])


def _cancelled(request: Request) -> bool:
    return request.failure == "net::ERR_ABORTED" and any(
        part in request.url for part in ("/assets/icono.", "/corte.json", ".js")
    )


def numbers(page: Page) -> list[str]:
    """Every figure on screen, in the order of the page."""
    texts = page.locator("[data-votos], [data-cifra], [data-ventaja], [data-unidades]").all_inner_texts()
    return [text.strip() for text in texts]
