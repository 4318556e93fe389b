"""The public list: from its day, with links that follow the states, and pages that hold whatever a name brings."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from pregon.base.errors import UsoError
from pregon.convocatoria.solicitud import logo
from pregon.instituto.registro import lista, orden
from tests.instituto.html import parse
from tests.instituto.navegador import axe_faults, chromium, serving, watch
from tests.instituto.registro.fichas import ANA
from tests.instituto.registro.test_logo import SVG, png

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.instituto.registro.fichas import Casa

ZONA = ZoneInfo("America/Mexico_City")
FIRST = {
    "gro-2021": "2021-06-03",
    "mor-2024": "2024-05-27",
    "mex-2021": "2021-06-04",
    "ine-2021": "2021-05-27",
}
"""GRO-1.6a, MOR-I-8a, MEX-I-8a, INE-I-f-1."""


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("perfil", FIRST)
def test_the_list_of_each_call_opens_on_its_day_and_not_a_second_before(
    perfil: str, de_perfil: Callable[[str], Casa], tmp_path: Path
) -> None:
    house = de_perfil(perfil)
    house.alta()
    house.lleva("diario-uno", "admitido")
    first = datetime.fromisoformat(FIRST[perfil]).replace(tzinfo=ZONA)
    house.clock.instant = first - timedelta(seconds=1)
    with pytest.raises(UsoError, match="es pública a partir del"):
        lista.escribe(house.espacio, tmp_path / "publica")
    assert not (tmp_path / "publica").exists()
    house.clock.instant = first
    assert [line.url for line in lista.escribe(house.espacio, tmp_path / "publica")] == [
        "https://diario-uno.example/prep"
    ]


def test_the_list_of_durango_is_public_once_approved(de_perfil: Callable[[str], Casa], tmp_path: Path) -> None:
    """DGO-I-7a, «una vez aprobada»; DGO-III-3, by 27 May at the latest: before it, there is no day to wait for."""
    house = de_perfil("dgo-2024")
    house.alta()
    house.lleva("diario-uno", "admitido")
    house.clock.instant = datetime(2024, 5, 22, 12, 0, tzinfo=ZONA)
    assert [line.id for line in lista.escribe(house.espacio, tmp_path / "publica")] == ["diario-uno"]


def test_links_go_off_and_on_with_the_state(gro: Casa, tmp_path: Path) -> None:
    """GRO-3.3c: suspended, the link is disabled; GRO-1.6b: the logo is the link."""
    folder = tmp_path / "publica"
    gro.alta()
    gro.lleva("diario-uno", "admitido", "activo")
    gro.registro.pone_logo("diario-uno", SVG, logo.admite(SVG, ()), ANA)
    lista.escribe(gro.espacio, folder)
    page = parse((folder / "index.html").read_bytes())
    link = page.one("ul").one("a")
    assert (link.attrs["href"], link.attrs["rel"]) == ("https://diario-uno.example/prep", "noopener noreferrer")
    image = link.one("img")
    assert (folder / str(image.attrs["src"])).read_bytes() == gro.registro.logos()["diario-uno"]
    assert "Diario Uno" in link.text

    orden.ordena(gro.espacio, "diario-uno", "suspendido", ANA)
    lista.escribe(gro.espacio, folder)
    shown = (folder / "index.html").read_text()
    assert parse(shown.encode()).one("ul").all("a") == []
    assert "Transmisión interrumpida desde el" in shown
    assert "diario-uno.example" not in "".join(data.decode("latin-1") for data in contents(folder).values())
    assert json.loads((folder / "difusores.json").read_bytes())["difusores"][0]["estado"] == "interrumpido"

    orden.ordena(gro.espacio, "diario-uno", "activo", ANA)
    lista.escribe(gro.espacio, folder)
    assert (
        parse((folder / "index.html").read_bytes()).one("ul").one("a").attrs["href"]
        == "https://diario-uno.example/prep"
    )


def test_an_attacked_one_is_told_to_everybody_and_its_logo_goes(
    de_perfil: Callable[[str], Casa], tmp_path: Path
) -> None:
    """MEX-I-12, MEX-I-13."""
    house, folder = de_perfil("mex-2021"), tmp_path / "publica"
    for ident in ("diario-uno", "radio-2"):
        house.alta(ident, nombre=ident.title())
        house.lleva(ident, "admitido", "activo")
        house.registro.pone_logo(ident, png(), logo.admite(png(), ()), ANA)
    lista.escribe(house.espacio, folder)
    assert len(list((folder / "logos").iterdir())) == 2
    (folder / "logos" / "instituto.png").write_bytes(png())
    house.lleva("diario-uno", "bloqueado")
    house.lleva("radio-2", "suspendido")
    lista.escribe(house.espacio, folder)
    page = parse((folder / "index.html").read_bytes())
    assert "Por ahora no hay difusores" in page.text
    assert "Sitios que ya no son difusores oficiales" in page.text
    assert "Diario-Uno: dejó de ser un difusor válido el" in " ".join(page.text.split())
    assert "Radio-2" not in page.text
    assert {path.name for path in (folder / "logos").iterdir()} == {"instituto.png"}  # not one of ours: it stays


def test_a_difusor_that_ended_well_stays_without_link(gro: Casa, tmp_path: Path) -> None:
    for ident, path in (("bien", ("activo",)), ("mal", ("activo", "suspendido"))):
        gro.alta(ident, nombre=ident)
        gro.lleva(ident, "admitido", *path, "concluido")
    assert lista.abierta(gro.espacio.convocatoria, gro.clock.now())
    shown = lista.escribe(gro.espacio, tmp_path / "publica")
    assert [(line.id, line.como, line.url) for line in shown] == [("bien", "concluido", None)]


def test_a_name_is_text_whatever_it_brings(gro: Casa, tmp_path: Path) -> None:
    gro.alta(nombre='<img src=x onerror=alert(1)> & "Uno"')
    gro.lleva("diario-uno", "admitido")
    lista.escribe(gro.espacio, tmp_path / "publica")
    page = parse((tmp_path / "publica" / "index.html").read_bytes())
    assert page.all("img") == []
    assert '<img src=x onerror=alert(1)> & "Uno"' in page.text


def test_the_page_asks_for_nothing_elsewhere_and_anybody_can_read_it(gro: Casa, tmp_path: Path) -> None:
    """In a browser: no request but its own logos, no fault that axe finds, on a phone and at night too."""
    for number in range(5):
        ident = f"difusor-{number}"
        gro.alta(ident, nombre=f"Medio número {number} de nombre largo")
        gro.lleva(ident, "admitido", "activo")
        if number:
            gro.registro.pone_logo(ident, SVG, logo.admite(SVG, ()), ANA)
    gro.lleva("difusor-4", "suspendido")
    lista.escribe(gro.espacio, tmp_path / "publica")
    with serving(tmp_path / "publica") as url, chromium() as browser:
        for scheme, width in (("light", 1280), ("dark", 360)):
            page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 800})  # type: ignore[arg-type]
            complaints = watch(page)
            page.goto(f"{url}/index.html")
            asked = page.evaluate("performance.getEntriesByType('resource').map(one => one.name)")
            assert [one for one in asked if not one.startswith(url)] == []
            assert any("/logos/" in one for one in asked)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert axe_faults(page) == []
            assert complaints == []
            page.close()
