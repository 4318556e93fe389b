"""The page in a real browser, over a folder that the night's own writers fill: sizes, portals, and without scripts."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.instituto.navegador import axe_faults, chromium, serving, watch
from tests.simulacro.vivo.noches import Carpeta, resultado_de
from tests.simulacro.vivo.test_sitio import atendida

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from pregon.simulacro.vivo.sitio import Vivo

pytestmark = pytest.mark.xdist_group("vivo")
DIFUSORES = 10
FALLAS: tuple[dict[str, Any], ...] = (
    {"clase": "corrompido", "corte": 2, "difusor": "difusor-7"},
    {"clase": "disco_lleno", "corte": 2, "difusor": "difusor-3"},
    {"clase": "enlace_lento", "corte": 2, "difusor": "difusor-4", "periodos": 2},
    {"clase": "purga_negada", "corte": 3, "difusor": "difusor-1"},
    {"clase": "corte_tarde", "corte": 5, "minutos": 7},
    {"clase": "corte_omitido", "corte": 6},
)


@dataclass
class Sala:
    """A night under several faults, its view, and a browser."""

    noche: Carpeta
    vivo: Vivo
    url: str
    browser: Browser

    @contextmanager
    def pagina(
        self, ruta: str = "", *, ancho: int = 1440, alto: int = 900, oscuro: bool = False, guiones: bool = True
    ) -> Iterator[Page]:
        """The page, in a window of that size; nothing may go wrong in it."""
        context = self.browser.new_context(
            viewport={"width": ancho, "height": alto},
            color_scheme="dark" if oscuro else "light",
            java_script_enabled=guiones,
            reduced_motion="reduce",
        )
        page = context.new_page()
        wrong = watch(page)
        page.goto(self.url + ruta)
        yield page
        context.close()
        # The stream ends with the page, and a frame that shows another portal lets go of the one before.
        assert [each for each in wrong if not each.startswith("failed http://127.0.0.1:")] == []

    def cambia(self, page: Page) -> None:
        """Read the folder again, and wait until the page shows it."""
        assert self.vivo.lee(todo=True)
        version = self.vivo._version
        page.wait_for_function(f"() => Number(document.getElementById('contenido').dataset.version) >= {version}")


@pytest.fixture(scope="module")
def sala(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sala]:
    folder = tmp_path_factory.mktemp("vivo")
    portal = folder / "portal"
    portal.mkdir()
    (portal / "index.html").write_text("<!doctype html><html lang=es><title>Portal</title><h1>Portal</h1>")
    with serving(portal, policy="frame-ancestors http://127.0.0.1:*") as there:
        night = Carpeta(folder / "noche", difusores=DIFUSORES, cortes=8, entradas=FALLAS)
        night.reloj(20)
        night.abre(f"{there}/")
        night.firma(1)
        for name in night.encargo.difusores:
            for event in ("recibido", "verificado", "publicado", "visible"):
                night.acuse(name, event, 1)
        for n in (1, 2, 3):
            night.falla(n)
        night.reloj(40)
        night.firma(2)
        for number in (1, 2, 5, 6, 8, 9, 10):
            night.acuse(f"difusor-{number}", "publicado", 2)
        night.acuse("difusor-4", "recibido", 2)
        night.rechaza("difusor-7", "HASH")
        with atendida(night) as (url, view), chromium() as browser:
            yield Sala(night, view, url, browser)


@pytest.mark.parametrize(
    ("ancho", "alto", "letra"), [(360, 740, 13), (1920, 1080, 18), (3840, 2160, 36)], ids=["telefono", "sala", "muro"]
)
def test_it_fits_and_is_legible_on_a_phone_a_projector_and_a_wall(
    sala: Sala, ancho: int, alto: int, letra: int
) -> None:
    with sala.pagina(ancho=ancho, alto=alto) as page:
        page.wait_for_selector("#f-3.en_curso")
        size = page.evaluate("() => [document.documentElement.scrollWidth, document.body.scrollHeight]")
        assert size[0] <= ancho
        if ancho > 1000:
            assert size[1] <= alto  # All on one screen: nobody scrolls a projector.
        rows = page.locator("#cuadro tbody tr")
        assert rows.count() == DIFUSORES
        outside = page.eval_on_selector_all(
            "main *:not(.oculto)", "all => all.filter(each => each.getBoundingClientRect().left < 0).length"
        )
        assert outside == 0
        for place in (0, DIFUSORES - 1):
            box = rows.nth(place).bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= ancho
            if ancho > 1000:
                assert box["y"] + box["height"] <= alto
        sizes = page.eval_on_selector_all(
            "#cuadro td.c b, #ahora .grande, .e",
            "all => all.filter(each => each.offsetParent).map(each => parseFloat(getComputedStyle(each).fontSize))",
        )
        assert min(sizes) >= letra * 0.9
        cut = page.eval_on_selector_all(
            "#cuadro tbody :is(td, th)",
            "all => all.filter(each => each.offsetParent && each.scrollWidth > each.clientWidth + 1)"
            ".map(each => each.innerText)",
        )
        assert cut == []


@pytest.mark.parametrize("oscuro", [False, True], ids=["claro", "oscuro"])
def test_axe_finds_nothing(sala: Sala, *, oscuro: bool) -> None:
    with sala.pagina(ancho=1440, alto=900, oscuro=oscuro) as page:
        page.wait_for_selector("#f-3.en_curso")
        titles = page.eval_on_selector_all("iframe", "all => all.map(each => [each.title, each.remove()][0])")
        assert sorted(titles) == sorted(f"Portal de {ident}" for ident in _portals(page))
        assert axe_faults(page) == []


def test_what_is_seen_is_said_in_words_and_signs_too(sala: Sala) -> None:
    with sala.pagina() as page:
        cells = page.locator("#cuadro tbody td.c")
        said = page.eval_on_selector_all("#cuadro tbody td.c .oculto", "all => all.map(each => each.textContent)")
        assert cells.count() == len(said) == DIFUSORES * 8
        row = said[8 * 6 : 8 * 7]
        assert row[0].startswith("publicado, y visto en su dirección en 0.")
        assert row[1] == "no lo aceptó (HASH); falla 1"
        assert row[2] == "todavía no se firma"
        assert said[8 * 3 + 1] == "recibido y verificado; falla 3"
        assert page.locator("#f-1 .pista").get_attribute("aria-label") == "periodo 2"
        assert page.locator("#f-3 .pista").get_attribute("aria-label") == "periodos 2 a 3"


def _portals(page: Page) -> list[str]:
    found: list[str] = page.eval_on_selector_all(".portal", "all => all.map(each => each.dataset.id)")
    return found


def test_the_portals_under_a_fault_are_shown_until_somebody_chooses_others(sala: Sala) -> None:
    with sala.pagina() as page:
        page.wait_for_selector("#f-3.en_curso")
        assert set(_portals(page)) <= {"difusor-3", "difusor-4", "difusor-7"}
        page.get_by_role("radio", name="Cuatro").check()
        assert {"difusor-3", "difusor-4", "difusor-7"} < set(_portals(page))
        assert len(page.locator(".portal iframe").all()) == 4
        page.locator(".portal select").nth(1).select_option("difusor-9")
        assert _portals(page)[1] == "difusor-9"
        assert not page.get_by_label("Seguir las fallas").is_checked()
        chosen = _portals(page)
        address = page.url.removeprefix(sala.url)
        page.get_by_role("radio", name="Dos").check()
        assert _portals(page) == chosen[:2]
    with sala.pagina(address) as page:
        page.wait_for_selector("#f-3.en_curso")
        assert _portals(page) == chosen


def test_without_scripts_the_page_is_whole_and_the_address_chooses_the_portals(sala: Sala) -> None:
    with sala.pagina("?n=4&p=difusor-5&p=difusor-2&p=nadie", guiones=False) as page:
        assert _portals(page)[:2] == ["difusor-5", "difusor-2"]
        assert len(_portals(page)) == 4
        assert page.locator("#fallas tr.en_curso").count() == 3
        page.locator(".portal select").first.select_option("difusor-8")
        page.get_by_text("Mostrar", exact=True).click()
        assert _portals(page)[:2] == ["difusor-8", "difusor-2"]


def test_a_page_left_open_says_that_the_night_ended_and_keeps_what_it_shows(sala: Sala) -> None:
    """The last of this module: it ends the night."""
    with sala.pagina() as page:
        page.wait_for_selector("#f-3.en_curso")
        sala.noche.concluye({**resultado_de(ok=False, cumplio=False), "fallas": []})
        sala.cambia(page)
        assert "Algo no se cumplió" in page.locator("#ahora").inner_text()
        assert page.locator("#f-3").get_attribute("data-estado") == "terminada"
        sala.vivo.despide()
        page.wait_for_function("() => document.getElementById('enlace').textContent.includes('El ensayo terminó')")
        frozen = page.locator("#reloj").inner_text()
        page.wait_for_timeout(1200)
        assert page.locator("#reloj").inner_text() == frozen
        assert page.locator(".portal iframe").count() == 2


def test_a_page_left_open_goes_on_to_the_night_that_follows_at_its_address(sala: Sala, tmp_path: Path) -> None:
    first, second = Carpeta(tmp_path / "una", siguen=True), Carpeta(tmp_path / "otra", difusores=3)
    said = "() => document.getElementById('enlace').textContent"
    page = sala.browser.new_page()
    first.reloj(20)
    with atendida(first) as (url, view):
        page.goto(url)
        page.wait_for_selector("#cuadro tbody tr")
        first.concluye(resultado_de())
        view.despide()
        page.wait_for_function(f"{said}.includes('La que sigue aparece aquí sola')")
    assert page.locator("#cuadro tbody tr").count() == 2  # What was shown stays meanwhile.
    frozen = page.locator("#reloj").inner_text()
    page.wait_for_timeout(1200)
    assert page.locator("#reloj").inner_text() == frozen
    with atendida(second, puerto=int(url.rstrip("/").rpartition(":")[2])) as (_, view):
        page.wait_for_function("() => document.querySelectorAll('#cuadro tbody tr').length === 3")
        assert page.evaluate(said) == ""
        view.despide()  # Broken off: whatever was planned, nothing follows.
        page.wait_for_function(f"{said}.includes('se interrumpió antes de terminar')")
    page.close()
