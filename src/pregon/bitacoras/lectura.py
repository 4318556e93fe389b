"""Logs of any size as clean text in pieces of bounded size: nothing that a file holds reaches the engine's reader raw.

In this order, for each block read: 1. it is inflated as it comes (gzip, bzip2, zstd, xz: told by their first bytes);
2. it is cut at its last line end; 3. lines longer than ``MAX_LINEA`` are left out and counted; 4. bytes that are not
UTF-8 become «�», and the few control characters that mean something to the engine's reader become blanks; 5. lines of
comment of the formats that have them are taken out, and the names of columns that they give are followed.
A file that breaks off, or is damaged, is read as far as it goes and told.
"""

from __future__ import annotations

import bz2
import codecs
import io
import lzma
import re
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import IO, TYPE_CHECKING, Protocol, cast

from isal.igzip_lib import DECOMP_GZIP, IgzipDecompressor

from pregon.base.errors import EntradaError
from pregon.base.hashing import open_regular
from pregon.base.razones import razon
from pregon.bitacoras.deteccion import detect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from pregon.bitacoras.formatos import Formato

MAX_LINEA = 1 << 16
"""Servers refuse request lines and headers long before: what is longer is no line of theirs."""
BLOQUE = 4 << 20
_CRUDO = 1 << 18
PIEZA = 48 << 20
"""Bytes that the engine takes at a time."""
MUESTRA = 1 << 18
MAX_EJEMPLOS = 5
SEPARA = "\x1e\x1f\x1e"
"""What no clean line holds: the engine's reader is told that it parts fields."""
_VENTANA = MAX_LINEA // 2
_RESERVADOS = (SEPARA.encode(), b"\x01\x02\x01")
_COMENTARIO = re.compile(rb"^#.*\n", re.MULTILINE)
_CAMPOS = b"#Fields:"


@dataclass(frozen=True, slots=True)
class Fuente:
    """One file to read.

    ``sitio``: number of the site it is of. ``formato``: None: find it. ``reenvio``: the address is the one that the
    proxy before the server tells.
    """

    ruta: Path
    sitio: int = 0
    formato: Formato | None = None
    reenvio: bool = False


@dataclass(slots=True)
class Leida:
    """What became of one file: its format, its lines, and why it broke off.

    ``lineas``: while it is being read, blank ones and comments with them; ``Cuenta`` takes those off. ``largas``: lines
    left out for their length, counted in ``lineas``. ``malas``: of the rest, those that are no hit.
    """

    ruta: Path
    formato: Formato | None
    lineas: int = 0
    largas: int = 0
    malas: int = 0
    bytes: int = 0
    incompleta: str = ""


@dataclass(frozen=True, slots=True)
class Tramo:
    """Of which file some bytes of a piece are, how many lines, and the number of the first of them in it, from 1."""

    leida: Leida
    tamano: int
    lineas: int
    renglon: int


@dataclass(slots=True)
class Pieza:
    """Clean lines of one format and site, their address read in one way; ``tramos``: of which files, part by part."""

    sitio: int
    formato: Formato
    reenvio: bool
    partes: list[bytes] = field(default_factory=list)
    tramos: list[Tramo] = field(default_factory=list)
    tamano: int = 0


def read(fuentes: Sequence[Fuente], leidas: list[Leida], *, pieza: int = PIEZA) -> Iterator[Pieza]:
    """The lines of ``fuentes`` in pieces of about ``pieza`` bytes, each of one format and site; ``leidas`` fills up.

    Raises:
        EntradaError: a file cannot be opened.
        FormatoError: its format cannot be found (``deteccion``).
    """
    # First the format of each: whoever names a file that is no log learns it before hours of counting.
    known = [_with_format(fuente) for fuente in fuentes]
    current: Pieza | None = None
    for fuente in known:
        leida = Leida(fuente.ruta, fuente.formato)
        leidas.append(leida)
        for formato, part, lines, line in _parts(fuente, leida):
            kind = (fuente.sitio, formato, fuente.reenvio)
            if current is not None and (current.sitio, current.formato, current.reenvio) != kind:
                yield current
                current = None
            if current is None:
                current = Pieza(*kind)
            current.partes.append(part)
            current.tramos.append(Tramo(leida, len(part), lines, line))
            current.tamano += len(part)
            if current.tamano >= pieza:
                yield current
                current = None
    if current is not None:
        yield current


