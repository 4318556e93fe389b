"""Reads a per-acta CSV of any institute into an ``ActaTable``, or says which line and column is wrong.

1. The file is admitted as text (``admision``).
2. Preamble: the lines above the one that names CLAVE_CASILLA hold ``sep=``, title, cut, summary names and values.
3. Columns: roles by name, vote columns by position.
4. Rows: each with the fields of the header; one empty field too many is tolerated and reported. A *plain* body (no
   quotes, one line end, the same delimiters in every line) is only cut in lines; any other is read field by field, and
   that reading alone judges what is wrong.
5. What the dialect alone would not write again the same way is kept beside the cells (``Original``).

Memory is bounded by the named limits; a line longer than its limit is refused without being read whole.
Source: prep.md §2, real-data.md §3.
"""

from __future__ import annotations

import codecs
import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from pregon.prep.admision import MAX_LINE_CHARS, Text, format_error, lines_of, open_text
from pregon.prep.columns import Columns, ColumnsError, read_columns
from pregon.prep.model import ActaTable, Dialect, Finding, Original
from pregon.prep.plain import PlainRows, read_body
from pregon.prep.preambulo import DELIMITERS, Preamble, parse_cut, read_preamble, read_raw_summary, split_line
from pregon.prep.summary import read_summary
from pregon.prep.text import clean_key, entity_id, key_style

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import BinaryIO

MAX_ROWS = 600_000
MAX_CELLS = 40_000_000  # a national file has 9 million; each distinct one takes some 60 bytes
MAX_BLANK_LINES = 5_000  # between two rows, or inside one quoted cell
_STYLE_ROWS = 50
_PIECE = 1 << 16
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


def _read(text: Text, *, quick: bool = True) -> ActaTable:
    """``quick`` False (tests): every body is read field by field."""
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
    frame = _Frame(name, delimiter, len(names), preamble.header_line, preamble.line_end)
    start = sum(len(line.encode(text.encoding)) for line in preamble.lines) + len(codecs.BOM_UTF8) * text.bom
    rows = (_plain(text, frame, start) if quick else None) or _Rows(frame).read(lines)
    return ActaTable(
        origen=name,
        titulo=preamble.titulo,
        hora_corte=hora_corte,
        dialecto=_dialect(text, preamble, delimiter, rows, names),
        encabezado=encabezado,
        encabezado_crudo=raw,
        columnas=tuple(names),
        columns=columns,
        filas=rows.filas,
        lineas=rows.lineas,
        nivel=columns.nivel,
        hallazgos=(*findings, *rows.findings(), *_unknown_coalitions(columns)),
        original=Original(
            cabeza=tuple(preamble.lines),
            resumen=(preamble.names_place, preamble.values_place),
            filas=rows.crudas,
            cola=rows.cola,
        ),
        entidades=rows.entities(columns),
    )


def _columns(names: Sequence[str], preamble: Preamble, name: str) -> Columns:
    try:
        return read_columns(names, preamble.titulo)
    except ColumnsError as exc:
        place = None if exc.place is None else str(exc.place + 1)
        raise format_error(name, preamble.header_line, place, str(exc)) from exc


def _dialect(text: Text, preamble: Preamble, delimiter: str, rows: _Body, names: Sequence[str]) -> Dialect:
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


