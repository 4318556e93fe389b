"""The actions in a real browser: from a difusor's page to what came of it, on a phone and with the keyboard alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.instituto.navegador import axe_faults, chromium, watch
from tests.instituto.proceso.casa import RADIO
from tests.instituto.tablero.consejo import GENTE, Consejo, reunido
from tests.web.conftest import CLAVE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Literal

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.xdist_group("tablero-acciones")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def consejo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consejo]:
    with reunido(tmp_path_factory.mktemp("consejo"), fallan=3) as made:
        yield made


def signed_in(
    browser: Browser, consejo: Consejo, papel: str, width: int, tinta: Literal["light", "dark"] = "light"
) -> Page:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=tinta)
    page = context.new_page()
    page.goto(consejo.url)
    page.fill("#cuenta", GENTE[papel])
    page.fill("#clave", CLAVE)
    page.press("#clave", "Enter")
    page.wait_for_url(consejo.url)
    return page


def send(page: Page) -> None:
    page.focus("main form button[type=submit]")
    page.keyboard.press("Enter")


@pytest.mark.parametrize(("width", "tinta"), [(360, "dark"), (1440, "light")])
def test_axe_finds_nothing_in_a_form_its_mistakes_and_what_came_of_it(
    browser: Browser, consejo: Consejo, width: int, tinta: Literal["light", "dark"]
) -> None:
    page = signed_in(browser, consejo, "titular", width, tinta)
    said = watch(page)
    page.goto(f"{consejo.url}acciones/suspende")
    page.eval_on_selector("main form", "form => { form.noValidate = true; }")
    page.select_option("#c-difusor", RADIO)
    page.fill("#c-confirmacion", "otro")
    send(page)
    page.wait_for_selector("[role=alert]")
    assert page.locator("[aria-invalid]").count() == 3
    assert axe_faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.goto(f"{consejo.url}acciones/anota?difusor={RADIO}")
    page.fill("#c-motivo", "Llamé: ya lo arreglan.")
    send(page)
    page.wait_for_url("**/tramites/*")
    assert page.locator("[role=status]").inner_text() == "Hecho. La nota quedó en la bitácora."
    assert axe_faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    # The browser tells of the refusal that was asked for, and of the stream of the page that was left.
    assert [one for one in said if "422" not in one and "/flujo" not in one] == []
    page.context.close()


def test_a_difusor_is_suspended_from_its_page_with_the_keyboard_alone(browser: Browser, consejo: Consejo) -> None:
    page = signed_in(browser, consejo, "titular", 360)
    page.goto(f"{consejo.url}difusor/{RADIO}")
    page.get_by_role("link", name="Suspender", exact=True).focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/acciones/suspende?*")
    page.focus("#c-motivo")
    page.keyboard.type("Muestra un corte ajeno.")
    page.focus("#c-evidencia")
    assert page.input_value("#c-evidencia").startswith("A las 21:00, observaciones 207, 208\n")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type(RADIO)
    page.keyboard.press("Enter")
    page.wait_for_url("**/tramites/*")
    assert "Hecho." in page.locator("[role=status]").inner_text()
    assert consejo.casa.estado() == "suspendido"
    assert [one.motivo for one in consejo.casa.avisos()] == ["Muestra un corte ajeno."]
    page.go_back()
    page.go_forward()
    page.reload()  # neither of them asks again
    assert len(consejo.casa.avisos()) == 1
    page.context.close()


def test_who_only_looks_is_offered_nothing(browser: Browser, consejo: Consejo) -> None:
    page = signed_in(browser, consejo, "observador", 1440)
    page.goto(f"{consejo.url}difusor/{RADIO}")
    assert page.locator("#acciones a").count() == 0
    assert "Su cuenta sólo mira" in page.locator("#acciones").inner_text()
    page.context.close()
