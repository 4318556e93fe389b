"""Takes the screenshots of ``docs/portal``: each kind of page of a synthetic night, on phone and desktop."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from pregon.simulacro.session import Request, run

if TYPE_CHECKING:
    from playwright.sync_api import Browser

WIDTHS = (360, 1440)
HEIGHT = 900
PAGES = {
    "portada": "",
    "entidad": "gub/",
    "ayuntamientos": "ayun/",
    "municipio": "ayun/municipio-001/",
    "secciones": "ayun/municipio-001/secciones/",
    "noche": "gub/noche/",
    "estadistica": "gub/estadistica/",
    "cambios": "ayun/cambios/",
    "base-de-datos": "base-de-datos/",
    "preguntas-frecuentes": "preguntas-frecuentes/",
    "glosario": "glosario/",
    "incrusta": "incrusta/",
    "para-programadores": "para-programadores/",
}
OSCURAS = ("portada", "entidad")
"""Those that are also taken in the dark."""


def shoot(browser: Browser, url: str, target: Path) -> None:
    """Write ``<page>-<width>.png``, and ``<page>-<width>-oscuro.png`` of some, into ``target``."""
    for width in WIDTHS:
        for dark in (False, True):
            page = browser.new_page(
                viewport={"width": width, "height": HEIGHT}, color_scheme="dark" if dark else "light"
            )
            for name, route in PAGES.items():
                if not dark or name in OSCURAS:
                    page.goto(f"{url}{route}", wait_until="networkidle")
                    page.screenshot(path=target / f"{name}-{width}{'-oscuro' if dark else ''}.png")
            if not dark:
                page.goto(f"{url}ayun/municipio-001/secciones/")
                page.locator("table.secciones a").first.click()
                page.locator("#t-resultado").wait_for()  # what was asked for, not the empty form
                page.wait_for_load_state("networkidle")
                page.locator("#t-resultado").evaluate("heading => heading.scrollIntoView()")
                page.screenshot(path=target / f"consulta-{width}.png")
            page.close()


def main(target: Path) -> None:
    """The night, and its screenshots into ``target``, which holds nothing else."""
    target.mkdir(parents=True, exist_ok=True)
    for old in target.glob("*.png"):
        old.unlink()
    urls: list[str] = []

    def hold() -> None:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path="/usr/bin/chromium",
                args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
            )
            shoot(browser, urls[0], target)
            browser.close()

    result = run(
        Request(convocatoria=None, noche=None, cortes=6, difusores=1, acelerar=600, semilla=7, transporte="carpeta"),
        say=lambda line: print(line, file=sys.stderr),
        ready=urls.append,
        hold=hold,
    )
    sys.exit(0 if result.ok else 1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
