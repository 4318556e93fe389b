"""A file from outside admitted as text, or refused: the door of everything that ``prep`` reads.

1. It is there, a regular file, and within the size limit.
2. It is text: not a zip, a spreadsheet, a web page, UTF-16 or anything binary.
3. Its encoding: UTF-8 when every byte of it is, else Latin-1. A byte order mark is noted and dropped.

Memory is bounded: the file is scanned in pieces, and a line longer than its limit is refused without being kept.
"""

from __future__ import annotations

import codecs
import io
import stat
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Literal

from pregon.base.errors import EntradaError, FormatoError
from pregon.base.razones import razon

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_FILE_BYTES = 400 * 1024 * 1024  # a national file of 172,000 actas has about 80 MiB
MAX_LINE_CHARS = 65_536
_CHUNK = 1 << 17  # small enough to stay in the cache of the processor
_HEAD = 4096

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "es un archivo zip (o una hoja de cálculo), no un CSV"),
    (b"PK\x05\x06", "es un archivo zip vacío, no un CSV"),
    (b"\xd0\xcf\x11\xe0", "es una hoja de cálculo o un documento de Office antiguo, no un CSV"),
    (b"%PDF", "es un PDF, no un CSV"),
    (b"\x89PNG", "es una imagen PNG, no un CSV"),
    (b"\xff\xd8\xff", "es una imagen JPEG, no un CSV"),
    (b"\x1f\x8b", "está comprimido con gzip"),
    (b"7z\xbc\xaf", "es un archivo 7z"),
    (b"SQLite format 3", "es una base SQLite, no un CSV"),
    (b"\xff\xfe", "está en UTF-16: guárdelo como UTF-8"),
    (b"\xfe\xff", "está en UTF-16: guárdelo como UTF-8"),
)
_MARKUP = (b"<!doctype html", b"<html", b"<?xml")


@dataclass(frozen=True, slots=True)
class Text:
    """A file admitted as text: a stream that keeps line ends, positioned after the byte order mark."""

    name: str
    stream: io.TextIOWrapper
    encoding: Literal["utf-8", "latin-1"]
    bom: bool


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


@contextmanager
def open_text(path: Path) -> Iterator[Text]:
    """Open ``path`` and admit it as text.

    Raises:
        EntradaError: it is not there, is not a regular file, or cannot be opened.
        FormatoError: too big, empty, or not text of one byte per ASCII character; with line and column where known.
    """
    try:
        # A pipe or a device would block or never end: only what has a size is opened.
        if not stat.S_ISREG(path.stat().st_mode):
            raise EntradaError(
                f"{path} no es un archivo.",
                intacto="No se cambió nada.",
                que_hacer="Dé la ruta de un archivo, no de una carpeta, un dispositivo o una tubería.",
            )
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


def lines_of(text: Text) -> Iterator[str]:
    """The physical lines, line ends kept (LF, CRLF or CR), none longer than the limit.

    Raises:
        FormatoError: a line is too long.
    """
    number = 0
    while line := text.stream.readline(MAX_LINE_CHARS + 1):
        number += 1
        if len(line) > MAX_LINE_CHARS:
            what = f"la línea pasa de {MAX_LINE_CHARS:,} caracteres"
            raise format_error(text.name, number, f"{MAX_LINE_CHARS + 1}", what)
        yield line


def _not_there(path: Path, exc: OSError) -> EntradaError:
    return EntradaError(
        f"No se pudo leer {path}: {razon(exc)}.",
        intacto="No se cambió nada.",
        que_hacer="Revise la ruta y los permisos.",
    )


def _admit(file: BinaryIO, name: str) -> tuple[Literal["utf-8", "latin-1"], bool]:
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    if size > MAX_FILE_BYTES:
        raise format_error(name, 0, None, f"tiene {size:,} bytes y el límite es {MAX_FILE_BYTES:,}")
    head = file.read(_HEAD)
    _refuse_binary(head, name)
    bom = head.startswith(codecs.BOM_UTF8)
    file.seek(0)
    encoding: Literal["utf-8", "latin-1"] = "utf-8" if _is_utf8(file, name, bom=bom) else "latin-1"
    file.seek(len(codecs.BOM_UTF8) if bom else 0)
    return encoding, bom


def _refuse_binary(head: bytes, name: str) -> None:
    if not head:
        raise format_error(name, 0, None, "está vacío")
    for magic, what in _MAGIC:
        if head.startswith(magic):
            raise format_error(name, 1, "1", what)
    if head.lstrip().lower().startswith(_MARKUP):
        raise format_error(name, 1, "1", "es una página web o XML, no un CSV")
    if b"\0" in head and head.count(b"\0") * 3 >= len(head):
        raise format_error(name, 1, f"{head.index(0) + 1}", "tiene bytes nulos: parece UTF-16 sin marca o binario")


def _place_of(file: BinaryIO, offset: int) -> tuple[int, int]:
    """Line and column of a byte, from 1. Lines end in LF, or in CR when there is no LF.

    Only a refusal needs it, so what comes before is counted then and not while every file is scanned.
    """
    file.seek(0)
    line, start, done = 1, 0, 0
    while done < offset and (chunk := file.read(min(_CHUNK, offset - done))):
        last = chunk.rfind(b"\n")
        if last >= 0:
            line += chunk.count(b"\n")
            start = done + last + 1
        done += len(chunk)
    return line, offset - start + 1


def _is_utf8(file: BinaryIO, name: str, *, bom: bool) -> bool:
    """Scan the whole file. Control bytes that no text has are refused, wherever they are."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    utf8 = True
    size = 0
    while chunk := file.read(_CHUNK):
        bad = chunk.find(b"\0")
        if bad >= 0:
            line, column = _place_of(file, size + bad)
            raise format_error(name, line, f"{column}", "tiene bytes nulos: no es texto")
        if utf8:
            wrong = _first_wrong(decoder, chunk)
            if wrong is not None:
                utf8 = False
                if bom:
                    line, column = _place_of(file, size + wrong)
                    raise format_error(name, line, f"{column}", "tiene marca UTF-8 y bytes que no lo son")
        size += len(chunk)
    if utf8:
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError as exc:
            what = "está cortado a la mitad de una letra"
            line, column = _place_of(file, size)
            raise format_error(name, line, f"{column - 1}", what) from exc
    return utf8


def _first_wrong(decoder: codecs.IncrementalDecoder, chunk: bytes) -> int | None:
    """Where ``chunk`` stops being UTF-8, or None."""
    pending = len(decoder.getstate()[0])
    try:
        decoder.decode(chunk)
    except UnicodeDecodeError as exc:
        return exc.start - pending  # below zero where the letter began in the piece before
    return None
