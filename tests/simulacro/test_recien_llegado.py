"""Somebody new: from a fresh clone to a portal on the screen, with the two words that the README gives."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from pregon.base.procesos import start, wait_until
from tests.instituto.navegador import chromium

ROOT = Path(__file__).resolve().parents[2]
LIMITE_S = 180.0
"""Of this machine's time, what pip brings included."""
PROPIAS = ("PYTHONPATH", "VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE")


@pytest.mark.aguante
def test_from_a_fresh_clone_to_a_portal_on_the_screen(tmp_path: Path) -> None:
    clone = tmp_path / "pregon"
    environment = {key: value for key, value in os.environ.items() if key not in PROPIAS}
    begun = time.monotonic()
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", ROOT, clone], check=True)
    output = tmp_path / "dicho.txt"
    order = ["make", "simulacro", "ABIERTO=1"]
    process = start(order, output=output, environment=environment, folder=clone, inherits=False)
    try:

        def said() -> list[str]:
            return re.findall(r"^LISTO (http\S+)", output.read_text(encoding="utf-8"), re.MULTILINE)

        wait_until(lambda: bool(said()), process, timeout=LIMITE_S, what="no hay portal")
        with chromium() as browser:
            page = browser.new_page(viewport={"width": 360, "height": 740})
            page.goto(said()[0])
            shown = page.inner_text("h1")
        took = time.monotonic() - begun
    finally:
        process.stop(grace=15)
        shutil.rmtree(clone, ignore_errors=True)
    print(f"del clon al portal en pantalla: {took:.0f} s")
    assert shown
    assert took <= LIMITE_S
