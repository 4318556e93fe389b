"""What is drawn of a board: strokes that read back as its cells, a curve of what was seen, parts that changed."""

from __future__ import annotations

import gzip
import json
import random
import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from pregon.instituto.tablero.curva import ANCHO, curva_de
from pregon.instituto.tablero.modelo import LETRAS, SIGNOS
from pregon.instituto.tablero.vista import _SENDAS, COLUMNAS, Partes, duracion, globales, letra_propia, signo, tira
from pregon.web.paginas import Paginas
from tests.instituto.tablero.muestra import cuadro

if TYPE_CHECKING:
    from pregon.instituto.monitor.modelo import Causa, Veredicto
    from pregon.instituto.registro.estados import Estado
    from pregon.instituto.tablero.modelo import Cuadro
    from pregon.instituto.tablero.vista import Tira

ZONA = ZoneInfo("America/Mexico_City")
STROKE = re.compile(r"M(\d+) ([\d.]+)h(\d+)")


def pages() -> Paginas:
    return Paginas("pregon.instituto.tablero", titulo="Ensayo", ambiente="simulacro", **globales(ZONA))


def page(board: Cuadro, *, muro: bool = False, elegido: int | None = None) -> str:
    return pages().texto(
        "tablero.html", cuadro=board, muro=muro, elegido=elegido, cuenta="ana", roles=(), ficha="f" * 43
    )


