"""The engine reads a table as ``prep`` reads its actas one by one: every acta, sum and fault, on any file."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pregon.prep.model import Estado
from pregon.prep.reader import read_actas
from pregon.prep.revisa import RowFindings
from pregon.prep.rows import actas
from pregon.prep.text import parse_count
from pregon.tablas.fichas import understand
from pregon.tablas.sumas import understand_sums
from pregon.tablas.totales import totals
from tests.prep.muestras import Sample, row
from tests.tablas import tablitas
from tests.tablas.referencia import differing, items, levels, shown

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pregon.prep.model import Acta, ActaTable, Finding
    from pregon.tablas.fichas import Entendidas

OF_ROWS = {
    *("VALOR_DESCONOCIDO", "CONTABILIZADA_DESCONOCIDA", "SUMA_VOTOS", "EXCEDE_SIN_MARCA", "SHA_FORMATO", "FECHA_RARA"),
    *("CLAVE_REPETIDA", "SHA_REPETIDO"),
}
REAL = (
    "campeche-2021/20210601_1852_PREP_AYUN_CAMP/CAMP_AYUN_2021.csv",
    *(f"campeche-2021/20210606_2340_PREP_{name}_CAMP/CAMP_{name}_2021.csv" for name in ("GOB", "AYUN", "JUNTAS")),
    "campeche-2021/20210607_1440_PREP_DIP_LOC_CAMP/CAMP_DIP_LOC_2021.csv",
    "puebla-2024/20240519_1430_simulacro/PUE_GUB_2024.csv",
    "puebla-2024/20240603_1800_noche/PUE_AYUN_2024.csv",
    "quintana-roo-2019/QROO_DIP_LOC_2019.csv",
)
"""One of each dialect and contest: the others differ by their figures (``test_reales`` counts them all)."""


def findings(read: Iterable[Acta]) -> list[Finding]:
    """What a plain pass over all actas finds."""
    found = RowFindings()
    for acta in read:
        found.add(acta)
    return list(found.findings())


def objects(seen: Entendidas, table: ActaTable) -> list[object]:
    """Each acta as the engine writes it."""
    assert sorted(seen.textos) == list(range(len(table.filas)))
    texts = [seen.textos[place].removesuffix("}") for place in range(len(table.filas))]
    found = [json.loads(f'{{"id":null,{text}}}') for text in texts]
    assert all(item.pop("id") is None for item in found)
    return list(found)


def assert_read_alike(table: ActaTable) -> Entendidas:
    """Everything that the engine says of ``table`` is what its actas say one by one."""
    seen, read = understand(table, fichas=True), list(actas(table))
    assert differing(seen, table, read) == []
    assert_summed_alike(table, seen)
    assert objects(seen, table) == items(read, table.nivel)
    keys = tuple("" if acta.estado is Estado.FUERA_CATALOGO else acta.clave_acta for acta in read)
    assert tuple(key if key == own else "" for key, own in zip(seen.fichas.claves, keys, strict=True)) == keys
    contest = totals(table, entendidas=seen)
    assert [f for f in contest.hallazgos if f.codigo in OF_ROWS] == findings(read)
    names = {acta.unidad: acta.unidad_nombre for acta in reversed(read) if acta.unidad}
    for unit in contest.unidades:
        if not unit.id.endswith(f"sin-{table.nivel}"):
            assert unit.nombre == names[unit.id]
    return seen


def assert_summed_alike(table: ActaTable, seen: Entendidas) -> None:
    """The sums without actas are those of ``seen``, unless a count is written in a way that only ``prep`` reads."""
    quick = understand_sums(table)
    counted = {cell for row in table.filas for cell in [*row[table.columns.votos], *(row[c] for c in _counts(table))]}
    if quick is None:
        counts = {text: parse_count(text) for text in counted}
        assert [text for text, n in counts.items() if n is not None and (str(n) != text or n >= 1 << 31)]
        return
    for name in ("niveles", "primeras", "faltas", "repetidas"):
        assert getattr(quick, name) == getattr(seen, name), name
    assert (quick.secciones, quick.estadistica, quick.textos) == ((), (), {})


def _counts(table: ActaTable) -> list[int]:
    c = table.columns
    return [place for place in (c.calculado, c.lista_nominal, c.representantes) if place is not None]


@pytest.mark.datos
@pytest.mark.parametrize("name", REAL)
def test_real_file_is_read_as_its_actas_one_by_one(datos: Path, name: str) -> None:
    table = read_actas(datos / name)
    seen = assert_read_alike(table)
    assert len(seen.textos) > 100


FEW = settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
"""Each takes a quarter of a second; what is in no cell by luck alone is below."""
MANY = settings(FEW, max_examples=100)
LLANA = given(rows=tablitas.rows(quoted=False), line_end=st.sampled_from(["\n", "\r\n"]))
CITADA = given(rows=tablitas.rows(quoted=True), blank=st.sampled_from(["", "línea"]))


@FEW
@LLANA
@example(rows=[], line_end="\n")
@example(rows=[row(1)], line_end="\n")
def test_plain_table_is_read_as_its_actas_one_by_one(tmp_path: Path, rows: list[dict[str, str]], line_end: str) -> None:
    assert_read_alike(read_actas(tablitas.write(tmp_path / "A.csv", rows, line_end=line_end)))


@FEW
@CITADA
def test_table_with_quoted_cells_is_read_as_its_actas_one_by_one(
    tmp_path: Path, rows: list[dict[str, str]], blank: str
) -> None:
    assert_read_alike(read_actas(tablitas.write(tmp_path / "A.csv", rows, blank=bool(blank))))


@pytest.mark.aguante
@MANY
@LLANA
def test_many_plain_tables_are_read_as_their_actas(tmp_path: Path, rows: list[dict[str, str]], line_end: str) -> None:
    assert_read_alike(read_actas(tablitas.write(tmp_path / "A.csv", rows, line_end=line_end)))


@pytest.mark.aguante
@MANY
@CITADA
def test_many_tables_with_quoted_cells_are_read_as_their_actas(
    tmp_path: Path, rows: list[dict[str, str]], blank: str
) -> None:
    assert_read_alike(read_actas(tablitas.write(tmp_path / "A.csv", rows, blank=bool(blank))))


def test_each_odd_text_in_each_kind_of_cell_is_read_as_prep_reads_it(tmp_path: Path) -> None:
    """Every text that the invented tables draw from, in every column that means something: none is left to luck."""
    texts = {*tablitas.ODD, *tablitas.KEYS, *tablitas.IMAGES, *tablitas.DATES, *tablitas.CELLS, *tablitas.COUNTED}
    texts |= {*tablitas.TOLD, *tablitas.KINDS, *tablitas.UNITS, *tablitas.SECTIONS, *tablitas.STATES}
    plain = sorted(text for text in texts if not set(text) & set('",'))
    every = sorted({*texts, *tablitas.QUOTED})
    columns = [
        *("CLAVE_CASILLA", "CLAVE_ACTA", "ID_DISTRITO_LOCAL", "SECCION", "ID_CASILLA", "TIPO_CASILLA", "EXT_CONTIGUA"),
        *("OBSERVACIONES", "CONTABILIZADA", "SHA", "FECHA_HORA_ACOPIO", "FECHA_HORA_CAPTURA"),
        *("FECHA_HORA_VERIFICACION", "PAN", "TOTAL_VOTOS_CALCULADO", "LISTA_NOMINAL", "REPRESENTANTES_PP_CI"),
        "ID_ESTADO",
    ]
    for name, chosen in (("llanas.csv", plain), ("citadas.csv", every)):
        cells = [(column, text) for column in columns for text in chosen]
        rows = [row(n % 9999, **{column: text}) for n, (column, text) in enumerate(cells, start=1)]
        rows.append(row(1, CLAVE_CASILLA="090001B0100", ID_ESTADO="09"))
        table = read_actas(tablitas.write(tmp_path / name, rows))
        assert table.varias_entidades
        assert (table.crudas is None) is (chosen is every)
        assert_read_alike(table)


def test_line_end_within_a_cell_is_taken_as_a_space_and_adds_up_the_same(tmp_path: Path) -> None:
    columns = ("CLAVE_CASILLA", "CLAVE_ACTA", "SECCION", "ID_CASILLA", "OBSERVACIONES", "CONTABILIZADA", "SHA", "PAN")
    cells = [(column, text) for column in columns for text in tablitas.BROKEN]
    rows = [row(n, **{column: text}) for n, (column, text) in enumerate(cells, start=1)]
    table = read_actas(tablitas.write(tmp_path / "A.csv", rows))
    flat = tuple(tuple(re.sub("[\n\r\x1f]", " ", cell) for cell in cells) for cells in table.filas)
    assert flat != table.filas
    seen, read = understand(table, fichas=True), list(actas(dataclasses.replace(table, filas=flat)))
    assert [name for name in differing(seen, table, read) if name != "faltas"] == []
    assert objects(seen, table) == items(read, table.nivel)
    assert dict(seen.faltas) == shown(actas(table))  # a message shows the cell as it is written


def test_faults_hidden_in_good_neighbours_are_all_found(tmp_path: Path) -> None:
    """What decides in a hurry which actas to look at must not miss one: each of these shows exactly one fault."""
    dates = ("FECHA_HORA_ACOPIO", "FECHA_HORA_CAPTURA", "FECHA_HORA_VERIFICACION")
    odd = [
        {"TOTAL_VOTOS_CALCULADO": "99"},
        {"TOTAL_VOTOS_CALCULADO": "SIN DATO"},
        {"LISTA_NOMINAL": "79"},
        {"SHA": "f" * 63},
        {"SHA": "g" + "f" * 63},
        {"SHA": "f" * 63 + "g"},
        dict(zip(dates, ("06/06/2021 20:02:00", "06/06/2021 20:01:00", "06/06/2021 20:03:00"), strict=True)),
        dict(zip(dates, ("07/06/2021 20:01:00", "06/07/2021 20:01:00", "06/07/2021 20:01:00"), strict=True))
        | {"FECHA_HORA_VERIFICACION": "07/06/2021 20:02:00"},
        {"FECHA_HORA_CAPTURA": "ayer"},
        {"CONTABILIZADA": "3"},
        {"PAN": "¿?", "TOTAL_VOTOS_CALCULADO": "60"},
        {"LISTA_NOMINAL": "¿?"},
    ]
    rows = [cells for n in range(len(odd)) for cells in (row(2 * n + 1), row(2 * n + 2, **odd[n]))]
    seen = assert_read_alike(read_actas(Sample(rows=rows).write(tmp_path / "A.csv")))
    assert sorted(seen.faltas) == list(range(1, len(rows), 2))


def test_fichas_come_only_when_asked_for_and_change_nothing_else(tmp_path: Path) -> None:
    table = read_actas(Sample(rows=[row(n, SECCION=f"{n % 3:04d}") for n in range(1, 8)]).write(tmp_path / "A.csv"))
    with_them, without = understand(table, fichas=True), understand(table)
    assert len(with_them.textos) == 7
    assert (without.textos, without.fichas.claves) == ({}, ())
    for field in ("niveles", "secciones", "primeras", "faltas", "repetidas"):
        assert getattr(without, field) == getattr(with_them, field)
    assert without.niveles == levels(list(actas(table)), len(table.columnas_voto))
