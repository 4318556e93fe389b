"""A whole rehearsed night with its view open in a real browser: what happens is seen at once, and changes nothing."""

from __future__ import annotations

import json
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from pregon.base.procesos import start
from pregon.base.red import answers_tcp
from pregon.convocatoria.perfiles import load, to_toml_text
from pregon.simulacro.session import Request, run
from tests.instituto.navegador import axe_faults, chromium, watch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page

    from pregon.simulacro.result import NightResult

pytestmark = pytest.mark.xdist_group("vivo")

PLAN = """
[[falla]]
clase = "corrompido"
corte = 2
difusor = "difusor-1"
"""
TARDA_S = 1.0
"""From the line of the journal to the page."""
NOTA_FALLAS = """() => {
  if (window !== window.top) return;
  window.visto = {};
  new MutationObserver(() => {
    for (const row of document.querySelectorAll("#fallas tr[data-estado]")) {
      window.visto[`${row.id} ${row.dataset.estado}`] ??= Date.now() / 1000;
    }
  }).observe(document, {subtree: true, childList: true});
}"""
"""When each fault was first on screen as each of its states."""


@dataclass
class Vista:
    """What was seen of a night while it happened."""

    result: NightResult
    visto: dict[str, float]
    cortes: list[dict[str, str]] = field(default_factory=list)
    """At each look, the cut that each portal stated inside its frame."""
    marcos: dict[str, str] = field(default_factory=dict)
    final: dict[str, str] = field(default_factory=dict)
    axe: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    puerto_abierto: bool = True


def _frames(page: Page) -> dict[str, tuple[str, str]]:
    """Address of the portal in each frame, and the cut that it states; «» where it states none."""
    found = {}
    for box in page.query_selector_all(".portal"):
        for element in box.query_selector_all("iframe:not(.viene)"):
            frame = element.content_frame()
            if frame is None:
                continue
            stated = frame.evaluate("document.querySelector('[data-vigente] .corte')?.dataset.corte ?? ''")
            found[str(box.get_attribute("data-id"))] = (frame.url, stated)
    return found


@contextmanager
def noche_en_marcha(request: Request) -> Iterator[tuple[threading.Thread, list[str], list[NightResult]]]:
    """The night in a thread; what it says, and what it answers at the end."""
    said: list[str] = []
    done: list[NightResult] = []
    thread = threading.Thread(
        target=lambda: done.append(run(request, say=said.append, ready=lambda _: None)), daemon=True
    )
    thread.start()
    yield thread, said, done
    thread.join(60)


@pytest.fixture(scope="module")
def vista(tmp_path_factory: pytest.TempPathFactory) -> Vista:
    """A night of three cuts and one fault, of a call that forbids framing, looked at from its beginning."""
    folder = tmp_path_factory.mktemp("en-vivo")
    (folder / "plan.toml").write_text(PLAN)
    call = load("gro-2021")
    profile = folder / "convocatoria.toml"
    profile.write_text(to_toml_text(call.model_copy(update={"embebido": "no", "elecciones": call.elecciones[:1]})))
    request = Request(
        convocatoria=str(profile),
        noche=None,
        cortes=3,
        difusores=2,
        acelerar=600,
        semilla=7,
        transporte="entrada",
        fallas=folder / "plan.toml",
        informe=folder / "informe",
        vivo=0,
    )
    with noche_en_marcha(request) as (thread, said, done), chromium() as browser:
        while not any(line.startswith("En vivo: ") for line in said):
            assert thread.is_alive(), said
            time.sleep(0.05)
        url = next(line for line in said if line.startswith("En vivo: ")).removeprefix("En vivo: ")
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        wrong = watch(page)
        page.add_init_script(f"({NOTA_FALLAS})()")
        page.goto(url)
        looks: list[dict[str, str]] = []
        addresses: dict[str, str] = {}
        ended = "document.getElementById('enlace').textContent.startsWith('El ensayo')"
        until = time.monotonic() + 120
        while not page.evaluate(ended) and time.monotonic() < until:
            seen = _frames(page)
            addresses.update({ident: one[0] for ident, one in seen.items() if one[0].startswith("http")})
            looks.append({ident: one[1] for ident, one in seen.items()})
            page.wait_for_timeout(120)
        texts = {name: page.locator(name).inner_text() for name in ("#enlace", "#ahora", "#cuadro", "#f-1")}
        page.eval_on_selector_all("iframe", "all => all.forEach(each => each.remove())")  # axe would call at each
        faults = axe_faults(page)
        seen_at = page.evaluate("window.visto")
        thread.join(60)
        assert done, said
        port = int(url.rpartition(":")[2].strip("/"))
        return Vista(
            done[0], seen_at, looks, addresses, texts, faults, wrong, puerto_abierto=answers_tcp("127.0.0.1", port)
        )


