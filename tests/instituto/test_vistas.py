"""A call leaves views out (``vistas`` of its profile): no page of them, no link to them, and everything else stands."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pregon.convocatoria.perfiles import profile_for_night, to_toml_text
from pregon.convocatoria.secciones import Entidad
from pregon.convocatoria.tipos import VISTAS
from pregon.instituto import workspace
from pregon.instituto.build import build_cut
from tests.instituto.conftest import HORA, INICIO, Night, unpack
from tests.instituto.test_paginas import check_page, pages

if TYPE_CHECKING:
    from pathlib import Path

    from tests.instituto.html import Element

ROUTES: dict[str, str] = {
    "casilla": "consulta/index.html",
    "secciones": "gub/distrito-001/secciones/index.html",
    "estadistica": "gub/estadistica/index.html",
    "cambios": "gub/cambios/index.html",
    "noche": "gub/noche/index.html",
    **{str(name): f"{name}/index.html" for name in VISTAS if name not in ("casilla", "secciones")},
} | {name: f"gub/{name}/index.html" for name in ("estadistica", "cambios", "noche")}
"""The page of each view that has one of its own."""
PARTS = {"mosaico": "mosaico", "partidos": "partidos", "columnas": "t-columnas", "especiales": "t-especiales"}
"""Class or id of each view that is a part of other pages."""


def site_without(night: Night, folder: Path, left_out: frozenset[str], codes: tuple[str, ...] = ("GUB", "DIP")) -> Path:
    profile = profile_for_night(
        id="ensayo-2021",
        nombre="Proceso Electoral de Ensayo 2021",
        instituto="iedemo",
        entidad=Entidad(numero=4, clave="CAMP", nombre="Campeche"),
        elecciones=codes,
        inicio=INICIO,
        permanencia_hasta=INICIO + timedelta(days=25),
    ).model_copy(update={"vistas": tuple(name for name in VISTAS if name not in left_out)})
    path = night.folder / "sin.toml"
    path.write_text(to_toml_text(profile))
    space = workspace.create(night.folder / "otro", path, ambiente="oficial", clock=night.clock, disk=night.disk)
    night.clock.instant = HORA + timedelta(seconds=30)
    return unpack(build_cut(space, night.sources(HORA)[: len(codes)]), folder)


def has(page: Element, name: str) -> bool:
    return any(name in (item.attrs.get("id"), *item.attrs.get("class", "").split()) for item in page.walk())


@pytest.mark.parametrize("vista", VISTAS)
def test_a_view_left_out_has_no_page_no_part_and_no_link(night: Night, tmp_path: Path, vista: str) -> None:
    site = site_without(night, tmp_path / "sitio", frozenset({vista}), ("GUB",))
    found = pages(site)
    for name, page in found.items():
        check_page(site, name, page)  # every link leads to a file of the package
    if vista in PARTS:
        assert not any(has(page, PARTS[vista]) for page in found.values())
    else:
        assert ROUTES[vista] not in found
        others = {route for name, route in ROUTES.items() if name != vista and name not in PARTS}
        assert others <= set(found)


def test_without_any_view_who_leads_and_the_votes_still_show(night: Night, tmp_path: Path) -> None:
    site = site_without(night, tmp_path / "sitio", frozenset(VISTAS))
    found = pages(site)
    units = {
        f"{contest}/{unit}index.html" for contest in ("gub", "dip") for unit in ("", "distrito-001/", "distrito-002/")
    }
    assert set(found) == {"index.html", *units}
    for name, page in found.items():
        check_page(site, name, page)
    assert found["gub/distrito-001/index.html"].one("table", id="candidaturas").all("td")
    assert (site / "base-de-datos").is_dir()  # what is delivered does not depend on what is shown
