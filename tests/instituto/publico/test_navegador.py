"""The public pages in a real browser: for anybody, on any screen, within a page of another, and when nobody renews."""

from __future__ import annotations

import gzip
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

import pytest
from playwright.sync_api import expect

from pregon.base.jsonio import canonical_json, compact_json
from pregon.instituto.publico import formas
from pregon.instituto.publico.fuente import ultimos_dictamenes
from pregon.instituto.publico.modelo import Actas, Contienda, Corte, Difusor, Disponibilidad, Noche, Publico, Retraso
from pregon.instituto.publico.paginas import LISTA, NOCHE, SITUACION, Paginas
from pregon.instituto.publico.sitio import ENLACE, Publicador
from pregon.instituto.registro import orden
from pregon.instituto.registro.lista import Renglon
from tests.instituto.navegador import ARGUMENTS, LARGE, SHIFTS, axe_faults, chromium, program, serving, watch
from tests.instituto.registro.fichas import ANA

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from tests.instituto.publico.noche import NochePublica

pytestmark = pytest.mark.xdist_group("publico")
PRIMERA_VISTA = 30_000
"""Bytes of a page with all that it asks for, as servers send them (gzip), of a whole night and a hundred difusores."""
CORTES = 144


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


class Casa:
    """That night, published in a folder on the web, on a clock that is told."""

    def __init__(self, noche: NochePublica, folder: Path) -> None:
        self.noche = noche
        self.folder = folder
        self.publicador = Publicador(noche.espacio, carpeta=folder)
        self.publica()

    def publica(self) -> None:
        self.publicador.publica(self.noche.firmas(), ultimos_dictamenes(self.noche.espacio))

    def hora(self) -> datetime:
        return self.noche.clock.now()


@pytest.fixture
def casa(noche: NochePublica, tmp_path: Path) -> Casa:
    return Casa(noche, tmp_path / "publico")


def abre(browser: Browser, url: str, **options: object) -> tuple[Page, list[str]]:
    page = browser.new_page(**options)  # type: ignore[arg-type]
    wrong = watch(page)
    page.goto(url)
    return page, wrong


def test_anybody_reads_them_on_any_screen_and_they_ask_for_nothing_elsewhere(browser: Browser, casa: Casa) -> None:
    views: tuple[tuple[Literal["light", "dark"], int], ...] = (("light", 1440), ("dark", 360))
    page = browser.new_page()
    wrong = watch(page)
    with serving(casa.folder / ENLACE, casa.hora) as url:
        for name in (LISTA, SITUACION, NOCHE):
            for scheme, width in views:
                page.goto("about:blank")
                page.emulate_media(color_scheme=scheme)
                page.set_viewport_size({"width": width, "height": 800})
                page.goto(f"{url}/{name}")
                expect(page.locator("#edad")).to_have_text("Hace menos de un minuto.")
                assert axe_faults(page) == [], (scheme, width, name)
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (width, name)
                assert page.evaluate(SHIFTS) < 0.1
                small = page.evaluate(
                    "[...document.querySelectorAll('nav a, .difusores a, summary, button:not([hidden])')]"
                    ".filter(one => one.getBoundingClientRect().height < 24).length"
                )
                assert small == 0, "each thing to press has 24 px (WCAG 2.5.8)"
                assert wrong == [], (scheme, width, name)
    page.close()


def test_very_large_letters_fit_a_phone(browser: Browser, casa: Casa) -> None:
    """Letters of 32 px, as a reader's own settings ask, in 360 px: the page itself never moves sideways."""
    large = browser.browser_type.launch(executable_path=program(), args=[*ARGUMENTS, LARGE])
    page = large.new_page(viewport={"width": 360, "height": 740})
    with serving(casa.folder / ENLACE, casa.hora) as url:
        for name in (LISTA, SITUACION, NOCHE):
            page.goto(f"{url}/{name}")
            assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "32px"
            assert page.evaluate("document.documentElement.scrollWidth") == 360, name
    large.close()


