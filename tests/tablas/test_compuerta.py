"""The gate of one contest, and ``pregon prep revisa``: what blocks, what warns, and the real files by name."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner, Result

from pregon.cli.prep import app
from pregon.prep.cambios import changes
from pregon.prep.reader import read_actas
from pregon.tablas.compuerta import Referencia, corrected, follows, foreign_entity, review
from pregon.tablas.totales import totals
from tests.prep.muestras import SUMMARY, Sample, row

if TYPE_CHECKING:
    from pregon.prep.model import Finding
    from pregon.tablas.model import ContestTotals


def compute(folder: Path, sample: Sample) -> ContestTotals:
    return totals(read_actas(sample.write(folder / "DIP.csv")))


def codes(found: tuple[Finding, ...], severidad: str) -> set[str]:
    return {finding.codigo for finding in found if finding.severidad == severidad}


def revisa(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["revisa", *(str(argument) for argument in arguments)])


def test_a_header_that_is_not_that_of_its_rows_blocks_only_where_it_goes_out(tmp_path: Path) -> None:
    sample = Sample()
    sample.summary["TOTAL_VOTOS_C_CS"] = "201"
    contest = compute(tmp_path, sample)
    assert codes(review(contest), "bloquea") == {"ENCABEZADO_ORIGEN"}
    assert codes(review(contest, publica_encabezado=False), "bloquea") == set()
    assert codes(review(contest, publica_encabezado=False), "avisa") == {"ENCABEZADO_ORIGEN"}
    assert review(compute(tmp_path, Sample())) == ()


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("ACTAS_CONTABILIZADAS", "3", "ACTAS_DE_MAS"),
        ("ACTAS_CAPTURADAS", "3", "ACTAS_DE_MAS"),
        ("PORCENTAJE_ACTAS_CONTABILIZADAS", "100.0001", "PORCENTAJE_IMPOSIBLE"),
        ("PORCENTAJE_PARTICIPACION_CIUDADANA", "131.0000", "PORCENTAJE_IMPOSIBLE"),
    ],
)
def test_more_than_there_can_be_blocks(tmp_path: Path, field: str, value: str, code: str) -> None:
    sample = Sample()
    sample.summary[field] = value
    [finding] = [f for f in review(compute(tmp_path, sample)) if f.codigo == code]
    assert (finding.severidad, finding.donde) == ("bloquea", f"encabezado.{field}")


def test_a_table_without_one_acta_blocks_even_where_its_header_agrees(tmp_path: Path) -> None:
    sample = Sample(summary=dict.fromkeys(SUMMARY, "0"), rows=[row(1, CONTABILIZADA="2")])
    for publishes in (True, False):
        found = review(compute(tmp_path, sample), publica_encabezado=publishes)
        assert "SIN_ACTAS" in codes(found, "bloquea")
    pending = Sample(rows=[row(1, CONTABILIZADA="")])
    assert "SIN_ACTAS" not in codes(review(compute(tmp_path, pending)), "bloquea")  # before the first acta arrives


def test_a_unit_with_more_votes_than_lista_nominal_blocks(tmp_path: Path) -> None:
    sample = Sample(rows=[row(1), row(2, ID_DISTRITO_LOCAL="002", LISTA_NOMINAL="50")])
    found = [f for f in review(compute(tmp_path, sample)) if f.codigo == "PORCENTAJE_IMPOSIBLE"]
    assert [(f.severidad, f.donde) for f in found] == [("bloquea", "distrito 002")]


def test_an_earlier_hour_another_unit_and_another_column_block(tmp_path: Path) -> None:
    before = Referencia.of(compute(tmp_path, Sample()))
    earlier = compute(tmp_path, Sample(corte="06/06/2021 22:39 (UTC-5)"))
    assert codes(follows(earlier, before), "bloquea") == {"HORA_ATRAS"}
    elsewhere = compute(tmp_path, Sample(rows=[row(1), row(2, ID_DISTRITO_LOCAL="002")]))
    [foreign] = follows(elsewhere, before)
    assert (foreign.codigo, foreign.severidad, foreign.donde) == ("CATALOGO_AJENO", "bloquea", "distrito")
    assert "sobran 002" in foreign.mensaje
    columns = [column for column in Sample().columns if column != "CAND_IND_1"]
    [foreign] = follows(compute(tmp_path, Sample(columns=columns)), before)
    assert (foreign.codigo, foreign.donde) == ("CATALOGO_AJENO", "columnas")
    assert "CAND_IND_1" in foreign.mensaje
    assert follows(compute(tmp_path, Sample()), before) == ()
    assert codes(foreign_entity(("04", "21"), "04"), "bloquea") == {"CATALOGO_AJENO"}
    assert foreign_entity(("04",), "04") == ()


def test_what_fell_was_corrected_or_left_warns_and_is_bounded(tmp_path: Path) -> None:
    before = read_actas(Sample(rows=[row(n) for n in range(1, 41)]).write(tmp_path / "A.csv"))
    lower = [row(n, PAN="39", TOTAL_VOTOS_CALCULADO="99") for n in range(1, 40)]
    after = read_actas(Sample(rows=lower).write(tmp_path / "B.csv"))
    found = follows(totals(after), Referencia.of(totals(before)))
    assert (codes(found, "avisa"), codes(found, "bloquea")) == ({"TOTAL_BAJO", "CATALOGO_CAMBIO"}, set())
    for left, weight in ((31, "avisa"), (30, "bloquea")):  # a quarter less: part of the file is missing
        half = totals(read_actas(Sample(rows=lower[:left]).write(tmp_path / f"{left}.csv")))
        assert "CATALOGO_CAMBIO" in codes(follows(half, Referencia.of(totals(before))), weight)
    grown = follows(totals(before), Referencia.of(totals(after)))
    assert (codes(grown, "avisa"), codes(grown, "bloquea")) == ({"CATALOGO_CAMBIO"}, set())
    listed = {finding.codigo: finding for finding in corrected(changes(before, after))}
    assert {code: finding.severidad for code, finding in listed.items()} == {
        "ACTA_SALIO": "avisa",
        "ACTA_CORREGIDA": "avisa",
    }
    assert "39 acta(s) corregida(s)" in listed["ACTA_CORREGIDA"].mensaje
    assert "PAN 40 → 39" in listed["ACTA_CORREGIDA"].mensaje
    assert "34 más" in listed["ACTA_CORREGIDA"].mensaje
    assert max(len(finding.mensaje) for finding in listed.values()) < 600


def test_revisa_compares_with_the_previous_cut(tmp_path: Path) -> None:
    (tmp_path / "antes").mkdir()
    before = Sample(corte="06/06/2021 22:20 (UTC-5)").write(tmp_path / "antes" / "CAMP_DIP_LOC_2021.csv")
    later = Sample(rows=[row(1, PAN="39", PRI="31"), row(2)])
    now = later.write(tmp_path / "CAMP_DIP_LOC_2021.csv")
    result = revisa(now, "--anterior", before, "--json")
    assert result.exit_code == 0, result.output
    [told] = json.loads(result.stdout)
    assert [finding["codigo"] for finding in told["hallazgos"]] == ["TOTAL_BAJO", "ACTA_CORREGIDA"]
    back = revisa(before, "--anterior", now, "--json")
    assert back.exit_code == 65
    assert "HORA_ATRAS" in back.stdout
    assert revisa(now, "--anterior", before, now).exit_code == 2


def named(datos: Path, folder: str) -> list[Path]:
    return sorted(path for path in (datos / folder).rglob("*.csv") if "andidatura" not in path.name.lower())


@pytest.mark.datos
def test_puebla_nine_simulacro_files_are_blocked_by_name_and_the_night_passes(datos: Path) -> None:
    with (Path(__file__).parent / "diferencias.csv").open(encoding="utf-8") as file:
        expected = {line[0] for line in csv.reader(file) if line and line[0].startswith("puebla-2024/")}
    assert len(expected) == 9
    files = named(datos, "puebla-2024")
    result = revisa(*files, "--json")
    assert result.exit_code == 65
    told = json.loads(result.stdout)
    by_name = {str(Path(item["archivo"]).relative_to(datos)): item["hallazgos"] for item in told}
    assert len(by_name) == 28
    blocked = {name for name, found in by_name.items() if any(f["severidad"] == "bloquea" for f in found)}
    assert blocked == expected
    for name in blocked:
        assert name in json.loads(result.stderr)["que_paso"]
        assert "ENCABEZADO_ORIGEN" in {f["codigo"] for f in by_name[name] if f["severidad"] == "bloquea"}
    assert sum("_noche/" in name for name in by_name.keys() - blocked) == 6


@pytest.mark.datos
def test_puebla_last_cut_passes_over_the_one_before_and_its_corrections_are_listed(datos: Path) -> None:
    before, after = (named(datos, f"puebla-2024/{cut}_noche") for cut in ("20240603_1800", "20240603_2000"))
    result = revisa(*after, "--anterior", *before, "--json")
    assert result.exit_code == 0, result.output
    told = {Path(item["archivo"]).name: item["hallazgos"] for item in json.loads(result.stdout)}
    [corrections] = [f for f in told["PUE_AYUN_2024.csv"] if f["codigo"] == "ACTA_CORREGIDA"]
    assert corrections["mensaje"].startswith("43 acta(s) corregida(s)")
    [fell] = [f for f in told["PUE_AYUN_2024.csv"] if f["codigo"] == "TOTAL_BAJO"]
    assert "C_NAP_FXMP" in fell["mensaje"]
    assert not [f for f in told["PUE_GUB_2024.csv"] if f["codigo"].startswith(("ACTA_", "TOTAL_"))]
