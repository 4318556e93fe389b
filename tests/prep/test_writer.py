"""A table written in any dialect and read again says the same; the summary is rewritten in its source's own words."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pregon.base.errors import FormatoError
from pregon.prep.estilos import ESTILOS, estilo
from pregon.prep.model import CAMPOS, Estado, Marker
from pregon.prep.preambulo import parse_cut
from pregon.prep.reader import read_actas
from pregon.prep.rows import actas
from pregon.prep.text import parse_cell, parse_list
from pregon.prep.writer import cut_text
from tests.prep.muestras import COLUMNS, VOTES, Sample, row
from tests.prep.valores import differences, through, written

if TYPE_CHECKING:
    from pathlib import Path

LETTERS = "ABCÑÁéü ,|;\"'.-0123456789"
cells = st.one_of(
    st.integers(0, 99_999).map(str),
    st.integers(0, 99_999).map("{:,}".format),
    st.integers(0, 99_999).map("{}.0".format),
    st.sampled_from(["-", "--", "", "  ", "SIN DATO", "sin_dato", "Ilegible", "'ILEGIBLE", "sin_acta", "N/A", "?"]),
)
keys = st.sampled_from(
    ["040001B0100", "'040002B0100", '="040003B0100"', "'040004S0100'", '"040005C0100"', "-", "", "'N/A"]
)
ids = st.sampled_from(["001", "'002", "3", "'N/A", "-", ""])
dates = st.sampled_from(
    ["06/06/2021 20:01:00", "06/06/2021 20:01", "2021-06-06 20:01:00", "2021-06-07 11:15:00.000000", "N/A", "", "ayer"]
)
notes = st.sampled_from(
    [
        "",
        " - ",
        "ALGUN CAMPO ILEGIBLE O SIN DATO",
        "Ilegible,Sin dato",
        "['Ilegible', 'Sin dato']",
        "[]",
        "EXCEDE LISTA NOMINAL",
        "Fuera de catálogo",
        "SIN ACTA POR PAQUETE NO ENTREGADO",
        "Todos los campos vacíos",
        "N/A",
        "otra, cosa",
    ]
)
acta_rows = st.builds(
    lambda votes, key, unit, name, when, note, state, kind, rest: row(
        1,
        **dict(zip(VOTES, votes, strict=True)),
        CLAVE_CASILLA=key,
        CLAVE_ACTA=key,
        ID_DISTRITO_LOCAL=unit,
        DISTRITO_LOCAL=name,
        FECHA_HORA_ACOPIO=when,
        OBSERVACIONES=note,
        CONTABILIZADA=state,
        TIPO_CASILLA=kind,
        TOTAL_VOTOS_CALCULADO=rest[0],
        LISTA_NOMINAL=rest[1],
        TOTAL_VOTOS_SACADOS=rest[2],
    ),
    st.lists(cells, min_size=len(VOTES), max_size=len(VOTES)),
    keys,
    ids,
    st.text(LETTERS, max_size=12),
    dates,
    notes,
    st.sampled_from(["1", "0", "2", "-", "", "1.0", "'1", "quizá"]),
    st.sampled_from("BCSMA"),
    st.tuples(cells, cells, cells),
)
summaries = st.fixed_dictionaries(
    {
        name: st.sampled_from(["", "0", "67.29", "100.0000", "'99.5698%", "14.6910%"])
        if name.startswith("PORCENTAJE")
        else st.sampled_from(["", "0", "1204", "2658993.0", "12"])
        for name in CAMPOS
    }
)
cuts = st.builds(
    lambda minutes, offset: datetime(2021, 6, 6, tzinfo=timezone(timedelta(hours=offset))) + timedelta(minutes=minutes),
    st.integers(0, 3000),
    st.integers(-8, -5),
)


def quoted(sample: Sample) -> Sample:
    """The same sample with every text that needs it quoted, as a CSV writer would."""
    sample.rows = [
        {
            name: f'"{text.replace(chr(34), chr(34) * 2)}"'
            if sample.delimiter in text or text.startswith('"')
            else text
            for name, text in values.items()
        }
        for values in sample.rows
    ]
    return sample


FEW = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
CUALQUIERA = given(
    st.tuples(
        st.lists(acta_rows, max_size=6),
        summaries,
        cuts,
        st.sampled_from(sorted(ESTILOS)),
        st.sampled_from(sorted(ESTILOS)),
        st.sampled_from(",|;\t"),
    )
)


@FEW
@CUALQUIERA
def test_random_table_survives_the_round_trip_in_every_dialect(tmp_path: Path, case: tuple[Any, ...]) -> None:
    _survives(tmp_path, *case)


@pytest.mark.aguante
@settings(FEW, max_examples=1_000)
@CUALQUIERA
def test_many_random_tables_survive_the_round_trip_in_every_dialect(tmp_path: Path, case: tuple[Any, ...]) -> None:
    _survives(tmp_path, *case)


def _survives(
    tmp_path: Path,
    rows: list[dict[str, str]],
    summary: dict[str, str],
    cut: datetime,
    first: str,
    second: str,
    delimiter: str,
) -> None:
    sample = Sample(rows=rows, summary=summary, corte=cut_text(cut, "dma"), delimiter=delimiter)
    path = quoted(sample).write(tmp_path / "ACTAS.csv")
    table = read_actas(path)
    assert written(table) == path.read_bytes()
    once = through(table, tmp_path, ESTILOS[first])
    assert differences(table, once) == []
    twice = through(once, tmp_path, ESTILOS[second])
    assert differences(table, twice) == []
    # What is written in a dialect is already in that dialect.
    assert written(twice, estilo=ESTILOS[second]) == written(twice)


@pytest.mark.parametrize("nombre", ESTILOS)
def test_every_dialect_keeps_each_marker_apart(nombre: str) -> None:
    marks = estilo(nombre).marcas
    assert set(marks) == set(Marker) - {Marker.DESCONOCIDO}
    assert {marker: parse_cell(text) for marker, text in marks.items()} == {marker: marker for marker in marks}


@pytest.mark.parametrize("nombre", ESTILOS)
def test_every_dialect_declares_the_frame_that_is_read(tmp_path: Path, nombre: str) -> None:
    style = ESTILOS[nombre]
    table = through(read_actas(Sample().write(tmp_path / "A.csv")), tmp_path, style)
    frame = table.dialecto
    assert (frame.delimiter, frame.line_end, frame.sep_hint, frame.bom) == (
        style.actas.delimiter,
        style.actas.line_end,
        style.actas.sep_hint,
        style.actas.bom,
    )
    for role, name in style.nombres.items():
        if role != "calculado" or "TOTAL_VOTOS" in table.columnas:
            assert name in table.columnas, (role, name)
    assert [name for name in table.encabezado_crudo if name in style.resumen.values()] == [
        style.resumen[name] for name in CAMPOS if name in style.resumen
    ]


def test_unknown_dialect_is_not_invented() -> None:
    with pytest.raises(KeyError):
        estilo("atlantida-2030")


def test_state_is_never_changed_by_the_word_of_a_dialect(tmp_path: Path) -> None:
    """«0» says fuera de catálogo in Campeche only where the key or the notes say so too."""
    sample = Sample(rows=[row(1, CONTABILIZADA="2"), row(2, CONTABILIZADA="2", CLAVE_CASILLA="-")])
    table = read_actas(sample.write(tmp_path / "A.csv"))
    for style in ESTILOS.values():
        again = through(table, tmp_path, style)
        assert [acta.estado for acta in actas(again)] == [Estado.FUERA_CATALOGO] * 2
    campeche = through(table, tmp_path, ESTILOS["campeche-2021"])
    assert [acta.contabilizada for acta in actas(campeche)] == ["2", "0"]


def test_name_that_another_column_has_already_is_left_as_it_was(tmp_path: Path) -> None:
    sample = Sample(columns=[*COLUMNS, "CODIGO_INTEGRIDAD"])
    table = read_actas(sample.write(tmp_path / "A.csv"))
    again = through(table, tmp_path, ESTILOS["puebla-2024"])
    assert again.columnas.count("CODIGO_INTEGRIDAD") == 1
    assert "SHA" in again.columnas


def test_letter_that_latin_1_lacks_is_refused_with_its_place(tmp_path: Path) -> None:
    sample = Sample(rows=[row(1), row(2, DISTRITO_LOCAL="KŌKO")])
    table = read_actas(sample.write(tmp_path / "A.csv"))
    with pytest.raises(FormatoError, match=r"A.csv, línea 7, columna \d+: «Ō» no se puede escribir en Latin-1"):
        written(table, estilo=ESTILOS["puebla-2019"])


@pytest.mark.parametrize(
    ("raw", "changed", "line"),
    [
        ({"TOTAL_VOTOS_C_CS": "200"}, {"TOTAL_VOTOS_C_CS": 1204}, "1204"),
        ({"TOTAL_VOTOS_C_CS": "940411.0"}, {"TOTAL_VOTOS_C_CS": 1204}, "1204.0"),
        ({"TOTAL_VOTOS_C_CS": "940411.0"}, {"TOTAL_VOTOS_C_CS": 940_411}, "940411.0"),
        ({"TOTAL_VOTOS_C_CS": '"9,411"'}, {"TOTAL_VOTOS_C_CS": 1_000_204}, '"1,000,204"'),
        ({"PORCENTAJE_ACTAS_CAPTURADAS": "67.29"}, {"PORCENTAJE_ACTAS_CAPTURADAS": "70.5000"}, "70.5"),
        ({"PORCENTAJE_ACTAS_CAPTURADAS": "'99.5698%"}, {"PORCENTAJE_ACTAS_CAPTURADAS": "70.5000"}, "'70.5000%"),
        ({"TOTAL_VOTOS_S_CS": ""}, {"TOTAL_VOTOS_S_CS": 0}, "0"),
        ({"TOTAL_VOTOS_S_CS": "12"}, {"TOTAL_VOTOS_S_CS": None}, ""),
    ],
)
def test_new_figures_of_the_summary_are_written_as_the_source_writes_its_own(
    tmp_path: Path, raw: dict[str, str], changed: dict[str, int | str | None], line: str
) -> None:
    sample = Sample()
    sample.summary |= raw
    path = sample.write(tmp_path / "A.csv")
    table = read_actas(path)
    values = dict(table.encabezado) | changed
    (name,) = changed
    content = written(table, encabezado=values)
    old, new = path.read_text(encoding="utf-8").split("\n"), content.decode().split("\n")
    assert [i for i, (a, b) in enumerate(zip(old, new, strict=True)) if a != b] in ([3], [])
    places = list(sample.summary)
    before, after = ",".join(sample.summary[n] for n in places[: places.index(name)]), new[3]
    assert after[len(before) :].lstrip(",").startswith(line)
    path.write_bytes(content)
    assert dict(read_actas(path).encabezado) == values


def test_summary_of_ten_fields_gains_none(tmp_path: Path) -> None:
    sample = Sample()
    for name in ("TOTAL_VOTOS_C_CS", "TOTAL_VOTOS_S_CS", "LISTA_NOMINAL_ACTAS_CONTABILIZADAS"):
        del sample.summary[name]
    table = read_actas(sample.write(tmp_path / "A.csv"))
    values = dict.fromkeys(CAMPOS, 7) | {name: "1.0000" for name in CAMPOS if name.startswith("PORCENTAJE")}
    path = tmp_path / "B.csv"
    path.write_bytes(written(table, encabezado=values))
    assert list(read_actas(path).encabezado_crudo) == list(sample.summary)
    path.write_bytes(written(table, encabezado=values, estilo=ESTILOS["qroo-2019"]))
    assert dict(read_actas(path).encabezado) == values


@given(cuts, st.sampled_from(["dma", "dma_junto", "dma_corto", "amd"]))
def test_cut_line_reads_back_in_each_form(cut: datetime, form: str) -> None:
    assert parse_cut(cut_text(cut, form)) == cut  # type: ignore[arg-type]


def test_cut_without_zone_is_not_written() -> None:
    with pytest.raises(ValueError, match="aware"):
        cut_text(datetime(2021, 6, 6, 20), "dma")  # noqa: DTZ001 - the fault


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("['Ilegible', 'Sin dato']", ("Ilegible", "Sin dato")),
        ("['Sin acta']", ("Sin acta",)),
        ('["D\'Artagnan"]', ("D'Artagnan",)),
        ("[]", ()),
        ("Ilegible", None),
        ("", None),
    ],
)
def test_list_as_python_writes_it(text: str, items: tuple[str, ...] | None) -> None:
    assert parse_list(text) == items
