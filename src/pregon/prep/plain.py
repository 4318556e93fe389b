"""Rows that are nothing but cells and delimiters, kept as they were read: as lines, or as the bytes of them all."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_ONE_BY_ONE = 32
"""Finding one row costs as much as making some dozens of lines: beyond one row in this many, all are made."""
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Body:
    """The bytes of plain rows. Each but the last surely ends in ``fin``, and no other byte of a row is in it.

    ``marcas``: how many rows end before each piece of ``pieza`` bytes begins; it tells where to look for a row.
    """

    bytes_: bytes
    encoding: str
    fin: str
    filas: int
    pieza: int
    marcas: Sequence[int]

    def lines(self) -> tuple[str, ...]:
        """Every row, without its end."""
        found = self.bytes_.decode(self.encoding).split(self.fin)
        return tuple(found[: self.filas])

    def at(self, places: Iterable[int]) -> Iterator[str]:
        """The rows at ``places`` (from zero, none beyond the last), without their end."""
        last = self.fin[-1].encode()
        row = start = 0
        for place in places:
            piece = bisect_left(self.marcas, place) - 1 if place else 0
            if row > place or self.marcas[piece] > row:
                # In the middle of a row, but before the end of it: the row wanted is a later one.
                row, start = self.marcas[piece], piece * self.pieza
            while row < place:
                start = self.bytes_.index(last, start) + 1
                row += 1
            end = self.bytes_.find(last, start)
            text = self.bytes_[start:] if end < 0 else self.bytes_[start : end + 1 - len(self.fin)]
            yield text.decode(self.encoding)

    def pieces(self) -> Iterator[bytes]:
        """All of it in UTF-8, every row ended by a line feed."""
        for place in range(0, len(self.bytes_), _PIECE):
            piece = self.bytes_[place : place + _PIECE]
            if self.fin != "\n":
                piece = piece.replace(b"\r", b"" if self.fin == "\r\n" else b"\n")
            yield piece if self.encoding == "utf-8" else piece.decode(self.encoding).encode()
        if self.bytes_ and not self.bytes_.endswith(self.fin.encode()):
            yield b"\n"

    def heads(self) -> dict[bytes, int]:
        """The first three bytes of every row that has them, and the place of the last row that begins so."""
        # Every end but the last begins a row; three bytes are less than the cells of any.
        found = [self.bytes_[:3], *re.findall(self.fin[-1].encode() + rb"(...)", self.bytes_)]
        return dict(zip(found, range(self.filas), strict=True)) if len(found) == self.filas else {}


class PlainRows(Sequence[tuple[str, ...]]):
    """The cells of lines that are nothing but cells and delimiters: each line is split when it is asked for.

    A national file as cells takes ten times the memory of its lines, and most of those who ask want a few rows or a
    few columns. Equal to any sequence of the same cells. It holds the lines or, until somebody asks for all of them,
    the ``body`` they are in.
    """

    __slots__ = ("_body", "_lines", "delimiter")

    delimiter: str

    def __init__(self, lineas: tuple[str, ...] | Body, delimiter: str) -> None:
        self._body = lineas if isinstance(lineas, Body) else None
        self._lines = None if isinstance(lineas, Body) else lineas
        self.delimiter = delimiter

    @property
    def lineas(self) -> tuple[str, ...]:
        """The lines as written, without their end."""
        lines = self._lines
        if lines is None:
            lines = () if self._body is None else self._body.lines()
            # One or the other: a body of 45 MB is not kept beside its lines.
            self._lines, self._body = lines, None
        return lines

    @property
    def body(self) -> Body | None:
        """The bytes of the rows, while nobody has asked for the lines."""
        return self._body

    def at(self, places: Sequence[int]) -> PlainRows:
        """The rows at ``places``, in that order."""
        body = self._body
        if body is None or len(places) * _ONE_BY_ONE > body.filas:
            lines = self.lineas
            return PlainRows(tuple([lines[place] for place in places]), self.delimiter)
        return PlainRows(tuple(body.at([range(body.filas)[place] for place in places])), self.delimiter)

    def __len__(self) -> int:
        return len(self.lineas) if self._body is None else self._body.filas

    @overload
    def __getitem__(self, place: int) -> tuple[str, ...]: ...
    @overload
    def __getitem__(self, place: slice) -> PlainRows: ...
    def __getitem__(self, place: int | slice) -> tuple[str, ...] | PlainRows:
        if isinstance(place, slice):
            return self.at(range(len(self))[place])
        (line,) = self.at([place]).lineas
        return tuple(line.split(self.delimiter))

    def __iter__(self) -> Iterator[tuple[str, ...]]:
        return map(tuple, map(str.split, self.lineas, repeat(self.delimiter)))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, PlainRows) and other.delimiter == self.delimiter:
            return self.lineas == other.lineas
        if not isinstance(other, PlainRows | tuple):
            return NotImplemented
        return len(self) == len(other) and all(mine == theirs for mine, theirs in zip(self, other, strict=True))

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"<PlainRows: {len(self)} rows>"


def read_body(
    data: bytes, *, encoding: str, delimiter: str, width: int, fin: str, longest: int, pieza: int
) -> Body | None:
    """``data`` as rows of ``width`` cells, or None: there are quotes, other line ends, or a row of another form.

    None too where a row may have more than ``longest`` bytes with its end. Every check at the speed of C, over
    ``pieza`` bytes at a time.
    """
    half = longest // 2
    last = fin[-1].encode()
    # A line end in every half: no row is longer than both.
    if any(data.find(last, place, place + half) < 0 for place in range(0, len(data) - half + 1, half)):
        return None
    rest = bytes(sorted(set(range(256)) - {*delimiter.encode(), *b'\r\n"'}))
    row = delimiter.encode() * (width - 1) + fin.encode()
    expected = row * (min(pieza, len(data)) // len(row) + 2)
    counts: list[int] = []
    size = 0
    for place in range(0, len(data), pieza):
        form = data[place : place + pieza].translate(None, rest)
        if not expected.startswith(form, size % len(row)):
            return None
        counts.append(size)
        size += len(form)
    whole, left = divmod(size, len(row))
    if (left and left != width - 1) or (not left and data and not data.endswith(fin.encode())):
        return None  # the last row is not whole, or blanks follow it
    rows = whole + bool(left)
    return Body(data, encoding, fin, rows, pieza, tuple(count // len(row) for count in counts) or (0,))
