"""The figures on screen, in a real browser, are those of ``prep totales``: Campeche, Puebla and a national night."""

from __future__ import annotations

import gzip
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pytest

from pregon.base.clock import ManualClock
from pregon.base.durable import Disk
from pregon.base.hashing import sha256_bytes
from pregon.convocatoria.perfiles import profile_for_night, to_toml_text
from pregon.convocatoria.secciones import Entidad
from pregon.instituto import workspace
from pregon.instituto.build import ContestSource, build_cut
from pregon.instituto.elecciones import identify
from pregon.instituto.portal.vista_unidad import folder_of_unit
from pregon.prep.candidaturas import read_candidaturas
from pregon.prep.percent import trunc4
from pregon.prep.reader import read_actas
from pregon.prep.synthetic.eleccion import election
from pregon.simulacro.prepare import real_night
from pregon.tablas.totales import totals
from tests.instituto.conftest import INICIO, unpack
from tests.instituto.navegador import serving

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from tests.instituto.conftest import Published

CELLS = 500
"""Least figures compared per election, with scripts and without."""
CASILLA_BYTES = 40_000
"""Most that reaching a casilla may ask for beyond the page."""
DISTRITOS = 300

ON_SCREEN = """() => {
  const votes = rows => [...document.querySelectorAll(rows)].map(row => {
    const [cell, ...more] = row.querySelectorAll("td[data-votos]");
    if (more.length) throw Error(row.outerHTML);
    return [row.dataset.clave, cell.innerText];
  });
  const found = {};
  for (const table of ["candidaturas", "partidos"]) {
    const rows = `table#${table} tr[data-clave]`;
    const shares = [...document.querySelectorAll(rows)].map(row => row.cells[2].innerText);
    found[table] = votes(rows).map((line, place) => [...line, shares[place]]);
  }
  for (const details of document.querySelectorAll("details")) details.open = true;
  // What coalitions are made of, as the actas have it; all columns, where they do not add up by coalition.
  found.columnas = votes("table[data-coalicion] tbody tr, table#columnas tbody tr");
  found.contadas = document.querySelector(".siempre .avance-fijo div:first-child dd span").innerText;
  return found;
}"""
"""Key and text of the votes and percentages of the tables of a page, as they are on screen, all at once: each look
draws the page."""


@dataclass(frozen=True)
class Site:
    """An unpacked package, the files that it was made from, and how to count them."""

    folder: Path
    sources: Sequence[ContestSource]

    @cached_property
    def scopes(self) -> dict[str, dict[str, Any]]:
        """By contest, the totals of each of its pages, by route; of a page of secciones, those of each with actas."""
        return scopes(self.sources)


NOCHES = [  # In one process each: none is made twice.
    pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in ("campeche", "puebla", "nacional")
]


