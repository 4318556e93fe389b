"""The reader takes what institutes write, and says where it is wrong."""

from __future__ import annotations

import tracemalloc
import zipfile
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from pregon.base.errors import EntradaError, FormatoError
from pregon.prep import admision
from pregon.prep.columns import classify
from pregon.prep.model import Estado, Marker
from pregon.prep.preambulo import parse_cut
from pregon.prep.reader import read_actas
from pregon.prep.rows import actas
from pregon.prep.text import parse_cell
from tests.prep.muestras import COLUMNS, VOTES, Sample, row

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "ACTAS.csv"


def test_plain_file(target: Path) -> None:
    table = read_actas(Sample().write(target))
    assert table.titulo == "DIPUTACIONES LOCALES"
    assert table.hora_corte == datetime(2021, 6, 6, 22, 40, tzinfo=timezone(timedelta(hours=-5)))
    assert table.nivel == "distrito"
    assert table.columnas_voto == tuple(VOTES)
    assert table.encabezado["TOTAL_VOTOS_C_CS"] == 200
    assert table.dialecto.descripcion == "coma, UTF-8, LF"
    assert table.hallazgos == ()
    first = next(actas(table))
    assert (first.linea, first.unidad, first.estado, first.suma) == (6, "001", Estado.CONTABILIZADA, 100)
    assert first.marcas == {"CAND_IND_1": "no_contiende"}


@pytest.mark.parametrize("delimiter", [",", "|", ";", "\t"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_every_frame_reads_the_same(target: Path, delimiter: str, line_end: str, encoding: str) -> None:
    sample = Sample(
        titulo='"DIPUTACIONES LOCALES (INCLUYE MAYORÍA RELATIVA)"',
        corte='"07/06/2021 13:19 (UTC-7)"',
        blank=("\t\t",),
        after_summary=("",),
        delimiter=delimiter,
        line_end=line_end,
        encoding=encoding,
    )
    sample.rows = [row(1, DISTRITO_LOCAL="PEÑA"), row(2, DISTRITO_LOCAL="PEÑA")]
    table = read_actas(sample.write(target))
    assert table.titulo == "DIPUTACIONES LOCALES (INCLUYE MAYORÍA RELATIVA)"
    assert table.hora_corte.utcoffset() == timedelta(hours=-7)
    assert [a.unidad_nombre for a in actas(table)] == ["PEÑA", "PEÑA"]
    assert (table.dialecto.delimiter, table.dialecto.line_end) == (delimiter, line_end)
    assert table.dialecto.bom is (encoding == "utf-8-sig")
    assert table.dialecto.encoding == ("latin-1" if encoding == "latin-1" else "utf-8")


def test_sep_line_and_summary_in_other_words(target: Path) -> None:
    sample = Sample(sep="sep=|", corte="2019/06/03 05:47 (UTC-5)", delimiter="|", encoding="latin-1")
    sample.summary = {
        "ACTAS_ESPERADAS": "2,136",
        "ACTAS_FUERA_DE_CATÁLOGO": "0",
        "PORCENTAJE_ACTAS_CON_INCONSISTENCIAS": "'99.5698%",
        "TOTAL_VOTOS_C_CS": "940411.0",
        "TOTAL_VOTOS_S_CS": "",
    }
    table = read_actas(sample.write(target))
    assert table.dialecto.sep_hint
    assert table.encabezado["ACTAS_ESPERADAS"] == 2136
    assert table.encabezado["ACTAS_FUERA_CATALOGO"] == 0
    assert table.encabezado["PORCENTAJE_ACTAS_INCONSISTENCIAS"] == "99.5698"
    assert table.encabezado["TOTAL_VOTOS_C_CS"] == 940411
    assert table.encabezado["TOTAL_VOTOS_S_CS"] is None  # empty
    assert table.encabezado["ACTAS_CAPTURADAS"] is None  # absent
    assert table.encabezado_crudo["TOTAL_VOTOS_C_CS"] == "940411.0"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("01/06/2021 18:52 (UTC-5)", "2021-06-01T18:52:00-05:00"),
        ("02/07/2018 11:45(UTC-5)", "2018-07-02T11:45:00-05:00"),
        ("3/6/2019 09:15 (UTC-5)", "2019-06-03T09:15:00-05:00"),
        ("2019/06/03 05:47 (UTC-5)", "2019-06-03T05:47:00-05:00"),
        ("06/06/2021 20:00", None),
        ("31/02/2021 20:00 (UTC-5)", None),
        ("GUBERNATURA", None),
    ],
)
def test_cut_line(text: str, expected: str | None) -> None:
    found = parse_cut(text)
    assert (found.isoformat() if found else None) == expected


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("0", 0),
        ("484.0", 484),
        ("1,204", 1204),
        ("'12", 12),
        ("", Marker.VACIO),
        ("  ", Marker.VACIO),
        ("-", Marker.NO_CONTIENDE),
        ("SIN DATO", Marker.SIN_DATO),
        ("sin_dato", Marker.SIN_DATO),
        ("Ilegible", Marker.ILEGIBLE),
        ("sin_acta", Marker.SIN_ACTA),
        ("'N/A", Marker.NO_APLICA),
        ("12a", Marker.DESCONOCIDO),
        ("-5", Marker.DESCONOCIDO),
        ("1.5", Marker.DESCONOCIDO),
        ("١٢", Marker.DESCONOCIDO),  # digits of another script are not a count
    ],
)
def test_cells_keep_number_and_each_marker_apart(text: str, cell: int | Marker) -> None:
    assert parse_cell(text) == cell
    assert isinstance(parse_cell(text), Marker) is isinstance(cell, Marker)