@contextmanager
def open_log(path: Path) -> Iterator[Iterator[bytes]]:
    """The file's own bytes some at a time, inflated if they are compressed.

    Raises:
        EntradaError: it cannot be opened, or nothing here inflates it.
    """
    try:
        raw = io.BufferedReader(open_regular(path.resolve(strict=True)))  # logs are named by links too
        magic = raw.read(6)
        raw.seek(0)
    except OSError as exc:
        raise EntradaError(
            f"No se pudo leer la bitácora {path}: {razon(exc)}.",
            intacto="No se midió nada.",
            que_hacer="Revise la ruta y los permisos.",
        ) from exc
    with raw:
        made = next((make for start, make in _inflaters(path) if magic.startswith(start)), None)
        yield iter(lambda: raw.read(BLOQUE), b"") if made is None else _inflated(raw, made)


class _Inflater(Protocol):
    """What the decompressors of bz2, lzma, isal and zstd have in common."""

    eof: bool
    needs_input: bool
    unused_data: bytes

    def decompress(self, data: bytes, max_length: int = ...) -> bytes: ...


def _inflaters(path: Path) -> tuple[tuple[bytes, Callable[[], _Inflater]], ...]:
    """First bytes of a file and what inflates it."""
    return (
        (b"\x1f\x8b", lambda: cast("_Inflater", IgzipDecompressor(flag=DECOMP_GZIP))),
        (b"BZh", lambda: cast("_Inflater", bz2.BZ2Decompressor())),
        (b"\xfd7zXZ\x00", lambda: cast("_Inflater", lzma.LZMADecompressor())),
        (b"\x28\xb5\x2f\xfd", lambda: _zstd(path)),
    )


def _zstd(path: Path) -> _Inflater:
    try:
        from backports.zstd import ZstdDecompressor
    except ModuleNotFoundError:
        try:
            from compression.zstd import ZstdDecompressor  # type: ignore[import-not-found,no-redef,unused-ignore]
        except ModuleNotFoundError as exc:
            raise EntradaError(
                f"Para leer {path} hace falta zstd.",
                intacto="No se midió nada.",
                que_hacer="Instale Pregón con sus extras «difusor» o «memoria», o descomprima el archivo.",
            ) from exc
    return cast("_Inflater", ZstdDecompressor())


def _inflated(raw: IO[bytes], make: Callable[[], _Inflater]) -> Iterator[bytes]:
    """All the members of a compressed file, one after the other, in parts of bounded size.

    Raises:
        EOFError: the file ends inside of one.
    """
    inflater = make()
    while True:
        data = b""
        if inflater.eof:
            data = inflater.unused_data.lstrip(b"\0") or raw.read(_CRUDO).lstrip(b"\0")
            if not data:
                return
            inflater = make()
        elif inflater.needs_input:
            data = raw.read(_CRUDO)
            if not data:
                raise EOFError("termina antes de lo que debe")
        part = inflater.decompress(data, BLOQUE)
        if part:
            yield part


def _with_format(fuente: Fuente) -> Fuente:
    if fuente.formato is not None:
        return fuente
    with open_log(fuente.ruta) as file:
        block = next(_blocks(file, Leida(fuente.ruta, None)), b"")
    return replace(fuente, formato=detect(_head(block)[:MUESTRA], fuente.ruta)) if block.strip() else fuente


def _head(block: bytes) -> bytes:
    return block.removeprefix(codecs.BOM_UTF8)


