"""The engine adds what it is given, keeps to its own folder and says so when it cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pregon.base.errors import ComprobacionError
from pregon.motor.duck import Volcado, engine
from pregon.motor.sql import read_sql

if TYPE_CHECKING:
    from pathlib import Path


def test_lines_go_in_as_they_are_written() -> None:
    lines = ["1,'x\u2028\x1c", ",", '9007199254740993,="á"\t', "null,NULL"]
    with engine(threads=1, memory_limit="64MiB") as motor:
        motor.load_lines("t", lines, delimiter=",", width=2, columns={"b": 1, "a": 0, "nada": None})
        assert motor.rows("select rowid, a, b, nada from t order by rowid") == [
            (place, *line.split(","), "") for place, line in enumerate(lines)
        ]


def test_lines_given_as_bytes_are_read_when_they_are_asked_for() -> None:
    text = "á,1\nb,\n".encode()
    with engine(threads=1) as motor:
        lines = Volcado([text[:1], text[1:]], 2)
        given = motor.open_lines("t", lines, delimiter=",", width=2, columns={"n": 1, "x": 0})
        motor.expect("t", given)
        motor.set_text("quien", "á")
        assert motor.rows("select x, n from t where x = getvariable('quien')") == [("á", "1")]
        assert motor.rows("select n from t where x = 'b'") == [("",)]


@pytest.mark.parametrize("text", [b"1,2\n\n3,4\n", b"1,2\n"])
def test_fewer_lines_than_were_given_are_refused(text: bytes) -> None:
    with engine() as motor:
        given = motor.open_lines("t", Volcado([text], 3), delimiter=",", width=2, columns={"a": 0})
        with pytest.raises(ComprobacionError, match="de 3 renglones"):
            motor.expect("t", given)


def test_lines_that_are_forgotten_leave_their_name_and_no_file() -> None:
    with engine(threads=1) as motor:
        for text in ("uno", "dos"):
            motor.open_lines("t", [text], delimiter=",", width=1, columns={"a": 0})
            assert motor.rows("select a from t") == [(text,)]
            motor.forget_lines("t")
        with pytest.raises(ComprobacionError):
            motor.rows("select a from t")
        assert not [path for path in motor._folder.iterdir() if path.suffix == ".csv"]


def test_what_takes_long_draws_no_bar_in_the_output() -> None:
    with engine(threads=1) as motor:
        assert motor.rows("select current_setting('enable_progress_bar')") == [(False,)]


def test_values_go_in_and_sums_come_out() -> None:
    with engine(threads=1, memory_limit="64MiB") as motor:
        motor.load_values("t", {"a": "bigint", "b": "varchar"}, [(1, "x"), (None, None), (9007199254740993, "x")])
        assert motor.run("select b, cast(sum(a) as bigint) as n from t group by b order by b") == [
            {"b": "x", "n": 9007199254740994},
            {"b": None, "n": None},
        ]


def test_no_rows_is_an_empty_table() -> None:
    with engine() as motor:
        motor.load_lines("t", [], delimiter="|", width=2, columns={"a": 0})
        motor.load_values("u", {"a": "bigint"}, [])
        assert motor.rows("select (select count(*) from t), (select count(*) from u)") == [(0, 0)]


@pytest.mark.parametrize("line", ["x", "1,2", "1,2,3,4", "", "1,2,3\n4,5,6", "1,2,3\r4"])
def test_line_of_another_form_is_refused(line: str) -> None:
    with engine() as motor, pytest.raises(ComprobacionError):
        motor.load_lines("t", ["1,2,3", line], delimiter=",", width=3, columns={"a": 0, "c": 2})


def test_value_that_does_not_fit_is_refused() -> None:
    with engine() as motor, pytest.raises(ComprobacionError):
        motor.load_values("t", {"a": "bigint"}, [("x",)])


def test_engine_reads_and_writes_nothing_outside_its_folder(tmp_path: Path) -> None:
    outside = tmp_path / "ajeno.csv"
    outside.write_text("1\n", encoding="utf-8")
    with engine() as motor:
        for sql in (
            f"select * from read_csv('{outside}')",  # noqa: S608 - the very thing that must fail
            f"copy (select 1) to '{tmp_path / 'salida.csv'}'",
            "install httpfs",
            "set enable_external_access = true",
        ):
            with pytest.raises(ComprobacionError):
                motor.run(sql)
    assert [path.name for path in tmp_path.iterdir()] == ["ajeno.csv"]


def test_sql_lines_come_once_per_column_and_names_are_checked() -> None:
    text = read_sql("pregon.tablas.sql", "por_seccion.sql", voto=["v000", "v001"], definicion=["amplia"])
    assert text.count("coalesce(v001, 0)") == 1
    assert "$" not in text
    with pytest.raises(ValueError, match="plain SQL name"):
        read_sql("pregon.tablas.sql", "niveles.sql", voto=["v000; drop table actas"])
