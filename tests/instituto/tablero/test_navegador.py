"""The board in a real browser, over real nights: what is seen, how soon, how heavy, and that nothing jumps."""

from __future__ import annotations

import base64
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

import pytest

from pregon.instituto.tablero.modelo import SIGNOS
from pregon.instituto.tablero.vista import COLUMNAS
from tests.instituto.navegador import SHIFTS, axe_faults, chromium, fewer_rows, watch
from tests.instituto.tablero.conftest import atendida, copia
from tests.web.conftest import CLAVE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Locator, Page

    from pregon.instituto.tablero.modelo import Cuadro
    from pregon.instituto.tablero.servicio import Atendido
    from tests.instituto.tablero.noches import Noche

pytestmark = pytest.mark.xdist_group("noche-grande")
MAX_VISTA = 150_000
"""Bytes sent for a first view, in all."""
MAX_ESPERA_S = 1.0
"""From what happened to what is on screen."""
ALTURAS = (0.5, 1.1, 1.5, 2.4, 2.65)
"""Where a cell is looked at, of the three that it is high, at its middle."""
SILUETAS = {
    "D": "00011",
    "E": "00001",
    "A": "00011",  # as «D», but points: nothing at the edges of the cell
    "I": "10000",
    "N": "01010",
    "Q": "00100",
    "R": "01111",
    "S": "10011",
    "X": "11111",
    "-": "00000",
}
"""What is painted at each of those heights. Nothing here is a colour."""


@dataclass
class Sala:
    """A board that is attended, and the browser of somebody who is signed in."""

    noche: Noche
    sitio: Atendido
    browser: Browser
    sesion: Any

    @property
    def cuadro(self) -> Cuadro:
        return self.sitio.tablero.lector.cuadro

    @contextmanager
    def pagina(
        self, ruta: str = "", *, ancho: int = 1440, alto: int = 900, oscuro: bool = False, guiones: bool = True
    ) -> Iterator[Page]:
        """One page of it, in a window of that size; nothing may go wrong in it."""
        context = self.browser.new_context(
            viewport={"width": ancho, "height": alto},
            color_scheme="dark" if oscuro else "light",
            java_script_enabled=guiones,
            storage_state=self.sesion,
            reduced_motion="no-preference",
        )
        page = context.new_page()
        wrong = watch(page)
        page.goto(self.sitio.url + ruta)
        yield page
        context.close()
        assert [each for each in wrong if "/flujo" not in each] == []  # closing a page ends its stream

    def espera(self, page: Page) -> None:
        """Until the page shows the last moment that was read."""
        page.wait_for_function(
            "version => Number(document.getElementById('tablero').dataset.version) >= version",
            arg=self.cuadro.version,
            timeout=5000,
        )


@contextmanager
def sala(noche: Noche, browser: Browser) -> Iterator[Sala]:
    with atendida(noche) as sitio:
        context = browser.new_context()
        page = context.new_page()
        page.goto(sitio.url)
        page.fill("#cuenta", "ana")
        page.fill("#clave", CLAVE)
        page.keyboard.press("Enter")
        page.wait_for_url(sitio.url)
        session = context.storage_state()
        context.close()
        yield Sala(noche, sitio, browser, session)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def grande(noche_grande: Noche, browser: Browser) -> Iterator[Sala]:
    """100 difusores × 144 cuts."""
    with sala(noche_grande, browser) as found:
        yield found


@pytest.fixture
def chica(noche_chica: Noche, browser: Browser) -> Iterator[Sala]:
    """8 difusores × 12 cuts, for a test that changes them."""
    with sala(noche_chica, browser) as found:
        yield found


def seen(page: Page) -> list[dict[str, Any]]:
    """What each row of the page says, in their order."""
    found: list[dict[str, Any]] = page.evaluate(
        """() => [...document.querySelectorAll("#renglones tr")].map(row => ({
            id: row.id.slice(2),
            nombre: row.cells[0].querySelector("a").textContent,
            ahora: row.cells[1].textContent,
            fallas: row.cells[3].textContent,
        }))"""
    )
    return found