@dataclass(frozen=True)
class _Frame:
    """What the rows are read against: the file's name, and the form and the place of its line of column names."""

    name: str
    delimiter: str
    width: int
    header_line: int
    line_end: str

    @property
    def most(self) -> int:
        """How many rows are taken."""
        return min(MAX_ROWS, MAX_CELLS // self.width)


@dataclass(frozen=True)
class _Body:
    """The rows below the column names.

    ``crudas``: by index, the text of each row that its cells joined by the delimiter do not give (quoted cells, a field
    too many, a blank line before it, another line end). ``cola``: what follows the last row. ``ended``: whether the
    last line has its end; ``last``: its number. ``extra``: the lines with a field too many.
    """

    filas: Sequence[tuple[str, ...]]
    lineas: Sequence[int]
    crudas: Mapping[int, str]
    cola: str
    ended: bool
    last: int
    extra: Sequence[int]

    def styles(self, names: Sequence[str]) -> dict[str, str]:
        """How each column's keys are wrapped, from its first wrapped cell among the first rows."""
        found: dict[str, str] = {}
        for row in self.filas[:_STYLE_ROWS]:
            for column, cell in zip(names, row, strict=True):
                style = key_style(cell)
                if style is not None:
                    found.setdefault(column, style)
        return found

    def entities(self, columns: Columns) -> tuple[str, ...]:
        """The ids of the entidades, from rows whose key begins with theirs: one typing error makes no federal file."""
        place, key = columns.entidad_id, columns.clave_casilla
        if place is None:
            return ()
        if isinstance(self.filas, PlainRows):
            return _plain_entities(self.filas, place, key)
        pairs = {(row[place], clean_key(row[key])[:2]) for row in self.filas}
        return tuple(sorted({start for text, start in pairs if start and entity_id(text) == start}))

    def findings(self) -> tuple[Finding, ...]:
        """What the rows' form shows: a field too many, a file that ends in the middle of a line."""
        found: list[Finding] = []
        if self.extra:
            text = f"{len(self.extra)} filas traen un campo vacío de más al final; se ignoró."
            found.append(Finding("CAMPO_DE_MAS", "avisa", f"línea {self.extra[0]}", text))
        if not self.ended and self.filas:
            text = "El archivo no termina con fin de línea: puede estar cortado."
            found.append(Finding("SIN_FIN_DE_LINEA", "avisa", f"línea {self.last}", text))
        return tuple(found)


def _plain(text: Text, frame: _Frame, start: int) -> _Body | None:
    """What follows byte ``start`` of ``text`` as plain rows, or None, with ``text`` where it was, when it is not plain.

    Plain: no quotes, one line end, as many cells in every row, at most ``frame.most`` rows, none near the limit of a
    line. The dialect gives each line again from its cells, and only the last one may lack its end.
    """
    stream = text.stream
    here = stream.tell()
    file = cast("BinaryIO", stream.buffer)
    file.seek(start)
    body = read_body(
        file.read(),
        encoding=text.encoding,
        delimiter=frame.delimiter,
        width=frame.width,
        fin=frame.line_end,
        longest=MAX_LINE_CHARS,  # in bytes: in characters it is no longer
        pieza=_PIECE,
    )
    if body is None or body.filas > frame.most:
        stream.seek(here)
        return None
    rows = PlainRows(body, frame.delimiter)
    ended = not body.bytes_ or body.bytes_.endswith(frame.line_end.encode())
    first = frame.header_line + 1
    return _Body(
        filas=rows,
        lineas=range(first, first + body.filas),
        crudas={} if ended else {body.filas - 1: rows.at([body.filas - 1]).lineas[0]},
        cola="",
        ended=ended,
        last=frame.header_line + body.filas,
        extra=(),
    )


def _plain_entities(rows: PlainRows, place: int, key: int) -> tuple[str, ...]:
    """``_Body.entities`` without splitting lines of which nothing new can be learnt.

    A row may only add its own start, the first two letters of its bare key. Once that start is known, rows that begin
    with the same three characters have nothing to add, when those show the start by themselves: ``010`` or ``'01``.
    """
    found: set[str] = set()
    body = rows.body
    if key == 0 and body is not None:
        # One row of each beginning is enough where all of them show their start, or that they have no key.
        heads = body.heads()
        shown = [
            _shown_start(head.decode("latin-1"), rows[last], place)
            for head, last in heads.items()
            if not head.startswith(rows.delimiter.encode())
        ]
        if heads and None not in shown:
            return tuple(sorted({start for start in shown if start}))
    settled: set[str] = set()
    most = max(place, key) + 1
    for line in rows.lineas:
        head = line[:3]
        if head in settled:
            continue
        cells = line.split(rows.delimiter, most)
        start = clean_key(cells[key])[:2]
        if start and entity_id(cells[place]) == start:
            found.add(start)
            if key == 0 and _shows(head, start):
                settled.add(head)
    return tuple(sorted(found))


def _shown_start(head: str, row: Sequence[str], place: int) -> str | None:
    """The start that every row beginning with ``head`` adds, by one of them whose key comes first; None: who knows."""
    start = clean_key(row[0])[:2]
    return start if start and entity_id(row[place]) == start and _shows(head, start) else None


def _shows(head: str, start: str) -> bool:
    bare = head[1:] if head.startswith("'") else head[:2]
    return len(bare) == len(start) and bare.isascii() and bare.isalnum()


class _Rows:
    """Reads the rows field by field. Short texts are kept once: files repeat a few thousand of them."""

    def __init__(self, frame: _Frame) -> None:
        self._filas: list[tuple[str, ...]] = []
        self._lineas: list[int] = []
        self._crudas: dict[int, str] = {}
        self._ended = True
        self._name = frame.name
        self._width = frame.width
        self._most = frame.most
        self._end = frame.line_end
        self._delimiter = frame.delimiter
        self._line = frame.header_line
        self._first = frame.header_line
        self._kept: dict[str, str] = {}
        self._extra: list[int] = []
        self._physical: list[str] = []

    def read(self, lines: Iterator[str]) -> _Body:
        """Take every row. Raises FormatoError naming line and column."""
        delimiter = self._delimiter
        reader = csv.reader(self._counted(lines), delimiter=delimiter)
        try:
            self._first = self._line + 1
            for row in reader:
                if self._take(row):
                    text = self._physical[0] if len(self._physical) == 1 else "".join(self._physical)
                    if text != delimiter.join(row) + self._end:
                        self._crudas[len(self._filas) - 1] = text
                    self._physical.clear()
                self._first = self._line + 1
        except csv.Error as exc:
            raise format_error(self._name, self._first, "1", f"fila que no se puede separar ({exc})") from exc
        return _Body(
            filas=tuple(self._filas),
            lineas=tuple(self._lineas),
            crudas=self._crudas,
            cola="".join(self._physical),
            ended=self._ended,
            last=self._line,
            extra=self._extra,
        )

    def _counted(self, lines: Iterator[str]) -> Iterator[str]:
        for line in lines:
            self._line += 1
            self._ended = line.endswith(("\n", "\r"))
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
        if len(self._filas) >= self._most:
            raise format_error(self._name, self._first, "1", f"pasa de {self._most:,} actas")
        kept = self._kept
        if len(kept) > _MAX_CACHE:
            kept.clear()
        self._filas.append(tuple([kept.setdefault(c, c) if len(c) <= _MAX_CACHED_CHARS else c for c in row]))
        self._lineas.append(self._first)
        return True


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
