"""Rows that are nothing but cells and delimiters, kept as they were read: as lines, or as the bytes of them all."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_ONE_BY_ONE = 32
"""Finding one row costs as much as making some dozens of lines: beyond one row in this many, all are made."""
_PIECE = 1 << 20
_FIRST_STEP = 1 << 10
"""Bytes compared at first, then twice as many each time: a power of two."""


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

    def cut(self) -> list[bytes]:
        """Every row as bytes, without its end."""
        found = self.bytes_.split(self.fin.encode())
        del found[self.filas :]
        return found

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

    __slots__ = ("_apart", "_body", "_cut", "_lines", "delimiter")

    delimiter: str

    def __init__(self, lineas: tuple[str, ...] | Body, delimiter: str) -> None:
        self._body = lineas if isinstance(lineas, Body) else None
        self._lines = None if isinstance(lineas, Body) else lineas
        self._cut: list[bytes] | None = None
        self._apart: Mapping[int, bytes] = {}
        self.delimiter = delimiter

    @property
    def lineas(self) -> tuple[str, ...]:
        """The lines as written, without their end."""
        lines = self._lines
        if lines is None:
            lines = () if self._body is None else self._body.lines()
            # One or the other: a body of 45 MB is not kept beside its lines.
            self._lines, self._body, self._cut, self._apart = lines, None, None, {}
        return lines

    @property
    def cortadas(self) -> Sequence[bytes] | None:
        """The lines as bytes, without their end and not decoded; None where there is no ``body``. They are kept."""
        if self._cut is None and self._body is not None:
            self._cut = self._body.cut()
        return self._cut

    @property
    def body(self) -> Body | None:
        """The bytes of the rows, while nobody has asked for the lines."""
        return self._body

    def keep(self, rows: Mapping[int, bytes]) -> None:
        """Keep ``rows``, of the ``body`` by their place and without their end, for who asks for some of them."""
        self._apart = rows

    def at(self, places: Sequence[int]) -> PlainRows:
        """The rows at ``places``, in that order."""
        body, cut = self._body, self._cut
        if body is not None:
            known = cut if cut is not None else self._apart if all(map(self._apart.__contains__, places)) else None
            if known is not None:
                return PlainRows(tuple([known[place].decode(body.encoding) for place in places]), self.delimiter)
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


def differing(one: Body, other: Body, *, most: int) -> tuple[dict[int, bytes], dict[int, bytes]] | None:
    """The rows of two bodies that differ in one place, without their end, by that place: those of each.

    Where one has more rows they are among them. None where there are more than ``most`` in either, or they are not of
    one encoding and line end. What is equal is compared at the speed of memory, and no line is made of it.
    """
    if (one.encoding, one.fin) != (other.encoding, other.fin):
        return None
    mine, theirs, last, end = one.bytes_, other.bytes_, one.fin[-1].encode(), len(one.fin)
    left: dict[int, bytes] = {}
    right: dict[int, bytes] = {}
    row = here = there = 0
    while here < len(mine) and there < len(theirs):
        equal = _equal(mine, here, theirs, there)
        if here + equal == len(mine) and there + equal == len(theirs):
            return left, right
        start = mine.rfind(last, here, here + equal) + 1 or here
        row += mine.count(last, here, start)
        if equal and start == here + equal and (start == len(mine) or there + equal == len(theirs)):
            here, there = start, there + equal
            break  # one of them ends with a whole row; what is left of the other follows
        stop, halt = mine.find(last, here + equal) + 1, theirs.find(last, there + equal) + 1
        right[row] = theirs[there + start - here : halt - end] if halt else theirs[there + start - here :]
        left[row] = mine[start : stop - end] if stop else mine[start:]
        here, there = stop or len(mine), halt or len(theirs)
        row += 1
        if len(left) > most:
            return None
    left.update(enumerate(_rest(mine, here, one.fin), row))
    right.update(enumerate(_rest(theirs, there, one.fin), row))
    return None if max(len(left), len(right)) > most else (left, right)


def _rest(data: bytes, start: int, fin: str) -> list[bytes]:
    """The rows from a place on."""
    rest = data[start:].split(fin.encode())
    if not rest[-1]:
        rest.pop()
    return rest


def _equal(mine: bytes, here: int, theirs: bytes, there: int) -> int:
    """How many bytes are equal from two places on."""
    most = min(len(mine) - here, len(theirs) - there)
    done, step = 0, _FIRST_STEP
    while done < most and mine[here + done : here + done + step] == theirs[there + done : there + done + step]:
        done += step
        step = min(2 * step, _PIECE)
    if done >= most:
        return most
    while step > 1:  # the first difference is within a step of what is equal
        step //= 2
        if mine[here + done : here + done + step] == theirs[there + done : there + done + step]:
            done += step
    return min(done, most)


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
