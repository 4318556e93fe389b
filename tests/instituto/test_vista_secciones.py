"""The pages of secciones: every sección of every unit once, with the figures of its actas, and where its pages lead."""

from __future__ import annotations

import posixpath
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pregon.convocatoria.tipos import VISTAS
from pregon.instituto.elecciones import from_code
from pregon.instituto.portal import vista_secciones as module
from pregon.instituto.portal.partidos import Actores
from pregon.instituto.portal.vista_secciones import POR_PAGINA, vista_secciones
from pregon.instituto.portal.vistas import contienda
from pregon.prep.candidaturas import read_candidaturas
from pregon.prep.percent import trunc4
from pregon.prep.reader import read_actas
from pregon.tablas.fichas import understand
from pregon.tablas.totales import totals
from tests.instituto.conftest import HORA, Night, Published, unpack
from tests.instituto.html import Element, parse
from tests.instituto.test_paginas import CONTESTS, check_page
from tests.prep.muestras import VOTES, row
from tests.tablas import tablitas

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from pregon.instituto.portal.vista_secciones import HojaSecciones
    from pregon.tablas.model import SectionTotals, UnitTotals

LATER = HORA.replace(hour=23, minute=0)
WHERE = "../../../consulta/index.html"


def lines(page: Element) -> dict[str, list[str]]:
    """The cells of each row, by anchor."""
    found = {}
    for line in page.one("table", class_="secciones").one("tbody").all("tr"):
        found[line.attrs["id"]] = [cell.text for cell in line.children if isinstance(cell, Element)]
    return found


def sheets_of(path: Path) -> Mapping[str, Sequence[HojaSecciones]]:
    table = read_actas(path)
    counted = totals(table, detalle=False)
    view = contienda(from_code("DIP"), counted, (), corte=1)
    actores = Actores(tuple(counted.contendientes))
    return vista_secciones(view, counted, table.columns.contendientes, actores, understand(table).secciones)


def body(sheet: HojaSecciones, where: str | None = WHERE) -> dict[str, list[str]]:
    return lines(parse(f'<table class="secciones"><tbody>{sheet.filas(where)}</tbody></table>'.encode()))


def expected(section: SectionTotals, unit: UnitTotals, actores: Actores) -> list[str]:
    """What a row says, from the totals of the sección and from who stands together in its unit."""
    votes: dict[str, int] = {}
    for column, n in section.contendientes.items():
        if actores.contiende(column):
            votes[unit.suma_a[column]] = votes.get(unit.suma_a[column], 0) + n
    counts = f"{section.actas.contabilizadas} de {section.actas.esperadas}"
    if not section.actas.contabilizadas:
        return [section.id.lstrip("0"), counts, "sin actas"]
    most = max(votes.values())
    first = [key for key, n in votes.items() if n == most]
    who = " · ".join(party.siglas for party in actores.partidos(first[0]))
    who = "sin votos" if not most else who if len(first) == 1 else "empate"
    turnout = f"{trunc4(section.total_votos, section.lista_nominal)} %"
    return [section.id.lstrip("0"), counts, who, f"{most:,}", f"{section.total_votos:,}", turnout]


def read_pages(site: Path, contest: str, folder: str) -> Iterator[tuple[str, Element]]:
    """The pages of secciones of a unit, each reached from the one before it by its ``rel="next"``."""
    route = f"{contest}/{folder}/index.html"
    unit = parse((site / route).read_bytes())
    link = unit.one("p", class_="a-secciones").one("a").attrs["href"]
    while link:
        route = posixpath.normpath(posixpath.join(posixpath.dirname(route), link))
        page = parse((site / route).read_bytes())
        yield route, page
        link = next((a.attrs["href"] for a in page.all("a", rel="next")), "")


@pytest.mark.datos
def test_every_seccion_of_campeche_is_in_its_unit_with_the_figures_of_its_actas(campeche: Published) -> None:
    seen = 0
    for source in campeche.sources:
        counted = totals(
            read_actas(source.actas),
            candidaturas=() if source.candidaturas is None else read_candidaturas(source.candidaturas),
        )
        contest = next(name for code, name in CONTESTS.items() if f"_{code}_" in source.actas.name)
        actores = Actores(tuple(counted.contendientes))
        for unit in counted.unidades:
            wanted = {
                f"s-{section.id.zfill(4)}": expected(section, unit, actores)
                for section in counted.secciones
                if section.unidad == unit.id
            }
            folder = f"{counted.nivel}-{unit.id.zfill(3)}" if unit.id.isdecimal() else unit.id
            shown: dict[str, list[str]] = {}
            for route, page in read_pages(campeche.folder, contest, folder):
                check_page(campeche.folder, route, page)
                shown |= lines(page)
            assert list(shown) == sorted(shown)
            assert shown == wanted, (contest, unit.id)
            seen += len(shown)
    assert seen > 1_500


