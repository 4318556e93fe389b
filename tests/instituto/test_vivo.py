"""An open page through the night, in a real browser: new cuts, an aviso, a cut that does not come, wrong clocks."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from jinja2 import Environment, PackageLoader
from playwright.sync_api import expect

from pregon.base.clock import ManualClock
from pregon.difusor import pages
from pregon.trust.aviso import TODOS, Aviso
from tests.instituto.conftest import HORA, INICIO, Night, unpack
from tests.instituto.navegador import SHIFTS, Traffic, numbers, serving, watch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Page, Route

UNIT, QUIET = "dip/distrito-001/index.html", "dip/distrito-002/index.html"
CONTEST, COVER = "dip/index.html", "index.html"
"""A unit that changes in each cut, one that never does, and two pages that state every cut."""
HOURS = tuple(HORA + timedelta(minutes=20 * n) for n in range(5))
"""22:40, 23:00, 23:20, 23:40 and 0:00, the last of them the closing cut."""
LATE = re.compile("debió haber un corte nuevo")
WORDS = ".fija .siguiente"


@dataclass
class Sitio:
    """A site at ``url``/prep/ and the hour of the night there. ``show`` publishes a cut; ``aviso`` takes all away."""

    url: str
    publico: Path
    folders: tuple[Path, ...]
    retirado: Path
    hora: datetime = HORA

    def show(self, number: int) -> None:
        self._point(self.folders[number - 1])

    def aviso(self) -> None:
        self._point(self.retirado)

    def _point(self, folder: Path) -> None:
        new = self.publico.with_name("nuevo")
        new.symlink_to(folder, target_is_directory=True)
        new.replace(self.publico)


@pytest.fixture(scope="module")
def noche(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sitio]:
    folder = tmp_path_factory.mktemp("noche")
    night = Night(folder, ManualClock(INICIO))
    space = night.create()
    cuts = [
        unpack(night.cut(space, hora, votes=str(40 + place), ultimo=hora == HOURS[-1]), folder / str(place))
        for place, hora in enumerate(HOURS)
    ]
    aviso = folder / "aviso"
    aviso.mkdir()
    page = pages.aviso(space.convocatoria)
    # What a difusor writes for its own workspace (difusor.pages.contents), without making one.
    templates = Environment(loader=PackageLoader("pregon.difusor", "plantillas"), autoescape=True)
    text = templates.get_template("pagina.html").render(
        titulo=page.titulo, parrafos=page.parrafos, estilo="", convocatoria=space.convocatoria, ambiente="oficial"
    )
    (aviso / "index.html").write_text(text)
    for place, release in enumerate((*cuts, aviso)):
        for path in release.rglob("*"):
            moment = INICIO.timestamp() + 60 * place  # this server's only validator is a date, in whole seconds
            os.utime(path, (moment, moment))
    root = folder / "raiz"
    root.mkdir()
    site = Sitio("", root / "prep", tuple(cuts), aviso)
    with serving(root, lambda: site.hora) as url:
        site.url = url
        yield site


class Lector:
    """Someone with a page open: its time passes together with that of the site, unless their clock is off."""

    def __init__(self, browser: Browser, noche: Sitio, hora: datetime, *, desfase: timedelta = timedelta(0)) -> None:
        self.noche = noche
        self.context: BrowserContext = browser.new_context(viewport={"width": 360, "height": 740})
        self.page: Page = self.context.new_page()
        self.traffic = Traffic(self.page)
        noche.hora = hora
        self.page.clock.install(time=hora + desfase)

    @property
    def asked(self) -> list[str]:
        return [url.removeprefix(f"{self.noche.url}/prep/") for url in self.traffic.asked]

    def opens(self, kind: str) -> Page:
        self.page.goto(f"{self.noche.url}/prep/{kind}")
        self.traffic.comes("assets/relevo.")  # the last of its modules
        self.rests()
        return self.page

    def waits(self, hora: datetime) -> None:
        """Until that hour, and until what was asked then has been answered."""
        step = hora - self.noche.hora
        self.noche.hora = hora
        self.page.clock.fast_forward(int(step.total_seconds() * 1000))
        self.rests()

    def rests(self) -> None:
        self.traffic.rests()

    @property
    def questions(self) -> int:
        return self.asked.count("corte.json")

    @property
    def words(self) -> str:
        return self.page.locator(WORDS).inner_text()


def at(hour: int, minute: int, second: int = 0) -> datetime:
    moment = HORA.replace(hour=hour, minute=minute, second=second)
    return moment if hour >= 20 else moment + timedelta(days=1)


@pytest.fixture
def lector(browser: Browser, noche: Sitio) -> Iterator[Lector]:
    noche.show(1)
    reader = Lector(browser, noche, at(22, 41))
    yield reader
    reader.context.close()


@pytest.mark.parametrize("kind", [COVER, CONTEST, UNIT])
def test_a_page_opened_before_works_for_three_further_cuts(lector: Lector, noche: Sitio, kind: str) -> None:
    wrong = watch(lector.page)
    page = lector.opens(kind)
    page.evaluate("window.mark = document.querySelector('main')")
    seen = [numbers(page)]
    for number, hora in enumerate(HOURS[1:4], 2):
        noche.show(number)
        lector.waits(hora + timedelta(seconds=61))
        expect(page.locator(WORDS)).to_have_text(f"Corte de las {hora:%H:%M}\u00a0h: cifras actualizadas")
        expect(page.locator("time").first).to_contain_text(f"{hora:%H:%M}\u00a0h (UTC−5)")
        seen.append(numbers(page))
        fresh = lector.context.new_page()
        fresh.goto(f"{noche.url}/prep/{kind}")
        assert seen[-1] == numbers(fresh)
        assert page.title() == fresh.title()
        assert page.locator("footer").inner_text() == fresh.locator("footer").inner_text()
        fresh.close()
    assert len({tuple(figures) for figures in seen}) == 4
    assert page.evaluate("window.mark === document.querySelector('main')")  # never loaded again
    assert wrong == []


# --- the reader's place ---


def test_the_place_of_the_reader_stays(lector: Lector, noche: Sitio) -> None:
    page = lector.opens("gub/index.html")
    page.evaluate(
        """() => {
          const kept = Object.assign(document.createElement("div"), { id: "de-otro", innerHTML: "<input id=texto>" });
          kept.setAttribute("data-conserva", "");
          document.querySelector("main").prepend(kept);
          document.querySelector("details.desglose").open = true;
          document.querySelector("#texto").value = "0123";
          document.addEventListener("pregon:corte", (event) => { window.told = event.detail.corte; });
        }"""
    )
    page.locator("table.unidades a").last.focus()
    page.evaluate(
        """() => {
          const name = document.querySelector("#partidos tbody tr:last-child th");
          getSelection().selectAllChildren(name);
          scrollTo({ top: name.getBoundingClientRect().top + scrollY - 300, behavior: "instant" });
          window.read = name;
          window.focused = document.activeElement;
        }"""
    )
    place = (
        "() => [scrollY > 0, Math.round(read.getBoundingClientRect().top), getSelection().toString(), read.isConnected]"
    )
    before, figures = page.evaluate(place), numbers(page)
    assert before[0]
    assert before[2]
    noche.show(2)
    lector.waits(at(23, 1, 1))
    expect(page.locator(WORDS)).to_contain_text("cifras actualizadas")
    assert numbers(page) != figures
    assert page.evaluate(place) == before
    assert page.evaluate("document.activeElement === focused && focused.isConnected")
    assert page.evaluate("document.querySelector('details.desglose').open")
    assert page.evaluate("document.querySelector('#texto').value") == "0123"
    assert page.evaluate("window.told") == 2


def test_what_stands_above_may_grow_and_the_line_being_read_does_not_move(lector: Lector, noche: Sitio) -> None:
    page = lector.opens(CONTEST)

    mark = '<div class="columnas">'
    longer = (noche.folders[1] / CONTEST).read_text().replace(mark, "<p>Una nota que no estaba.</p>" * 9 + mark, 1)
    page.route(f"**/prep/{CONTEST}", lambda route: route.fulfill(body=longer, content_type="text/html"))
    measure = "() => document.querySelector('#partidos').getBoundingClientRect().top"
    page.evaluate(f"scrollTo({{ top: ({measure})() + scrollY - 250, behavior: 'instant' }})")
    before, height = page.evaluate(measure), page.evaluate("document.body.scrollHeight")
    noche.show(2)
    lector.waits(at(23, 1, 1))
    expect(page.locator(WORDS)).to_contain_text("cifras actualizadas")
    assert page.evaluate("document.body.scrollHeight") > height + 150
    assert abs(page.evaluate(measure) - before) <= 1


def test_a_reader_at_the_top_stays_there_and_nothing_jumps(lector: Lector, noche: Sitio) -> None:
    page = lector.opens(COVER)
    height = page.locator(".fija").bounding_box()
    noche.show(2)
    lector.waits(at(23, 1, 1))
    expect(page.locator(WORDS)).to_contain_text("cifras actualizadas")
    assert page.evaluate("scrollY") == 0
    assert page.locator(".fija").bounding_box() == height
    assert page.evaluate(SHIFTS) == 0
    lector.waits(at(23, 1, 40))
    expect(page.locator(WORDS)).to_have_text("Siguiente corte: 23:20\u00a0h")


# --- pages of units, which may keep their bytes (docs/adr/0006) ---


@pytest.mark.parametrize("width", [320, 480, 768, 928, 1440])
def test_a_unit_that_did_not_change_tells_the_current_cut_and_nothing_moves(
    lector: Lector, noche: Sitio, width: int
) -> None:
    lector.page.set_viewport_size({"width": width, "height": 800})
    page = lector.opens(QUIET)
    expect(page.locator(WORDS)).to_have_text("Vigentes hasta el corte en que cambien")
    before, height = numbers(page), page.locator("p.corte").bounding_box()
    for number, hora in enumerate(HOURS[1:3], 2):
        noche.show(number)
        lector.waits(hora + timedelta(seconds=61))
        expect(page.locator(WORDS)).to_have_text("Distrito sin cambios desde las 22:40\u00a0h")
        expect(page.locator("time")).to_have_text(f"6 de junio de 2021, {hora:%H:%M}\u00a0h (UTC−5), Tiempo del Centro")
        assert page.locator("time").get_attribute("datetime") == f"2021-06-06T{hora:%H:%M}:00-05:00"
    assert page.locator("p.corte").bounding_box() == height
    assert page.evaluate(SHIFTS) == 0
    assert numbers(page) == before
    lector.waits(at(23, 30))
    page.reload()  # it comes with its own hour again, and finds out at once
    expect(page.locator(WORDS)).to_have_text("Distrito sin cambios desde las 22:40\u00a0h")
    noche.show(5)
    lector.waits(at(23, 59))
    lector.waits(HOURS[4] + timedelta(seconds=61))
    expect(page.locator("time").first).to_contain_text("7 de junio de 2021, 00:00")
    lector.waits(HOURS[4] + timedelta(minutes=2))
    expect(page.locator(WORDS)).to_have_text("Último corte")


# --- how often it asks ---


def test_questions_are_few(lector: Lector, noche: Sitio) -> None:
    lector.opens(COVER)
    for minute in range(42, 60):
        lector.waits(at(22, minute))
    assert lector.questions == 0  # nothing is asked before the next cut is due
    for minute in range(2):
        lector.waits(at(23, minute, 1))
    assert lector.questions == 1
    for minute in range(2, 32):
        for second in (0, 20, 40):
            lector.waits(at(23, minute, second))
    assert 18 <= lector.questions <= 30  # every minute or somewhat more, while it is late
    noche.show(2)
    lector.waits(at(23, 33, 30))
    expect(lector.page.locator("time").first).to_contain_text("23:00")


def test_after_the_closing_cut_no_more_than_hourly(browser: Browser, noche: Sitio) -> None:
    noche.show(5)
    reader = Lector(browser, noche, at(0, 5))
    page = reader.opens(COVER)
    expect(page.locator(WORDS)).to_have_text("Último corte")
    for minutes in range(5, 305, 5):
        reader.waits(at(0, 5) + timedelta(minutes=minutes))
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        reader.rests()
    assert 3 <= reader.questions <= 5
    expect(page.locator(WORDS)).to_have_text("Último corte")  # and it is never old
    reader.context.close()


def test_a_hidden_tab_is_silent_and_asks_when_it_is_seen(lector: Lector, noche: Sitio) -> None:
    page = lector.opens(COVER)
    hide(page, hidden=True)
    for minute in range(42, 60):
        lector.waits(at(22, minute))
    for minute in range(30):
        lector.waits(at(23, minute))
    assert lector.questions == 0
    noche.show(2)
    hide(page, hidden=False)
    expect(page.locator("time").first).to_contain_text("23:00")
    assert lector.questions == 1
    for _ in range(5):
        hide(page, hidden=True)
        hide(page, hidden=False)
    lector.rests()
    assert lector.questions == 1


def hide(page: Page, *, hidden: bool) -> None:
    page.evaluate(
        """hidden => {
          Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
          document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


def test_without_network_it_asks_less_and_less_and_at_once_when_it_is_back(lector: Lector, noche: Sitio) -> None:
    page = lector.opens(COVER)
    lector.context.set_offline(True)
    tries: list[str] = []
    page.on("requestfailed", lambda request: tries.append(request.url))
    lector.waits(at(23, 0))
    for step in range(60):
        lector.waits(at(23, step, 30) if step < 59 else at(23, 59, 30))
    assert 8 <= len(tries) <= 18  # each 5 minutes in the end
    noche.show(2)
    lector.context.set_offline(False)
    page.evaluate("dispatchEvent(new Event('online'))")
    lector.rests()
    # The browser's own event may come a moment before its network does: then one of the next turns asks.
    for minute in (6, 12, 18):
        if "23:00" not in page.locator("time").first.inner_text():
            lector.waits(at(0, minute))
    expect(page.locator("time").first).to_contain_text("23:00")


# --- a delay that the institute announced ---


def notices(noche: Sitio, text: str | None) -> Path:
    """What a difusor writes where the institute announced a delay at 23:05 (None: none holds)."""
    aviso = Aviso(1, "retraso", (TODOS,), "m", text or "-", at(23, 5))
    path = noche.folders[0] / "avisos.json"
    path.write_bytes(pages.notices(() if text is None else (aviso,)))
    return path


@pytest.mark.parametrize("kind", [COVER, UNIT])
def test_an_announced_delay_is_said_above_the_figures_until_the_cut_comes(
    lector: Lector, noche: Sitio, kind: str
) -> None:
    wrong = watch(lector.page)
    page = lector.opens(kind)
    path = notices(noche, '<b>Falló</b> la luz en el centro & "se repone"')
    line = page.locator("main > p.retraso:first-child")
    figures = numbers(page)
    lector.waits(at(23, 1, 1))
    lector.waits(at(23, 1, 2))
    expect(line).to_have_text(
        'El instituto avisó de un retraso a las 23:05\u00a0h: «<b>Falló</b> la luz en el centro & "se repone"»'
    )
    assert (line.get_attribute("role"), line.locator("b").count()) == ("status", 0)
    lector.waits(at(23, 10))
    expect(page.locator(WORDS)).to_contain_text(LATE)  # what the strip says stays
    assert numbers(page) == figures
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator("p.retraso").count() == 1
    noche.show(2)
    lector.waits(at(23, 15))
    expect(page.locator("time").first).to_contain_text("23:00")
    assert page.locator("p.retraso").count() == 0
    assert wrong == []
    path.unlink()


def test_a_delay_that_ended_is_said_no_more_and_none_is_said_before_the_hour(lector: Lector, noche: Sitio) -> None:
    path = notices(noche, "Falló la luz.")
    page = lector.opens(COVER)
    lector.waits(at(22, 59))
    assert not any("avisos.json" in url or "retraso" in url for url in lector.asked)
    lector.waits(at(23, 1, 1))
    lector.waits(at(23, 1, 2))
    expect(page.locator("p.retraso")).to_contain_text("Falló la luz.")
    path.write_text("{")  # nothing was learnt: it stands
    lector.waits(at(23, 5))
    expect(page.locator("p.retraso")).to_contain_text("Falló la luz.")
    notices(noche, None)
    lector.waits(at(23, 10))
    assert page.locator("p.retraso").count() == 0
    path.unlink()


def test_a_site_without_notices_says_nothing_and_is_asked_for_them_once(lector: Lector, noche: Sitio) -> None:
    page = lector.opens(COVER)
    for minute in range(1, 11):
        lector.waits(at(23, minute, 1))
    assert lector.questions > 2
    assert lector.asked.count("avisos.json") == 1
    assert page.locator("p.retraso").count() == 0
    expect(page.locator(WORDS)).to_contain_text(LATE)


# --- an aviso wins ---


@pytest.mark.parametrize("kind", [COVER, UNIT])
def test_a_site_that_stopped_publishing_is_told_and_its_figures_fade(lector: Lector, noche: Sitio, kind: str) -> None:
    page = lector.opens(kind)
    figures, ink = numbers(page), page.evaluate("getComputedStyle(document.querySelector('main')).color")
    noche.aviso()
    lector.waits(at(23, 1, 1))
    expect(page.locator(WORDS)).to_have_text(
        "Este sitio dejó de publicar por ahora: Este sitio no muestra resultados por el momento"
    )
    assert page.locator(f"{WORDS} a").get_attribute("href") == f"{noche.url}/prep/"
    assert numbers(page) == figures  # there, but not as current
    assert page.evaluate("getComputedStyle(document.querySelector('main')).color") != ink
    assert page.evaluate("getComputedStyle(document.querySelector('main')).filter") == "grayscale(1)"
    lector.waits(at(23, 10))  # also when it is old: who does not publish is not late
    assert not LATE.search(lector.words)
    asked = lector.questions
    for minute in range(11, 31):
        lector.waits(at(23, minute))
    assert 3 <= lector.questions - asked <= 8
    noche.show(3)
    lector.waits(at(23, 36, 30))
    expect(page.locator("time").first).to_contain_text("23:20")
    assert page.locator(".fija").get_attribute("data-estado") is None
    assert page.evaluate("getComputedStyle(document.querySelector('main')).color") == ink


def test_a_site_that_publishes_again_the_same_cut_says_what_it_said(lector: Lector, noche: Sitio) -> None:
    noche.show(2)
    noche.hora = at(23, 1)
    page = lector.opens(QUIET)
    lector.waits(at(23, 2))
    expect(page.locator(WORDS)).to_have_text("Distrito sin cambios desde las 22:40\u00a0h")
    noche.aviso()
    hide(page, hidden=False)
    expect(page.locator(WORDS)).to_contain_text("dejó de publicar")
    noche.show(2)
    lector.waits(at(23, 10))
    expect(page.locator(WORDS)).to_have_text("Distrito sin cambios desde las 22:40\u00a0h")


def test_a_fault_of_the_server_is_no_aviso(lector: Lector, noche: Sitio) -> None:
    """corte.json missing while the cover is a page of results; or answers that mean nothing: no words, no change."""
    page = lector.opens(COVER)
    before = page.content()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    for fault in (
        {"status": 404, "body": "no"},
        {"status": 500, "body": "no"},
        {"status": 200, "body": "<"},
        {"status": 200, "body": '{"formato": "pregon/corte/2", "corte": 9}'},
        {"status": 200, "body": "{}"},
    ):
        page.unroute("**/corte.json")
        page.route("**/corte.json", partial(_answer, fault))
        asked = lector.questions
        noche.hora = at(22, 42)
        lector.page.clock.fast_forward(70_000)
        hide(page, hidden=False)
        lector.rests()
        assert lector.questions > asked
        assert page.content() == before
    assert errors == []


def _answer(fault: dict[str, Any], route: Route) -> None:
    route.fulfill(**fault)


def test_a_page_that_a_new_cut_no_longer_has_says_so(lector: Lector, noche: Sitio) -> None:
    page = lector.opens(UNIT)
    figures = numbers(page)
    noche.show(2)
    page.route(f"**/{UNIT}", lambda route: route.fulfill(status=404, body="no"))
    lector.waits(at(23, 1, 1))
    expect(page.locator(WORDS)).to_have_text(
        "Esta página ya no existe en el corte de las 23:00\u00a0h. Ir a la portada"
    )
    assert page.locator(f"{WORDS} a").get_attribute("href") == f"{noche.url}/prep/index.html"
    assert numbers(page) == figures
    page.unroute(f"**/{UNIT}")
    noche.show(3)
    lector.waits(at(23, 21, 1))
    expect(page.locator(WORDS)).to_have_text("Corte de las 23:20\u00a0h: cifras actualizadas")
    assert numbers(page) != figures


# --- nothing mixed ---


def test_a_page_made_with_other_assets_is_offered_and_not_put_in(lector: Lector, noche: Sitio) -> None:
    page = lector.opens(f"{CONTEST}?desde=medio#contenido")
    figures = numbers(page)
    other = re.sub(r"estilo\.[0-9a-f]{12}", "estilo.000000000000", (noche.folders[1] / CONTEST).read_text())
    page.route(f"**/{CONTEST}*", lambda route: route.fulfill(body=other, content_type="text/html"))
    noche.show(2)
    lector.waits(at(23, 1, 1))
    expect(page.locator(WORDS)).to_have_text("Hay un corte más reciente. Actualizar")
    assert numbers(page) == figures
    expect(page.locator("time").first).to_contain_text("22:40")
    page.unroute(f"**/{CONTEST}*")
    page.locator(f"{WORDS} a").click()
    expect(page.locator("time").first).to_contain_text("23:00")
    assert numbers(page) != figures
    assert page.url.endswith(f"{CONTEST}?desde=medio")


def test_an_edge_that_still_has_the_page_of_before_changes_nothing(lector: Lector, noche: Sitio) -> None:
    page = lector.opens(CONTEST)
    figures = numbers(page)
    old = (noche.folders[0] / CONTEST).read_text()
    page.route(f"**/{CONTEST}", lambda route: route.fulfill(body=old, content_type="text/html"))
    noche.show(2)
    lector.waits(at(23, 1, 1))
    expect(page.locator("time").first).to_contain_text("22:40")
    assert numbers(page) == figures
    page.unroute(f"**/{CONTEST}")
    lector.waits(at(23, 3))
    expect(page.locator("time").first).to_contain_text("23:00")


def test_a_rehearsal_and_an_election_are_never_put_one_in_the_other(lector: Lector, noche: Sitio) -> None:
    page = lector.opens(COVER)
    figures = numbers(page)
    cut = json.loads((noche.folders[1] / "corte.json").read_bytes()) | {"ambiente": "simulacro"}
    page.route("**/corte.json", lambda route: route.fulfill(json=cut))
    lector.waits(at(23, 1, 1))
    expect(page.locator(WORDS)).to_have_text("Este sitio publica ahora otros datos. Actualizar")
    assert numbers(page) == figures


# --- old ---


@pytest.mark.parametrize("network", ["sin red", "con red"])
@pytest.mark.parametrize("kind", [COVER, UNIT])
def test_a_page_says_that_it_is_old_at_its_hour_and_not_before(
    lector: Lector, noche: Sitio, kind: str, network: str
) -> None:
    page = lector.opens(kind)
    lector.context.set_offline(network == "sin red")
    for hora in (at(22, 59), at(23, 0, 30), at(23, 1, 40), at(23, 1, 59)):
        lector.waits(hora)
        assert not LATE.search(page.locator(WORDS).text_content() or ""), hora
    shifts, height = page.evaluate(SHIFTS), page.locator(".fija").bounding_box()
    lector.waits(at(23, 2, 30))
    expect(page.locator(WORDS)).to_have_text(
        "Estas cifras son de las 22:40\u00a0h; debió haber un corte nuevo a las 23:00\u00a0h"
    )
    assert page.locator(".fija").bounding_box() == height
    assert page.evaluate(SHIFTS) == shifts
    for width in (320, 639, 640, 927, 928, 1359, 1360, 1920):
        page.set_viewport_size({"width": width, "height": 740})
        assert page.locator(WORDS).evaluate("item => item.scrollWidth - item.clientWidth") <= 0, width
    lector.waits(at(0, 30))
    expect(page.locator(WORDS)).to_have_text(
        "Estas cifras son de las 22:40\u00a0h del 6 de junio; debió haber un corte nuevo a las 23:00\u00a0h"
    )
    lector.context.set_offline(False)
    noche.show(2)
    lector.waits(at(0, 36))
    expect(page.locator("time").first).to_contain_text("23:00")


@pytest.mark.parametrize("hours", [-9, 3, -100_000, 40_000])
@pytest.mark.parametrize("kind", [COVER, UNIT])
def test_a_clock_that_is_off_does_not_lie(browser: Browser, noche: Sitio, kind: str, hours: int) -> None:
    noche.show(1)
    reader = Lector(browser, noche, at(22, 45), desfase=timedelta(hours=hours))
    page = reader.opens(kind)
    own = page.locator(WORDS).text_content()
    for hora in (at(22, 50), at(22, 59), at(23, 1, 55)):
        reader.waits(hora)
        assert page.locator(WORDS).text_content() == own
    reader.waits(at(23, 2, 30))
    expect(page.locator(WORDS)).to_contain_text(LATE)
    noche.show(2)
    reader.waits(at(23, 4))
    expect(page.locator("time").first).to_contain_text("23:00")
    reader.context.close()


def test_a_clock_that_is_put_right_during_the_night_keeps_no_page_at_an_old_cut(browser: Browser, noche: Sitio) -> None:
    """Five hours ahead when the page was opened, then right: what was planned for «later» is five hours away."""
    noche.show(1)
    reader = Lector(browser, noche, at(22, 45), desfase=timedelta(hours=5))
    page = reader.opens(COVER)
    reader.waits(at(22, 50))
    page.clock.set_system_time(noche.hora)
    noche.show(2)
    for hora in (at(23, 0), at(23, 1), at(23, 2)):
        reader.waits(hora)
    expect(page.locator("time").first).to_contain_text("23:00")
    assert not LATE.search(reader.words)
    assert reader.questions <= 4  # putting it right costs one
    reader.context.close()


def test_a_clock_before_the_cut_says_nothing_without_network(browser: Browser, noche: Sitio) -> None:
    noche.show(1)
    reader = Lector(browser, noche, at(22, 45), desfase=timedelta(hours=-6))
    reader.page.route("**/corte.json", lambda route: route.abort())
    page = reader.opens(COVER)
    own = page.locator(WORDS).text_content()
    for hora in (at(23, 0), at(23, 30), at(0, 30)):
        reader.waits(hora)
        assert page.locator(WORDS).text_content() == own
    reader.context.close()


def test_from_a_folder_a_page_says_its_hour_and_that_it_could_not_ask(browser: Browser, noche: Sitio) -> None:
    context = browser.new_context()
    old = "Cifras de las 22:40\u00a0h del 6 de junio de 2021"
    due = "debió haber un corte nuevo a las 23:00\u00a0h"
    for kind, own, said in (
        (
            QUIET,
            "Vigentes hasta el corte en que cambien",
            f"{old}; no se pudo comprobar si hay otro corte",
        ),
        (COVER, "Siguiente corte: 23:00\u00a0h", f"{old.replace('Cifras', 'Estas cifras son')}; {due}"),
    ):
        page = context.new_page()
        page.goto((noche.folders[0] / kind).as_uri())
        page.wait_for_timeout(200)
        # A browser that runs no modules from a folder leaves the page's own words.
        assert page.locator(WORDS).text_content() in (said, own), kind
        assert page.locator("h1").is_visible()
    context.close()


def test_without_scripts_the_strip_states_the_next_cut(browser: Browser, noche: Sitio) -> None:
    noche.show(1)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{noche.url}/prep/{COVER}")
    expect(page.locator(WORDS)).to_have_text("Siguiente corte: 23:00\u00a0h")
    assert page.locator("[hidden]:visible").count() == 0
    context.close()


def test_a_replay_of_another_day_is_never_late(browser: Browser, tmp_path: Path) -> None:
    night = Night(tmp_path, ManualClock(INICIO), "simulacro")
    site = unpack(night.cut(night.create()), tmp_path / "sitio")
    with serving(site) as url:  # today, of figures of years ago
        context = browser.new_context()
        page = context.new_page()
        with page.expect_response("**/corte.json"):
            page.goto(f"{url}/{COVER}")
        page.wait_for_timeout(150)
        expect(page.locator(WORDS)).to_have_text("Siguiente corte: 23:00\u00a0h")
        context.close()


def test_inside_another_page_it_works_and_asks_once(browser: Browser, noche: Sitio) -> None:
    noche.show(2)
    (noche.publico.parent / "medio.html").write_text(
        f"<!doctype html><title>Medio</title><iframe src='prep/{QUIET}' width=600></iframe>"
    )
    reader = Lector(browser, noche, at(23, 1))
    page = reader.page
    page.route("**/medio.html", lambda route: route.fulfill(body=route.fetch().text(), content_type="text/html"))
    page.goto(f"{noche.url}/medio.html")
    frame = page.frame_locator("iframe")
    expect(frame.locator(".siguiente")).to_contain_text("Distrito sin cambios")
    for _ in range(3):
        frame.locator("body").evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    reader.rests()
    assert reader.questions == 1
    reader.context.close()
