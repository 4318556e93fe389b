"""The catalogue against its contest: names still to come, rows of nowhere, units left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pregon.prep.candidaturas import Candidatura, catalogue_beside, members, read_candidaturas, read_catalogo
from pregon.prep.model import Estado
from pregon.prep.pendientes import MAX_EXAMPLES, is_placeholder, placeholders, review_catalogue
from pregon.prep.reader import read_actas
from pregon.prep.rows import actas
from pregon.prep.writer_candidaturas import write_candidaturas
from pregon.tablas.totales import totals
from tests.prep.muestras import Sample, row

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pregon.prep.model import ActaTable, Finding


def one(unidad: str, partido: str, propietaria: str = "BEGOÑA NÚÑEZ", suplente: str = "ANA PUC") -> Candidatura:
    return Candidatura(unidad, partido, members(partido), propietaria, suplente)


def whole(unit: str = "1") -> list[Candidatura]:
    """A catalogue that names every column of the sample."""
    return [one(unit, name) for name in ("PAN", "PRI", "PRD", "MC", "SUM-PAN-PRI-PRD", "C_PAN_PRI", "CAND_IND_1")]


def units_of(table: ActaTable) -> set[str]:
    """The units of the actas within the catalogue."""
    return {acta.unidad for acta in actas(table) if acta.estado is not Estado.FUERA_CATALOGO}


def review(tmp_path: Path, catalogue: Sequence[Candidatura], *units: str) -> tuple[Finding, ...]:
    rows = [row(n, ID_DISTRITO_LOCAL=unit) for n, unit in enumerate(units or ("001",), start=1)]
    table = read_actas(Sample(rows=rows).write(tmp_path / "A.csv"))
    return review_catalogue(catalogue, table, units_of(table))


@pytest.mark.parametrize(
    "text",
    [
        "Nombre Apellido Apellido",
        "NOMBRE  APELLIDO",
        "Nombre Apellido Paterno Apellido Materno",
        "SIN CANDIDATURA",
        "Sin candidato",
        "SIN CANDIDATA",
        "sin nombre",
        "SIN REGISTRO",
        "Por definir",
        "PENDIENTE",
        "XXX XXX",
        "N/A",
        "-",
        "--",
        ".",
        "",
        "  ",
    ],
)
def test_placeholder_is_no_person(text: str) -> None:
    assert is_placeholder(text)


@pytest.mark.parametrize("text", ["SIN CHEN CAAMAL", "XIMENA XOOL", "NOMBRE DE DIOS PÉREZ", "JOSÉ PENDIENTES", "O"])
def test_person_is_no_placeholder(text: str) -> None:
    assert not is_placeholder(text)


def test_placeholders_are_counted_cell_by_cell_with_a_few_examples() -> None:
    rows = [one(str(n), "PES", "Nombre Apellido Apellido", "SIN CANDIDATURA") for n in range(1, 100)]
    (finding,) = placeholders([*rows, one("1", "PAN")])
    assert (finding.codigo, finding.severidad, finding.donde) == ("CANDIDATURA_PENDIENTE", "avisa", "candidaturas")
    assert finding.mensaje.startswith("198 nombre(s)")
    assert finding.mensaje.count("PES") == MAX_EXAMPLES


def test_catalogue_without_substitutes_does_not_miss_them() -> None:
    assert placeholders([one("", "PAN", suplente=""), one("", "PRI", suplente="")]) == ()
    (finding,) = placeholders([one("", "PAN", suplente=""), one("", "PRI")])
    assert finding.mensaje.startswith("1 nombre(s)")


def test_catalogue_that_joins_its_contest_has_no_findings(tmp_path: Path) -> None:
    assert review(tmp_path, whole()) == ()
    assert review(tmp_path, whole("")) == ()  # the whole entity votes for the same people
    assert review(tmp_path, []) == ()


def test_rows_of_no_unit_and_no_party_and_units_left_out_are_named(tmp_path: Path) -> None:
    catalogue = [*whole(), one("7", "PAN"), one("1", "PES"), one("1", "SUM-PAN-PES"), one("1", "CAND_IND_2")]
    found = {f.codigo: f for f in review(tmp_path, catalogue, "001", "002", "N/A")}
    assert {f.severidad for f in found.values()} == {"avisa"}
    assert {code: f.mensaje.split(" ", 1)[0] for code, f in found.items()} == {
        "CANDIDATURA_SIN_UNIDAD": "1",
        "CANDIDATURA_SIN_COLUMNA": "3",
        "UNIDAD_SIN_CANDIDATURA": "1",
    }
    assert "7 PAN" in found["CANDIDATURA_SIN_UNIDAD"].mensaje
    assert "1 CAND_IND_2" in found["CANDIDATURA_SIN_COLUMNA"].mensaje
    assert found["UNIDAD_SIN_CANDIDATURA"].mensaje.endswith(": 2.")


def test_party_and_independent_in_another_spelling_have_their_column(tmp_path: Path) -> None:
    sample = Sample()
    sample.columns = ["MORENA" if c == "MC" else c for c in sample.columns]
    for values in sample.rows:
        values["MORENA"] = values.pop("MC")
    table = read_actas(sample.write(tmp_path / "A.csv"))
    catalogue = [one("1", name) for name in ("MOR", "M", "SUM-PAN-MOR", "CI_01", "CAND_IND_01")]
    assert review_catalogue(catalogue, table, units_of(table)) == ()


def test_findings_of_the_catalogue_are_among_those_of_the_totals(tmp_path: Path) -> None:
    table = read_actas(Sample().write(tmp_path / "A.csv"))
    contest = totals(table, candidaturas=[*whole(), one("1", "PES", "SIN CANDIDATURA")])
    assert [f.codigo for f in contest.hallazgos] == ["CANDIDATURA_PENDIENTE", "CANDIDATURA_SIN_COLUMNA"]


def test_unit_that_only_an_acta_out_of_the_catalogue_has_is_none_of_the_contest(tmp_path: Path) -> None:
    rows = [row(1), row(2, ID_DISTRITO_LOCAL="007", CONTABILIZADA="2")]
    table = read_actas(Sample(rows=rows).write(tmp_path / "A.csv"))
    (finding,) = [
        f for f in totals(table, candidaturas=[*whole(), one("7", "PAN")]).hallazgos if f.donde == "candidaturas"
    ]
    assert finding.codigo == "CANDIDATURA_SIN_UNIDAD"


def test_catalogue_of_2015_names_candidates_and_parties_in_other_words(tmp_path: Path) -> None:
    path = tmp_path / "C.csv"
    text = (
        "sep=|\r\nESTADO|DISTRITO|PARTIDO|CANDIDATO_PROPIETARIO|CANDIDATO_SUPLENTE\r\n"
        '9|1|PRI-PVEM|"NUÑEZ ""EL GÜERO"""|\r\n\r\n9|2|MOVIMIENTO CIUDADANO|ANA|EVA|\r\n\r\n'
    )
    path.write_bytes(text.encode("latin-1"))
    catalogo = read_catalogo(path)
    first, second = catalogo.candidaturas
    assert (first.entidad, first.unidad, first.miembros, first.propietaria) == (
        "9",
        "1",
        ("PRI", "PVEM"),
        'NUÑEZ "EL GÜERO"',
    )
    assert (second.unidad, second.suplente) == ("2", "EVA")
    assert b"".join(write_candidaturas(catalogo)) == path.read_bytes()
    assert catalogo.cola == "\r\n"


@pytest.mark.datos
def test_placeholders_of_the_night_of_campeche_are_132(datos: Path) -> None:
    path = datos / "campeche-2021/20210607_2000_PREP_JUNTAS_CAMP/CAMP_JUNTAS_2021.csv"
    catalogue = catalogue_beside(path)
    assert catalogue is not None
    people = read_candidaturas(catalogue)
    (finding,) = placeholders(people)
    assert finding.mensaje.startswith("132 nombre(s)")
    table = read_actas(path)
    assert review_catalogue(people, table, units_of(table)) == (finding,)


@pytest.mark.datos
@pytest.mark.parametrize("name", ["AYUN", "DIP_LOC", "GUB"])
def test_catalogues_of_puebla_join_their_contests(datos: Path, name: str) -> None:
    people = read_candidaturas(datos / f"puebla-2024/candidaturas/PUE_{name}_Candidaturas_2024.csv")
    table = read_actas(datos / f"puebla-2024/20240603_2000_noche/PUE_{name}_2024.csv")
    found = review_catalogue(people, table, units_of(table))
    assert [f.mensaje.split(" ", 1)[0] for f in found] == (["33"] if name == "AYUN" else [])
