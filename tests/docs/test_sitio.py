"""The docs as a site: it builds without a warning, its reference is what the program says, and its orders work.

The pages of ``inicio`` and ``urgencias`` are done in the order in which somebody new would, in one folder, each order
as it is written; only the port is another.
"""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pregon.base.red import answers_tcp, free_port
from tests.docs.residente import residiendo

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
CAMINO = (
    "inicio/instituto",
    "inicio/difusor",
    "inicio/auditor",
    "urgencias/a-las-1955",
    "urgencias/corte-tarde",
    "urgencias/ataque",
    "urgencias/llave-perdida",
)
PUERTO = 8080
"""The one that the pages name."""
LIMITE_S = 120

pytestmark = pytest.mark.xdist_group("sitio")


class _Page(HTMLParser):
    """What a page loads, and the text of it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag in ("script", "img", "iframe", "source") and found.get("src"):
            self.loads.append(str(found["src"]))
        if tag == "link" and found.get("rel") != "search":
            self.loads.append(str(found.get("href")))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture(scope="module")
def sitio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, made as ``make sitio`` does: a warning fails."""
    folder = tmp_path_factory.mktemp("sitio")
    options = ["-q", "-W", "--keep-going", "-b", "html", "-d", str(folder / "d")]
    order = [sys.executable, "-m", "sphinx", *options, str(DOCS), str(folder / "s")]
    done = subprocess.run(order, capture_output=True, text=True, timeout=LIMITE_S, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "s"


def test_every_page_is_in_the_site_and_loads_nothing_from_elsewhere(sitio: Path) -> None:
    pages = {path.relative_to(DOCS).with_suffix("") for path in DOCS.rglob("*.md")}
    assert {path.relative_to(sitio).with_suffix("") for path in sitio.rglob("*.html")} >= pages
    for path in sitio.rglob("*.html"):
        loads = _Page(path.read_text(encoding="utf-8")).loads
        assert [one for one in loads if re.match(r"(https?:)?//", one)] == [], path


def test_the_menu_of_the_home_page_leads_to_every_page(sitio: Path) -> None:
    home = (sitio / "index.html").read_text(encoding="utf-8")
    menu = set(re.findall(r'<a class="reference internal" href="([^"#]+)\.html', home))
    pages = {str(path.relative_to(DOCS).with_suffix("")) for path in DOCS.rglob("*.md")} - {"index"}
    assert pages - menu == set()


def test_a_link_between_pages_is_one_and_a_file_of_the_code_is_named(sitio: Path) -> None:
    late = (sitio / "urgencias" / "corte-tarde.html").read_text(encoding="utf-8")
    assert 'href="ataque.html"' in late
    assert 'href="../operacion/desastre.html"' in late
    hostile = (sitio / "archivos-hostiles.html").read_text(encoding="utf-8")
    assert "tests/vectors/archivos/LEEME.md" in hostile


def test_the_reference_is_what_the_program_says() -> None:
    spec = importlib.util.spec_from_file_location("referencia", ROOT / "scripts" / "referencia.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made = module.paginas()
    kept = {path.name: path.read_text(encoding="utf-8") for path in (DOCS / "referencia").glob("*.md")}
    assert kept == made, "hace falta «make referencia»"
    assert "`pregon instituto corte`" in made["ordenes.md"]
    assert "| `EQUIVOCO` | 77 | INTEGRIDAD |" in made["errores.md"]
    assert "| `ambiente` | `oficial` o `simulacro` | `oficial` |" in made["ajustes.md"]


@pytest.fixture(scope="module")
def camino(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, str]]]:
    """The folder in which every page was done, and what each printed."""
    folder = tmp_path_factory.mktemp("camino")
    orders, place = folder / "ordenes", folder / "aqui"
    place.mkdir()
    port = free_port("127.0.0.1")
    said: dict[str, str] = {}
    with residiendo(orders) as environment:
        # What stays running is a process of its own, so that the page can end it.
        program = orders / "pregon"
        forked = program.read_text().removeprefix("#!/bin/bash\n")
        program.write_text(f'#!/bin/bash\n[ "$2" = opera ] && exec {sys.executable} -m pregon "$@"\n{forked}')
        environment["PYTHONPATH"] = str(ROOT / "src")
        for page in CAMINO:
            text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
            blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
            assert blocks, page
            if page == "inicio/difusor":
                blocks.insert(1, f"sed -i 's/^puerto = {PUERTO}/puerto = {port}/' difusor/difusor.toml\n")
            script = "".join(blocks).replace(f":{PUERTO}/", f":{port}/")
            printed = folder / "dicho.txt"
            with printed.open("wb") as output:
                done = subprocess.run(
                    ["bash", "-c", f"set -euo pipefail\n{script}"],
                    cwd=place,
                    env=environment,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    timeout=LIMITE_S,
                    check=False,
                )
            said[page] = printed.read_text(encoding="utf-8")
            assert done.returncode == 0, f"{page}\n{said[page][-3000:]}"
        yield place, said
    assert not answers_tcp("127.0.0.1", port), "la página no terminó lo que empezó"


def test_the_first_cuts_and_the_portal_on_the_screen(camino: tuple[Path, dict[str, str]]) -> None:
    place, said = camino
    assert "Corte 0001 de las 20:20 h" in said["inicio/instituto"]
    assert "Corte 0002 de las 20:40 h" in said["inicio/instituto"]
    assert (place / "difusor" / "puntero").read_text() == "0002\n"
    [shown] = [json.loads(one) for one in re.findall(r"^\{.*?^\}$", said["inicio/difusor"], re.DOTALL | re.MULTILINE)]
    assert shown["corte"] == 2
    assert "publicado desde" in said["inicio/difusor"]


def test_the_auditor_proves_it(camino: tuple[Path, dict[str, str]]) -> None:
    place, said = camino
    assert "Veredicto: OK, probado con firmas" in said["inicio/auditor"]
    assert "La bitácora está como se escribió." in said["inicio/auditor"]
    assert (place / "expediente").is_dir()


def test_the_runbooks_do_what_they_say(camino: tuple[Path, dict[str, str]]) -> None:
    place, said = camino
    assert "Prueba: firma" in said["urgencias/a-las-1955"]
    for name in ("diagnostico.zip", "ataque.zip"):
        with zipfile.ZipFile(place / name) as archive:
            assert archive.namelist()
    notices = sorted((place / "instituto" / "repositorio" / "targets" / "avisos").iterdir())
    kinds = [json.loads(path.read_bytes())["tipo"] for path in notices]
    assert kinds == ["retraso", "ataque", "reinstalacion"]
    assert "hacen falta 2 de 3" in said["urgencias/llave-perdida"].lower()
