"""A body without quotes is cut in lines and no more; what is read is what the reading field by field gives."""

from __future__ import annotations

import dataclasses
import pickle
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pregon.base.errors import FormatoError
from pregon.prep import admision, reader
from pregon.prep.admision import open_text
from pregon.prep.plain import Body, PlainRows, differing, read_body
from pregon.prep.reader import read_actas
from pregon.prep.rows import actas
from tests.prep.muestras import COLUMNS, Sample, row
from tests.prep.reales import every
from tests.prep.valores import written

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pregon.prep.model import ActaTable

WIDTH = len(COLUMNS)
ENDS = ["\n", "\r\n", "\r"]
# \x1c, U+0085 and U+2028 end a line for str.splitlines, and a file ends its lines otherwise.
CELLS = ["", " ", "-", "ILEGIBLE", "PEÑA", "Ā", "a\x1cb", "\x85", "\u2028", "'04", '="04"', 'a"b', '"a,b"', '"', "x\ry"]


def read_both(path: Path) -> tuple[ActaTable | str, ActaTable | str]:
    """The table, or the text of the refusal, of the reading in use and of the one field by field."""
    found: list[ActaTable | str] = []
    for quick in (True, False):
        try:
            with open_text(path) as text:
                found.append(reader._read(text, quick=quick))
        except FormatoError as error:
            found.append(error.que_paso)
    return found[0], found[1]


def same(path: Path, *, rewritten: bool = True) -> ActaTable | None:
    """The table of ``path``, the same in both readings; None when both refuse it with the same words.

    ``rewritten``: also that it is written again byte for byte.
    """
    mine, careful = read_both(path)
    if isinstance(mine, str) or isinstance(careful, str):
        assert mine == careful
        return None
    assert careful.crudas is None
    assert tuple(mine.lineas) == careful.lineas
    assert tuple(mine.filas) == careful.filas
    assert dataclasses.replace(mine, lineas=careful.lineas) == careful
    assert list(actas(mine)) == list(actas(careful))
    assert not rewritten or written(mine) == path.read_bytes()
    return mine


@st.composite
def line(draw: st.DrawFn, delimiter: str, end: str) -> str:
    """One line of a body: nearly always plain, now and then wrong in one of the ways in which files are."""
    cells = list(row(draw(st.integers(1, 3))).values())
    for place in draw(st.lists(st.integers(0, WIDTH - 1), max_size=3)):
        cells[place] = draw(st.sampled_from(CELLS[:10]))
    oddity = draw(st.integers(0, 30))
    if oddity == 0:
        return draw(st.sampled_from(["", " ", "\t", delimiter, delimiter * (WIDTH - 1)])) + end
    if oddity == 1:
        cells.append(draw(st.sampled_from(["", " ", "x"])))
    elif oddity == 2:
        cells.pop()
    elif oddity == 3:
        cells[draw(st.integers(0, WIDTH - 1))] = draw(st.sampled_from([*CELLS[10:], "x\ny", "x\r\ny", delimiter]))
    elif oddity == 4:
        end = draw(st.sampled_from(ENDS))
    return delimiter.join(cells) + end


@st.composite
def file(draw: st.DrawFn) -> bytes:
    """A small file, nearly always of a plain body."""
    delimiter, end = draw(st.sampled_from(",|;\t")), draw(st.sampled_from(ENDS))
    head = end.join(Sample(delimiter=delimiter, rows=[], after_summary=draw(st.sampled_from([(), ("",)]))).lines())
    body = "".join(draw(st.lists(line(delimiter, end), max_size=6)))
    text = head + end + body
    if draw(st.integers(0, 5)) == 0:
        text = text[: len(text) - draw(st.integers(0, 12))]
    if draw(st.booleans()):
        return text.encode("latin-1", errors="replace")
    return (b"\xef\xbb\xbf" if draw(st.booleans()) else b"") + text.encode()


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(file(), st.sampled_from([1, 2, 7, 150, 1 << 18]), st.sampled_from([3, 600_000]))
def test_any_body_is_read_as_field_by_field(tmp_path: Path, content: bytes, piece: int, most: int) -> None:
    path = tmp_path / "A.csv"
    path.write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "_PIECE", piece)
        patch.setattr(reader, "MAX_ROWS", most)
        same(path)


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("delimiter", [",", "|", ";", "\t"])
def test_plain_body_keeps_its_lines(tmp_path: Path, delimiter: str, end: str) -> None:
    rows = [row(1, DISTRITO_LOCAL="PE\u2028ÑA\x1c"), row(2, OBSERVACIONES="\x85"), row(3)]
    sample = Sample(delimiter=delimiter, line_end=end, rows=rows)
    table = same(sample.write(tmp_path / "A.csv"))
    assert table is not None
    assert table.crudas == tuple(sample.lines()[-3:])
    assert table.lineas == range(6, 9)
    assert table.original.filas == {}