def test_without_script_nothing_is_missing(browser: Browser, casa: Casa) -> None:
    with serving(casa.folder / ENLACE) as url:
        context = browser.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto(f"{url}/{SITUACION}")
        expect(page.locator("#d-radio-dos")).to_contain_text("Muestra un corte anterior")
        expect(page.locator(".edad")).to_contain_text("Datos de las 21:29 h del 6 de junio de 2021.")
        page.get_by_role("link", name="La noche").click()
        expect(page.locator("#t-gub")).to_have_text("Gubernatura")
        context.close()


def test_the_newer_state_comes_by_itself_and_an_old_one_is_told(browser: Browser, casa: Casa) -> None:
    """The clock of the server counts, not the reader's, which is years away."""
    with serving(casa.folder / ENLACE, casa.hora) as url:
        page = browser.new_page()
        page.clock.install()
        wrong = watch(page)
        page.goto(f"{url}/{SITUACION}")
        page.clock.run_for(100)
        expect(page.locator("#edad")).to_have_text("Hace menos de un minuto.")
        expect(page.locator("#d-diario-uno")).to_contain_text("Al día")

        orden.ordena(casa.noche.espacio, "diario-uno", "suspendido", ANA)
        casa.noche.clock.instant += timedelta(seconds=20)
        casa.publica()
        page.clock.run_for(20_100)
        expect(page.locator("#d-diario-uno")).to_contain_text("Transmisión interrumpida")
        assert page.locator("#d-diario-uno a").count() == 0

        # Whoever is within it is not moved: a button waits.
        page.locator("#d-radio-dos a").focus()
        orden.ordena(casa.noche.espacio, "diario-uno", "activo", ANA)
        casa.noche.clock.instant += timedelta(seconds=20)
        casa.publica()
        page.clock.run_for(20_100)
        button = page.get_by_role("button", name="Ver los más recientes")
        expect(button).to_be_visible()
        expect(page.locator("#d-diario-uno")).to_contain_text("Transmisión interrumpida")
        assert page.evaluate("document.activeElement.textContent") == "Radio Dos de Champotón"
        button.click()
        expect(page.locator("#d-diario-uno a")).to_have_count(1)
        expect(button).to_have_count(0)

        # Nobody renews it: opera and the board are gone, the files stay and say so.
        casa.noche.clock.instant += timedelta(minutes=12)
        page.clock.run_for(20_100)
        told = page.locator("#edad")
        expect(told).to_have_text("Son de hace 12 minutos: el instituto no los ha actualizado.")
        assert axe_faults(page) == []
        assert wrong == []
        page.close()


def test_within_a_page_of_another_it_is_as_tall_as_it_needs_and_its_links_leave_the_frame(
    browser: Browser, casa: Casa, tmp_path: Path
) -> None:
    medio = tmp_path / "medio"
    medio.mkdir()
    with serving(casa.folder / ENLACE, casa.hora) as url, serving(medio, policy="") as otro:
        for name in ("difusores", "situacion", "noche"):
            (medio / f"{name}.html").write_text(
                f"<!doctype html><html lang=es-MX><title>Medio</title><main><h1>Medio</h1>"
                f"<script src='{url}/incrusta.js' data-pagina={name} async></script></main>"
            )
            page, wrong = abre(browser, f"{otro}/{name}.html", viewport={"width": 360, "height": 700})
            frame = page.frame_locator("iframe")
            expect(frame.locator("#edad")).to_have_text("Hace menos de un minuto.")
            page.wait_for_function("document.querySelector('iframe').offsetHeight !== 640")
            inside = frame.locator("html").evaluate(
                "html => [html.scrollHeight, innerHeight, html.scrollWidth <= innerWidth]"
            )
            assert inside[0] <= inside[1], "nothing is left to scroll within"
            assert inside[2]
            assert wrong == []  # axe writes to the frame, and the browser to the console
            assert axe_faults(page) == []
            if name == "difusores":
                link = frame.get_by_role("link", name="Diario Uno")
                assert link.get_attribute("target") == "_top"
                page.route("https://diario-uno.example/**", lambda route: route.fulfill(body="<title>Diario</title>"))
                link.click()
                page.wait_for_url("https://diario-uno.example/prep")
            page.close()