@pytest.fixture(scope="module", params=NOCHES)
def package(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Site:
    if request.param == "campeche":
        campeche: Published = request.getfixturevalue("campeche")
        return Site(campeche.folder, campeche.sources)
    folder = tmp_path_factory.mktemp(request.param)
    return _puebla(request.getfixturevalue("datos"), folder) if request.param == "puebla" else _nacional(folder)


def _puebla(datos: Path, folder: Path) -> Site:
    profile, plan = real_night(datos / "puebla-2024")
    cut = plan.cortes[-1]
    sources = [ContestSource(None, one.actas, one.candidaturas, one.leeme) for one in cut.fuentes]
    return _built(folder, to_toml_text(profile), ManualClock(cut.hora), sources)


def _nacional(folder: Path) -> Site:
    """Three federal elections of 32 entidades and 300 districts, few casillas each."""
    hours = [INICIO + timedelta(minutes=20 * number) for number in range(1, 6)]
    profile = profile_for_night(
        id="federal-2021",
        nombre="Proceso Electoral Federal de Ensayo",
        instituto="ine",
        entidad=Entidad(numero=0, clave="NAC", nombre="Nacional"),
        elecciones=("PRES", "SEN", "DIP_FED"),
        inicio=INICIO,
        permanencia_hasta=INICIO + timedelta(days=25),
    )
    sources: list[ContestSource] = []
    for code in profile.elecciones:
        made = election(code, casillas=3_000, unidades=DISTRITOS, cortes=hours, semilla=7, entidad=None)
        actas, catalogue = folder / f"{made.file_stem}.csv", folder / f"{made.file_stem}_CANDIDATURAS.csv"
        actas.write_bytes(made.actas_csv(3))
        catalogue.write_bytes(made.candidaturas_csv())
        sources.append(ContestSource(None, actas, catalogue))
    return _built(folder, to_toml_text(profile), ManualClock(hours[3]), sources)


def _built(folder: Path, profile: str, clock: ManualClock, sources: Sequence[ContestSource]) -> Site:
    (folder / "perfil.toml").write_text(profile)
    space = workspace.create(folder / "espacio", folder / "perfil.toml", ambiente="oficial", clock=clock, disk=Disk())
    return Site(unpack(build_cut(space, sources, hora=clock.instant), folder / "sitio"), sources)


def scopes(sources: Sequence[ContestSource]) -> dict[str, dict[str, Any]]:
    """What ``Site.scopes`` keeps."""
    found: dict[str, dict[str, Any]] = {}
    for source in sources:
        table = read_actas(source.actas)
        contest = identify(source.actas.name, table.titulo).eleccion.id
        people = () if source.candidaturas is None else read_candidaturas(source.candidaturas)
        counted = totals(table, eleccion=contest, candidaturas=people)
        pages: dict[str, Any] = {f"{contest}/index.html": counted.entidad}
        for part in counted.entidades:
            pages[f"{contest}/entidad-{part.id}/index.html"] = part
        for unit in counted.unidades:
            folder = f"{contest}/{folder_of_unit(counted.nivel, unit.id)}"
            pages[f"{folder}/index.html"] = unit
            pages[f"{folder}/secciones/index.html"] = {
                one.id: one for one in counted.secciones if one.unidad == unit.id and one.actas.contabilizadas
            }
        found[contest] = pages
    return found


@pytest.mark.datos
def test_figures_on_screen_are_those_of_prep_totales(browser: Browser, package: Site) -> None:
    _compare_pages(browser, package, scripts=True)


@pytest.mark.datos
@pytest.mark.parametrize("package", NOCHES[:1], indirect=True)
def test_figures_without_scripts_are_those_of_prep_totales(browser: Browser, package: Site) -> None:
    _compare_pages(browser, package, scripts=False)


@pytest.mark.aguante
@pytest.mark.datos
@pytest.mark.parametrize("package", NOCHES[1:], indirect=True)
def test_figures_of_every_night_without_scripts_are_those_of_prep_totales(browser: Browser, package: Site) -> None:
    _compare_pages(browser, package, scripts=False)


def _compare_pages(browser: Browser, package: Site, *, scripts: bool) -> None:
    context = browser.new_context(java_script_enabled=scripts)
    page = context.new_page()
    cells: Counter[str] = Counter()
    with serving(package.folder) as url:
        for contest, pages in package.scopes.items():
            for route, scope in _shuffled(pages):
                if cells[contest] >= CELLS:
                    break
                page.goto(f"{url}/{route}")
                if isinstance(scope, dict):
                    cells[contest] += _compare_sections(page, route, scope)
                else:
                    cells[contest] += _compare(page, route, scope)
    assert min(cells.values()) >= CELLS, cells
    context.close()


@pytest.mark.datos
def test_a_casilla_of_every_contest_is_few_bytes_away(package: Site) -> None:
    """«Consulta tu casilla» reads corte.json and one file of secciones per contest, compressed by the server."""
    asked = Counter[str]()
    for path in package.folder.glob("datos/*/*/seccion/*.json"):
        asked[path.name] += len(gzip.compress(path.read_bytes(), 6))
    cut = len(gzip.compress((package.folder / "corte.json").read_bytes(), 6))
    assert max(asked.values()) + cut <= CASILLA_BYTES


def _shuffled(pages: dict[str, Any]) -> list[tuple[str, Any]]:
    """The page of the contest first, then the others in an order that is always the same and nobody chose."""
    first, *others = pages.items()
    return [first, *sorted(others, key=lambda item: sha256_bytes(item[0].encode()))]


def _compare(page: Page, route: str, scope: Any) -> int:
    """How many figures of a page were looked at; all of them must be those of ``scope``."""
    looked = 0
    shown = page.evaluate(ON_SCREEN)
    for table in ("candidaturas", "partidos"):
        votes = dict(getattr(scope, table))
        votes["nulos"] = votes.pop("NULOS")
        blank = next(key for key in votes if key.startswith("NO_REGISTRAD"))
        votes["no_registradas"] = votes.pop(blank)
        votes["total"] = scope.total_votos
        for key, text, share in shown[table]:
            figure = votes.pop(key)
            assert text.strip() == f"{figure:,}", (route, table, key)
            assert share.strip() == f"{trunc4(figure, scope.total_votos)}\u00a0%", (route, table, key)
            looked += 2
        assert not any(votes.values()), (route, table, votes)  # who is left out got nothing
    for key, text in shown["columnas"]:
        assert text.strip() == f"{scope.contendientes[key]:,}", (route, key)
        looked += 1
    assert shown["contadas"] == f"{scope.actas.contabilizadas:,}", route
    return looked + 1


def _compare_sections(page: Page, route: str, sections: dict[str, Any]) -> int:
    """How many secciones of a page were looked at: the total of votes of each."""
    rows = page.locator("tbody tr[id^=s-]")
    texts = rows.evaluate_all("rows => rows.filter(r => r.cells.length === 6).map(r => [r.id, r.cells[4].innerText])")
    by_number = {one.id.zfill(4) if one.id.isdecimal() else one.id: one for one in sections.values()}
    for anchor, text in texts:
        assert text.strip() == f"{by_number[anchor.removeprefix('s-')].total_votos:,}", (route, anchor)
    assert len(texts) == len(sections) or len(texts) > 100, route  # a long list goes on in other pages
    return len(texts)
