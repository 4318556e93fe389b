"""Reads a per-acta CSV of any institute into an ``ActaTable``, or says which line and column is wrong.

1. The file is admitted as text (``admision``).
2. Preamble: the lines above the one that names CLAVE_CASILLA hold ``sep=``, title, cut, summary names and values.
3. Columns: roles by name, vote columns by position.
4. Rows: each with the fields of the header; one empty field too many is tolerated and reported.
5. What the dialect alone would not write again the same way is kept beside the cells (``Original``).

Memory is bounded by the named limits; a line longer than its limit is refused without being read whole.
Source: prep.md §2, real-data.md §3.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from pregon.prep.admision import Text, format_error, lines_of, open_text
from pregon.prep.columns import Columns, ColumnsError, read_columns
from pregon.prep.model import ActaTable, Dialect, Finding, Original
from pregon.prep.preambulo import DELIMITERS, Preamble, parse_cut, read_preamble, read_raw_summary, split_line
from pregon.prep.summary import read_summary
from pregon.prep.text import clean_key, entity_id, key_style

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

MAX_ROWS = 600_000
MAX_CELLS = 40_000_000  # a national file has 9 million; each distinct one takes some 60 bytes
MAX_BLANK_LINES = 5_000  # between two rows, or inside one quoted cell
_STYLE_ROWS = 50
_MAX_CACHED_CHARS = 24
_MAX_CACHE = 200_000


def read_actas(path: Path) -> ActaTable:
    """Read the per-acta file ``path``.

    Raises:
        EntradaError: it is not there, or cannot be opened.
        FormatoError: it is not a per-acta file; the text names file, line and column. Nothing is changed.
    """
    with open_text(path) as text:
        return _read(text)


def _read(text: Text) -> ActaTable:
    name = text.name
    lines = lines_of(text)
    preamble = read_preamble(lines, name)
    delimiter = preamble.sep or max(DELIMITERS, key=preamble.header.count)
    if preamble.header.count(delimiter) == 0:
        raise format_error(name, preamble.header_line, "1", "no se reconoce el separador de columnas")
    cells = split_line(preamble.header, delimiter, name, preamble.header_line)
    names = [cell.strip().strip("'") for cell in cells]
    raw = read_raw_summary(preamble, delimiter, name)
    hora_corte = parse_cut(preamble.cut or "")
    if hora_corte is None:
        what = "falta la fecha y hora del corte con su huso, como «06/06/2021 22:40 (UTC-5)»"
        raise format_error(name, 1 if preamble.cut_place is None else preamble.cut_place + 1, "1", what)
    columns = _columns(names, preamble, name)
    encabezado, findings = read_summary(raw)
    rows = _Rows(name, columns, len(names), preamble)
    rows.read(lines, delimiter)
    return ActaTable(
        origen=name,
        titulo=preamble.titulo,
        hora_corte=hora_corte,
        dialecto=_dialect(text, preamble, delimiter, rows, names),
        encabezado=encabezado,
        encabezado_crudo=raw,
        columnas=tuple(names),
        columns=columns,
        filas=tuple(rows.filas),
        lineas=tuple(rows.lineas),
        nivel=columns.nivel,
        hallazgos=(*findings, *rows.findings(), *_unknown_coalitions(columns)),
        original=Original(
            cabeza=tuple(preamble.lines),
            resumen=(preamble.names_place, preamble.values_place),
            filas=rows.crudas,
            cola=rows.cola,
        ),
        entidades=rows.entities(),
    )


def _columns(names: Sequence[str], preamble: Preamble, name: str) -> Columns:
    try:
        return read_columns(names, preamble.titulo)
    except ColumnsError as exc:
        place = None if exc.place is None else str(exc.place + 1)
        raise format_error(name, preamble.header_line, place, str(exc)) from exc


def _dialect(text: Text, preamble: Preamble, delimiter: str, rows: _Rows, names: Sequence[str]) -> Dialect:
    return Dialect(
        delimiter=delimiter,
        encoding=text.encoding,
        bom=text.bom,
        sep_hint=preamble.sep is not None,
        line_end=preamble.line_end,
        final_line_end=rows.ended,
        preambulo=tuple(line.rstrip("\r\n") for line in preamble.lines[:-1]),
        comillas_clave=rows.styles(names),
    )


class _Rows:
    """The rows below the column names. Short texts are kept once: files repeat a few thousand of them.

    ``crudas``: by index, the text of each row that its cells joined by the delimiter do not give (quoted cells, a field
    too many, a blank line before it, another line end). ``cola``: what follows the last row.
    """

    def __init__(self, name: str, columns: Columns, width: int, preamble: Preamble) -> None:
        self.filas: list[tuple[str, ...]] = []
        self.lineas: list[int] = []
        self.crudas: dict[int, str] = {}
        self.cola = ""
        self.ended = True
        self._name = name
        self._columns = columns
        self._width = width
        self._most = min(MAX_ROWS, MAX_CELLS // width)
        self._end = preamble.line_end
        self._line = preamble.header_line
        self._first = preamble.header_line
        self._kept: dict[str, str] = {}
        self._extra: list[int] = []
        self._physical: list[str] = []

    def read(self, lines: Iterator[str], delimiter: str) -> None:
        """Take every row. Raises FormatoError naming line and column."""
        reader = csv.reader(self._counted(lines), delimiter=delimiter)
        try:
            self._first = self._line + 1
            for row in reader:
                if self._take(row):
                    text = self._physical[0] if len(self._physical) == 1 else "".join(self._physical)
                    if text != delimiter.join(row) + self._end:
                        self.crudas[len(self.filas) - 1] = text
                    self._physical.clear()
                self._first = self._line + 1
        except csv.Error as exc:
            raise format_error(self._name, self._first, "1", f"fila que no se puede separar ({exc})") from exc
        self.cola = "".join(self._physical)

    def _counted(self, lines: Iterator[str]) -> Iterator[str]:
        for line in lines:
            self._line += 1
            self.ended = line.endswith(("\n", "\r"))
            self._physical.append(line)
            if len(self._physical) > MAX_BLANK_LINES:
                what = f"más de {MAX_BLANK_LINES:,} líneas sin una fila: líneas vacías o comillas sin cerrar"
                raise format_error(self._name, self._first, "1", what)
            yield line

    def _take(self, row: list[str]) -> bool:
        if len(row) != self._width:
            if not any(cell.strip() for cell in row):
                return False
            if len(row) == self._width + 1 and not row[-1].strip():
                self._extra.append(self._first)
                row.pop()
            else:
                last = f"{min(len(row), self._width)}"
                what = f"tiene {len(row)} campos y las columnas son {self._width}"
                raise format_error(self._name, self._first, last, what)
        if len(self.filas) >= self._most:
            raise format_error(self._name, self._first, "1", f"pasa de {self._most:,} actas")
        kept = self._kept
        if len(kept) > _MAX_CACHE:
            kept.clear()
        self.filas.append(tuple([kept.setdefault(c, c) if len(c) <= _MAX_CACHED_CHARS else c for c in row]))
        self.lineas.append(self._first)
        return True

    def styles(self, names: Sequence[str]) -> dict[str, str]:
        """How each column's keys are wrapped, from its first wrapped cell among the first rows."""
        found: dict[str, str] = {}
        for row in self.filas[:_STYLE_ROWS]:
            for column, cell in zip(names, row, strict=True):
                style = key_style(cell)
                if style is not None:
                    found.setdefault(column, style)
        return found

    def entities(self) -> tuple[str, ...]:
        """The ids of the entidades, from rows whose key begins with theirs: one typing error makes no federal file."""
        place, key = self._columns.entidad_id, self._columns.clave_casilla
        if place is None:
            return ()
        pairs = {(row[place], clean_key(row[key])[:2]) for row in self.filas}
        return tuple(sorted({start for text, start in pairs if start and entity_id(text) == start}))

    def findings(self) -> tuple[Finding, ...]:
        """What the rows' form shows: a field too many, a file that ends in the middle of a line."""
        found: list[Finding] = []
        if self._extra:
            text = f"{len(self._extra)} filas traen un campo vacío de más al final; se ignoró."
            found.append(Finding("CAMPO_DE_MAS", "avisa", f"línea {self._extra[0]}", text))
        if not self.ended and self.filas:
            text = "El archivo no termina con fin de línea: puede estar cortado."
            found.append(Finding("SIN_FIN_DE_LINEA", "avisa", f"línea {self._line}", text))
        return tuple(found)


def _unknown_coalitions(columns: Columns) -> tuple[Finding, ...]:
    return tuple(
        Finding(
            "COALICION_DESCONOCIDA",
            "avisa",
            f"columna {name}",
            f"{name} parece una coalición de partidos que no están en el archivo: no se reparte.",
        )
        for name in columns.desconocidas
    )
