"""Reads a per-acta CSV of any institute into an ``ActaTable``, or says which line and column is wrong.

1. The file is admitted: it is there, within the size limit, text (not a zip, a spreadsheet, UTF-16 or binary).
2. Encoding: UTF-8 when every byte of it is, else Latin-1. A byte order mark is noted and dropped.
3. Preamble: the lines above the one that names CLAVE_CASILLA hold ``sep=``, title, cut, summary names and values.
4. Columns: roles by name, vote columns by position.
5. Rows: each with the fields of the header; one empty field too many is tolerated and reported.

Memory is bounded by the named limits; a line longer than its limit is refused without being read whole.
Source: prep.md §2, real-data.md §3.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, BinaryIO, Literal

from pregon.base.errors import EntradaError, FormatoError
from pregon.prep.columns import Columns, ColumnsError, read_columns
from pregon.prep.model import ActaTable, Dialect, Finding
from pregon.prep.summary import read_summary
from pregon.prep.text import fold, key_style

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_FILE_BYTES = 400 * 1024 * 1024  # a national file of 172,000 actas has about 80 MiB
MAX_LINE_CHARS = 65_536
MAX_FIELDS = 512
MAX_ROWS = 600_000
MAX_PREAMBLE_LINES = 24
_CHUNK = 1 << 20
_DELIMITERS = ",|;\t"
_MAX_CACHED_CHARS = 24
_MAX_CACHE = 200_000

_CUT = re.compile(
    r"(?:(?P<d>\d{1,2})/(?P<m>\d{1,2})/(?P<y>\d{4})|(?P<y2>\d{4})[/-](?P<m2>\d{1,2})[/-](?P<d2>\d{1,2}))"
    r"\s+(?P<H>\d{1,2}):(?P<M>\d{2})(?::(?P<S>\d{2}))?"
    r"\s*(?:\(\s*UTC\s*(?P<sign>[-+−])\s*(?P<zh>\d{1,2})(?::?(?P<zm>\d{2}))?\s*\))?",
    re.ASCII,
)


def read_actas(path: Path) -> ActaTable:
    """Read the per-acta file ``path``.

    Raises:
        EntradaError: it is not there, or cannot be opened.
        FormatoError: it is not a per-acta file; the text names file, line and column. Nothing is changed.
    """
    with open_text(path) as text:
        return _read(text)


def format_error(name: str, line: int, column: str | None, what: str) -> FormatoError:
    """The refusal of file ``name`` at ``line`` (0: the file as a whole) and, where it applies, ``column``."""
    place = f"{name}, línea {line}" if line else name
    if column:
        place += f", columna {column}"
    return FormatoError(
        f"{place}: {what}.",
        intacto="No se cambió nada; el archivo no se usó.",
        que_hacer="Revise que sea la base de datos por acta del PREP, completa y sin editar, y repita la orden.",
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


@dataclass(frozen=True, slots=True)
class Text:
    """A file admitted as text: a stream that keeps line ends, positioned after the byte order mark."""

    name: str
    stream: io.TextIOWrapper
    encoding: Literal["utf-8", "latin-1"]
    bom: bool


@contextmanager
def open_text(path: Path) -> Iterator[Text]:
    """Open ``path`` and admit it as text (steps 1 and 2).

    Raises:
        EntradaError: it is not there, or cannot be opened.
        FormatoError: too big, empty, or not text of one byte per ASCII character.
    """
    try:
        file = path.open("rb")
    except OSError as exc:
        raise _not_there(path, exc) from exc
    with file:
        try:
            encoding, bom = _admit(file, path.name)
            stream = io.TextIOWrapper(file, encoding=encoding, newline="")
            try:
                yield Text(path.name, stream, encoding, bom)
            finally:
                stream.detach()
        except OSError as exc:
            raise _not_there(path, exc) from exc


def _not_there(path: Path, exc: OSError) -> EntradaError:
    return EntradaError(
        f"No se pudo leer {path}: {exc.strerror}.",
        intacto="No se cambió nada.",
        que_hacer="Revise la ruta y los permisos.",
    )


def _admit(file: BinaryIO, name: str) -> tuple[Literal["utf-8", "latin-1"], bool]:
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    if size > MAX_FILE_BYTES:
        raise format_error(name, 0, None, f"tiene {size:,} bytes y el límite es {MAX_FILE_BYTES:,}")
    head = file.read(4096)
    _refuse_binary(head, name)
    bom = head.startswith(codecs.BOM_UTF8)
    file.seek(0)
    encoding: Literal["utf-8", "latin-1"] = "utf-8" if _is_utf8(file, name, bom=bom) else "latin-1"
    file.seek(len(codecs.BOM_UTF8) if bom else 0)
    return encoding, bom


def lines_of(text: Text) -> Iterator[str]:
    """The physical lines, line ends kept (LF, CRLF or CR), none longer than the limit.

    Raises:
        FormatoError: a line is too long.
    """
    number = 0
    while line := text.stream.readline(MAX_LINE_CHARS + 1):
        number += 1
        if len(line) > MAX_LINE_CHARS:
            raise format_error(text.name, number, None, f"la línea pasa de {MAX_LINE_CHARS:,} caracteres")
        yield line


def _refuse_binary(head: bytes, name: str) -> None:
    if not head:
        raise format_error(name, 0, None, "está vacío")
    for magic, what in (
        (b"PK\x03\x04", "es un archivo zip (o una hoja de cálculo), no un CSV"),
        (b"\x1f\x8b", "está comprimido con gzip"),
        (b"7z\xbc\xaf", "es un archivo 7z"),
        (b"\xff\xfe", "está en UTF-16"),
        (b"\xfe\xff", "está en UTF-16"),
    ):
        if head.startswith(magic):
            raise format_error(name, 0, None, what)


def _is_utf8(file: BinaryIO, name: str, *, bom: bool) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    line = 1
    utf8 = True
    while chunk := file.read(_CHUNK):
        place = chunk.find(b"\0")
        if place >= 0:
            raise format_error(name, line + chunk.count(b"\n", 0, place), None, "tiene bytes nulos: no es texto")
        if utf8:
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as exc:
                utf8 = False
                if bom:
                    where = line + chunk.count(b"\n", 0, exc.start)
                    raise format_error(name, where, None, "tiene marca UTF-8 y bytes que no lo son") from exc
        line += chunk.count(b"\n")
    if utf8:
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError as exc:
            raise format_error(name, line, None, "está cortado a la mitad de una letra") from exc
    return utf8


@dataclass
class _Preamble:
    """What stands above the column names, gathered line by line."""

    lines: list[str] = field(default_factory=list)
    sep: str | None = None
    titulo: str = ""
    cut: str | None = None
    cut_line: int = 0
    names: tuple[int, str] | None = None
    values: tuple[int, str] | None = None


def _read(text: Text) -> ActaTable:
    name = text.name
    lines = lines_of(text)
    preamble, header, header_line, line_end = _read_preamble(lines, name)
    delimiter = preamble.sep or max(_DELIMITERS, key=header.count)
    if header.count(delimiter) == 0:
        raise format_error(name, header_line, None, "no se reconoce el separador de columnas")
    names = [cell.strip().strip("'") for cell in _split(header, delimiter, name, header_line)]
    raw = _summary(preamble, delimiter, name)
    hora_corte = parse_cut(preamble.cut or "")
    if hora_corte is None:
        what = "falta la fecha y hora del corte con su huso, como «06/06/2021 22:40 (UTC-5)»"
        raise format_error(name, preamble.cut_line or 1, None, what)
    try:
        columns = read_columns(names, preamble.titulo)
    except ColumnsError as exc:
        raise format_error(name, header_line, None, str(exc)) from exc
    encabezado, findings = read_summary(raw)
    rows = _Rows(name, columns, len(names), header_line)
    rows.read(lines, delimiter)
    dialect = Dialect(
        delimiter=delimiter,
        encoding=text.encoding,
        bom=text.bom,
        sep_hint=preamble.sep is not None,
        line_end=line_end,
        final_line_end=rows.ended,
        preambulo=tuple(preamble.lines),
        comillas_clave=rows.styles(names),
    )
    return ActaTable(
        origen=name,
        titulo=preamble.titulo,
        hora_corte=hora_corte,
        dialecto=dialect,
        encabezado=encabezado,
        encabezado_crudo=raw,
        columnas=tuple(names),
        columns=columns,
        filas=tuple(rows.filas),
        lineas=tuple(rows.lineas),
        nivel=columns.nivel,
        hallazgos=(*findings, *rows.findings(), *_unknown_coalitions(columns)),
    )


def _read_preamble(lines: Iterator[str], name: str) -> tuple[_Preamble, str, int, str]:
    preamble = _Preamble()
    for number, physical in enumerate(lines, start=1):
        line = physical.rstrip("\r\n")
        if "CLAVE_CASILLA" in line.upper():
            return preamble, line, number, physical[len(line) :] or "\n"
        if number > MAX_PREAMBLE_LINES:
            break
        preamble.lines.append(line)
        _note(preamble, line, number)
    what = f"no se encontró la fila de columnas (CLAVE_CASILLA…) en las primeras {MAX_PREAMBLE_LINES} líneas"
    raise format_error(name, len(preamble.lines) or 1, None, what)


def _note(preamble: _Preamble, line: str, number: int) -> None:
    bare = line.strip().strip(_DELIMITERS).strip().strip('"').strip()
    hint = re.fullmatch(r'"?sep=([,|;\t])"?', line.strip(), re.IGNORECASE)
    if hint is not None and number == 1:
        preamble.sep = hint.group(1)
    elif not bare:
        return
    elif "ACTAS_ESPERADAS" in fold(bare):
        preamble.names = (number, line)
    elif preamble.names is not None and preamble.values is None:
        preamble.values = (number, line)
    elif preamble.cut is None and _CUT.fullmatch(bare):
        preamble.cut, preamble.cut_line = bare, number
    elif not preamble.titulo:
        preamble.titulo = bare


def _summary(preamble: _Preamble, delimiter: str, name: str) -> dict[str, str]:
    if preamble.names is None or preamble.values is None:
        line = preamble.names[0] if preamble.names else max(len(preamble.lines), 1)
        raise format_error(name, line, None, "falta el resumen (ACTAS_ESPERADAS… y su fila de valores)")
    fields = _split(preamble.names[1], delimiter, name, preamble.names[0])
    values = _split(preamble.values[1], delimiter, name, preamble.values[0])
    while len(values) > len(fields) and not values[-1].strip():
        values.pop()
    if len(values) > len(fields):
        what = f"el resumen tiene {len(fields)} nombres y {len(values)} valores"
        raise format_error(name, preamble.values[0], None, what)
    values += [""] * (len(fields) - len(values))
    return {f.strip(): v for f, v in zip(fields, values, strict=True) if f.strip()}


def _split(line: str, delimiter: str, name: str, number: int) -> list[str]:
    try:
        cells = next(csv.reader([line], delimiter=delimiter, strict=True))
    except csv.Error as exc:
        raise format_error(name, number, None, f"comillas sin cerrar o texto tras ellas ({exc})") from exc
    if len(cells) > MAX_FIELDS:
        raise format_error(name, number, None, f"tiene {len(cells)} campos y el límite es {MAX_FIELDS}")
    return cells


class _Rows:
    """The rows below the column names. Short texts are kept once: files repeat a few thousand of them."""

    def __init__(self, name: str, columns: Columns, width: int, header_line: int) -> None:
        self.filas: list[tuple[str, ...]] = []
        self.lineas: list[int] = []
        self.ended = True
        self._name = name
        self._columns = columns
        self._width = width
        self._line = header_line
        self._first = header_line
        self._kept: dict[str, str] = {}
        self._extra: list[int] = []

    def read(self, lines: Iterator[str], delimiter: str) -> None:
        reader = csv.reader(self._counted(lines), delimiter=delimiter)
        try:
            self._first = self._line + 1
            for row in reader:
                self._take(row)
                self._first = self._line + 1
        except csv.Error as exc:
            raise format_error(self._name, self._first, None, f"fila que no se puede separar ({exc})") from exc

    def _counted(self, lines: Iterator[str]) -> Iterator[str]:
        for line in lines:
            self._line += 1
            self.ended = line.endswith(("\n", "\r"))
            yield line

    def _take(self, row: list[str]) -> None:
        if len(row) != self._width:
            if not any(cell.strip() for cell in row):
                return
            if len(row) == self._width + 1 and not row[-1].strip():
                self._extra.append(self._first)
                row.pop()
            else:
                last = f"{min(len(row), self._width)}"
                what = f"tiene {len(row)} campos y las columnas son {self._width}"
                raise format_error(self._name, self._first, last, what)
        if len(self.filas) >= MAX_ROWS:
            raise format_error(self._name, self._first, None, f"pasa de {MAX_ROWS:,} actas")
        kept = self._kept
        if len(kept) > _MAX_CACHE:
            kept.clear()
        self.filas.append(tuple([kept.setdefault(c, c) if len(c) <= _MAX_CACHED_CHARS else c for c in row]))
        self.lineas.append(self._first)

    def styles(self, names: list[str]) -> dict[str, str]:
        """How each column's keys are wrapped, from its first wrapped cell among the first rows."""
        found: dict[str, str] = {}
        for row in self.filas[:50]:
            for column, cell in zip(names, row, strict=True):
                style = key_style(cell)
                if style is not None:
                    found.setdefault(column, style)
        return found

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