def silhouettes(page: Page, columns: int) -> list[list[str]]:
    """What is painted in each cell of each row: a digit for each of ``ALTURAS``, and one for the cell's left edge.

    Read from the picture of the screen itself, not from the page: another page, empty, takes it apart.
    """
    boxes = page.evaluate(
        """() => [...document.querySelectorAll("#renglones .t")].map(strip => {
            const ctm = strip.getScreenCTM();
            return {e: ctm.e, f: ctm.f + scrollY, scale: ctm.a};
        })"""
    )
    shot = base64.b64encode(page.screenshot(full_page=True)).decode()
    assert page.context.browser is not None
    reader = page.context.browser.new_page()
    found: list[list[str]] = reader.evaluate(
        """async ([data, boxes, columns, heights]) => {
            const bytes = Uint8Array.from(atob(data), each => each.charCodeAt(0));
            const image = await createImageBitmap(new Blob([bytes], {type: "image/png"}));
            const canvas = new OffscreenCanvas(image.width, image.height);
            const context = canvas.getContext("2d", {willReadFrequently: true});
            context.drawImage(image, 0, 0);
            const all = context.getImageData(0, 0, image.width, image.height).data;
            const at = (x, y) => {
                const i = 4 * (Math.round(y) * image.width + Math.round(x));
                return [all[i], all[i + 1], all[i + 2]];
            };
            return boxes.map(({e, f, scale}) => {
                const paper = at(e + scale * columns - 1.5 * scale, f - 3);
                const differs = (value, i) => Math.abs(value - paper[i]) > 60;
                const painted = (x, y) => at(e + x * scale, f + y * scale).some(differs) ? "1" : "0";
                return [...Array(columns).keys()].map(place =>
                    heights.map(y => painted(place + .42, y)).join("") + painted(place + .1, heights.at(-2)));
            });
        }""",
        [shot, boxes, columns, list(ALTURAS)],
    )
    reader.close()
    return found


def test_the_matrix_is_the_model_cell_by_cell(grande: Sala) -> None:
    """Read from the pixels: shape alone tells every letter."""
    board = grande.cuadro
    assert (len(board.difusores), len(board.cortes)) == (100, COLUMNAS)
    with grande.pagina() as page:
        rows = seen(page)
        assert [one["id"] for one in rows] == [one.id for one in board.difusores]
        assert [one["nombre"] for one in rows] == [one.nombre for one in board.difusores]
        assert [one["fallas"] for one in rows] == [str(one.fallas or "") for one in board.difusores]
        painted = silhouettes(page, COLUMNAS)
    checked = set()
    for own, row in zip(painted, board.difusores, strict=True):
        for place, (found, letter) in enumerate(zip(own, row.celdas, strict=True)):
            assert found[:-1] == SILUETAS[letter], (row.id, place, letter, found)
            assert letter != "D" or found[-1] == "1"  # not points, as of «A»
            checked.add(letter)
    assert {"D", "R", "X", "S", "N", "Q", "I"} <= checked


def test_the_first_view_is_light(grande: Sala) -> None:
    """150 kB in all for 100 × 144, as sent, with nothing kept from before, until the stream said its first word."""
    with grande.pagina("entrar") as page:
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        flows: dict[str, int] = {}
        ended: dict[str, int] = {}
        session.on("Network.dataReceived", lambda one: _add(flows, one, "dataLength"))
        session.on("Network.loadingFinished", lambda one: _add(ended, one, "encodedDataLength"))
        page.goto(grande.sitio.url)
        page.wait_for_timeout(700)
        assert page.locator("#renglones tr").count() == 100
        # What ended, as it was sent; what stays open (the stream), as it came: it is not compressed.
        total = sum(ended.values()) + sum(many for ident, many in flows.items() if ident not in ended)
        assert len(ended) == 4  # the page, two styles, the script
        assert 10_000 < total <= MAX_VISTA, total

        assert len(page.content().encode()) < MAX_VISTA  # even where nothing on the way compresses


def _add(sent: dict[str, int], one: dict[str, Any], what: str) -> None:
    sent[one["requestId"]] = sent.get(one["requestId"], 0) + int(one[what])


SEES = """([part, text]) => new Promise((done, never) => {
    setTimeout(() => never(`${text} was not seen in ${part}`), 5000);
    const look = () => {
        if (!document.querySelector(part)?.textContent.includes(text)) return false;
        requestAnimationFrame(() => done(Date.now()));
        return true;
    };
    const eye = new MutationObserver(() => { if (look()) eye.disconnect(); });
    eye.observe(document.getElementById("tablero"), {subtree: true, childList: true, characterData: true});
    if (look()) eye.disconnect();
})"""


