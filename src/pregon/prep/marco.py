"""The form of lines: joining cells, quoting them, wrapping keys, encoding; used by both writers."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from pregon.prep.admision import format_error
from pregon.prep.text import clean_key

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from pregon.prep.estilos import Envoltura

BATCH_CHARS = 1 << 18
_QUOTE = '"'


def cell_text(cell: str, delimiter: str) -> str:
    """A cell as the CSV has it: quoted only where it could be read otherwise."""
    if delimiter in cell or cell.startswith('"') or "\n" in cell or "\r" in cell:
        return f'"{cell.replace(_QUOTE, _QUOTE * 2)}"'
    return cell


def line_text(cells: Sequence[str], delimiter: str, *, quoted: Collection[int] = ()) -> str:
    """A line without its end, each cell quoted where it must be; those of ``quoted`` always, unless empty."""
    joined = delimiter.join(cells)
    # Most lines of a file need no quoting, and looking at the whole line is ten times as fast as at each cell.
    if (
        not quoted
        and joined.count(delimiter) == len(cells) - 1
        and "\n" not in joined
        and "\r" not in joined
        and not joined.startswith('"')
        and f'{delimiter}"' not in joined
    ):
        return joined
    return delimiter.join(
        [
            f'"{cell.replace(_QUOTE, _QUOTE * 2)}"' if place in quoted and cell else cell_text(cell, delimiter)
            for place, cell in enumerate(cells)
        ]
    )


def wrap_key(text: str, style: Envoltura | None) -> str:
    """A key in the wrapping of a dialect; what is empty stays empty. ``comillas`` is left to ``line_text``."""
    bare = clean_key(text)
    if not bare or style is None or style == "comillas":
        return bare
    return {"apostrofo": f"'{bare}", "ambas": f"'{bare}'", "formula": f'="{bare}"'}[style]


def encoded(lines: Iterable[tuple[int, str]], name: str, encoding: str, *, bom: bool) -> Iterator[bytes]:
    """The bytes of ``lines`` (number and whole text of each), in pieces of a few hundred kilobytes.

    Raises:
        FormatoError: a letter that the encoding does not have; with line and column.
    """
    pieces: list[bytes] = [codecs.BOM_UTF8] if bom else []
    size = 0
    for number, text in lines:
        try:
            pieces.append(text.encode(encoding))
        except UnicodeEncodeError as exc:
            what = f"«{text[exc.start]}» no se puede escribir en {encoding.title()}"
            raise format_error(name, number, str(exc.start + 1), what) from exc
        size += len(text)
        if size >= BATCH_CHARS:
            yield b"".join(pieces)
            pieces.clear()
            size = 0
    if pieces:
        yield b"".join(pieces)
