"""Levels of a federal file, and special votes apart: each adds up to the one above."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pregon.prep.candidaturas import Candidatura, members
from pregon.prep.circunscripciones import CIRCUNSCRIPCIONES, circunscripcion_of
from pregon.prep.reader import read_actas
from pregon.tablas.totales import totals
from tests.prep.muestras import VOTES, Sample, row

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.tablas.model import ContestTotals, UnitTotals

STATES = {"04": "CAMPECHE", "09": "CIUDAD DE MÉXICO", "21": "PUEBLA", "15": "MÉXICO"}


def federal(n: int, state: str, district: str, **cells: str) -> dict[str, str]:
    """A counted acta of a federal election."""
    key = f"{state}{n:04d}B0100"
    return row(n, CLAVE_CASILLA=key, ID_ESTADO=state, ESTADO=STATES[state], ID_DISTRITO_LOCAL=district, **cells)


def compute(tmp_path: Path, rows: list[dict[str, str]], titulo: str = "DIPUTACIONES FEDERALES") -> ContestTotals:
    return totals(read_actas(Sample(titulo=titulo, rows=rows).write(tmp_path / "A.csv")))


def test_every_entidad_is_of_one_circunscripcion() -> None:
    counted = Counter(entidad for members_ in CIRCUNSCRIPCIONES.values() for entidad in members_)
    assert set(counted.values()) == {1}
    assert sorted(counted) == [f"{n:02d}" for n in range(1, 33)]
    assert [circunscripcion_of(e) for e in ("26", "19", "04", "09", "15", "33")] == ["1", "2", "3", "4", "5", ""]


def test_districts_of_the_same_number_in_two_entidades_are_two(tmp_path: Path) -> None:
    contest = compute(tmp_path, [federal(1, "04", "1"), federal(2, "09", "1"), federal(3, "09", "2")])
    assert [unit.id for unit in contest.unidades] == ["04-1", "09-1", "09-2"]
    assert [(e.id, e.nombre, e.total_votos) for e in contest.entidades] == [
        ("04", "CAMPECHE", 100),
        ("09", "CIUDAD DE MÉXICO", 200),
    ]
    assert [(c.id, c.nombre, c.total_votos) for c in contest.circunscripciones] == [
        ("3", "Tercera circunscripción", 100),
        ("4", "Cuarta circunscripción", 200),
    ]
    assert (contest.entidad.id, contest.entidad.nombre, contest.entidad.total_votos) == ("", "Nacional", 300)
    data = contest.to_json()
    assert list(data["niveles"]) == ["nacional", "circunscripcion", "entidad", "distrito", "seccion", "casilla"]
    assert [item["id"] for item in data["niveles"]["entidad"]] == ["04", "09"]
    assert data["niveles"]["casilla"][1]["distrito"] == "09-1"
    assert data["contendientes"] == data["niveles"]["nacional"][0]["contendientes"]


def test_local_file_keeps_its_levels_and_one_typing_error_makes_no_federal_file(tmp_path: Path) -> None:
    contest = compute(tmp_path, [row(1), row(2, ID_ESTADO="21"), row(3, CLAVE_CASILLA="-", ID_ESTADO="9")])
    assert [unit.id for unit in contest.unidades] == ["001"]
    assert list(contest.to_json(hasta="unidad")["niveles"]) == ["entidad", "distrito"]
    assert contest.entidad.id == "04"


def test_vote_from_abroad_of_each_entidad_is_its_own_unit(tmp_path: Path) -> None:
    abroad = {"TIPO_CASILLA": "M", "LISTA_NOMINAL": "0"}
    contest = compute(
        tmp_path, [federal(1, "04", "1"), federal(2, "04", "N/A", **abroad), federal(3, "09", "N/A", **abroad)]
    )
    assert [(unit.id, unit.nombre) for unit in contest.unidades] == [
        ("04-1", "TENABO"),
        ("04-sin-distrito", "Voto en el extranjero"),
        ("09-sin-distrito", "Voto en el extranjero"),
    ]
    assert [special.total_votos for special in contest.entidad.especiales] == [200]
    assert [[s.total_votos for s in c.especiales] for c in contest.circunscripciones] == [[100], [100]]


def test_senate_has_its_coalitions_in_each_entidad_and_presidency_in_the_nation(tmp_path: Path) -> None:
    alone = {"C_PAN_PRI_PRD": "-", "C_PAN_PRI": "-"}
    rows = [federal(1, "04", "1"), federal(2, "09", "1", **alone), federal(3, "04", "2", **alone)]
    senate = compute(tmp_path, rows, "SENADURÍAS")
    assert [("PAN" in unit.candidaturas, unit.id) for unit in senate.unidades] == [
        (False, "04-1"),
        (False, "04-2"),
        (True, "09-1"),
    ]
    presidency = compute(tmp_path, rows, "PRESIDENCIA")
    assert not any("PAN" in unit.candidaturas for unit in presidency.unidades)


def test_federal_catalogue_joins_by_entidad_and_district(tmp_path: Path) -> None:
    rows = [federal(1, "04", "1", C_PAN_PRI_PRD="0", C_PAN_PRI="0"), federal(2, "09", "01")]
    names = [("4", "SUM-PAN-PRI-PRD"), ("4", "MC"), ("9", "PAN"), ("9", "PRI"), ("9", "PRD"), ("9", "MC")]
    catalogue = tuple(Candidatura("1", name, members(name), "ALGUIEN", "", entidad) for entidad, name in names)
    table = read_actas(Sample(titulo="DIPUTACIONES FEDERALES", rows=rows).write(tmp_path / "A.csv"))
    contest = totals(table, candidaturas=catalogue)
    first, second = contest.unidades
    assert first.candidaturas["C_PAN_PRI_PRD"] == 80
    assert (second.candidaturas["PAN"], second.candidaturas["PRI"]) == (40, 30)
    assert not [f for f in contest.hallazgos if f.codigo.startswith(("CANDIDATURA", "UNIDAD"))]


@pytest.mark.parametrize(
    ("tipo", "nombre"),
    [
        ("S", "Casillas especiales"),
        ("M", "Voto en el extranjero"),
        ("A", "Voto anticipado"),
        ("P", "Voto en prisión preventiva"),
        ("V", "Voto en prisión preventiva"),
        ("U", "Urna electrónica"),
        ("X", "Casillas de tipo X"),
    ],
)
def test_special_votes_are_a_part_of_their_unit_shown_apart(tmp_path: Path, tipo: str, nombre: str) -> None:
    pending = row(3, TIPO_CASILLA=tipo, CONTABILIZADA="-")
    outside = row(4, TIPO_CASILLA=tipo, CONTABILIZADA="2")
    contest = compute(tmp_path, [row(1), row(2, TIPO_CASILLA=tipo.lower()), pending, outside])
    (unit,) = contest.unidades
    (special,) = unit.especiales
    assert (special.tipo, special.nombre, special.total_votos) == (tipo, nombre, 100)
    assert (special.actas.esperadas, special.actas.contabilizadas) == (2, 1)
    assert unit.total_votos == 200
    assert contest.entidad.especiales == unit.especiales
    (item,) = contest.to_json()["niveles"]["distrito"][0]["especiales"]
    assert set(item) == {"tipo", "nombre", "contendientes", "lista_nominal", "total_votos", "actas"}


def test_ordinary_casillas_are_no_special_votes(tmp_path: Path) -> None:
    contest = compute(tmp_path, [row(1), row(2, TIPO_CASILLA="C"), row(3, TIPO_CASILLA="E")])
    assert contest.entidad.especiales == ()
    assert contest.to_json()["niveles"]["entidad"][0]["especiales"] == []


federal_rows = st.builds(
    lambda n, state, district, kind, counted, votes: federal(
        n, state, district, TIPO_CASILLA=kind, CONTABILIZADA=counted, **dict(zip(VOTES, votes, strict=True))
    ),
    st.integers(1, 40),
    st.sampled_from(sorted(STATES)),
    st.sampled_from(["1", "2", "N/A"]),
    st.sampled_from("BCESMAP"),
    st.sampled_from(["1", "1", "1", "0", "-", "2"]),
    st.lists(st.one_of(st.integers(0, 300).map(str), st.just("SIN DATO")), min_size=len(VOTES), max_size=len(VOTES)),
)


FEW = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
CUALQUIERA = given(st.lists(federal_rows, min_size=1, max_size=25))


@FEW
@CUALQUIERA
def test_every_level_adds_up_for_any_federal_rows(tmp_path: Path, rows: list[dict[str, str]]) -> None:
    _adds_up(tmp_path, rows)


@pytest.mark.aguante
@settings(FEW, max_examples=100)
@CUALQUIERA
def test_every_level_adds_up_for_many_federal_rows(tmp_path: Path, rows: list[dict[str, str]]) -> None:
    _adds_up(tmp_path, rows)


def _adds_up(tmp_path: Path, rows: list[dict[str, str]]) -> None:
    contest = compute(tmp_path, rows)
    _same(contest, [contest.entidad], contest.unidades)
    if contest.entidades:
        _same(contest, contest.entidades, contest.unidades)
        _same(contest, contest.circunscripciones, contest.unidades)
    for level in (contest.entidad, *contest.entidades, *contest.circunscripciones, *contest.unidades):
        for votes in (level.contendientes, level.partidos, level.candidaturas):
            assert sum(votes.values()) == level.total_votos
        assert sum(special.total_votos for special in level.especiales) <= level.total_votos
    ordinary = sum(
        int(r[column])
        for r in rows
        if r["CONTABILIZADA"] == "1" and r["TIPO_CASILLA"] in "BCE"
        for column in VOTES
        if r[column].isdecimal()
    )
    whole = contest.entidad
    assert whole.total_votos - sum(special.total_votos for special in whole.especiales) == ordinary


def _same(
    contest: ContestTotals, above: list[UnitTotals] | tuple[UnitTotals, ...], below: tuple[UnitTotals, ...]
) -> None:
    for column in VOTES:
        assert sum(u.contendientes[column] for u in above) == sum(u.contendientes[column] for u in below)
    for key in contest.partidos:
        assert sum(u.partidos[key] for u in above) == sum(u.partidos[key] for u in below)
    for key in contest.candidaturas:
        assert sum(u.candidaturas.get(key, 0) for u in above) == sum(u.candidaturas.get(key, 0) for u in below)
    assert sum(u.actas.esperadas for u in above) == sum(u.actas.esperadas for u in below)
    assert sum(u.lista_nominal for u in above) == sum(u.lista_nominal for u in below)
    kinds = {special.tipo for unit in below for special in unit.especiales}
    for kind in kinds:
        upper = sum(s.total_votos for unit in above for s in unit.especiales if s.tipo == kind)
        assert upper == sum(s.total_votos for unit in below for s in unit.especiales if s.tipo == kind)