def read_back(made: Tira, many: int) -> str:
    """The letters that the strokes say, each at the heights of its own and no other."""
    wide = 2 if made.clase.endswith("dos") else 1
    cells = ["-"] * many
    for letter, path in made.trazos:
        heights: dict[int, list[str]] = {}
        for first, height, width in STROKE.findall(path):
            for x in range(int(first), int(first) + int(width), wide):
                heights.setdefault(x // wide, []).append(height)
        for place, found in heights.items():
            assert tuple(found) == _SENDAS[letter]
            assert cells[place] == "-", "two letters in one cell"
            cells[place] = letter
    return "".join(cells)


@pytest.mark.parametrize("many", [0, 1, 72, 73, 144, 288])
def test_the_strokes_of_a_strip_say_its_cells(many: int) -> None:
    dice = random.Random(many)
    cells = "".join(dice.choice([one.letra for one in LETRAS]) for _ in range(many))
    made = tira(cells)
    assert read_back(made, many) == cells
    left, _, width, _ = map(int, made.caja.split())
    assert width == COLUMNAS
    assert left + width == many * (2 if many <= COLUMNAS // 2 else 1)  # the newest cut ends the strip
    for one in LETRAS:
        if one.letra != "-" and one.letra in cells:
            assert f"{one.nombre.lower()} {cells.count(one.letra)}" in made.dice


def test_no_two_letters_are_told_by_colour_alone() -> None:
    assert {one.letra for one in LETRAS} == {*_SENDAS, "-"}
    assert len({one.nombre for one in LETRAS}) == len(LETRAS)
    # «D» and «A» are at one height: one is a solid line, the other points (the style; seen by test_navegador).
    assert len(set(_SENDAS.values())) == len(_SENDAS) - 2


@pytest.mark.parametrize(
    ("veredicto", "causa", "estado", "letra"),
    [
        ("alterado", "difusor", "activo", "X"),
        ("alterado", "red", "activo", "N"),
        ("inaccesible", "difusor", "activo", "S"),
        ("inaccesible", "sin_determinar", "activo", "Q"),
        ("atrasado", "difusor", "activo", "R"),
        ("atrasado", "red", "activo", "N"),
        ("atrasado", "instituto", "activo", "I"),
        ("al_dia", "ninguna", "activo", "D"),
        ("al_dia", "ninguna", "suspendido", "A"),
        ("sin_determinar", "red", "activo", "Q"),
    ],
)
def test_what_a_row_says_of_now(veredicto: Veredicto, causa: Causa, estado: Estado, letra: str) -> None:
    one = replace(cuadro(1, 2).difusores[0], veredicto=veredicto, causa=causa, estado=estado)
    assert signo(one) is SIGNOS[letra]


def test_the_institute_is_told_by_its_own_row() -> None:
    column = cuadro(3, 6).cortes[-1]
    assert letra_propia(column) == "D"
    assert letra_propia(replace(column, retraso_s=200.0)) == "I"
    assert letra_propia(replace(column, n=None, firmado=None)) == "E"
    assert letra_propia(replace(column, n=None, firmado=None, perdido=True)) == "S"


def steps(path: str) -> list[tuple[int, int]]:
    """The corners of a staircase."""
    x, y, found = 0, 100, []
    for axis, value in re.findall(r"([HV])(\d+)", path):
        x, y = (int(value), y) if axis == "H" else (x, int(value))
        found.append((x, y))
    return found


def test_the_curve_rises_to_the_share_that_shows_the_cut() -> None:
    board = cuadro(100, 6)
    made = curva_de(board.cortes, None, board.hora)
    assert made is not None
    last = board.cortes[-1]
    assert made.columna is last
    corners = steps(made.trazo)
    assert corners == sorted(corners, key=lambda one: (one[0], -one[1]))
    assert corners[-1][1] == 100 - 100 * last.visibles // last.de
    assert len(made.sombras) == len([one for one in board.cortes if one.n is not None]) - 1
    assert (made.antes, made.despues) == (last.n and last.n - 1, None)
    assert all(0 <= x <= ANCHO for x, _ in corners)


def test_the_curve_of_another_cut_can_be_asked_for() -> None:
    board = cuadro(20, 6)
    made = curva_de(board.cortes, 2, board.hora)
    assert made is not None
    assert (made.columna.n, made.antes, made.despues) == (2, 1, 3)
    unknown = curva_de(board.cortes, 999, board.hora)
    assert unknown is not None
    assert unknown.columna is board.cortes[-1]
    assert curva_de((), None, board.hora) is None
    assert "Todavía no hay ningún corte firmado" in page(replace(board, cortes=(), difusores=()))


def test_the_curve_of_a_cut_just_signed_ends_now() -> None:
    """A line to the end of the axis would say that nobody is to come."""
    board = cuadro(20, 6)
    last = board.cortes[-1]
    assert last.firmado is not None
    fresh = replace(last, curva=((3, 1),), visibles=1, p50_s=None, p95_s=None)
    made = curva_de((fresh,), None, last.firmado + timedelta(seconds=6))
    assert made is not None
    assert made.segundos[-1].texto == "30 s"
    assert steps(made.trazo)[-1][0] == ANCHO * 6 // 30
    assert (made.p50, made.p95) == (None, None)


@pytest.mark.parametrize(
    ("segundos", "texto"),
    [(None, "—"), (-3, "0 s"), (59.9, "59 s"), (60, "1 min"), (3600, "1 h"), (3900, "1 h 5 min"), (200_000, "2 días")],
)
def test_lapses_are_told_in_words(segundos: float | None, texto: str) -> None:
    assert duracion(segundos) == texto


def test_a_change_carries_only_the_parts_that_changed() -> None:
    made = Partes(pages())
    before = cuadro(12, 8)
    worst = replace(
        before.difusores[5], veredicto="alterado", causa="difusor", celdas=before.difusores[5].celdas[:-1] + "X"
    )
    order = (worst, *(one for one in before.difusores if one.id != worst.id))
    after = replace(before, version=2, difusores=order)
    got = json.loads(made.cambio(before, after))
    assert got["version"] == 2
    assert set(got["partes"]) == {f"r-{worst.id}", "ahora"}  # its row, and how many there are of each
    assert got["orden"] == [one.id for one in order]
    assert got["quita"] == []
    same = json.loads(made.cambio(after, replace(after, version=3)))
    assert (same["partes"], same["orden"], same["quita"]) == ({}, None, [])
    gone = json.loads(made.cambio(after, replace(after, version=4, difusores=order[1:])))
    assert gone["quita"] == [worst.id]
    assert f"r-{worst.id}" not in gone["partes"]


def test_what_an_open_page_is_sent_is_what_a_new_one_would_have() -> None:
    board = cuadro(12, 8)
    text = page(board)
    parts = json.loads(Partes(pages()).todo(board))["partes"]
    assert len(parts) == 6 + 12
    for name, html in parts.items():
        assert html.strip() in text, name


def test_nothing_that_others_wrote_becomes_markup() -> None:
    board = cuadro(2, 2)
    evil = "<script>alert(1)</script>\"'"
    rows = tuple(replace(one, nombre=evil, porque=evil) for one in board.difusores)
    events = tuple(replace(one, texto=evil) for one in board.eventos)
    asked = tuple(replace(one, texto=evil, que_hacer=evil) for one in board.por_decidir)
    text = page(replace(board, titulo=evil, difusores=rows, eventos=events, por_decidir=asked, faltan=(evil,)))
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text
    assert text.count("<script") == 1  # our own
    assert " style=" not in text  # the policy would refuse it
    assert not re.search(r"\son[a-z]+=", text)


def test_the_worst_night_of_all_fits_too() -> None:
    """Every cell unlike its neighbours: no night is like that, and the first view is still less than 150 kB sent."""
    dice = random.Random(7)
    letters = [one.letra for one in LETRAS if one.letra != "-"]
    board = cuadro(100, 144)
    rows = tuple(replace(one, celdas="".join(dice.choice(letters) for _ in range(144))) for one in board.difusores)
    assert len(gzip.compress(page(replace(board, difusores=rows)).encode(), 6)) < 100_000
