"""Which catalogue of candidaturas belongs to a table of actas."""

from __future__ import annotations

from pathlib import Path

import pytest

from pregon.prep.candidaturas import catalogue_beside, catalogue_of


@pytest.mark.parametrize(
    ("actas", "expected"),
    [
        ("CAMP_DIP_LOC_2021.csv", "CAMP_DIP_LOC_CANDIDATURA_2021.csv"),
        ("CAMP_GOB_2021.csv", "CAMP_GOB_CANDIDATURA_2021.csv"),
        ("PUE_GUB_2024.csv", "PUE_GUB_Candidaturas_2024.csv"),
        ("PRES_2024.csv", "PRES_CANDIDATURAS_2024.csv"),
        ("QROO_DIP_LOC_2019.csv", "QROO_DIP_CANDIDATURAS_2019.csv"),
        ("SEN_2024.csv", None),
        ("PUE_AYUN_2024.csv", None),
        ("otra.csv", None),
    ],
)
def test_catalogue_is_the_one_whose_name_begins_alike(actas: str, expected: str | None) -> None:
    names = (
        "CAMP_GOB_CANDIDATURA_2021.csv",
        "CAMP_DIP_LOC_CANDIDATURA_2021.csv",
        "PUE_GUB_Candidaturas_2024.csv",
        "PUE_AYUN_notas_2024.csv",
        "PRES_CANDIDATURAS_2024.csv",
        "QROO_DIP_CANDIDATURAS_2019.csv",
    )
    found = catalogue_of(Path(actas), [Path(name) for name in names])
    assert (None if found is None else found.name) == expected


def test_table_alone_in_its_folder_has_no_catalogue(tmp_path: Path) -> None:
    actas = tmp_path / "X_GOB_2021.csv"
    actas.write_text("CLAVE_CASILLA")
    assert catalogue_beside(actas) is None
    assert catalogue_beside(tmp_path / "no" / "X_GOB_2021.csv") is None