def test_keys_in_every_wrapping(target: Path) -> None:
    sample = Sample()
    sample.rows = [
        row(1, CLAVE_CASILLA='="040001B0100"', ID_DISTRITO_LOCAL="'001"),
        row(2, CLAVE_CASILLA="'040002B0100'", ID_DISTRITO_LOCAL='"001"'),
    ]
    table = read_actas(sample.write(target))
    assert [(a.clave_casilla, a.unidad) for a in actas(table)] == [("040001B0100", "001"), ("040002B0100", "001")]
    assert table.dialecto.comillas_clave == {"CLAVE_CASILLA": "formula", "ID_DISTRITO_LOCAL": "apostrofo"}
    assert table.filas[0][0] == '="040001B0100"'  # as written, to be written again


@pytest.mark.parametrize(
    ("cells", "estado"),
    [
        ({"CONTABILIZADA": "1"}, Estado.CONTABILIZADA),
        ({"CONTABILIZADA": "1", "OBSERVACIONES": "EXCEDE LISTA NOMINAL"}, Estado.CONTABILIZADA),  # never judged again
        ({"CONTABILIZADA": "0"}, Estado.NO_CONTABILIZADA),
        ({"CONTABILIZADA": "-"}, Estado.PENDIENTE),
        ({"CONTABILIZADA": ""}, Estado.PENDIENTE),
        ({"CONTABILIZADA": "2"}, Estado.FUERA_CATALOGO),
        ({"CONTABILIZADA": "0", "OBSERVACIONES": "Fuera de catálogo"}, Estado.FUERA_CATALOGO),
        ({"CONTABILIZADA": "-", "CLAVE_CASILLA": "-"}, Estado.FUERA_CATALOGO),
        ({"CONTABILIZADA": "0", "CLAVE_CASILLA": ""}, Estado.FUERA_CATALOGO),
    ],
)
def test_contabilizada_as_given_and_fuera_de_catalogo_by_any_mark(
    target: Path, cells: dict[str, str], estado: Estado
) -> None:
    sample = Sample()
    sample.rows = [row(1, **cells)]
    assert next(actas(read_actas(sample.write(target)))).estado is estado


def test_acta_of_no_district_has_a_unit_of_its_own_and_fuera_de_catalogo_none(target: Path) -> None:
    sample = Sample()
    sample.rows = [
        row(1, ID_DISTRITO_LOCAL="'N/A", DISTRITO_LOCAL="N/A"),
        row(2, ID_DISTRITO_LOCAL="-", CONTABILIZADA="2"),
    ]
    assert [a.unidad for a in actas(read_actas(sample.write(target)))] == ["sin-distrito", ""]


def test_coalition_columns_are_known_by_the_party_columns_they_name() -> None:
    columns = [
        "PAN",
        "PRI",
        "PRD",
        "MC",
        "NUEVA_ALIANZA",
        "PAN_PRD_MC",
        "C_PAN-PRI",
        "CC_PRI_NUEVA_ALIANZA",
        "C_PAN_PT",
        "CI_01",
        "CNR",
        "NULOS",
    ]
    contenders, unknown = classify(columns)
    assert {c.columna: (c.clase, c.miembros) for c in contenders if c.clase != "partido"} == {
        "PAN_PRD_MC": ("coalicion", ("PAN", "PRD", "MC")),
        "C_PAN-PRI": ("coalicion", ("PAN", "PRI")),
        "CC_PRI_NUEVA_ALIANZA": ("comun", ("PRI", "NUEVA_ALIANZA")),
        "C_PAN_PT": ("coalicion", ()),
        "CI_01": ("independiente", ()),
        "CNR": ("no_registradas", ()),
        "NULOS": ("nulos", ()),
    }
    assert unknown == ("C_PAN_PT",)


