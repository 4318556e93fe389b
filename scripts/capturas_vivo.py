"""Takes the screenshots of the live view for ``docs/simulacro``: a night under faults, on phone, desk and wall.

Run as ``python -m scripts.capturas_vivo docs/simulacro``. The night is a real one; it takes about a minute.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
from playwright.sync_api import sync_playwright

from pregon.simulacro.session import Request, run

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from pregon.simulacro.result import NightResult

PLAN = """
[[falla]]
clase = "enlace_cortado"
corte = 2
difusor = "difusor-4"

[[falla]]
clase = "corte_tarde"
corte = 3
minutos = 7

[[falla]]
clase = "corrompido"
corte = 4
difusor = "difusor-2"

[[falla]]
clase = "disco_lleno"
corte = 4
difusor = "difusor-5"

[[falla]]
clase = "avalancha"
corte = 5
difusor = "difusor-1"
"""
DIFUSORES, CORTES = 6, 6
TAMANOS = {360: 2900, 1440: 900, 3840: 2160}
"""A frame that is out of sight is not painted: the phone is as long as its page."""
DICEN = {"HASH", "DISCO"}
"""What the two that refuse must have said when the picture is taken."""
MAXIMO_S = 240.0


def shoot(browser: Browser, url: str, target: Path) -> None:
    """Write ``vivo-<width>.png`` while two refuse what comes, ``final-<width>.png`` at the end."""
    pages = {width: _page(browser, url, width, height) for width, height in TAMANOS.items()}
    pages_dark = _page(browser, url, 1440, TAMANOS[1440], dark=True)
    taken: set[str] = set()
    until = time.monotonic() + MAXIMO_S
    while time.monotonic() < until:
        try:
            told = httpx2.get(f"{url}vivo.json", trust_env=False).json()
        except httpx2.HTTPError:
            break  # The night ended, and the view with it.
        codes = {row["celdas"][3]["codigo"] for row in told["difusores"] if row["celdas"][3]["estado"] == "rechazado"}
        moment = "final" if told["fase"] == "terminada" else "vivo" if codes >= DICEN else None
        pages[1440].wait_for_timeout(100)
        if moment is None or moment in taken:
            continue
        taken.add(moment)
        pages[1440].wait_for_timeout(600)  # The portals that changed are there.
        for width, page in pages.items():
            page.screenshot(path=target / f"{moment}-{width}.png")
        if moment == "vivo":
            pages_dark.screenshot(path=target / "vivo-1440-oscuro.png")
        if moment == "final":
            break
    if taken != {"vivo", "final"}:
        raise SystemExit(f"faltan momentos de la noche: sólo {sorted(taken)}")


def _page(browser: Browser, url: str, width: int, height: int, *, dark: bool = False) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(url)
    return page


def _wait(held: threading.Event) -> None:
    held.wait(MAXIMO_S)


def main(target: Path) -> None:
    """The night, and its screenshots into ``target``."""
    target.mkdir(parents=True, exist_ok=True)
    said: list[str] = []
    done: list[NightResult] = []
    held = threading.Event()
    with tempfile.TemporaryDirectory() as folder:
        plan = Path(folder) / "plan.toml"
        plan.write_text(PLAN)
        request = Request(
            convocatoria=None,
            noche=None,
            cortes=CORTES,
            difusores=DIFUSORES,
            acelerar=600,
            semilla=7,
            transporte="entrada",
            fallas=plan,
            informe=Path(folder) / "informe",
            vivo=0,
        )
        night = threading.Thread(
            target=lambda: done.append(run(request, say=said.append, ready=said.append, hold=lambda: _wait(held)))
        )
        night.start()
        while not any(line.startswith("En vivo: ") for line in said) and night.is_alive():
            time.sleep(0.1)
        url = next(line for line in said if line.startswith("En vivo: ")).removeprefix("En vivo: ")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path="/usr/bin/chromium",
                args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
            )
            shoot(browser, url, target)
            held.set()
            browser.close()
        night.join()
    if not (done and done[0].ok):
        raise SystemExit("la noche de las capturas no se cumplió")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