def _parts(fuente: Fuente, leida: Leida) -> Iterator[tuple[Formato, bytes, int, int]]:
    formato = fuente.formato
    line = 1
    with open_log(fuente.ruta) as file:
        for block in _whole_lines(file, leida):
            if formato is None:  # Nothing is written in it; whether that is all of it, the reading tells.
                continue
            clean = _clean(_head(block) if line == 1 else block, leida)
            for which, part in _columns(clean, formato) if formato.clase == "columnas" else ((formato, clean),):
                formato = which
                lines = part.count(b"\n")
                leida.lineas += lines
                leida.bytes += len(part)
                yield which, part, lines, line
                line += lines


def _whole_lines(file: Iterator[bytes], leida: Leida) -> Iterator[bytes]:
    """Blocks that end where a line does; the last one too, with or without its line end."""
    rest = b""
    for block in _blocks(file, leida):
        cut = block.rfind(b"\n") + 1
        if cut:
            yield rest + block[:cut]
            rest = block[cut:]
        elif len(rest) <= MAX_LINEA:
            rest += block[: MAX_LINEA + 1]  # Of a line without end, as much as tells that it is too long.
    if rest:
        yield rest + b"\n"


def _blocks(file: Iterator[bytes], leida: Leida) -> Iterator[bytes]:
    """About ``BLOQUE`` bytes at a time; of a file that breaks off, all that came before."""
    parts: list[bytes] = []
    size = 0
    while True:
        try:
            part = next(file, b"")
        except EntradaError:
            raise
        except Exception as exc:  # noqa: BLE001 - each inflater has errors of its own; a damaged file ends here, told
            leida.incompleta = str(exc) or type(exc).__name__
            break
        if not part:
            break
        parts.append(part)
        size += len(part)
        if size >= BLOQUE:
            yield b"".join(parts)
            parts, size = [], 0
    if parts:
        yield b"".join(parts)


def _clean(block: bytes, leida: Leida) -> bytes:
    if any(block.find(b"\n", at, at + _VENTANA) < 0 for at in range(0, len(block) - _VENTANA, _VENTANA)):
        block = _without_long(block, leida)
    if b"\r" in block:
        block = block.replace(b"\r\n", b"\n").replace(b"\r", b" ")
    for reserved in _RESERVADOS:
        if reserved[:1] in block and reserved in block:  # One byte is looked for twenty times faster than three.
            block = block.replace(reserved, b"   ")
    if not block.isascii():
        try:
            block.decode()
        except UnicodeDecodeError:
            block = block.decode(errors="replace").encode()
    return block


def _without_long(block: bytes, leida: Leida) -> bytes:
    lines = [line + b"\n" for line in block.split(b"\n")[:-1]]
    # A blank line stays in the place of each, so that those after it keep their numbers.
    kept = [line if len(line) <= MAX_LINEA else b"\n" for line in lines]
    left_out = sum(1 for line in lines if len(line) > MAX_LINEA)
    leida.largas += left_out
    leida.lineas += left_out
    return b"".join(kept)


def blank_lines(part: bytes) -> int:
    """How many lines of some whole ones are empty."""
    if b"\n\n" not in part and not part.startswith(b"\n"):
        return 0
    return sum(1 for line in part.split(b"\n")[:-1] if not line)


def _columns(block: bytes, formato: Formato) -> Iterable[tuple[Formato, bytes]]:
    """The block in runs whose columns have the same names; a blank line in the place of each comment."""
    if not block.startswith(b"#") and b"\n#" not in block:
        return ((formato, block),)
    runs: list[tuple[Formato, bytes]] = []
    begin = 0
    for comment in _COMENTARIO.finditer(block):
        runs.append((formato, block[begin : comment.start()] + b"\n"))
        begin = comment.end()
        if comment[0].startswith(_CAMPOS):
            names = comment[0][len(_CAMPOS) :].decode(errors="replace").split()
            formato = formato.con_columnas(tuple(names))
    return [*runs, (formato, block[begin:])]
