"""Takes the screenshots of the board of ``docs/tablero``: 100 difusores × 144 cuts, on phone, desk and wall.

Run as ``python -m scripts.capturas_tablero docs/tablero``: the night is the one of the tests.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright
from tests.instituto.tablero import noches
from tests.instituto.tablero.conftest import atendida
from tests.web.conftest import CLAVE

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from tests.instituto.tablero.noches import Noche

ALTO = 900
PAGINAS = {
    "tablero": "",
    "difusor": "difusor/difusor-001",
    "bitacora": "bitacora?tono=mal",
    "accion": "acciones/suspende?difusor=difusor-003",
}
OSCURAS = ("tablero",)
"""Those that are also taken in the dark."""
MURO = (3840, 2160)


def night(folder: Path) -> Noche:
    """The night, with an order that waits, a warning in doubt and what people noted."""
    made = noches.haz(folder, difusores=100, slots=143, cada_s=300)
    state, zone = made.workspace.state(), noches.ZONA
    made.clock.instant -= timedelta(minutes=2)
    state.record(
        "advertencia",
        id="A0002",
        fase="redactada",
        difusor="difusor-002",
        periodo=141,
        cuenta=2,
        titulo="Advertencia 2 de 3 a Difusora 002: su portal no respondió",
        texto="Su portal no respondió en dos cortes seguidos. Un corte más, y se propone interrumpir su servicio.",
        evidencia=[],
        canales=["correo"],
        directos=["correo"],
    )
    for phase in ("enviando", "en_duda"):
        state.record("advertencia", id="A0002", canal="correo", fase=phase)
    state.record(
        "orden_propuesta",
        id="O0001",
        difusor="difusor-003",
        accion="suspender",
        periodo=141,
        cuenta=3,
        porque="tres cortes seguidos con falla",
        clausula="GRO-3.3a",
        evidencia=["periodo 139", "periodo 140", "periodo 141"],
        caduca=True,
    )
    made.clock.instant += timedelta(minutes=1)
    state.record(
        "nota", que=f"Llamada al contacto técnico de difusor-003 a las {made.clock.now().astimezone(zone):%H:%M}"
    )
    made.clock.instant += timedelta(minutes=1)
    return made


def shoot(browser: Browser, url: str, target: Path) -> None:
    """Write ``<page>-<width>.png``, some ``-oscuro``, and the wall, into ``target``."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(url)
    page.fill("#cuenta", "carla")
    page.fill("#clave", CLAVE)
    page.keyboard.press("Enter")
    page.wait_for_url(url)
    for dark in (False, True):
        page.emulate_media(color_scheme="dark" if dark else "light")
        for width in (360, 1440):
            page.set_viewport_size({"width": width, "height": ALTO})
            for name, route in PAGINAS.items():
                if not dark or name in OSCURAS:
                    page.goto(url + route)
                    page.wait_for_timeout(300)  # the stream's first word
                    page.screenshot(path=target / f"{name}-{width}{'-oscuro' if dark else ''}.png")
    page.set_viewport_size({"width": 360, "height": ALTO})
    page.emulate_media(color_scheme="light")
    page.goto(url)
    page.locator(".matriz").evaluate("matrix => matrix.scrollIntoView()")
    page.screenshot(path=target / "matriz-360.png")
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": MURO[0], "height": MURO[1]})
    page.goto(f"{url}?muro")
    page.wait_for_timeout(300)
    page.screenshot(path=target / f"muro-{MURO[0]}.png")
    context.close()


def main(target: Path) -> None:
    """The night, and its screenshots into ``target``; those of other pages there are left alone."""
    target.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        atendida(night(Path(folder))) as attended,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        shoot(browser, attended.url, target)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