def _refused(target: Path, *texts: str) -> None:
    before = target.read_bytes()[:100]
    with pytest.raises(FormatoError) as caught:
        read_actas(target)
    assert target.name in caught.value.que_paso
    for text in texts:
        assert text in caught.value.que_paso
    assert target.read_bytes()[:100] == before


def test_absent_file_is_an_input_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(EntradaError):
        read_actas(tmp_path / "no-esta.csv")


def test_truncated_in_the_middle_of_a_row_names_line_and_column(target: Path) -> None:
    text = "\n".join(Sample().lines())
    target.write_text(text[: text.rindex("TENABO") + 6], encoding="utf-8")
    _refused(target, "línea 7", "columna 6", "las columnas son 39")


def test_file_cut_after_a_whole_field_is_reported(target: Path) -> None:
    target.write_text("\n".join(Sample().lines()), encoding="utf-8")
    assert [f.codigo for f in read_actas(target).hallazgos] == ["SIN_FIN_DE_LINEA"]


def test_one_empty_field_too_many_is_taken_and_reported(target: Path) -> None:
    lines = Sample().lines()
    target.write_text("\n".join([*lines[:5], *(line + "," for line in lines[5:])]) + "\n", encoding="utf-8")
    table = read_actas(target)
    assert [(f.codigo, f.severidad) for f in table.hallazgos] == [("CAMPO_DE_MAS", "avisa")]
    assert len(table.filas) == 2
    target.write_text("\n".join([*lines[:5], *(line + ",algo" for line in lines[5:])]) + "\n", encoding="utf-8")
    _refused(target, "línea 6", "tiene 40 campos")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "vacío"),
        (b"\x00\x01\x02" * 500, "bytes nulos"),
        ("GUBERNATURA\n".encode("utf-16"), "UTF-16"),
        (b"<!doctype html><html><body>404</body></html>\n" * 3, "página web"),
        (b"a,b,c\n1,2,3\n" * 200, "CLAVE_CASILLA"),
        (b"\xef\xbb\xbfT\xcdTULO\nx\n", "marca UTF-8"),
        ("AYUNTAMIENTOS Ñ".encode()[:-1], "a la mitad de una letra"),
        (bytes(range(1, 256)) * 40, "línea"),
    ],
)
def test_what_is_not_a_csv_is_said_plainly(target: Path, content: bytes, text: str) -> None:
    target.write_bytes(content)
    _refused(target, text)


def test_zip_offered_as_csv(target: Path) -> None:
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("x.csv", "x")
    _refused(target, "zip")


@pytest.mark.parametrize(
    "column", ["NULOS", "CONTABILIZADA", "TOTAL_VOTOS_SACADOS", "ID_DISTRITO_LOCAL", "LISTA_NOMINAL"]
)
def test_missing_column_is_named(target: Path, column: str) -> None:
    sample = Sample()
    sample.columns.remove(column)
    sample.write(target)
    _refused(target, "línea 5", "distrito" if column.startswith("ID_") else column)


def test_repeated_column_is_refused(target: Path) -> None:
    sample = Sample(columns=[*COLUMNS, "PAN"])
    sample.write(target)
    _refused(target, "repetidas: PAN")


def test_cut_without_zone_is_refused(target: Path) -> None:
    Sample(corte="06/06/2021 22:40").write(target)
    _refused(target, "línea 2", "huso")


def test_file_without_summary_is_refused(target: Path) -> None:
    lines = Sample().lines()
    target.write_text("\n".join(lines[:2] + lines[4:]) + "\n", encoding="utf-8")
    _refused(target, "resumen")


def test_quote_never_closed_does_not_swallow_the_file(target: Path) -> None:
    sample = Sample(rows=[row(1, OBSERVACIONES='"abierta'), *(row(n) for n in range(2, 700))])
    sample.write(target)
    _refused(target, "línea 6")


def test_giant_line_is_refused_without_being_read_whole(target: Path) -> None:
    with target.open("wb") as file:
        for _ in range(64):
            file.write(b"x" * (1 << 20))
    tracemalloc.start()
    try:
        with pytest.raises(FormatoError, match="la línea pasa de"):
            read_actas(target)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 * (1 << 20)


def test_file_over_the_size_limit_is_refused_unread(target: Path) -> None:
    with target.open("wb") as file:
        file.truncate(admision.MAX_FILE_BYTES + 1)  # sparse: no disk is used
    with pytest.raises(FormatoError, match="el límite es"):
        read_actas(target)
