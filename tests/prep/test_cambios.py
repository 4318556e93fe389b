"""What changed between two cuts: pairing of rows without a key, and the real pairs."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from pregon.prep.cambios import Cambios, Celda, changes
from pregon.prep.reader import read_actas
from tests.prep.muestras import VOTES, Sample, row

if TYPE_CHECKING:
    from pathlib import Path

PENDING = {
    **dict.fromkeys((*VOTES, "TOTAL_VOTOS_CALCULADO", "TOTAL_VOTOS_ASENTADO"), ""),
    "CONTABILIZADA": "",
    "SHA": "",
}


def compare(folder: Path, before: Sample, after: Sample) -> Cambios:
    return changes(
        read_actas(before.write(folder / "ANTES.csv")),
        read_actas(after.write(folder / "DESPUES.csv")),
    )


def test_nothing_changed_in_another_dialect(tmp_path: Path) -> None:
    before = Sample(rows=[row(1), row(2, **PENDING)])
    after = Sample(
        rows=[row(1), row(2, **PENDING)], delimiter="|", columns=[c for c in before.columns if c != "ORIGEN"]
    )
    assert compare(tmp_path, before, after) == Cambios()


def test_an_acta_that_arrived_entered_and_one_still_pending_did_not(tmp_path: Path) -> None:
    before = Sample(rows=[row(1), row(2, **PENDING), row(3, **PENDING)])
    after = Sample(rows=[row(1), row(2), row(3, **PENDING), row(4, CONTABILIZADA="2"), row(5, **PENDING)])
    found = compare(tmp_path, before, after)
    assert [acta.seccion for acta in found.entraron] == ["0002", "0004"]
    assert (found.corregidas, found.movidas, found.salieron) == ((), (), ())


def test_an_acta_withdrawn_or_pending_again_left(tmp_path: Path) -> None:
    found = compare(tmp_path, Sample(rows=[row(1), row(2), row(3)]), Sample(rows=[row(1), row(2, **PENDING)]))
    assert [acta.seccion for acta in found.salieron] == ["0002", "0003"]
    assert (found.entraron, found.corregidas, found.movidas) == ((), (), ())


def test_a_correction_names_each_cell_before_and_after(tmp_path: Path) -> None:
    after = row(1, PAN="ILEGIBLE", TOTAL_VOTOS_CALCULADO="60", OBSERVACIONES="ILEGIBLE", FECHA_HORA_CAPTURA="x")
    found = compare(tmp_path, Sample(), Sample(rows=[after, row(2)]))
    [correction] = found.corregidas
    assert correction.celdas == (
        Celda("PAN", 40, "ilegible"),
        Celda("TOTAL_VOTOS_CALCULADO", 100, 60),
        Celda("OBSERVACIONES", "", "ILEGIBLE"),
    )
    assert (found.entraron, found.movidas, found.salieron) == ((), (), ())


def test_an_acta_that_moved_is_known_by_its_image_or_its_clave(tmp_path: Path) -> None:
    after = Sample(rows=[row(1, ID_DISTRITO_LOCAL="002"), row(2, SECCION="0009", SHA=f"{77:064x}", MC="11")])
    found = compare(tmp_path, Sample(), after)
    assert [(item.antes.unidad, item.despues.unidad) for item in found.movidas] == [("001", "002"), ("001", "001")]
    assert [item.celdas for item in found.corregidas] == [(Celda("MC", 10, 11),)]
    assert (found.entraron, found.salieron) == ((), ())


def test_actas_that_share_a_clave_are_told_apart_by_their_image(tmp_path: Path) -> None:
    same = {"CLAVE_ACTA": "040001C0103", "CLAVE_CASILLA": "040001C01", "SECCION": "0001"}
    before = Sample(rows=[row(n, **same) for n in (1, 2, 3)])
    after = Sample(rows=[row(2, **same), row(3, PRI="31", **same), row(1, **same)])
    found = compare(tmp_path, before, after)
    [correction] = found.corregidas
    assert correction.celdas == (Celda("PRI", 30, 31),)
    assert (found.entraron, found.movidas, found.salieron) == ((), (), ())


@pytest.mark.datos
def test_puebla_municipios_lost_votes_of_one_combination_between_the_last_cuts(datos: Path) -> None:
    """real-data.md §4: 24 published actas lost C_NAP_FXMP, 18 totals went down."""
    before, after = (
        read_actas(datos / "puebla-2024" / f"{cut}_noche" / "PUE_AYUN_2024.csv")
        for cut in ("20240603_1800", "20240603_2000")
    )
    found = changes(before, after)
    cells = Counter(cell.columna for item in found.corregidas for cell in item.celdas)
    assert (cells["C_NAP_FXMP"], cells["TOTAL_VOTOS_CALCULADO"]) == (24, 18)
    lost = [cell for item in found.corregidas for cell in item.celdas if cell.columna == "C_NAP_FXMP"]
    assert {cell.despues for cell in lost} == {"no_contiende"}
    assert sum(isinstance(cell.antes, int) for cell in lost) == 23  # one said SIN DATO
    falls = [c for i in found.corregidas for c in i.celdas if c.columna == "TOTAL_VOTOS_CALCULADO"]
    assert all(cell.despues < cell.antes for cell in falls)  # type: ignore[operator]
    assert (len(found.entraron), found.movidas, found.salieron) == (311, (), ())


@pytest.mark.datos
def test_campeche_only_received_actas_all_night(datos: Path) -> None:
    cuts = ("20210606_2240", "20210606_2320", "20210606_2340", "20210607_1320", "20210607_1440", "20210607_2000")
    for name in ("GOB", "DIP_LOC", "AYUN", "JUNTAS"):
        tables = [
            read_actas(datos / "campeche-2021" / f"{cut}_PREP_{name}_CAMP" / f"CAMP_{name}_2021.csv") for cut in cuts
        ]
        for before, after in pairwise(tables):
            found = changes(before, after)
            assert found.entraron
            assert (found.corregidas, found.movidas, found.salieron) == ((), (), ())
