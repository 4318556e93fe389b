"""The gate before signing: what it refuses leaves the repository as it was, and what a person answers for is told."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pregon.base.clock import ManualClock
from pregon.base.errors import AjustesError, DiscoError, FindingsError
from pregon.instituto import compuerta, fuentes, obra
from pregon.instituto.autorizaciones import load
from pregon.instituto.base_de_datos import write_database
from pregon.instituto.build import build_cut
from pregon.instituto.datos import contest_files
from pregon.instituto.portal.paginas import Paginas
from pregon.paquete.manifest import Autorizacion, parse_manifest
from pregon.prep.reader import read_actas
from pregon.tablas.compuerta import review
from pregon.tablas.totales import totals
from tests.instituto.conftest import (
    AUTORIZACIONES,
    CAMPECHE,
    HORA,
    INICIO,
    Night,
    campeche_sources,
    tree_digest,
    unpack,
)
from tests.instituto.html import parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from pregon.instituto.base_de_datos import BaseDeDatos
    from tests.instituto.conftest import Published

LATER = HORA + timedelta(minutes=20)
CUTS = ("20210606_2240", "20210606_2320", "20210606_2340", "20210607_1320", "20210607_1440", "20210607_2000")
ANA = Autorizacion("ENCABEZADO_ORIGEN", "Una foto anterior.", "Ana Ruiz", datetime(2021, 6, 7, 4, tzinfo=UTC))


def edited(sources: Sequence[fuentes.ContestSource], old: str, new: str) -> Sequence[fuentes.ContestSource]:
    """The first source with ``old`` written as ``new``, once."""
    path = sources[0].actas
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return sources


def test_a_header_that_is_not_that_of_its_rows_is_not_signed(night: Night) -> None:
    space = night.create()
    night.cut(space)
    before = tree_digest(space.repositorio)
    sources = edited(night.sources(LATER), "\n3,2,0,2,", "\n4,2,0,2,")
    with pytest.raises(FindingsError, match=r"gub: ENCABEZADO_ORIGEN en encabezado\.ACTAS_ESPERADAS"):
        build_cut(space, sources)
    with pytest.raises(FindingsError, match="ENCABEZADO_ORIGEN"):
        build_cut(space, sources, autorizaciones=[replace(ANA, contienda="dip")])
    with pytest.raises(FindingsError, match="ENCABEZADO_ORIGEN"):
        build_cut(space, sources, autorizaciones=[replace(ANA, codigo="TOTAL_BAJO")])
    assert tree_digest(space.repositorio) == before
    assert night.cut(space, LATER).corte == 2  # the next attempt is not harmed


def test_what_a_person_answers_for_travels_and_shows_with_the_figure_of_the_source(
    night: Night, tmp_path: Path
) -> None:
    space = night.create()
    sources = edited(night.sources(), "\n3,2,0,2,", "\n4,2,0,2,")
    night.clock.instant = HORA
    unused = replace(ANA, contienda="dip")
    built = build_cut(space, sources, autorizaciones=[unused, replace(ANA, contienda="gub"), ANA])
    assert built.manifest.autorizaciones == (replace(ANA, contienda="gub"),)  # only what let something pass
    raw = (built.carpeta / "manifiesto.json").read_bytes()
    assert parse_manifest(raw).autorizaciones == built.manifest.autorizaciones
    assert json.loads(raw)["autorizaciones"][0]["contienda"] == "gub"
    site = unpack(built, tmp_path / "sitio")
    page = parse((site / "gub/index.html").read_bytes()).one(id="nota-fuente")
    [note] = page.all("tr", data_nota="ACTAS_ESPERADAS")
    assert [cell.text for cell in note.all("td")] == ["3", "4"]
    told = page.one("p", data_autorizacion="ENCABEZADO_ORIGEN").text
    assert "lo autorizó Ana Ruiz el 6 de junio de 2021, 23:00 h" in told
    assert "«Una foto anterior.»" in told
    assert not parse((site / "dip/index.html").read_bytes()).all(id="nota-fuente")


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("\n3,2,0,2,66.6666,2,", "\n3,2,0,2,66.6666,4,", "ACTAS_DE_MAS"),
        (",25.0000\n", ",125.0000\n", "PORCENTAJE_IMPOSIBLE"),
        ("002. HOPELCHÉN", "002. HOPELCHÉN", "CATALOGO_AJENO"),
    ],
)
def test_the_impossible_and_the_foreign_are_not_signed(night: Night, old: str, new: str, code: str) -> None:
    space = night.create()
    night.cut(space)
    before = tree_digest(space.repositorio)
    sources = edited(night.sources(LATER), old, new)
    if code == "CATALOGO_AJENO":
        edited(sources, ",04,CAMPECHE,002,", ",04,CAMPECHE,003,")
    with pytest.raises(FindingsError, match=code):
        build_cut(space, sources, autorizaciones=[ANA])
    assert tree_digest(space.repositorio) == before


def test_another_entity_and_an_election_less_are_not_signed(night: Night) -> None:
    space = night.create()
    night.cut(space)
    before = tree_digest(space.repositorio)
    with pytest.raises(FindingsError, match="dip: CATALOGO_AJENO en elecciones"):
        build_cut(space, night.sources(LATER)[:1])
    sources = night.sources(LATER)
    text = sources[0].actas.read_text().replace(",04,CAMPECHE,", ",21,CAMPECHE,").replace("\n040", "\n210")
    sources[0].actas.write_text(text)
    with pytest.raises(FindingsError, match="gub: CATALOGO_AJENO en entidad"):
        build_cut(space, sources)
    assert tree_digest(space.repositorio) == before


def test_an_hour_that_goes_back_needs_its_own_authorisation(night: Night) -> None:
    space = night.create()
    night.cut(space)
    before = tree_digest(space.repositorio)
    sources = night.sources(HORA - timedelta(minutes=20))
    other = replace(ANA, codigo="HORA_DISTINTA")
    night.clock.instant = LATER
    with pytest.raises(FindingsError, match="HORA_ATRAS"):
        build_cut(space, sources, hora=LATER, autorizaciones=[other])
    assert tree_digest(space.repositorio) == before
    built = build_cut(space, sources, hora=LATER, autorizaciones=[other, replace(ANA, codigo="HORA_ATRAS")])
    assert [item.codigo for item in built.manifest.autorizaciones] == ["HORA_DISTINTA", "HORA_ATRAS"]


def test_corrections_and_falls_warn_and_the_cut_goes_out(night: Night) -> None:
    space = night.create()
    night.cut(space, votes="40")
    built = night.cut(space, LATER, votes="38")
    told = {(contest, f.codigo, f.severidad) for contest, f in built.hallazgos}
    for contest in ("gub", "dip"):
        assert {(contest, "ACTA_CORREGIDA", "avisa"), (contest, "TOTAL_BAJO", "avisa")} <= told
    assert built.manifest.autorizaciones == ()
    assert not list(space.trabajo.iterdir())


def test_a_damaged_previous_package_stops_the_next_cut(night: Night) -> None:
    space = night.create()
    first = night.cut(space)
    archive = first.carpeta / first.paquete.nombre
    whole = archive.read_bytes()
    archive.write_bytes(whole[: len(whole) // 2])
    before = tree_digest(space.repositorio)
    with pytest.raises(DiscoError, match="corte anterior"):
        night.cut(space, LATER)
    assert tree_digest(space.repositorio) == before
    archive.write_bytes(whole)
    assert night.cut(space, LATER).corte == 2


def test_a_file_that_changes_while_the_cut_is_made_is_not_signed(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody saves the CSV again after it was read: the totals would be of one file and the database of another."""
    space = night.create()
    sources = night.sources()
    night.clock.instant = HORA
    before = tree_digest(space.repositorio)

    def meddled(*args: Any, **kwargs: Any) -> BaseDeDatos:
        edited(sources, ",40,30,", ",41,29,")  # one contest changes and the other has not been packed yet
        monkeypatch.undo()
        return write_database(*args, **kwargs)

    monkeypatch.setattr(obra, "write_database", meddled)
    with pytest.raises(FindingsError, match="TOTALES_DISTINTOS"):
        build_cut(space, sources, autorizaciones=[replace(ANA, codigo="TOTALES_DISTINTOS")])  # nobody can answer for it
    assert tree_digest(space.repositorio) == before


