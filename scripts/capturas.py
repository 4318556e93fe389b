"""Takes the screenshots of ``docs/portal``: a synthetic night, served for real, seen by Chromium at phone and desktop width."""

from __future__ import annotations

import json
import sys
import urllib.request
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
        base = urls[0]
        with urllib.request.urlopen(base + "corte.json") as answer:  # noqa: S310 - our own loopback server
            contest = json.load(answer)["contiendas"][-1]
        with urllib.request.urlopen(base + contest["datos"] + "entidad.json") as answer:  # noqa: S310
            levels = json.load(answer)["niveles"]
        level = next(name for name in ("municipio", "distrito") if name in levels)
        unit = f"{contest['ruta']}{level}-{levels[level][0]['id']}/"
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path="/usr/bin/chromium",
                args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
            )
            for width in WIDTHS:
                page = browser.new_page(viewport={"width": width, "height": HEIGHT})
                for name, ruta in (("portada", ""), ("entidad", contest["ruta"]), (level, unit)):
                    page.goto(base + ruta)
                    page.screenshot(path=target / f"{name}-{width}.png", full_page=False)
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
