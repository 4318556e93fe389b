"""The two lines of the summary as each dialect writes them (their reading: ``summary``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pregon.prep.marco import line_text
from pregon.prep.model import CAMPOS
from pregon.prep.summary import official_name, read_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pregon.prep.estilos import Estilo

_VOTES = ("TOTAL_VOTOS_C_CS", "TOTAL_VOTOS_S_CS")
_DECIMALS = 4


def written_summary(values: Mapping[str, int | str | None], estilo: Estilo) -> tuple[list[str], list[str]]:
    """The names and the values of the 13 fields in a named dialect; a value that is None is an empty cell."""
    names = [estilo.resumen.get(name, name) for name in CAMPOS]
    return names, [_figure(name, values.get(name), estilo) for name in CAMPOS]


def in_words_of(raw: Mapping[str, str], values: Mapping[str, int | str | None], delimiter: str) -> str:
    """The line of values with ``values`` written as ``raw``, the source's own summary, writes its figures.

    A field whose value is the same keeps its text; fields that are not official keep theirs.
    """
    percents = [text for name, text in raw.items() if _is_percent(official_name(name)) and text.strip()]
    short = any(_decimals(text) < _DECIMALS for text in percents)
    cells: list[str] = []
    for name, text in raw.items():
        official = official_name(name)
        if official is None or official not in values or read_value(official, text) == values[official]:
            cells.append(text)
        else:
            cells.append(_like(text, values[official], short=short))
    return line_text(cells, delimiter)


def _figure(name: str, value: int | str | None, estilo: Estilo) -> str:
    if value is None:
        return ""
    if isinstance(value, int):
        if estilo.cifras == "flotantes" and name in _VOTES:
            return f"{value}.0"
        return f"{value:,}" if estilo.cifras == "miles" else str(value)
    if estilo.porcentajes == "comilla":
        return f"'{value}%"
    return _short(value) if estilo.porcentajes == "cortos" else value


def _like(text: str, value: int | str | None, *, short: bool) -> str:
    if value is None:
        return ""
    quote = "'" if text.startswith("'") else ""
    if isinstance(value, int):
        figure = f"{value:,}" if "," in text else str(value)
        return quote + figure + (".0" if text.endswith(".0") else "")
    return quote + (_short(value) if short else value) + ("%" if text.endswith("%") else "")


def _short(value: str) -> str:
    return value.rstrip("0").rstrip(".") if "." in value else value


def _is_percent(name: str | None) -> bool:
    return name is not None and name.startswith("PORCENTAJE")


def _decimals(text: str) -> int:
    return len(text.strip("'% ").partition(".")[2])
