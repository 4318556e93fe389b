"""The catalogue of candidates in its dialects, and who stands with whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pregon.base.errors import EntradaError, FormatoError
from pregon.prep.candidaturas import members, read_candidaturas
from pregon.prep.coaliciones import catalogue_combinations, group_columns
from pregon.prep.columns import classify

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("PAN", ("PAN",)),
        ("SUM-PAN-PRI-PRD", ("PAN", "PRI", "PRD")),
        ("C_PT_NAP", ("PT", "NAP")),
        ("CC_PAN_PRI", ("PAN", "PRI")),
        ("PVEM-PT-MORENA", ("PVEM", "PT", "MORENA")),
        ("NUEVA_ALIANZA", ("NUEVA_ALIANZA",)),
        ("CAND_IND_1", ("CAND_IND_1",)),
    ],
)
def test_members_of_a_catalogue_name(name: str, expected: tuple[str, ...]) -> None:
    assert members(name) == expected


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_catalogue_with_and_without_units(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "CANDIDATURAS.csv"
    path.write_bytes(
        "ID_ESTADO,ID_MUNICIPIO_LOCAL,PARTIDO_CI,CANDIDATURA_PROPIETARIA,CANDIDATURA_SUPLENTE\r\n"
        "4,1,SUM-PAN-PRI-PRD,BEGOÑA NÚÑEZ,OTRA\r\n4,1,MOR,ALGUIEN,\r\n".encode(encoding)
    )
    first, second = read_candidaturas(path)
    assert (first.unidad, first.miembros, first.propietaria) == ("1", ("PAN", "PRI", "PRD"), "BEGOÑA NÚÑEZ")
    assert (second.partido_ci, second.suplente) == ("MOR", "")
    path.write_text("ID_ENTIDAD,PARTIDO_CI,CANDIDATURA\nPUEBLA,PAN,ALGUIEN\n", encoding="utf-8")
    assert [(c.unidad, c.suplente) for c in read_candidaturas(path)] == [("", "")]


def test_what_is_not_a_catalogue_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    with pytest.raises(EntradaError):
        read_candidaturas(path)
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(FormatoError, match="PARTIDO_CI"):
        read_candidaturas(path)
    path.write_text("ID_ESTADO,CANDIDATURA|PARTIDO_CI,x\n4,PAN,1\n", encoding="utf-8")
    with pytest.raises(FormatoError, match="línea 1, columna 1: no se reconoce el separador"):
        read_candidaturas(path)
    path.write_text("ID_ESTADO,PARTIDO_CI,CANDIDATURA\n4,PAN\n", encoding="utf-8")
    with pytest.raises(FormatoError, match="línea 2"):
        read_candidaturas(path)


def test_party_of_another_spelling_is_the_same_column(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("ID_ESTADO,ID_JUNTA,PARTIDO_CI,CANDIDATURA\n4,001,SUM-PT-MOR,X\n4,2,PT,Y\n", encoding="utf-8")
    assert catalogue_combinations(read_candidaturas(path), ["PT", "MORENA"]) == {"1": (("PT", "MORENA"),), "2": ()}


def test_chain_of_combinations_is_one_coalition_and_the_rest_stand_alone() -> None:
    contenders, _ = classify(["A", "B", "C", "D", "C_A_B", "C_B_C", "C_A_D", "NO_REGISTRADAS", "NULOS"])
    assert group_columns(contenders, [("A", "B"), ("B", "C")]) == {
        "A": "C_A_B_C",
        "B": "C_A_B_C",
        "C": "C_A_B_C",
        "D": "D",
        "C_A_B": "C_A_B_C",
        "C_B_C": "C_A_B_C",
        "C_A_D": "C_A_D",  # does not contest here: its votes, if any, keep a key of their own
        "NO_REGISTRADAS": "NO_REGISTRADAS",
        "NULOS": "NULOS",
    }
