"""Every real file written again: byte for byte in its own dialect, with the same values in any other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pregon.prep.candidaturas import read_candidaturas, read_catalogo
from pregon.prep.estilos import ESTILOS
from pregon.prep.reader import read_actas
from pregon.prep.writer_candidaturas import write_candidaturas
from tests.prep.reales import CAMPECHE, CATALOGOS, DE_MUESTRA, PUEBLA, QROO, REALES, every
from tests.prep.valores import differences, through, written

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.datos

NIGHT = [name for name in CAMPECHE if "20210601" not in name]
FEW_ROWS = 12  # fuera de catálogo, in every Puebla file of the night


def test_there_are_57_real_files() -> None:
    assert len(REALES) == 57
    rehearsals, files = zip(*(name.split("/")[1:] for name in DE_MUESTRA), strict=True)
    assert len(set(rehearsals)) == len(set(files)) == len({name.split("/")[2] for name in PUEBLA}) == 3


@pytest.mark.parametrize("name", every())
def test_real_file_is_reproduced_byte_for_byte_and_survives_another_dialect(
    datos: Path, tmp_path: Path, name: str
) -> None:
    path = datos / name
    table = read_actas(path)
    assert written(table) == path.read_bytes()
    assert table.original.filas == {}  # no row needed to be kept as raw text
    styles = list(ESTILOS.values())
    # Each file goes through one dialect; together they go through all of them several times.
    estilo = styles[REALES.index(name) % len(styles)]
    assert differences(table, through(table, tmp_path, estilo)) == []


@pytest.mark.parametrize("name", ["campeche-2021/20210607_2000_PREP_DIP_LOC_CAMP/CAMP_DIP_LOC_2021.csv", QROO])
@pytest.mark.parametrize("estilo", ESTILOS)
def test_real_file_in_every_dialect_has_the_same_values(datos: Path, tmp_path: Path, name: str, estilo: str) -> None:
    table = read_actas(datos / name)
    assert differences(table, through(table, tmp_path, ESTILOS[estilo])) == []


def _differing(datos: Path, name: str, estilo: str) -> list[tuple[str, str]]:
    """Lines of the real file and of the same one written in the named dialect, where they differ."""
    table = read_actas(datos / name)
    ours = written(table, estilo=ESTILOS[estilo]).decode(table.dialecto.encoding).split("\n")
    real = (datos / name).read_bytes().decode(table.dialecto.encoding).split("\n")
    assert real[len(ours) :] in ([], [""])  # Quintana Roo ends in a blank line
    return [(a, b) for a, b in zip(real, ours, strict=False) if a != b]


@pytest.mark.parametrize("name", NIGHT)
def test_named_dialect_of_campeche_is_what_campeche_wrote(datos: Path, name: str) -> None:
    """Except the hours of its three actas fuera de catálogo, which it wrote in another form."""
    for real, ours in _differing(datos, name, "campeche-2021"):
        assert real.startswith("-,-,4,CAMPECHE")
        assert (real[real.index("2021-06") :][:11], ours[ours.index("07/06") :][:11]) == ("2021-06-07 ", "07/06/2021 ")


@pytest.mark.parametrize("name", [name for name in PUEBLA if "noche" in name])
def test_named_dialect_of_puebla_is_what_puebla_wrote(datos: Path, name: str) -> None:
    """Except the entity of its actas fuera de catálogo, which it wrote without apostrophe."""
    found = _differing(datos, name, "puebla-2024")
    assert len(found) == FEW_ROWS
    assert all(real.replace(",21,", ",'21,", 1) == ours for real, ours in found)


def test_named_dialect_of_quintana_roo_is_what_it_wrote(datos: Path) -> None:
    assert _differing(datos, QROO, "qroo-2019") == []


@pytest.mark.parametrize("name", CATALOGOS)
def test_real_catalogue_is_reproduced_byte_for_byte_and_survives_every_dialect(
    datos: Path, tmp_path: Path, name: str
) -> None:
    catalogo = read_catalogo(datos / name)
    assert b"".join(write_candidaturas(catalogo)) == (datos / name).read_bytes()
    path = tmp_path / "C.csv"
    for estilo in {s.catalogo: s for s in ESTILOS.values()}.values():
        path.write_bytes(b"".join(write_candidaturas(catalogo, estilo=estilo)))
        assert read_candidaturas(path) == catalogo.candidaturas