def test_a_change_is_on_screen_within_a_second(grande: Sala) -> None:
    """Of the journal, of a signed cut and of a round, as their own rooms write them; 100 × 144 on screen."""
    noche, lags = grande.noche, []
    with grande.pagina() as page:
        page.wait_for_function("() => document.getElementById('enlace').textContent === ''")
        page.evaluate(f"void (window.ve = {SEES})")

        def watching(part: str, text: str) -> None:
            page.evaluate("([part, text]) => { window.visto = window.ve([part, text]); }", [part, text])

        def saw(since: float) -> None:
            lags.append(page.evaluate("window.visto") / 1000 - since)

        for place in range(3):
            watching("#sucesos", f"Llamó la consejera {place}")
            noche.workspace.state().record("nota", que=f"Llamó la consejera {place}")
            saw(time.time())
        slot = noche.slots
        watching("#ahora", f"{noche.corte(slot)}")
        noche.manda(slot)
        saw(time.time())
        watching("#r-difusor-050 td", "Sin respuesta")
        noche.mira(noche.firmado(slot) + timedelta(minutes=6), slot, {50: "S"})
        saw(time.time())
        grande.espera(page)
        assert [one["id"] for one in seen(page)] == [one.id for one in grande.cuadro.difusores]
        text = page.locator("#r-difusor-050").inner_text()
        assert "Difusora 050" in text
    assert sorted(lags)[len(lags) // 2] <= MAX_ESPERA_S, lags
    assert max(lags) <= 3 * MAX_ESPERA_S, lags  # whatever else this machine does meanwhile


def test_nothing_jumps_under_who_is_on_the_matrix(chica: Sala) -> None:
    """Rows change places only once nobody is on them; what is in them changes at once. Focus is kept throughout."""
    noche, slot = chica.noche, chica.noche.slots - 1
    late = noche.firmado(slot) + timedelta(minutes=6)
    with chica.pagina() as page:
        before = [one["id"] for one in seen(page)]
        own = "difusor-007"
        link = page.locator(f"#r-{own} a")
        link.focus()
        top = _place(link)
        noche.mira(late, slot, {7: "X", 0: "S"})
        page.locator(f"#r-{own} td.v", has_text="Alterado").wait_for(timeout=3000)
        chica.espera(page)
        assert [one["id"] for one in seen(page)] == before
        assert page.evaluate("document.activeElement.getAttribute('href')") == f"/difusor/{own}"
        assert _place(link) == top
        assert page.locator("#ordena").is_visible()
        page.click("#ordena")
        order = [one.id for one in chica.cuadro.difusores]
        assert order != before
        assert [one["id"] for one in seen(page)] == order
        assert page.locator("#ordena").is_hidden()
        page.evaluate("document.activeElement.blur()")
        page.mouse.move(5, 5)
        page.evaluate("document.querySelector('#decidir a').focus()")
        held = page.evaluate("document.activeElement.getAttribute('href')")
        page.wait_for_timeout(600)  # what follows a click is not counted as a jump
        noche.mira(late + timedelta(minutes=1), slot, {7: "X", 6: "X", 5: "S"})
        page.wait_for_function(
            "order => [...document.querySelectorAll('#renglones tr')].map(row => row.id.slice(2)).join() === order",
            arg=",".join(_order_of(chica, {"difusor-005", "difusor-006", "difusor-007"})),
            timeout=5000,
        )
        assert page.evaluate("document.activeElement.getAttribute('href')") == held
        assert page.evaluate(SHIFTS) < 0.001


def _place(link: Locator) -> tuple[float, float]:
    box = link.bounding_box()
    assert box is not None
    return (box["x"], box["y"])


def _order_of(room: Sala, failing: set[str]) -> list[str]:
    """The model's order, once the round in which those fail was read."""
    limit = time.monotonic() + 5
    while time.monotonic() < limit:
        board = room.cuadro
        if {one.id for one in board.difusores if one.causa == "difusor"} == failing:
            return [one.id for one in board.difusores]
        time.sleep(0.02)
    raise AssertionError([(one.id, one.veredicto) for one in room.cuadro.difusores])


def test_cells_are_read_with_the_keyboard_and_the_pointer(chica: Sala) -> None:
    board = chica.cuadro
    names = {one.id: one for one in board.difusores}
    with chica.pagina() as page:
        first, second = board.difusores[:2]
        page.locator(f"#r-{first.id} a").focus()
        page.keyboard.press("ArrowLeft")
        said = page.locator("#lectura")
        newest = board.cortes[-1]
        name = SIGNOS[first.celdas[-1]].nombre
        assert f"{first.nombre}, corte {newest.n} de las" in said.inner_text()
        assert said.inner_text().endswith(f": {name}")
        for _ in range(3):
            page.keyboard.press("ArrowLeft")
        assert said.inner_text().endswith(f": {SIGNOS[first.celdas[-4]].nombre}")
        page.keyboard.press("ArrowDown")
        assert page.evaluate("document.activeElement.getAttribute('href')") == f"/difusor/{second.id}"
        assert said.inner_text().startswith(f"{second.nombre}, ")
        assert said.inner_text().endswith(f": {SIGNOS[second.celdas[-4]].nombre}")
        strip = page.locator("#r-difusor-004 .t").bounding_box()
        assert strip is not None
        page.mouse.move(strip["x"] + strip["width"] - 3, strip["y"] + strip["height"] / 2)
        assert said.inner_text().endswith(f": {SIGNOS[names['difusor-004'].celdas[-1]].nombre}")
        page.locator(f"#r-{second.id} a").focus()
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/difusor/{second.id}")
        assert second.porque in page.locator("main").inner_text()


@pytest.mark.parametrize(
    ("ruta", "vistas"),
    [
        ("", [(360, 740, "light"), (360, 740, "dark"), (1440, 900, "dark"), (1440, 900, "light")]),
        ("?muro", [(3840, 2160, "light"), (3840, 2160, "dark")]),
        ("difusor/difusor-001", [(360, 740, "dark"), (1440, 900, "light")]),
        ("bitacora", [(360, 740, "light"), (1440, 900, "dark")]),
    ],
    ids=["tablero", "muro", "difusor", "bitacora"],
)
def test_axe_finds_nothing(calma: Sala, ruta: str, vistas: list[tuple[int, int, Literal["light", "dark"]]]) -> None:
    ancho, alto, _ = vistas[0]
    with calma.pagina(ruta, ancho=ancho, alto=alto) as page:
        for ancho, alto, _ in vistas:
            page.set_viewport_size({"width": ancho, "height": alto})
            assert page.evaluate("document.documentElement.scrollWidth") <= ancho
        if ruta:
            fewer_rows(page)  # the board's own rows would come back with the next word of its stream
        for ancho, alto, tinta in vistas:
            page.set_viewport_size({"width": ancho, "height": alto})
            page.emulate_media(color_scheme=tinta)
            assert axe_faults(page) == [], (ancho, tinta)


@pytest.fixture(scope="module")
def calma(_chica: Noche, browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sala]:
    """A small night that no test changes."""
    with sala(copia(_chica, tmp_path_factory.mktemp("calma")), browser) as found:
        yield found


def test_it_is_all_there_without_scripts(calma: Sala) -> None:
    board = calma.cuadro
    with calma.pagina("?corte=3", guiones=False) as page:
        assert [each.get_attribute("id") for each in page.locator("#renglones tr").all()] == [
            f"r-{one.id}" for one in board.difusores
        ]
        assert "Propagación del corte 3" in page.locator("#curva h2").inner_text()
        page.click("#curva >> text=corte 4")
        assert "Propagación del corte 4" in page.locator("#curva h2").inner_text()
        page.click(f"#r-{board.difusores[0].id} a")
        assert board.difusores[0].porque in page.locator("main").inner_text()
        page.click("text=Corte por corte >> xpath=.. >> summary")
        cells = page.locator("table.cortes [data-celda]").all_inner_texts()
        assert cells == [SIGNOS[letter].nombre for letter in reversed(board.difusores[0].celdas)]


def test_the_curve_of_another_cut_stays_while_the_board_goes_on(chica: Sala) -> None:
    with chica.pagina() as page:
        chosen = page.locator("#curva h2")
        page.click("#curva >> text=← corte")
        chosen.filter(has_text="corte 9 de").wait_for(timeout=3000)
        assert page.evaluate("location.search") == "?corte=9"
        chica.noche.manda(chica.noche.slots)
        page.locator("#ahora", has_text="11").wait_for(timeout=3000)
        assert "corte 9 " in chosen.inner_text()
        page.click("#curva >> text=el más reciente")
        chosen.filter(has_text="corte 11 de").wait_for(timeout=3000)


@pytest.mark.parametrize(("ancho", "alto"), [(3840, 2160), (1920, 1080), (3440, 1440)])
def test_a_wall_is_read_from_afar(grande: Sala, ancho: int, alto: int) -> None:
    """No scrolling, the worst ones, and letters of a 150th of the height for what must be read at five metres."""
    with grande.pagina("?muro", ancho=ancho, alto=alto) as page:
        sizes = page.evaluate(
            """() => ["#renglones a", ".cuentas", "#decidir p", "#reloj", ".cifras dt", ".resto"]
                .map(each => document.querySelector(each)).map(each => parseFloat(getComputedStyle(each).fontSize))"""
        )
        assert min(sizes) >= alto / 50
        assert page.evaluate("document.documentElement.scrollHeight") <= alto
        assert page.locator("nav, form, button:visible").count() == 0
        shown = [row for row in page.locator("#renglones tr").all() if row.is_visible()]
        assert len(shown) == 13
        for each in (shown[0], shown[-1], page.locator(".resto")):
            box = each.bounding_box()
            assert box is not None
            assert box["y"] + box["height"] <= alto
        last, rest = shown[-1].bounding_box(), page.locator(".resto").bounding_box()
        assert last is not None
        assert rest is not None
        assert last["y"] + last["height"] <= rest["y"] + 1
        assert "87 más" in page.locator(".resto").inner_text()
        assert [row.get_attribute("id") for row in shown] == [f"r-{one.id}" for one in grande.cuadro.difusores[:13]]
        axis, words, told = page.evaluate(
            """() => { const inside = which => [...document.querySelectorAll(`#curva .grafica > ${which}`)]
                    .map(each => each.getBoundingClientRect());
                return [inside("svg")[0].bottom, inside('text[y="100%"]').map(each => [each.top, each.bottom]),
                    document.getElementById("d-curva").getBoundingClientRect().top]; }"""
        )
        assert len(words) > 2
        assert [each for each in words if each[0] < axis - 1 or each[1] > told + 1] == [], (
            axis,
            told,
        )  # Nothing is across them.


def test_a_page_says_that_it_lost_the_board_and_gets_what_it_missed(chica: Sala) -> None:
    sender, state = chica.sitio.tablero.emisor, chica.noche.workspace.state()
    with chica.pagina() as page:
        page.wait_for_function("() => document.getElementById('enlace').textContent === ''")
        _until(lambda: sender.oyentes == 1)
        for each in list(sender._listeners):
            each.pone(None)  # the connection, cut
        page.locator("#enlace", has_text="Sin conexión con el tablero").wait_for(timeout=5000)
        assert page.locator("#renglones tr").count() == 8  # what was seen stays
        state.record("nota", que="Volvió la luz")
        page.locator("#sucesos", has_text="Volvió la luz").wait_for(timeout=8000)
        assert page.locator("#enlace").inner_text() == ""


def test_who_is_not_seen_does_not_listen(chica: Sala) -> None:
    """A browser has six connections for a site: the seventh page of somebody would wait for ever."""
    sender, state = chica.sitio.tablero.emisor, chica.noche.workspace.state()
    hide = "hidden => { Object.defineProperty(document, 'hidden', {value: hidden, configurable: true}); "
    hide += "document.dispatchEvent(new Event('visibilitychange')); }"
    with chica.pagina() as page:
        _until(lambda: sender.oyentes == 1)
        page.evaluate(hide, arg=True)
        _until(lambda: sender.oyentes == 0)
        version = chica.cuadro.version
        state.record("nota", que="Nadie miraba")
        _until(lambda: chica.cuadro.version > version)
        assert "Nadie miraba" not in page.locator("#sucesos").inner_text()
        page.evaluate(hide, arg=False)
        page.locator("#sucesos", has_text="Nadie miraba").wait_for(timeout=3000)


def _until(holds: Callable[[], bool]) -> None:
    limit = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < limit
        time.sleep(0.02)


def test_the_page_of_a_difusor_says_that_there_is_more(chica: Sala) -> None:
    noche, slot = chica.noche, chica.noche.slots - 1
    with chica.pagina("difusor/difusor-007") as page:
        assert not page.locator("#novedad").is_visible()
        noche.mira(noche.firmado(slot) + timedelta(minutes=6), slot, {7: "X"})
        _order_of(chica, {"difusor-007"})
        page.locator("#novedad").wait_for(state="visible", timeout=3000)
        page.click("#novedad a")
        page.wait_for_load_state()
        assert "Alterado" in page.locator(".veredicto").inner_text()
        assert "no coincide" in page.locator("main").inner_text()
        numbers = page.locator("tr[id^='o-'] th").all_inner_texts()
        assert sorted(map(int, numbers), reverse=True) == [int(one) for one in numbers]


def test_the_journal_is_filtered(calma: Sala) -> None:
    with calma.pagina("bitacora", ancho=360) as page:
        page.select_option("#f-difusor", "difusor-001")
        page.select_option("#f-tono", "mal")
        page.click("text=Filtrar")
        page.wait_for_url("**difusor=difusor-001**")
        rows = page.locator("table.libro tbody tr:not(.dia)").all_inner_texts()
        assert rows
        assert all("difusor-001" in row and "Grave" in row for row in rows)
        assert page.locator("#f-difusor").input_value() == "difusor-001"
