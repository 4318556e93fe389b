"""Totals of small and made-up files: what each rule gives, and what is said when the data are wrong."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pregon.prep.candidaturas import Candidatura, members, read_candidaturas
from pregon.prep.model import CAMPOS
from pregon.prep.reader import read_actas
from pregon.prep.synthetic import eleccion as synthetic
from pregon.tablas.totales import totals
from tests.prep.muestras import SUMMARY, VOTES, Sample, row

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.tablas.model import ContestTotals

ZONE = timezone(timedelta(hours=-6))
CUTS = [datetime(2027, 6, 6, 20, 0, tzinfo=ZONE) + timedelta(minutes=20 * i) for i in range(6)]


def compute(tmp_path: Path, sample: Sample, **options: object) -> ContestTotals:
    return totals(read_actas(sample.write(tmp_path / "ACTAS.csv")), **options)  # type: ignore[arg-type]


def codes(contest: ContestTotals) -> list[str]:
    return [finding.codigo for finding in contest.hallazgos]


def test_clean_file_has_no_findings_and_equal_fields(tmp_path: Path) -> None:
    contest = compute(tmp_path, Sample())
    assert codes(contest) == []
    assert {name: str(value) for name, value in contest.recalculado.items()} == SUMMARY
    assert dict(contest.partidos) == {
        "PAN": 84,
        "PRI": 64,
        "PRD": 22,
        "MC": 20,
        "CAND_IND_1": 0,
        "NO_REGISTRADOS": 2,
        "NULOS": 8,
    }
    assert dict(contest.candidaturas) == {
        "C_PAN_PRI_PRD": 170,
        "MC": 20,
        "CAND_IND_1": 0,
        "NO_REGISTRADOS": 2,
        "NULOS": 8,
    }
    assert contest.entidad.con_cifra == frozenset(VOTES) - {"CAND_IND_1"}


def test_json_has_the_keys_of_the_contract(tmp_path: Path) -> None:
    contest = compute(tmp_path, Sample())
    data = contest.to_json()
    assert list(data) == [
        "titulo",
        "hora_corte",
        "dialecto",
        "encabezado",
        "encabezado_crudo",
        "recalculado",
        "regla_participacion",
        "regla_inconsistencias",
        "contendientes",
        "partidos",
        "candidaturas",
        "niveles",
        "hallazgos",
    ]
    assert list(data["niveles"]) == ["entidad", "distrito", "seccion", "casilla"]
    assert set(data["niveles"]["distrito"][0]) == {
        "id",
        "nombre",
        "contendientes",
        "partidos",
        "candidaturas",
        "lista_nominal",
        "total_votos",
        "participacion",
        "actas",
        "especiales",
    }
    assert list(data["recalculado"]) == list(CAMPOS) == list(data["encabezado"])
    casilla = data["niveles"]["casilla"][0]
    assert casilla["contendientes"]["CAND_IND_1"] is None
    assert casilla["marcas"] == {"CAND_IND_1": "no_contiende"}
    assert data["niveles"]["entidad"][0]["participacion"] == "25.0000"
    assert data["hora_corte"] == "2021-06-06T22:40:00-05:00"
    json.dumps(data)
    short = contest.to_json(hasta="unidad")
    assert set(data) - set(short) == {"hallazgos"}
    assert list(short["niveles"]) == ["entidad", "distrito"]


def test_absent_figure_is_null_and_named(tmp_path: Path) -> None:
    sample = Sample()
    sample.summary["TOTAL_VOTOS_C_CS"] = ""
    del sample.summary["TOTAL_VOTOS_S_CS"]
    contest = compute(tmp_path, sample)
    assert contest.encabezado["TOTAL_VOTOS_C_CS"] is None
    assert contest.recalculado["TOTAL_VOTOS_C_CS"] == 200
    assert codes(contest) == ["ENCABEZADO_SIN_VALOR"] * 2


def test_header_that_disagrees_is_named_with_both_figures(tmp_path: Path) -> None:
    sample = Sample()
    sample.summary["TOTAL_VOTOS_C_CS"] = "201"
    (finding,) = compute(tmp_path, sample).hallazgos
    assert (finding.codigo, finding.severidad, finding.donde) == (
        "ENCABEZADO_ORIGEN",
        "avisa",
        "encabezado.TOTAL_VOTOS_C_CS",
    )
    assert "201" in finding.mensaje
    assert "200" in finding.mensaje


def test_special_casilla_counts_in_turnout_only_by_the_flag_of_the_cut(tmp_path: Path) -> None:
    sample = Sample()
    sample.rows.append(row(3, TIPO_CASILLA="S", LISTA_NOMINAL="0"))
    without = compute(tmp_path, sample)
    assert (without.recalculado["TOTAL_VOTOS_C_CS"], without.recalculado["TOTAL_VOTOS_S_CS"]) == (300, 200)
    assert without.regla_participacion == "sin_especiales"
    assert without.entidad.participacion == "25.0000"
    sample.summary |= {"TOTAL_VOTOS_C_CS": "300", "PORCENTAJE_PARTICIPACION_CIUDADANA": "37.5"}
    deduced = compute(tmp_path, sample)
    assert deduced.regla_participacion == "con_especiales"
    assert deduced.recalculado["PORCENTAJE_PARTICIPACION_CIUDADANA"] == "37.5000" == deduced.entidad.participacion
    assert compute(tmp_path, sample, incluye_especiales=False).entidad.participacion == "25.0000"


@pytest.mark.parametrize(
    ("stated", "rule"),
    [
        ("75.0000", "amplia"),
        ("50.0000", "estricta"),
        ("25.0000", "excede"),
        ("100.0000", "todas"),
        ("1.0000", "amplia"),
    ],
)
def test_definition_of_inconsistencias_is_the_one_that_gives_the_header(tmp_path: Path, stated: str, rule: str) -> None:
    sample = Sample()
    sample.rows = [
        row(1, OBSERVACIONES="ALGUN CAMPO ILEGIBLE O SIN DATO"),
        row(2, OBSERVACIONES="TODOS ILEGIBLES O SIN DATO", CONTABILIZADA="0"),
        row(3, OBSERVACIONES="EXCEDE LISTA NOMINAL", CONTABILIZADA="0"),
        row(4, OBSERVACIONES="SIN ACTA POR PAQUETE NO ENTREGADO", CONTABILIZADA="0"),
        row(5, OBSERVACIONES="FUERA DE CATALOGO ILEGIBLE", CONTABILIZADA="2"),
    ]
    sample.summary |= {"ACTAS_ESPERADAS": "4", "PORCENTAJE_ACTAS_INCONSISTENCIAS": stated}
    contest = compute(tmp_path, sample)
    assert contest.regla_inconsistencias == rule
    assert contest.to_json()["regla_inconsistencias"] == rule
    assert contest.recalculado["ACTAS_ESPERADAS"] == 4
    assert contest.recalculado["ACTAS_REGISTRADAS"] == 5
    assert contest.recalculado["ACTAS_NO_CONTABILIZADAS"] == 3
    assert (
        compute(tmp_path, sample, inconsistencias="todas").recalculado["PORCENTAJE_ACTAS_INCONSISTENCIAS"] == "100.0000"
    )


def test_unknown_definition_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="inconsistencias"):
        compute(tmp_path, Sample(), inconsistencias="otra")


def test_each_fault_of_the_rows_is_one_finding_with_its_count(tmp_path: Path) -> None:
    sample = Sample()
    sample.rows = [row(n) for n in range(1, 9)]
    sample.rows[0] |= {"PAN": "1x"}
    sample.rows[1] |= {"TOTAL_VOTOS_CALCULADO": "101", "CLAVE_ACTA": "repetida"}
    sample.rows[2] |= {"LISTA_NOMINAL": "70", "CLAVE_ACTA": "repetida"}
    sample.rows[3] |= {"FECHA_HORA_CAPTURA": "2021-06-06 19:00"}
    sample.rows[4] |= {"CONTABILIZADA": "quizá"}
    sample.rows[5] |= {"SHA": "abc"}
    sample.rows[6] |= {"SHA": sample.rows[7]["SHA"]}
    contest = compute(tmp_path, sample)
    found = {f.codigo: f for f in contest.hallazgos if not f.codigo.startswith("ENCABEZADO")}
    assert {code: f.severidad for code, f in found.items()} == {
        "VALOR_DESCONOCIDO": "bloquea",
        "CONTABILIZADA_DESCONOCIDA": "bloquea",
        "SUMA_VOTOS": "avisa",
        "EXCEDE_SIN_MARCA": "avisa",
        "SHA_FORMATO": "avisa",
        "FECHA_RARA": "avisa",
        "CLAVE_REPETIDA": "informa",
        "SHA_REPETIDO": "avisa",
    }
    assert found["VALOR_DESCONOCIDO"].donde == "línea 6"
    assert found["SUMA_VOTOS"].mensaje.startswith("2 acta(s)")  # the unknown cell counts as zero


def test_findings_stay_short_however_many_rows_are_wrong(tmp_path: Path) -> None:
    sample = Sample(rows=[row(n, TOTAL_VOTOS_CALCULADO="7") for n in range(1, 500)])
    contest = compute(tmp_path, sample)
    assert len(contest.hallazgos) < 20
    assert max(len(f.mensaje) for f in contest.hallazgos) < 500


def test_empty_catalogue_of_actas(tmp_path: Path) -> None:
    contest = compute(tmp_path, Sample(rows=[]))
    assert contest.recalculado["ACTAS_ESPERADAS"] == 0
    assert contest.recalculado["PORCENTAJE_PARTICIPACION_CIUDADANA"] == "0.0000"
    assert contest.unidades == ()
    assert set(contest.candidaturas.values()) <= {0}


def test_tie_of_the_split_is_reported_with_its_unit(tmp_path: Path) -> None:
    sample = Sample(rows=[row(1, PAN="30", PRI="30", PRD="10", C_PAN_PRI_PRD="4", C_PAN_PRI="0", MC="21")])
    contest = compute(tmp_path, sample)
    assert "EMPATE_REPARTO" in codes(contest)
    assert dict(contest.partidos) == {
        "PAN": 32,
        "PRI": 31,
        "PRD": 11,
        "MC": 21,
        "CAND_IND_1": 0,
        "NO_REGISTRADOS": 1,
        "NULOS": 4,
    }


def test_common_candidacy_is_not_split_but_is_one_candidatura(tmp_path: Path) -> None:
    sample = Sample()
    sample.columns = ["CC_PAN_PRI" if c == "C_PAN_PRI" else c for c in sample.columns]
    for values in sample.rows:
        values["CC_PAN_PRI"] = values.pop("C_PAN_PRI")
        values |= {"C_PAN_PRI_PRD": "-", "PRD": "13"}
    contest = compute(tmp_path, sample)
    assert dict(contest.partidos)["CC_PAN_PRI"] == 4
    assert dict(contest.partidos)["PAN"] == 80
    assert dict(contest.candidaturas)["CC_PAN_PRI"] == 144
    assert dict(contest.candidaturas)["PRD"] == 26


def test_catalogue_decides_who_stands_together_in_each_district(tmp_path: Path) -> None:
    sample = Sample(rows=[row(1), row(2, ID_DISTRITO_LOCAL="002", C_PAN_PRI_PRD="0", C_PAN_PRI="0", PAN="45")])
    catalogue = tuple(
        Candidatura(unit, name, members(name), "ALGUIEN", "")
        for unit, name in (("1", "SUM-PAN-PRI-PRD"), ("1", "MC"), ("2", "PAN"), ("2", "PRI"), ("2", "PRD"), ("2", "MC"))
    )
    contest = compute(tmp_path, sample, candidaturas=catalogue)
    one, two = contest.unidades
    assert one.candidaturas["C_PAN_PRI_PRD"] == 85
    assert (two.candidaturas["PAN"], two.candidaturas["PRI"]) == (45, 30)
    assert "C_PAN_PRI_PRD" not in two.candidaturas
    assert sum(contest.candidaturas.values()) == 200


cells = st.one_of(st.integers(0, 400).map(str), st.sampled_from(["-", "", "SIN DATO", "Ilegible", "sin_acta", "N/A"]))
acta_rows = st.builds(
    lambda n, unit, kind, state, votes: row(
        n, ID_DISTRITO_LOCAL=unit, TIPO_CASILLA=kind, CONTABILIZADA=state, **dict(zip(VOTES, votes, strict=True))
    ),
    st.integers(1, 30),
    st.sampled_from(["001", "002", "N/A"]),
    st.sampled_from("BCS"),
    st.sampled_from(["1", "1", "0", "-", "2"]),
    st.lists(cells, min_size=len(VOTES), max_size=len(VOTES)),
)


FEW = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
CUALQUIERA = given(st.lists(acta_rows, max_size=25))


@FEW
@CUALQUIERA
def test_levels_add_up_for_any_rows(tmp_path: Path, rows: list[dict[str, str]]) -> None:
    _adds_up(tmp_path, rows)


@pytest.mark.aguante
@settings(FEW, max_examples=100)
@CUALQUIERA
def test_levels_add_up_for_many_rows(tmp_path: Path, rows: list[dict[str, str]]) -> None:
    _adds_up(tmp_path, rows)


def _adds_up(tmp_path: Path, rows: list[dict[str, str]]) -> None:
    contest = compute(tmp_path, Sample(rows=rows))
    expected = {
        column: sum(int(r[column]) for r in rows if r["CONTABILIZADA"] == "1" and r[column].isdecimal())
        for column in VOTES
    }
    assert dict(contest.contendientes) == expected
    for unit in (contest.entidad, *contest.unidades):
        for votes in (unit.contendientes, unit.partidos, unit.candidaturas):
            assert sum(votes.values()) == unit.total_votos
    for column in VOTES:
        assert expected[column] == sum(u.contendientes[column] for u in contest.unidades)
        assert expected[column] == sum(s.contendientes[column] for s in contest.secciones)
    assert contest.recalculado["ACTAS_ESPERADAS"] == sum(r["CONTABILIZADA"] != "2" for r in rows)
    assert contest.recalculado["ACTAS_ESPERADAS"] == sum(u.actas.esperadas for u in contest.unidades)


@pytest.fixture(scope="module", params=["GUB", "DIP", "AYU"])
def made_up(request: pytest.FixtureRequest) -> synthetic.SyntheticElection:
    code: str = request.param
    return synthetic.election(code, casillas=240, unidades=9, cortes=CUTS, semilla=7, entidad=(12, "GUERRERO"))


def test_synthetic_header_agrees_with_its_rows_in_every_cut(
    made_up: synthetic.SyntheticElection, tmp_path: Path
) -> None:
    (tmp_path / "CAND.csv").write_bytes(made_up.candidaturas_csv())
    catalogue = read_candidaturas(tmp_path / "CAND.csv")
    before = -1
    for i in range(len(CUTS)):
        path = tmp_path / f"{made_up.file_stem}.csv"
        path.write_bytes(made_up.actas_csv(i))
        contest = totals(read_actas(path), candidaturas=catalogue)
        assert {finding.severidad for finding in contest.hallazgos} <= {"informa"}
        assert not [code for code in codes(contest) if code.startswith("ENCABEZADO")]
        assert contest.hora_corte == CUTS[i]
        assert contest.nivel == ("municipio" if made_up.titulo == "AYUNTAMIENTOS" else "distrito")
        assert len(contest.unidades) == 9
        assert contest.regla_participacion == ("con_especiales" if i == len(CUTS) - 1 else "sin_especiales")
        captured = contest.entidad.actas.capturadas
        assert captured > before
        before = captured


def test_synthetic_acta_keeps_its_values_once_it_arrived(made_up: synthetic.SyntheticElection) -> None:
    seen: dict[str, str] = {}
    for i in range(len(CUTS)):
        for line in made_up.actas_csv(i).decode().splitlines()[6:]:
            key = line[:40] if not line.startswith(",") else line
            if ",-,-,-,-," not in line[:120]:
                assert seen.setdefault(key, line) == line


def test_synthetic_election_is_the_same_for_a_seed_and_not_for_another() -> None:
    def make(seed: int) -> bytes:
        made = synthetic.election("DIP", casillas=60, unidades=4, cortes=CUTS, semilla=seed, entidad=(12, "GUERRERO"))
        return made.actas_csv(3)

    assert make(1) == make(1)
    assert make(1) != make(2)


@pytest.mark.parametrize(("casillas", "unidades"), [(1, 1), (5, 5), (40, 31), (300, 3)])
def test_synthetic_units_all_have_casillas(casillas: int, unidades: int, tmp_path: Path) -> None:
    made = synthetic.election(
        "AYU", casillas=casillas, unidades=unidades, cortes=CUTS[:1], semilla=3, entidad=(4, "CAMPECHE")
    )
    path = tmp_path / "A.csv"
    path.write_bytes(made.actas_csv(0))
    contest = totals(read_actas(path))
    assert len(contest.unidades) == unidades
    assert contest.recalculado["ACTAS_ESPERADAS"] == casillas


def test_polars_computes_the_synthetic_totals_by_itself(made_up: synthetic.SyntheticElection, tmp_path: Path) -> None:
    path = tmp_path / "A.csv"
    path.write_bytes(made_up.actas_csv(4))
    contest = totals(read_actas(path))
    text = path.read_text(encoding="utf-8")
    frame = pl.read_csv(text[text.index("CLAVE_CASILLA") :].encode(), infer_schema=False)
    votes = list(contest.contendientes)
    counted = frame.filter(pl.col("CONTABILIZADA") == "1").select(pl.col(*votes).cast(pl.Int64, strict=False))
    assert counted.sum().row(0) == tuple(contest.contendientes.values())


@pytest.mark.parametrize(
    ("code", "casillas", "cuts"),
    [
        ("XXX", 10, CUTS),
        ("DIP", 2, CUTS),
        ("DIP", 10, []),
        ("DIP", 10, CUTS[::-1]),
        ("DIP", 10, [CUTS[0].replace(tzinfo=None)]),
    ],
)
def test_impossible_synthetic_elections_are_refused(code: str, casillas: int, cuts: list[datetime]) -> None:
    with pytest.raises(ValueError, match=r"election|units|cuts"):
        synthetic.election(code, casillas=casillas, unidades=3, cortes=cuts, semilla=1, entidad=(4, "CAMPECHE"))