def _ways(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    yield "quoted cell", [*lines, lines[-1].replace("TENABO", '"TENABO"')]
    yield "quote within a cell", [*lines, lines[-1].replace("TENABO", 'TEN"ABO')]
    yield "field too many", [*lines, f"{lines[-1]},"]
    yield "blank line", [*lines, "", lines[-1]]
    yield "blank end", [*lines, ""]
    yield "another line end", [*lines, f"{lines[-1]}\r"]
    yield "carriage return within a row", [*lines, lines[-1].replace(",TENABO", "\r" + lines[-1])]


@pytest.mark.parametrize(("way", "lines"), list(_ways(Sample().lines())))
def test_body_that_is_not_plain_is_read_field_by_field(tmp_path: Path, way: str, lines: list[str]) -> None:
    path = tmp_path / "A.csv"
    path.write_bytes(("\n".join(lines) + "\n").encode())
    table = same(path)
    assert table is None if "within a row" in way else table is not None and table.crudas is None


def test_last_line_without_its_end_is_plain_and_said(tmp_path: Path) -> None:
    path = tmp_path / "A.csv"
    path.write_text("\n".join(Sample().lines()), encoding="utf-8")
    table = same(path)
    assert table is not None
    assert table.crudas is not None
    assert [(f.codigo, f.donde) for f in table.hallazgos] == [("SIN_FIN_DE_LINEA", "línea 7")]
    assert not table.dialecto.final_line_end


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("over", [-1, 0, 1, 2])
@pytest.mark.parametrize("more", ["", "rows"])
def test_line_of_the_limit_is_judged_as_field_by_field(tmp_path: Path, end: str, over: int, more: str) -> None:
    short = len(",".join(row(1, OBSERVACIONES="").values())) + len(end)
    long = row(1, OBSERVACIONES="x" * (admision.MAX_LINE_CHARS - short + over))
    sample = Sample(rows=[long, row(2)] if more else [row(2), long], line_end=end)
    assert (same(sample.write(tmp_path / "A.csv")) is None) is (over > 0)


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("name", ["TENABO", '"TENABO"', "PEÑA"])
def test_names_that_end_where_a_read_of_the_file_does(tmp_path: Path, end: str, name: str) -> None:
    """The stream reads 8,192 bytes at a time, and goes back to the end of the names when the body is not plain."""
    sample = Sample(line_end=end, rows=[row(1, DISTRITO_LOCAL=name), row(2)])
    head = len(end.join(sample.lines()[:5]).encode())
    for size in range(8_188, 8_196):
        sample.titulo = "DIPUTACIONES LOCALES" + "S" * (size - head)
        table = same(sample.write(tmp_path / "A.csv"))
        assert table is not None
        assert (table.crudas is None) is ('"' in name)


def test_empty_body_has_no_rows(tmp_path: Path) -> None:
    table = same(Sample(rows=[]).write(tmp_path / "A.csv"))
    assert table is not None
    assert (len(table.filas), list(table.lineas), table.entidades) == (0, [], ())


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ([("04", "040001B0100"), ("'04'", "'040002B0100'"), ("4", "040003B0100")], ("04",)),
        ([("04", "040001B0100"), ("05", "040002B0100"), ("05", "050001B0100"), ("4", "-")], ("04", "05")),
        ([("04", "'050001B0100"), ("05", "'050001B0100"), ("04", " 040002B0100")], ("04", "05")),
        ([("04", "050001B0100"), ("-", ""), ("", "-"), ("0", "0"), ("AB", "AB1")], ("AB",)),
        ([("04", "'"), ("04", "'0"), ("04", "''040001B0100")], ("04",)),
        ([("04", "' 040001B0100"), ("05", "' 050001B0100")], ("04", "05")),
        ([("04", "  040001B0100"), ("05", "  050001B0100")], ("04", "05")),
        ([("4", "4"), ("ñ", "ñ"), ("04", "04")], ("04", "ñ")),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_entities_are_those_whose_casillas_it_has(
    tmp_path: Path,
    keys: list[tuple[str, str]],
    expected: tuple[str, ...],
    first: bool,  # noqa: FBT001 - parametrized
) -> None:
    columns = COLUMNS if first else [*COLUMNS[1:4], COLUMNS[0], *COLUMNS[4:]]
    rows = [row(1, ID_ESTADO=entity, CLAVE_CASILLA=key) for entity, key in keys]
    table = same(Sample(columns=columns, rows=rows).write(tmp_path / "A.csv"))
    assert table is not None
    assert table.crudas is not None
    assert table.entidades == expected


def test_rows_are_a_sequence_of_cells() -> None:
    rows = PlainRows(("a,b", "c,", ",d"), ",")
    cells = (("a", "b"), ("c", ""), ("", "d"))
    assert (rows[0], rows[-1], len(rows)) == (cells[0], cells[2], 3)
    assert tuple(rows) == cells
    assert rows == cells
    assert cells == rows
    assert rows != cells[:2]
    assert rows != (*cells[:2], ("", "e"))
    assert rows == PlainRows(("a|b", "c|", "|d"), "|")
    assert rows != PlainRows(("a,b", "c,", ",e"), ",")
    assert hash(rows) == hash(cells)
    assert rows[1:] == cells[1:]
    assert isinstance(rows[1:], PlainRows)
    assert rows.at([2, 0]) == (cells[2], cells[0])
    assert ("c", "") in rows
    with pytest.raises(IndexError):
        rows[3]
    with pytest.raises(AttributeError):
        rows.lineas = ()  # type: ignore[misc]


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("last", ["", "g,"])
@pytest.mark.parametrize("pieza", [1, 2, 3, 5, 64])
def test_each_row_of_a_body_is_found_without_its_lines(end: str, last: str, pieza: int) -> None:
    lines = ["a,ñ", ",", "ccc,d", "e,€"]
    data = "".join(line + end for line in lines) + last
    lines += [last] if last else []
    body = read_body(data.encode(), encoding="utf-8", delimiter=",", width=2, fin=end, longest=64, pieza=pieza)
    assert body is not None
    assert (body.filas, body.lines()) == (len(lines), tuple(lines))
    places = range(len(lines))
    for order in ([*places], [*reversed(places)], [2, 2, 0, 3, 1]):
        assert list(body.at(order)) == [lines[place] for place in order]
    assert b"".join(body.pieces()).decode() == "".join(line + "\n" for line in lines)


@pytest.mark.parametrize(
    "data", ['a,"\n', "a,b\r\n", "a\n,\n", "a,b,c\n", "a,b\n\n", "a,b\n ", "a,b\n" + "x" * 64 + ",\n"]
)
def test_body_of_another_form_is_none(data: str) -> None:
    assert read_body(data.encode(), encoding="utf-8", delimiter=",", width=2, fin="\n", longest=64, pieza=4) is None


def test_table_travels_and_is_replaced_without_the_lines_of_other_rows(tmp_path: Path) -> None:
    table = read_actas(Sample().write(tmp_path / "A.csv"))
    copy = pickle.loads(pickle.dumps(table))  # noqa: S301 - our own
    assert copy == table
    assert copy.crudas == table.crudas
    assert dataclasses.replace(table, filas=table.filas[1:], lineas=table.lineas[1:]).crudas == table.crudas[1:]  # type: ignore[index]
    assert dataclasses.replace(table, filas=tuple(table.filas)).crudas is None


def test_only_the_rows_asked_for_are_understood_with_their_own_lines(tmp_path: Path) -> None:
    path = Sample(rows=[row(n) for n in range(1, 7)]).write(tmp_path / "A.csv")
    for table in read_both(path):
        assert not isinstance(table, str)
        every = list(actas(table))
        assert list(actas(table, [4, 1])) == [every[4], every[1]]
        assert list(actas(table, ())) == []
        assert [acta.linea for acta in actas(table, range(2, 4))] == [8, 9]


def test_keys_and_dates_are_bare_whichever_side_is_wrapped(tmp_path: Path) -> None:
    day = "06/06/2021 20:01:00"
    cells = {"CLAVE_CASILLA": "'A", "CLAVE_ACTA": "A'", "SHA": " ab", "SECCION": "'0001'", "TIPO_CASILLA": "'b"}
    cells |= {"FECHA_HORA_ACOPIO": f"'{day}", "FECHA_HORA_CAPTURA": f"{day}'", "FECHA_HORA_VERIFICACION": f" {day} "}
    [acta] = actas(read_actas(Sample(rows=[row(1, **cells)]).write(tmp_path / "A.csv")))
    assert (acta.clave_casilla, acta.clave_acta, acta.sha, acta.seccion, acta.tipo) == ("A", "A", "ab", "0001", "B")
    assert acta.fechas == (day, day, day)


@pytest.mark.datos
@pytest.mark.parametrize("name", every())
def test_real_file_is_read_as_field_by_field(datos: Path, name: str) -> None:
    table = same(datos / name, rewritten=False)  # test_writer_reales.py does that with each of them
    assert table is not None
    assert (table.crudas is None) is ("quintana-roo" in name)  # the only one with quotes: keys as ="230085B0100"


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text("a\nñ€🗳", min_size=1, max_size=40), st.sampled_from([b"\xff", b"\xc3", b"\0", b"\xe2\x82"]), st.data())
def test_bad_byte_has_its_place_wherever_a_read_ends(
    tmp_path: Path, text: str, bad: bytes, data: st.DataObject
) -> None:
    good = text.encode()
    at = data.draw(st.sampled_from([len(text[:n].encode()) for n in range(len(text))]))
    content = b"\xef\xbb\xbf" + good[:at] + bad + b"a" + good[at:]
    path = tmp_path / "A.csv"
    path.write_bytes(content)
    offset = 3 + at
    line, column = content.count(b"\n", 0, offset) + 1, offset - content.rfind(b"\n", 0, offset)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(admision, "_CHUNK", data.draw(st.integers(1, 9)))
        with pytest.raises(FormatoError) as caught:
            read_actas(path)
    assert f"línea {line}, columna {column}: " in caught.value.que_paso
    assert path.read_bytes() == content


