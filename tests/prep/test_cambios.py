"""What changed between two cuts: pairing of rows without a key, and the real pairs."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pregon.prep import cambios
from pregon.prep.cambios import Cambios, Celda, changes
from pregon.prep.reader import read_actas
from tests.prep.muestras import VOTES, Sample, row

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pregon.prep.model import ActaTable

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


def _left(rows: Sequence[tuple[str, ...]], others: Sequence[tuple[str, ...]]) -> list[int]:
    """Step 1 as its words say: each row takes one of its equals there; those that find none are left."""
    there = list(others)
    kept: list[int] = []
    for place, cells in enumerate(rows):
        if cells in there:
            there.remove(cells)
        else:
            kept.append(place)
    return kept


def _table(folder: Path, name: str, rows: list[tuple[int, str]], way: str) -> ActaTable:
    """A table of secciones and votes; ``way``: plain, plain with another delimiter, or with a quoted cell."""
    sample = Sample(rows=[row(n, PAN=votes) for n, votes in rows], delimiter="|" if way == "other" else ",")
    lines = sample.lines()
    if way == "quoted":
        lines = [*lines[:5], *(line.replace("TENABO", '"TENABO"') for line in lines[5:])]
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_actas(path)


ROWS = st.lists(st.tuples(st.integers(1, 4), st.sampled_from(["40", "41", ""])), max_size=7)
WAYS = st.sampled_from(["plain", "other", "quoted"])


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ROWS, ROWS, WAYS, WAYS)
def test_what_differs_is_the_same_by_lines_by_cells_and_told(
    tmp_path: Path, before: list[tuple[int, str]], now: list[tuple[int, str]], one: str, other: str
) -> None:
    old, new = _table(tmp_path, "A.csv", before, one), _table(tmp_path, "B.csv", now, other)
    places = _left(old.filas, new.filas), _left(new.filas, old.filas)
    assert cambios._unmatched(*cambios._comparable(old, new)) == places
    found = changes(old, new)
    assert found == changes(old, new, distintas=places)
    plain = _table(tmp_path, "A.csv", before, "plain"), _table(tmp_path, "B.csv", now, "plain")
    assert found == changes(*plain)


def test_places_that_differ_are_believed_only_between_the_same_columns(tmp_path: Path) -> None:
    old = read_actas(Sample().write(tmp_path / "A.csv"))
    after = Sample(rows=[row(1, PAN="41"), row(2, PRI="31")])
    new = read_actas(after.write(tmp_path / "B.csv"))
    told = changes(old, new, distintas=([1], [1]))
    assert [item.celdas for item in told.corregidas] == [(Celda("PRI", 30, 31),)]
    after.columns.remove("ORIGEN")
    fewer = read_actas(after.write(tmp_path / "C.csv"))
    assert len(changes(old, fewer, distintas=([], [])).corregidas) == 2


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
