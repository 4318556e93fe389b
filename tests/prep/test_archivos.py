"""Names of the official database: those of the real packages, written and read."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from pregon.prep.archivos import (
    LEEME,
    ZipName,
    actas_name,
    candidaturas_name,
    outer_zip_name,
    parse_zip_name,
    zip_name,
)

if TYPE_CHECKING:
    from pathlib import Path

HOUR = datetime(2021, 6, 1, 18, 52, tzinfo=timezone(timedelta(hours=-5)))


def test_local_and_federal_names() -> None:
    assert zip_name(HOUR, "DIP_LOC", "CAMP") == "20210601_1852_PREP_DIP_LOC_CAMP.zip"
    assert zip_name(HOUR, "PRES", "") == "20210601_1852_PREP_PRES.zip"
    assert outer_zip_name(HOUR, "CAMP") == "20210601_1852_PREP_CAMP.zip"
    assert outer_zip_name(HOUR, "") == "20210601_1852_PREP.zip"
    assert actas_name("DIP_LOC", "CAMP", 2021) == "CAMP_DIP_LOC_2021.csv"
    assert actas_name("PRES", "", 2024) == "PRES_2024.csv"
    assert candidaturas_name("PRES", "", 2024) == "PRES_CANDIDATURAS_2024.csv"
    assert candidaturas_name("AYUN", "PUE", 2024, palabra="Candidaturas") == "PUE_AYUN_Candidaturas_2024.csv"


@pytest.mark.parametrize("part", ["../x", "a/b", "", "DIP LOC", "_DIP", "É"])
def test_what_has_no_place_in_a_name_is_refused(part: str) -> None:
    if part:
        with pytest.raises(ValueError, match="part of a name"):
            zip_name(HOUR, part, "CAMP")
    else:
        assert zip_name(HOUR, part, "CAMP") == outer_zip_name(HOUR, "CAMP")


@pytest.mark.parametrize(
    ("name", "token", "entidad"),
    [
        ("20210607_2000_PREP_DIP_LOC_CAMP.zip", "DIP_LOC", "CAMP"),
        ("20210607_2000_PREP_CAMP.zip", "", "CAMP"),
        ("20240603_2005_PREP_PRES.zip", "PRES", ""),
        ("20240603_2005_PREP.zip", "", ""),
    ],
)
def test_names_read_back(name: str, token: str, entidad: str) -> None:
    found = parse_zip_name(name)
    assert found is not None
    assert found.token(entidad) == token
    hour = found.hora.replace(tzinfo=HOUR.tzinfo)
    assert name == (zip_name(hour, token, entidad) if token else outer_zip_name(hour, entidad))


@pytest.mark.parametrize(
    "name", ["PREP.zip", "20210607_2000_PREP.7z", "20211307_2000_PREP.zip", "20210607_2500_PREP_CAMP.zip", "x/y.zip"]
)
def test_other_names_are_no_zip_of_a_cut(name: str) -> None:
    assert parse_zip_name(name) is None


@pytest.mark.datos
def test_real_nested_zip_has_the_names_that_we_give(datos: Path) -> None:
    with zipfile.ZipFile(datos / "campeche-2021" / outer_zip_name(HOUR, "CAMP")) as outer:
        tokens = ("GOB", "DIP_LOC", "AYUN", "JUNTAS")
        assert outer.namelist() == [zip_name(HOUR, token, "CAMP") for token in tokens]
        for token in tokens:
            with zipfile.ZipFile(io.BytesIO(outer.read(zip_name(HOUR, token, "CAMP")))) as inner:
                assert inner.namelist() == [
                    LEEME,
                    actas_name(token, "CAMP", 2021),
                    candidaturas_name(token, "CAMP", 2021, palabra="CANDIDATURA"),
                ]


@pytest.mark.datos
def test_real_zip_of_one_election_has_the_names_that_we_give(datos: Path) -> None:
    name = "20190603_0547_PREP_DIP_QROO.zip"
    assert parse_zip_name(name) == ZipName(datetime(2019, 6, 3, 5, 47), "DIP_QROO")  # noqa: DTZ001 - a name says no zone
    with zipfile.ZipFile(datos / "quintana-roo-2019" / name) as archive:
        assert archive.namelist() == [
            LEEME,
            actas_name("DIP_LOC", "QROO", 2019),
            candidaturas_name("DIP", "QROO", 2019),
        ]