def body_of(lines: list[bytes], end: str, *, ended: bool) -> Body:
    data = end.encode().join(lines) + (end.encode() if ended and lines else b"")
    return Body(data, "utf-8", end, len(lines), max(1, len(data)), (0,))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.text("ab", max_size=5), st.text("ab", max_size=5), st.booleans()), max_size=12),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
    st.integers(0, 3000),
    st.lists(st.sampled_from([b"c,", b"d,"]), max_size=3),
)
def test_rows_that_differ_in_their_place_are_those_of_the_lines(
    rows: list[tuple[str, str, bool]],
    end: str,
    ended: bool,  # noqa: FBT001 - hypothesis
    head: int,
    more: list[bytes],
) -> None:
    """A long row before them puts differences on both sides of every step of the comparison."""
    one = [b"x" * head, *(f"{a},".encode() for a, _, _ in rows)]
    other = [b"x" * head, *((f"{a}," if same else f"{b},").encode() for a, b, same in rows)]
    expected = {n: (x, y) for n, (x, y) in enumerate(zip(one, other, strict=True)) if x != y}
    found = differing(body_of(one, end, ended=ended), body_of(other, end, ended=ended), most=len(one))
    assert found is not None
    longer = differing(body_of(one, end, ended=True), body_of([*other, *more], end, ended=True), most=len(one) + 3)
    assert longer == (found[0], found[1] | dict(enumerate(more, len(one))))
    assert {n: (found[0][n], found[1][n]) for n in found[0]} == expected
    assert found[0].keys() == found[1].keys()
    if expected:
        fewer = differing(body_of(one, end, ended=ended), body_of(other, end, ended=ended), most=len(expected) - 1)
        assert fewer is None


def test_bodies_of_another_form_or_with_too_many_rows_are_not_compared() -> None:
    lines = [b"a,b", b"c,d"]
    one = body_of(lines, "\n", ended=True)
    assert differing(one, body_of(lines, "\r\n", ended=True), most=9) is None
    assert differing(one, body_of([], "\n", ended=True), most=1) is None
    assert differing(one, body_of([], "\n", ended=True), most=2) == (dict(enumerate(lines)), {})
