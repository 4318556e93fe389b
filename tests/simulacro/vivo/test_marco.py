"""Who may show a portal in a frame: a rehearsal's own page where it says so, and never an official night's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx2
import pytest

from pregon.base.clock import SystemClock
from pregon.base.durable import Disk
from pregon.base.errors import AjustesError
from pregon.convocatoria.perfiles import load, to_toml_text
from pregon.difusor.inicia import create
from pregon.difusor.servidor.proceso import serving
from pregon.difusor.servidor.sitio import site_of
from tests.instituto.navegador import chromium
from tests.instituto.navegador import serving as en_la_web
from tests.simulacro.vivo.noches import raiz

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.difusor.workspace import Workspace
    from pregon.paquete.manifest import Ambiente

AQUI = "http://127.0.0.1:8090"


def _space(folder: Path, *, ambiente: Ambiente, marco: str | None, embebido: str = "no") -> Workspace:
    folder.mkdir(exist_ok=True)
    profile = folder / "convocatoria.toml"
    profile.write_text(to_toml_text(load("gro-2021").model_copy(update={"embebido": embebido})))
    frame = "" if marco is None else f"marco_simulacro = {json.dumps(marco)}\n"
    toml = (
        f'convocatoria = {json.dumps(str(profile))}\nambiente = "{ambiente}"\nid = "difusor-1"\n'
        f'[reloj]\nfuente = "ninguna"\n[servidor]\npuerto = 0\n{frame}'
    )
    return create(folder / "espacio", toml, root=raiz(ambiente), disk=Disk())


@pytest.mark.parametrize(
    ("ambiente", "embebido", "marco", "frames"),
    [
        ("simulacro", "no", AQUI, f"'self' {AQUI}"),
        ("simulacro", "si", AQUI, "*"),
        ("simulacro", "no", None, "'self'"),
        ("oficial", "no", None, "'self'"),
        ("oficial", "no_dicho", None, "*"),
    ],
)
def test_a_rehearsal_adds_its_own_page_to_those_that_the_call_lets(
    tmp_path: Path, ambiente: Ambiente, embebido: str, marco: str | None, frames: str
) -> None:
    space = _space(tmp_path, ambiente=ambiente, embebido=embebido, marco=marco)
    assert site_of(space, 80).marcos == frames


def test_an_official_portal_with_such_a_key_is_not_served(tmp_path: Path) -> None:
    space = _space(tmp_path, ambiente="oficial", marco=AQUI)
    with pytest.raises(AjustesError, match="marco_simulacro"):
        site_of(space, 80)
    with pytest.raises(AjustesError, match="oficial"), serving([space], disk=Disk(), clock=SystemClock()):
        pass
    assert not (space.servidor / "direccion").exists()


@pytest.mark.parametrize(
    "marco",
    [
        "https://127.0.0.1:8090",
        "http://192.0.2.7:8090",
        "http://127.0.0.1",
        "http://127.0.0.1:8090/",
        "http://127.0.0.1.example.mx:80",
        "http://127.0.0.1:80 *",
        "http://127.0.0.1:80; script-src *",
        "*",
        "",
    ],
    ids=["tls", "lan", "sin-puerto", "ruta", "nombre", "estrella", "directiva", "todos", "vacio"],
)
def test_no_page_but_one_of_this_machine_can_be_named(tmp_path: Path, marco: str) -> None:
    with pytest.raises(AjustesError, match="marco_simulacro"):
        _space(tmp_path, ambiente="simulacro", marco=marco)
    assert not (tmp_path / "espacio" / "difusor.toml").exists()


def test_in_a_browser_an_official_portal_is_framed_by_nobody_else_and_a_rehearsal_by_its_page(tmp_path: Path) -> None:
    host = tmp_path / "pagina"
    host.mkdir()
    with en_la_web(host, policy="") as origin:
        official = _space(tmp_path / "oficial", ambiente="oficial", marco=None)
        trial = _space(tmp_path / "ensayo", ambiente="simulacro", marco=origin)
        with (
            serving([official], disk=Disk(), clock=SystemClock(), port=0) as one,
            serving([trial], disk=Disk(), clock=SystemClock(), port=0) as other,
            chromium() as browser,
        ):
            urls = {"oficial": one.urls[0], "ensayo": other.urls[0]}
            header = httpx2.get(urls["oficial"], trust_env=False).headers["content-security-policy"]
            assert header.endswith("frame-ancestors 'self'")
            frames = "".join(f'<iframe name="{name}" src="{url}"></iframe>' for name, url in urls.items())
            (host / "index.html").write_text(f"<!doctype html><title>x</title>{frames}")
            page = browser.new_page()
            refused: list[str] = []
            page.on("console", lambda message: refused.append(message.text))
            page.goto(origin)
            shown = {name: page.frame(name=name) for name in urls}
            assert shown["ensayo"] is not None
            assert shown["oficial"] is not None
            assert "Guerrero" in shown["ensayo"].locator("body").inner_text()
            assert shown["oficial"].url.startswith("chrome-error:")
            assert len(refused) == 1
            assert urls["oficial"] in refused[0]
            assert "frame-ancestors" in refused[0]