@pytest.mark.parametrize("route", ["gub/index.html", "dip/distrito-002/index.html", "datos/0001/dip/distrito/001.json"])
def test_a_page_or_a_file_that_says_other_totals_is_seen(
    night: Night, monkeypatch: pytest.MonkeyPatch, route: str
) -> None:
    space = night.create()
    sources = night.sources()
    night.clock.instant = HORA
    before = tree_digest(space.repositorio)

    pages = Paginas.contest

    def altered(files: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
        for name, content in files:
            data = content
            if name == route:
                data = data.replace(b'data-votos="100"', b'data-votos="101"', 1).replace(b'"PAN":40', b'"PAN":41', 1)
                data = data.replace(b'data-votos="200"', b'data-votos="201"', 1)
                assert data != content
            yield name, data

    monkeypatch.setattr(obra, "contest_files", lambda *args, **kwargs: altered(contest_files(*args, **kwargs)))
    monkeypatch.setattr(Paginas, "contest", lambda *args: altered(pages(*args)))
    with pytest.raises(FindingsError, match=f"TOTALES_DISTINTOS en {route}"):
        build_cut(space, sources)
    assert tree_digest(space.repositorio) == before


def test_an_authorisation_for_an_unknown_contest_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    item = {"codigo": "X", "motivo": "m", "operador": "o", "hora": "2021-06-06T23:01:00-05:00", "contienda": "DIP_LOC"}
    path.write_text(json.dumps([item]))
    assert [one.contienda for one in load(path)] == ["dip"]
    path.write_text(json.dumps([{**item, "contienda": "alcaldesa"}]))
    with pytest.raises(AjustesError, match=r"\[0\]: contienda"):
        load(path)


@pytest.mark.datos
def test_campeche_night_passes_with_its_authorisations_and_not_without(datos: Path) -> None:
    allowed = load(AUTORIZACIONES)
    for cut in CUTS:
        found = []
        for source in campeche_sources(datos, cut):
            read = fuentes.read(source)
            found += [(read.eleccion.id, f) for f in review(totals(read.tabla, eleccion=read.eleccion.id))]
        used = compuerta.decide(found, allowed)
        assert {item.contienda for item in used} == ({"dip"} if cut == CUTS[0] else {"dip", "juntas"})
        with pytest.raises(FindingsError):
            compuerta.decide(found, ())


@pytest.mark.datos
def test_campeche_two_cuts_are_signed_one_over_the_other(datos: Path, tmp_path: Path) -> None:
    night = Night(tmp_path, ManualClock(INICIO - timedelta(hours=4)), "simulacro", elecciones=CAMPECHE)
    space = night.create()
    for number, cut in enumerate(CUTS[1:3], start=1):
        sources = campeche_sources(datos, cut)
        night.clock.instant = read_actas(sources[0].actas).hora_corte
        before = tree_digest(space.repositorio)
        with pytest.raises(FindingsError, match="ENCABEZADO_ORIGEN"):
            build_cut(space, sources)
        assert tree_digest(space.repositorio) == before
        built = build_cut(space, sources, autorizaciones=load(AUTORIZACIONES))
        assert built.corte == number
        assert {item.contienda for item in built.manifest.autorizaciones} == {"dip", "juntas"}


@pytest.mark.datos
def test_campeche_page_tells_who_answered_for_the_header(campeche: Published) -> None:
    page = parse((campeche.folder / "juntas/index.html").read_bytes()).one(id="nota-fuente")
    assert "Coordinación del PREP (ensayo)" in page.one("p", data_autorizacion="ENCABEZADO_ORIGEN").text
