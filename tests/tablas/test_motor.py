"""The engine adds what it is given, keeps to its own folder and says so when it cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pregon.base.errors import ComprobacionError
from pregon.motor.duck import engine
from pregon.motor.sql import read_sql

if TYPE_CHECKING:
    from pathlib import Path


def test_rows_go_in_and_sums_come_out() -> None:
    with engine(threads=1, memory_limit="64MiB") as motor:
        motor.load("t", {"a": "bigint", "b": "varchar"}, ["1,x", ",y", "9007199254740993,x"])
        assert motor.run("select b, cast(sum(a) as bigint) as n from t group by b order by b") == [
            {"b": "x", "n": 9007199254740994},
            {"b": "y", "n": None},
        ]


def test_no_rows_is_an_empty_table() -> None:
    with engine() as motor:
        motor.load("t", {"a": "bigint"}, [])
        assert motor.run("select count(*) as n from t") == [{"n": 0}]


@pytest.mark.parametrize("line", ["x", "1,2", "1.5", ""])
def test_row_that_does_not_fit_is_refused(line: str) -> None:
    with engine() as motor, pytest.raises(ComprobacionError):
        motor.load("t", {"a": "bigint", "b": "bigint", "c": "bigint"}, ["1,2,3", line])


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
    text = read_sql("pregon.tablas.sql", "niveles.sql", voto=["v000", "v001"], definicion=["amplia"])
    assert text.count("then v001 end") == 1
    assert "$" not in text
    with pytest.raises(ValueError, match="plain SQL name"):
        read_sql("pregon.tablas.sql", "niveles.sql", voto=["v000; drop table actas"])
