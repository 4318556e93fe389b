"""Takes the screenshots of ``docs/portal``: a synthetic night, served for real, at phone and desktop width."""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from pregon.simulacro.session import Request, run

WIDTHS = (360, 1440)
HEIGHT = 900


def main(target: Path) -> None:
    """Write ``<page>-<width>.png`` into ``target``."""
    target.mkdir(parents=True, exist_ok=True)
    urls: list[str] = []

    def shoot() -> None:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path="/usr/bin/chromium",
                args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
            )
            for width in WIDTHS:
                page = browser.new_page(viewport={"width": width, "height": HEIGHT})
                page.goto(urls[0])
                page.screenshot(path=target / f"portada-{width}.png")
                page.get_by_role("navigation").get_by_text("Ayuntamientos").click()
                page.screenshot(path=target / f"entidad-{width}.png")
                page.get_by_role("link", name="Qué cambió en este corte").click()
                page.screenshot(path=target / f"cambios-{width}.png")
                page.go_back()
                page.locator("table a").first.click()
                page.screenshot(path=target / f"municipio-{width}.png")
                page.close()
            browser.close()

    result = run(
        Request(convocatoria=None, noche=None, cortes=4, difusores=1, acelerar=600, semilla=7, transporte="carpeta"),
        say=lambda line: print(line, file=sys.stderr),
        ready=urls.append,
        hold=shoot,
    )
    sys.exit(0 if result.ok else 1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