@pytest.fixture(scope="module")
def grande(hecha: NochePublica, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """100 difusores and 144 cuts of four contests, some late: what the pages make of such a state."""
    folder = tmp_path_factory.mktemp("grande")
    space, contests = hecha.espacio, ("gub", "dip", "ayun", "junt")
    start = space.convocatoria.inicio
    hours = [start + timedelta(minutes=10 * n) for n in range(CORTES)]
    cuts = tuple(
        Corte(
            corte=n + 1,
            hora_corte=hour,
            firmado=hour + timedelta(seconds=400 if n % 20 == 9 else 21),
            vence=hour,
            tarde_s=400 if n % 20 == 9 else 21,
            a_tiempo=n % 20 != 9,
            actas={one: Actas(12_345, 85 * n + k, 84 * n + k) for k, one in enumerate(contests)},
        )
        for n, hour in enumerate(hours)
    )
    late = tuple(
        Retraso(
            vence=one.vence,
            desenlace="tarde",
            porque="No habían llegado los datos del corte.",
            corte=one.corte,
            segundos=one.tarde_s,
            texto="El corte se retrasa. Los resultados que se muestran son los del corte anterior.",
            anunciado=one.vence + timedelta(seconds=46),
        )
        for one in cuts
        if not one.a_tiempo
    )
    people = tuple(
        Difusor(
            renglon=Renglon(f"Medio número {n:03d}", f"m-{n:03d}", "enlazado", f"https://m{n}.example/", start, None),
            situacion="atrasado" if n % 9 == 0 else "al_dia",
            corte=143 if n % 9 == 0 else 144,
            hora_corte=hours[-2] if n % 9 == 0 else hours[-1],
            atraso_s=95 if n % 9 == 0 else None,
            visto=hours[-1],
            disponibilidad=(Disponibilidad("2021-06", "99.9812", 80_000),),
        )
        for n in range(100)
    )
    night = Noche(
        fase="noche",
        inicio=start,
        fin=hours[-1],
        proximo=hours[-1] + timedelta(minutes=10),
        contiendas=tuple(Contienda(one, f"Contienda de {one}") for one in contests),
        cortes=cuts,
        retrasos=late,
    )
    state = Publico(hora=hours[-1] + timedelta(minutes=1), noche=night, difusores=people)
    made = Paginas(space)
    for name, data in (made.recursos | made.todas(state, 1)).items():
        (folder / name).write_bytes(data)
    (folder / "noche.json").write_bytes(compact_json(formas.noche(space, state, 1)))
    (folder / "actual.json").write_bytes(
        canonical_json(formas.actual(space, state, 1, vigencia=timedelta(days=9999), sumas={}))
    )
    return folder


def test_a_whole_night_of_a_hundred_difusores_is_small_and_readable(browser: Browser, grande: Path) -> None:
    with serving(grande) as url:
        for name in (LISTA, SITUACION, NOCHE):
            page, wrong = abre(browser, f"{url}/{name}", viewport={"width": 360, "height": 800})
            expect(page.locator("#edad")).to_contain_text("Hace")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
            assert page.evaluate(SHIFTS) < 0.1
            asked = [page.url, *page.evaluate("performance.getEntriesByType('resource').map(one => one.name)")]
            size = sum(len(gzip.compress((grande / one.rpartition("/")[2]).read_bytes())) for one in asked)
            assert size < PRIMERA_VISTA, (name, size)
            assert wrong == []
            if name == NOCHE:
                assert axe_faults(page) == []
                lines = page.locator("#g-gub [data-clave=capturadas] .g-linea")
                assert lines.get_attribute("d").count("L") == CORTES - 1  # type: ignore[union-attr]
                assert page.locator("#recientes tbody tr").count() == 12
                page.get_by_text(f"Los {CORTES - 12} cortes anteriores").click()
                assert page.locator("#anteriores tbody tr").count() == CORTES - 12
                expect(page.locator("#anteriores [data-corte='10']")).to_contain_text("6 min tarde")
            page.close()
