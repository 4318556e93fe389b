"""Small tables of actas with every oddity that published files have shown, for tests that invent them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

from tests.prep.muestras import VOTES, Sample, row

if TYPE_CHECKING:
    from pathlib import Path

    from hypothesis.strategies import SearchStrategy

# All but the last few can stand in a cell without quotes.
ODD = ["a\tb", "\x1c", " x ", "\u2028y", "\x85", "ñandú", "a\\b", "l'été", "\U0001f5f3", "\x0b", "\x07", "NULL", "\x1f"]
QUOTED = ['di"jo', "a,b", '"', '=""""', "1,234,567"]
BROKEN = ["dos\nlíneas", "dos\r\nlíneas", "uno\rdos", "a\x1fb\x1f", "\n7\n"]
"""Cells of several lines, and one with the character that parts cells within the engine."""
KEYS = ["040001B0100", "'0401", '="0402"', "'0403'", "-", "--", "N/A", "n/a", "", " ", "' '", "0404 ", "Ñ1", "`1", "=1"]
IMAGES = ["", "-", "N/A", "a" * 64, "A" * 64, "b" * 63, "'" + "c" * 64, "g" * 64, "x", "0" * 65]
DATES = [
    "",
    "-",
    "06/06/2021 20:01:00",
    "06/06/2021 20:10",
    "2021-06-06 20:05:00",
    "07/06/2021 00:01:00",
    "30/05/2021 23:59:59",
    "06/06/2021 2:01",
    "'06/06/2021 20:01:00",
    "06/06/2021  20:01",
    "0a/06/2021 20:01",
]
CELLS = ["0", "7", "40", "100", "1,000", "12.0", "'5", " 8 ", "", "-", "--", "ILEGIBLE", "sin_dato", "Sin Acta", "N/A"]
CELLS += ["¿?", "-1", "1.5", "1e3", "٣", "999999999999", "0001", "1,00"]
COUNTED = ["1", "1", "1", "1", "0", "2", "-", "", "N/A", "'1", " 1", "1.0", "3", "x", "00", "0 "]
TOLD = ["", "", "FUERA DE CATÁLOGO", "fuera de  catalogo", "EXCEDE LISTA NOMINAL", "Ilegible", "SIN DATO, ILEGIBLE"]
TOLD += ["['Ilegible', 'Sin dato']", "TODOS ILEGIBLES", "TODOS SIN DATO"]
KINDS = ["B", "C", "E", "S", "s", "M", "'M", "A", "P", "", "X", "ß", "-"]
UNITS = ["001", "1", "'002", "002", "10", "N/A", "-", "", "Ñ", "2 "]
SECTIONS = ["0001", "1", "0009", "0010", "0011", "0118", "9999", "10000", "'0012", "", "-", "12a", "٤", "0", "0001 "]
SECTIONS += ["123456789", "1234567890", "99999999999999999999999"]
STATES = ["04", "4", "'04", "09", "9", "21", "33", "", "-", "x"]


class Fila(dict[str, str]):
    """A row of a made-up file, shown by what it has of its own."""

    def __repr__(self) -> str:
        plain = row(1)
        return f"row(1, **{ {name: text for name, text in self.items() if plain[name] != text} })"


def cells(*, quoted: bool) -> SearchStrategy[dict[str, str]]:
    """Cells that replace those of a good acta; few at a time, so that what they do is seen."""
    extra = st.sampled_from([*ODD, *(QUOTED if quoted else [])])

    def one(values: list[str]) -> SearchStrategy[str]:
        fitting = [v for v in values if quoted or not set(v) & set('",')]
        return st.one_of(st.sampled_from(fitting), st.sampled_from(fitting), extra)

    choices = {
        "CLAVE_CASILLA": one(KEYS),
        "CLAVE_ACTA": one(KEYS),
        "SECCION": one(SECTIONS),
        "ID_CASILLA": one(KEYS),
        "EXT_CONTIGUA": one(KEYS),
        "TIPO_CASILLA": one(KINDS),
        "ID_DISTRITO_LOCAL": one(UNITS),
        "ID_ESTADO": one(STATES),
        "OBSERVACIONES": one(TOLD),
        "CONTABILIZADA": one(COUNTED),
        "SHA": one(IMAGES),
        "FECHA_HORA_ACOPIO": one(DATES),
        "FECHA_HORA_CAPTURA": one(DATES),
        "FECHA_HORA_VERIFICACION": one(DATES),
        **{name: one(CELLS) for name in (*VOTES, "TOTAL_VOTOS_CALCULADO", "LISTA_NOMINAL", "REPRESENTANTES_PP_CI")},
    }
    names = st.lists(st.sampled_from(sorted(choices)), max_size=4, unique=True)
    return names.flatmap(lambda chosen: st.fixed_dictionaries({name: choices[name] for name in chosen}))


@st.composite
def rows(draw: st.DrawFn, *, quoted: bool, most: int = 16) -> list[dict[str, str]]:
    """Actas of three entidades, with a few odd cells each."""
    found: list[dict[str, str]] = []
    for changes in draw(st.lists(cells(quoted=quoted), max_size=most)):
        n, state = draw(st.integers(1, 30)), draw(st.sampled_from(["04", "04", "04", "09", "21"]))
        key = f"{state}{n:04d}B0100"
        votes = dict(zip(VOTES, draw(st.lists(st.sampled_from("0123456789"), min_size=9, max_size=9)), strict=True))
        total = {"TOTAL_VOTOS_CALCULADO": str(sum(map(int, votes.values())))}
        found.append(Fila(row(n, **{"CLAVE_CASILLA": key, "ID_ESTADO": state, **votes, **total, **changes})))
    return found


def write(path: Path, found: list[dict[str, str]], *, line_end: str = "\n", blank: bool = False) -> Path:
    """The file of ``found``: cells are quoted where they must be; ``blank`` leaves an empty line between rows."""
    sample = Sample(rows=[])
    lines = sample.lines()
    for n, values in enumerate(found):
        lines += [""] * (blank and n % 3 == 2)
        lines.append(",".join(_cell(values[name]) for name in sample.columns))
    path.write_bytes("".join(line + line_end for line in lines).encode())
    return path


def _cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if set(text) & set('",\r\n') else text