def test_pages_hold_so_many_lead_to_each_other_and_say_which_numbers_they_hold(
    night: Night, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "POR_PAGINA", 1)
    site = unpack(night.cut(night.create()), tmp_path / "sitio")
    pages = dict(read_pages(site, "gub", "distrito-001"))
    base = "gub/distrito-001/secciones"
    assert list(pages) == [f"{base}/index.html", f"{base}/2/index.html"]
    for name, page in pages.items():
        check_page(site, name, page)
    first, second = pages.values()
    assert [list(lines(page)) for page in (first, second)] == [["s-0001"], ["s-0003"]]
    assert [a.text for a in first.one("nav", class_="paginas").all("a")] == ["1", "3"]
    assert first.one("nav", class_="paginas").one("a", aria_current="page").text == "1"
    assert second.one("a", rel="prev").attrs["href"] == "../index.html"
    assert not second.all("a", rel="next")
    assert first.one("h1").text.endswith("Sección 1")
    one = dict(read_pages(site, "gub", "distrito-002"))
    assert len(one) == 1
    assert not next(iter(one.values())).all("nav", class_="paginas")


def test_size_of_a_page_keeps_a_national_package_under_its_limit() -> None:
    """90,000 secciones in 300 districts as uneven as can be: pages are one per district and what is over."""
    contests, districts, secciones, others = 3, 300, 72_000, 909 + 96 + 20
    assert contests * (districts + secciones // POR_PAGINA) + others <= 3_000


def test_figures_of_a_page_that_stay_keep_its_bytes_and_link_to_no_cut(night: Night, tmp_path: Path) -> None:
    space = night.create()
    before = unpack(night.cut(space), tmp_path / "antes")
    now = unpack(night.cut(space, LATER, votes="41"), tmp_path / "ahora")
    quiet, changed = (f"gub/distrito-00{n}/secciones/index.html" for n in (2, 1))
    assert (before / quiet).read_bytes() == (now / quiet).read_bytes()
    assert (before / changed).read_bytes() != (now / changed).read_bytes()
    assert lines(parse((now / changed).read_bytes()))["s-0001"][3:5] == ["86", "101"]
    for name in (quiet, changed):
        page = parse((now / name).read_bytes())
        assert "datos/0" not in (now / name).read_text()
        assert page.one("section", class_="fija").attrs["data-igual"] == "Distrito sin cambios"


def test_each_row_leads_to_its_casillas_only_where_the_call_publishes_them(tmp_path: Path) -> None:
    path = tablitas.write(tmp_path / "a.csv", [row(118, SECCION="0118")])
    (sheet,) = sheets_of(path)["001"]
    assert f'<a href="{WHERE}#dip/0118">118</a>' in sheet.filas(WHERE)
    assert "href" not in sheet.filas(None).replace('<use href="#', "")
    rows = [row(n, ID_ESTADO=state, CLAVE_CASILLA=f"{state}{n:04d}B0100") for n, state in ((7, "04"), (8, "09"))]
    federal = sheets_of(tablitas.write(tmp_path / "b.csv", rows))
    assert f'<a href="{WHERE}#dip/09-0008">8</a>' in federal["09-001"][0].filas(WHERE)


def test_odd_ids_of_secciones_are_shown_and_never_read_as_markup(tmp_path: Path) -> None:
    odd = ["", "<b>x", "1", "0001", "12a", "10000", "-"]
    rows = [row(n, SECCION=text) for n, text in enumerate(odd, start=1)]
    (sheet,) = sheets_of(tablitas.write(tmp_path / "a.csv", rows))["001"]
    shown = body(sheet)
    assert [cells[0] for cells in shown.values()] == ["1", "1", "10000", "Sin sección", "-", "12a", "<b>x"]
    assert list(shown)[:3] == ["s-0001", "s-0001.2", "s-10000"]
    assert len(shown) == len(odd)


def test_rows_tell_ties_and_what_nobody_voted(tmp_path: Path) -> None:
    none = dict.fromkeys((*VOTES, "TOTAL_VOTOS_CALCULADO"), "0")
    rows = [
        row(1, **{**none, "PAN": "7", "MC": "7", "TOTAL_VOTOS_CALCULADO": "14"}),
        row(2, **{**none, "NULOS": "9", "TOTAL_VOTOS_CALCULADO": "9"}),
        row(3, **{**dict.fromkeys((*none, "SHA"), ""), "CONTABILIZADA": ""}),
        row(4, **{**none, "MC": "1500", "TOTAL_VOTOS_CALCULADO": "1500", "LISTA_NOMINAL": "2000"}),
    ]
    (sheet,) = sheets_of(tablitas.write(tmp_path / "a.csv", rows))["001"]
    assert sheet.titulo == "Secciones 1 a 4"
    assert body(sheet, None) == {
        "s-0001": ["1", "1 de 1", "empate", "7", "14", "3.5000 %"],
        "s-0002": ["2", "1 de 1", "sin votos", "0", "9", "2.2500 %"],
        "s-0003": ["3", "0 de 1", "sin actas"],
        "s-0004": ["4", "1 de 1", "MC", "1,500", "1,500", "75.0000 %"],
    }


def test_a_call_without_secciones_has_none_of_their_pages_and_no_link_to_them(night: Night, tmp_path: Path) -> None:
    space = night.create()
    views = tuple(view for view in VISTAS if view != "secciones")
    space = replace(space, convocatoria=space.convocatoria.model_copy(update={"vistas": views}))
    site = unpack(night.cut(space), tmp_path / "sitio")
    assert not [path for path in site.rglob("*") if path.name == "secciones"]
    unit = parse((site / "gub/distrito-001/index.html").read_bytes())
    assert not unit.all("p", class_="a-secciones")
    check_page(site, "gub/distrito-001/index.html", unit)
    assert list((site / "datos/0001/gub/seccion").iterdir())  # the data stays
