"""Totals without detail are those of the whole reading, and no text is a number that ``prep`` does not take for one."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from pregon.prep.reader import read_actas
from pregon.prep.synthetic.eleccion import election
from pregon.tablas.fichas import understand
from pregon.tablas.sumas import understand_sums
from pregon.tablas.totales import totals
from tests.prep.muestras import row
from tests.tablas import tablitas

if TYPE_CHECKING:
    from pathlib import Path

ZONE = ZoneInfo("America/Mexico_City")


def test_national_totals_without_detail_are_those_with_it(tmp_path: Path) -> None:
    hours = [datetime(2024, 6, 2, hour, tzinfo=ZONE) for hour in (20, 22)]
    contest = election("PRES", casillas=2_000, unidades=32, cortes=hours, semilla=7, entidad=None, correcciones=True)
    path = tmp_path / "PRES.csv"
    path.write_bytes(b"".join(contest.actas(1)))
    brief, whole = (totals(read_actas(path), detalle=detail) for detail in (False, True))
    assert len(brief.entidades) == 32
    assert whole.secciones
    assert dataclasses.replace(whole, secciones=(), casillas=()) == brief


NOT_NUMBERS = ["1e2", "+5", "-5", "1_000", "1.5", ".5", "0x1A", "0b11", "٣", "１", "5 5", "true", "¿?"]
NOT_NUMBERS += [".0", "1.0.0", "-5.0", "1e2.0"]


@pytest.mark.parametrize("text", NOT_NUMBERS)
def test_text_that_only_the_engine_would_take_for_a_number_is_unknown(tmp_path: Path, text: str) -> None:
    rows = [row(1), row(2, PAN=text), row(3)]
    table = read_actas(tablitas.write(tmp_path / "A.csv", rows))
    quick, slow = understand_sums(table), understand(table)
    assert quick is not None
    assert (quick.niveles, quick.faltas) == (slow.niveles, slow.faltas)
    assert [code for code, _ in quick.faltas[1].faltas] == ["VALOR_DESCONOCIDO", "SUMA_VOTOS"]


@pytest.mark.parametrize("text", ["0.0", "12.0", "99999.0"])
def test_count_with_a_decimal_of_zero_is_a_number_as_the_whole_reading_takes_it(tmp_path: Path, text: str) -> None:
    table = read_actas(tablitas.write(tmp_path / "A.csv", [row(1), row(2, PAN=text, LISTA_NOMINAL=text)]))
    quick, slow = understand_sums(table), understand(table)
    assert quick is not None
    assert (quick.niveles, quick.faltas) == (slow.niveles, slow.faltas)
    assert quick.niveles[0]["v000"] == slow.niveles[0]["v000"] >= int(text.removesuffix(".0"))


@pytest.mark.parametrize("text", ["12.00", "12.", "012.0", "123456.0", "'5", " 8", "0001", "12345678", "999999999999"])
def test_count_written_in_another_way_is_left_to_the_whole_reading(tmp_path: Path, text: str) -> None:
    table = read_actas(tablitas.write(tmp_path / "A.csv", [row(1), row(2, LISTA_NOMINAL=text)]))
    assert understand_sums(table) is None
    assert totals(table, detalle=False).entidad == totals(table).entidad


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_may_end_in_any_way_and_in_an_empty_cell(tmp_path: Path, end: str) -> None:
    rows = [row(n, TIPO_DOCUMENTO="") for n in range(1, 4)]
    table = read_actas(tablitas.write(tmp_path / "A.csv", rows, line_end=end))
    assert totals(table, detalle=False).entidad.actas.contabilizadas == 3
    assert totals(table).entidad.actas.contabilizadas == 3


def test_same_key_wrapped_in_two_ways_is_one(tmp_path: Path) -> None:
    rows = [row(n) for n in range(1, 5)]
    rows[2] |= {"CLAVE_ACTA": f"'{rows[0]['CLAVE_ACTA']}", "SHA": f" {rows[1]['SHA']}"}
    table = read_actas(tablitas.write(tmp_path / "A.csv", rows))
    quick = understand_sums(table)
    assert quick is not None
    assert quick.repetidas.claves == ((rows[0]["CLAVE_ACTA"], 2),)
    assert quick.repetidas.shas == ((rows[1]["SHA"], 2),)
