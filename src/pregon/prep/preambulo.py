"""What stands above the column names: ``sep=``, title, hour of the cut, and the names and values of the summary.

Every institute has its own frame (real-data.md §3), so each line is known by what it says, not by its number. The lines
are kept as they stand, with their ends, so that the file can be written again.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from pregon.prep.admision import format_error
from pregon.prep.text import fold

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_PREAMBLE_LINES = 24
MAX_FIELDS = 512
DELIMITERS = ",|;\t"
_ENDS = "\r\n"

_CUT = re.compile(
    r"(?:(?P<d>\d{1,2})/(?P<m>\d{1,2})/(?P<y>\d{4})|(?P<y2>\d{4})[/-](?P<m2>\d{1,2})[/-](?P<d2>\d{1,2}))"
    r"\s+(?P<H>\d{1,2}):(?P<M>\d{2})(?::(?P<S>\d{2}))?"
    r"\s*(?:\(\s*UTC\s*(?P<sign>[-+−])\s*(?P<zh>\d{1,2})(?::?(?P<zm>\d{2}))?\s*\))?",
    re.ASCII,
)


def parse_cut(text: str) -> datetime | None:
    """The hour of a cut line as an aware datetime in its own offset; None when it is not one or names no zone.

    ``01/06/2021 18:52 (UTC-5)``, ``02/07/2018 11:45(UTC-5)``, ``2019/06/03 05:47 (UTC-5)``.
    """
    match = _CUT.fullmatch(text.strip())
    if match is None or match["sign"] is None:
        return None
    offset = timedelta(hours=int(match["zh"]), minutes=int(match["zm"] or 0))
    try:
        return datetime(
            int(match["y"] or match["y2"]),
            int(match["m"] or match["m2"]),
            int(match["d"] or match["d2"]),
            int(match["H"]),
            int(match["M"]),
            int(match["S"] or 0),
            tzinfo=timezone(offset if match["sign"] == "+" else -offset),
        )
    except ValueError:
        return None


@dataclass
class Preamble:
    """The frame of one file, gathered line by line; each place is an index of ``lines`` (None: absent).

    ``lines`` are physical lines with their ends; the last one holds the column names.
    """

    lines: list[str] = field(default_factory=list)
    sep: str | None = None
    titulo: str = ""
    cut: str | None = None
    cut_place: int | None = None
    names_place: int | None = None
    values_place: int | None = None

    @property
    def header(self) -> str:
        """The line of the column names, without its end."""
        return self.lines[-1].rstrip(_ENDS)

    @property
    def header_line(self) -> int:
        """Its number, from 1."""
        return len(self.lines)

    @property
    def line_end(self) -> str:
        """How that line ends: the file's line end."""
        return self.lines[-1][len(self.header) :]

    def line(self, place: int) -> str:
        """A line of the frame without its end."""
        return self.lines[place].rstrip(_ENDS)


def read_preamble(lines: Iterator[str], name: str) -> Preamble:
    """Read up to and including the line of column names.

    Raises:
        FormatoError: there is none among the first lines, or the file ends in it.
    """
    preamble = Preamble()
    for number, physical in enumerate(lines, start=1):
        preamble.lines.append(physical)
        line = physical.rstrip(_ENDS)
        if "CLAVE_CASILLA" in line.upper():
            if line == physical:  # only the last line of a file may have no end, and rows must follow this one
                raise format_error(name, number, str(len(line) + 1), "el archivo termina en la fila de columnas")
            return preamble
        if "PARTIDO_CI" in line.upper():
            column = str(line.upper().index("PARTIDO_CI") + 1)
            what = "es un catálogo de candidaturas (PARTIDO_CI…), no la base de datos por acta"
            raise format_error(name, number, column, what)
        if number > MAX_PREAMBLE_LINES:
            break
        _note(preamble, line, number)
    what = f"no se encontró la fila de columnas (CLAVE_CASILLA…) en las primeras {MAX_PREAMBLE_LINES} líneas"
    raise format_error(name, min(len(preamble.lines), MAX_PREAMBLE_LINES) or 1, "1", what)


def read_raw_summary(preamble: Preamble, delimiter: str, name: str) -> dict[str, str]:
    """The summary as written: name -> text. Fewer values than names are empty (10 of 13, Puebla 2019).

    Raises:
        FormatoError: there is no summary, or it has more values than names.
    """
    if preamble.names_place is None or preamble.values_place is None:
        line = max(len(preamble.lines) - 1, 1) if preamble.names_place is None else preamble.names_place + 1
        raise format_error(name, line, "1", "falta el resumen (ACTAS_ESPERADAS… y su fila de valores)")
    fields = split_line(preamble.line(preamble.names_place), delimiter, name, preamble.names_place + 1)
    number = preamble.values_place + 1
    values = split_line(preamble.line(preamble.values_place), delimiter, name, number)
    while len(values) > len(fields) and not values[-1].strip():
        values.pop()
    if len(values) > len(fields):
        what = f"el resumen tiene {len(fields)} nombres y {len(values)} valores"
        raise format_error(name, number, str(len(fields) + 1), what)
    values += [""] * (len(fields) - len(values))
    return {f.strip(): v for f, v in zip(fields, values, strict=True) if f.strip()}


def split_line(line: str, delimiter: str, name: str, number: int) -> list[str]:
    """The cells of one line of the frame.

    Raises:
        FormatoError: a quote is never closed, or there are too many fields.
    """
    try:
        cells = next(csv.reader([line], delimiter=delimiter, strict=True))
    except csv.Error as exc:
        column = str(line.rfind('"') + 1)
        raise format_error(name, number, column, f"comillas sin cerrar o texto tras ellas ({exc})") from exc
    if len(cells) > MAX_FIELDS:
        what = f"tiene {len(cells)} campos y el límite es {MAX_FIELDS}"
        raise format_error(name, number, str(MAX_FIELDS + 1), what)
    return cells


def _note(preamble: Preamble, line: str, number: int) -> None:
    bare = line.strip().strip(DELIMITERS).strip().strip('"').strip()
    hint = re.fullmatch(r'"?sep=([,|;\t])"?', line.strip(" "), re.IGNORECASE)
    if hint is not None and number == 1:
        preamble.sep = hint.group(1)
    elif not bare:
        if _empty_values(preamble, line, number):
            preamble.values_place = number - 1
    elif "ACTAS_ESPERADAS" in fold(bare):
        preamble.names_place = number - 1
    elif preamble.names_place is not None and preamble.values_place is None:
        preamble.values_place = number - 1
    elif preamble.cut is None and _CUT.fullmatch(bare):
        preamble.cut, preamble.cut_place = bare, number - 1
    elif not preamble.titulo:
        preamble.titulo = bare


def _empty_values(preamble: Preamble, line: str, number: int) -> bool:
    """Whether a blank line is the row of values, all of them empty: right below the names, with their delimiter."""
    if preamble.values_place is not None or preamble.names_place != number - 2:
        return False
    names = preamble.line(preamble.names_place)
    return max(DELIMITERS, key=names.count) in line
