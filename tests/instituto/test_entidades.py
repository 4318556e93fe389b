"""A federal contest: a page for each entidad, with the figures of its own actas and its districts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

import pytest

from pregon.base.clock import ManualClock
from pregon.base.durable import Disk
from pregon.convocatoria.perfiles import profile_for_night, to_toml_text
from pregon.convocatoria.secciones import Entidad
from pregon.instituto import workspace
from pregon.instituto.build import build_cut
from pregon.instituto.fuentes import ContestSource
from pregon.prep.candidaturas import read_candidaturas
from pregon.prep.reader import read_actas
from pregon.prep.synthetic.eleccion import contienda, election
from pregon.tablas.totales import totals
from tests.instituto.conftest import unpack
from tests.instituto.html import Element, parse
from tests.instituto.navegador import axe_faults, fewer_rows, serving
from tests.instituto.test_paginas import check_page, votes

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

    from pregon.instituto.build import BuiltCut
    from pregon.tablas.model import ContestTotals, UnitTotals

INICIO = datetime(2024, 6, 2, 20, 0, tzinfo=ZoneInfo("America/Mexico_City"))
CODES = {"PRES": "pres", "SEN": "sen", "DIP_FED": "dip"}
CORTES = (13, 14)


@dataclass(frozen=True)
class Country:
    """Two cuts of a small federal night: their packages unpacked, and the totals of the second by contest."""

    cortes: tuple[BuiltCut, ...]
    carpetas: tuple[Path, ...]
    totales: dict[str, ContestTotals]


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> Country:
    folder = tmp_path_factory.mktemp("pais")
    hours = [INICIO + timedelta(minutes=20) * k for k in range(20)]
    profile = profile_for_night(
        id="federal-2024",
        nombre="Proceso Electoral Federal de Ensayo",
        instituto="ine",
        entidad=Entidad(numero=0, clave="NAC", nombre="Nacional"),
        elecciones=tuple(CODES),
        inicio=INICIO,
        permanencia_hasta=INICIO + timedelta(days=30),
    )
    (folder / "perfil.toml").write_text(to_toml_text(profile))
    disk = Disk()
    clock = ManualClock(INICIO)
    space = workspace.create(folder / "ws", folder / "perfil.toml", ambiente="oficial", clock=clock, disk=disk)
    made = {
        code: election(code, casillas=330, unidades=40, cortes=hours, semilla=3, entidad=None, correcciones=True)
        for code in CODES
    }
    built: list[BuiltCut] = []
    totales: dict[str, ContestTotals] = {}
    for k in CORTES:
        given = folder / str(k)
        given.mkdir()
        sources = []
        for code, night in made.items():
            name = contienda(code).nombre
            actas, catalogue = given / f"NAC_{name}_2024.csv", given / f"NAC_{name}_CANDIDATURAS_2024.csv"
            actas.write_bytes(night.actas_csv(k))
            catalogue.write_bytes(night.candidaturas_csv())
            sources.append(ContestSource(None, actas, catalogue))
            table = read_actas(actas)
            totales[CODES[code]] = totals(table, candidaturas=read_candidaturas(catalogue), detalle=False)
        clock.instant = hours[k] + timedelta(seconds=30)
        built.append(build_cut(space, sources))
    return Country(tuple(built), tuple(unpack(cut, folder / f"s{n}") for n, cut in enumerate(built)), totales)


def page(country: Country, route: str) -> Element:
    return parse((country.carpetas[-1] / route).read_bytes())


def shown_in_table(element: Element) -> dict[str, tuple[int, int]]:
    """Counted and expected actas of each line of a table of units, by id."""
    found = {}
    for line in element.one("table", class_="unidades").all("tr", data_unidad=None):
        counted, expected = (line.one("span", data_cifra=name).text for name in ("contabilizadas", "esperadas"))
        found[line.attrs["data-unidad"]] = (int(counted.replace(",", "")), int(expected.replace(",", "")))
    return found


def of(entity: UnitTotals, contest: ContestTotals) -> list[UnitTotals]:
    return [unit for unit in contest.unidades if unit.id.startswith(f"{entity.id}-")]


@pytest.mark.parametrize("contest", CODES.values())
def test_every_figure_of_an_entidad_is_that_of_its_totals(country: Country, contest: str) -> None:
    counted = country.totales[contest]
    assert len(counted.entidades) == 32
    for entity in counted.entidades:
        route = f"{contest}/entidad-{entity.id}/index.html"
        shown = page(country, route)
        check_page(country.carpetas[-1], route, shown)
        for name in ("candidaturas", "partidos"):
            figures = votes(shown.one("table", id=name))
            expected = {key: n for key, n in getattr(entity, name).items() if n and key in figures}
            assert {key: n for key, n in figures.items() if n and key in expected} == expected
            blank = sum(n for key, n in entity.contendientes.items() if key.startswith("NO_REG"))
            assert figures.pop("total") == sum(figures.values()) == entity.total_votos
            assert (figures["no_registradas"], figures["nulos"]) == (blank, entity.contendientes["NULOS"])
        strip = shown.one("section", class_="tira")
        counts = entity.actas.as_dict()
        assert {name: int(strip.one("b", data_cifra=name).text.replace(",", "")) for name in counts} == counts
        assert strip.one("b", data_cifra="participacion").text == f"{entity.participacion} %"
        assert shown_in_table(shown) == {
            unit.id: (unit.actas.contabilizadas, unit.actas.esperadas) for unit in of(entity, counted)
        }
        tiles = shown.one("ol", class_="mosaico").all("li")
        assert len(tiles) == len([unit for unit in of(entity, counted) if "sin-" not in unit.id])


@pytest.mark.parametrize("contest", CODES.values())
def test_the_nation_lists_its_entidades_and_each_district_leads_back_through_its_own(
    country: Country, contest: str
) -> None:
    counted = country.totales[contest]
    nation = page(country, f"{contest}/index.html")
    assert shown_in_table(nation) == {
        entity.id: (entity.actas.contabilizadas, entity.actas.esperadas) for entity in counted.entidades
    }
    places = [tile.attrs["class"] for tile in nation.one("ol", class_="mosaico mapa").all("li")]
    assert len(set(places)) == len(places) == 32  # the map of the country: each in a place of its own
    unit = counted.unidades[-1]
    entity = unit.id.partition("-")[0]
    own = f"{contest}/distrito-{unit.id}"
    for route, up in ((f"{own}/index.html", "../"), (f"{own}/secciones/index.html", "../../../")):
        trail = page(country, route).one("nav", class_="migas").all("a")
        assert any(link.attrs["href"].endswith(f"entidad-{entity}/index.html") for link in trail), route
        assert all(link.attrs["href"].startswith(up) for link in trail)
    neighbours = page(country, f"{own}/index.html").one("nav", class_="vecinas").all("a", rel=None)
    assert all(f"distrito-{entity}-" in link.attrs["href"] for link in neighbours)


def test_people_are_named_where_they_are_voted_for(country: Country) -> None:
    """A senator in the whole entidad, a deputy in the district: each from the rows of the catalogue of that place."""
    senate = page(country, "sen/entidad-09/index.html").one("table", id="candidaturas")
    district = page(country, "sen/distrito-09-001/index.html").one("table", id="candidaturas")
    names = [item.text for item in senate.all("span", class_="nombre")]
    assert names
    assert sorted(names) == sorted(item.text for item in district.all("span", class_="nombre"))
    other = page(country, "sen/entidad-15/index.html").one("table", id="candidaturas")
    assert names != [item.text for item in other.all("span", class_="nombre")]
    assert page(country, "dip/distrito-09-001/index.html").one("table", id="candidaturas").all("span", class_="nombre")
    assert not page(country, "dip/entidad-09/index.html").one("table", id="candidaturas").all("span", class_="nombre")


def test_each_contest_counts_its_own_races(country: Country) -> None:
    """A senate is decided by entidad, a chamber of deputies by district, a presidency once."""
    races = dict.fromkeys(("sen", "dip"), 0)
    for contest in races:
        lead = page(country, f"{contest}/index.html").one("table", class_="votos breve lideres")
        races[contest] = sum(int(cell.attrs["data-unidades"]) for cell in lead.all("td", data_unidades=None))
    tied = {name: page(country, f"{name}/index.html").one("p", class_="titular").text for name in races}
    assert "de 32 entidades" in tied["sen"]
    assert races["sen"] <= 32 < races["dip"] <= len(country.totales["dip"].unidades)
    assert f"de {sum('sin-' not in unit.id for unit in country.totales['dip'].unidades)} distritos" in tied["dip"]
    state = page(country, "dip/entidad-15/index.html")
    assert "distritos" in state.one("p", class_="titular").text
    assert not page(country, "pres/index.html").all("table", class_="votos breve lideres")


def test_page_of_an_entidad_keeps_its_bytes_while_its_figures_stay(country: Country) -> None:
    before, now = country.carpetas
    kept = changed = 0
    for contest, counted in country.totales.items():
        for entity in counted.entidades:
            route = f"{contest}/entidad-{entity.id}/index.html"
            old, new = (parse((folder / route).read_bytes()) for folder in (before, now))
            quiet = [e.one("main", id="contenido").text for e in (old, new)]
            same = (before / route).read_bytes() == (now / route).read_bytes()
            assert same or quiet[0] != quiet[1], route
            assert "datos/0" not in (now / route).read_text()
            kept, changed = kept + same, changed + (not same)
    assert kept
    assert changed


def test_axe_finds_nothing_in_what_only_a_federal_contest_has(browser: Browser, country: Country) -> None:
    """On a phone by day and on a desk by night."""
    views: tuple[tuple[Literal["light", "dark"], int], ...] = (("light", 360), ("dark", 1440))
    with serving(country.carpetas[-1]) as url:
        shown = browser.new_page()
        for route in ("pres/index.html", "sen/entidad-09/index.html"):
            shown.goto(f"{url}/{route}")
            fewer_rows(shown)
            for scheme, width in views:
                shown.set_viewport_size({"width": width, "height": 800})
                shown.emulate_media(color_scheme=scheme)
                assert axe_faults(shown) == [], (route, scheme)
        shown.close()