def test_a_fault_is_on_screen_within_a_second_of_its_line_in_the_journal(vista: Vista) -> None:
    (fault,) = vista.result.fallas
    assert fault.aplicada
    assert fault.hasta_real is not None
    for state, real in (("en_curso", fault.desde_real), ("terminada", fault.hasta_real)):
        assert 0 <= vista.visto[f"f-1 {state}"] - real.timestamp() <= TARDA_S, state
    assert vista.visto["f-1 prevista"] < fault.desde_real.timestamp()


def test_the_portals_in_the_frames_are_those_of_the_difusores_and_change_with_the_cut(vista: Vista) -> None:
    assert vista.marcos == {one.id: one.url for one in vista.result.difusores}
    for name in ("difusor-1", "difusor-2"):
        numbers = [look[name] for look in vista.cortes if look.get(name)]
        assert numbers == sorted(numbers)
        assert {"1", "2", "3"} <= set(numbers), name
    # While one refuses what was altered, the other shows the new cut beside it.
    assert {"difusor-1": "1", "difusor-2": "2"} in vista.cortes


def test_at_the_end_the_page_says_how_it_went_and_that_it_is_over(vista: Vista) -> None:
    assert vista.result.ok
    assert vista.result.notas is not None
    marks = len(vista.result.notas.notas)
    assert "Todo se cumplió" in vista.final["#ahora"]
    assert f"{marks} de {marks} notas; 1 de 1 fallas aplicadas" in vista.final["#ahora"]
    assert vista.final["#cuadro"].count("Listo 100") == 2
    assert "dijo HASH" in vista.final["#f-1"]
    assert "cumplida" in vista.final["#f-1"]
    assert vista.final["#enlace"] == "El ensayo terminó. Esta página ya no cambia."


def test_nothing_is_wrong_in_the_page_and_its_process_ended_with_the_night(vista: Vista) -> None:
    assert vista.axe == []
    # Frames and streams that are taken away are cancelled; a portal has no manifest before its start.
    ours = [each for each in vista.wrong if not each.startswith("failed")]
    assert ours == []
    assert not vista.puerto_abierto


def _through_the_command(folder: Path, *more: str, mira: bool) -> dict[str, Any]:
    folder.mkdir()
    (folder / "plan.toml").write_text(PLAN)
    output = folder / "salida"
    options = ("--fallas", "plan.toml", "--cortes", "4", "--difusores", "3", "--semilla", "5", "--json", *more)
    process = start([sys.executable, "-m", "pregon", "simulacro", *options], output=output, folder=folder)
    try:
        if mira:
            while "En vivo: " not in output.read_text():
                assert process.returncode() is None, output.read_text()
                time.sleep(0.1)
            url = output.read_text().partition("En vivo: ")[2].split()[0]
            with chromium() as browser:
                pages = [browser.new_page() for _ in range(3)]
                for page in pages:
                    page.goto(f"{url}?n=4")
                while process.returncode() is None:
                    pages[0].wait_for_timeout(200)
        assert process.wait(240) == 0, output.read_text()
        text = output.read_text()
    finally:
        process.stop()
    found: dict[str, Any] = json.loads(text[text.index("\n{") :])
    return found


def _told(night: dict[str, Any]) -> list[tuple[str, ...]]:
    keys = ("difusor", "asunto", "clausulas", "periodo", "falla", "esperado", "ocurrido", "cumplio")
    return [tuple(str(one[key]) for key in keys) for one in night["notas"]["notas"]]


@pytest.mark.aguante
def test_a_night_that_is_looked_at_has_the_marks_of_one_that_is_not(tmp_path: Path) -> None:
    alone = _through_the_command(tmp_path / "sola", mira=False)
    seen = _through_the_command(tmp_path / "vista", "--vivo", "0", mira=True)
    assert _told(alone) == _told(seen)
    assert alone["notas"]["difusores"] == seen["notas"]["difusores"]
    assert [one["clase"] for one in alone["fallas"]] == [one["clase"] for one in seen["fallas"]]
    assert datetime.fromisoformat(seen["fallas"][0]["desde_real"]).tzinfo is not None
