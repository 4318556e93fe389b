"""Text of anybody made fit for a paper: what a file cannot hold, or turns the reading round, becomes a bullet."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pregon.documentos.bloques import Celda

HUECO = "•"
"""Stands where a character was that no form can show."""
CELDA_MAX = 2000
"""Most characters of one cell on paper; a spreadsheet holds more (``a_xlsx.CELDA_MAX``)."""
RECORTE = " […]"
"""Ends what was cut."""
_NO_CABE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufff9-\uffff"
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e0fff]"
)
"""Controls, halves of characters and noncharacters, which XML does not admit; and what turns writing round or tags it
unseen, with which a line of a log could show other than it says."""


def legible(text: str, limite: int | None = None) -> str:
    """``text`` with one kind of line break, without what no form can hold, and of ``limite`` characters at most."""
    clean = _NO_CABE.sub(HUECO, text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n"))
    if limite is not None and len(clean) > limite:
        return clean[: limite - len(RECORTE)] + RECORTE
    return clean


def en_papel(celda: Celda) -> str:
    """A cell as it is read on paper: numbers with commas between thousands, empty where nothing was written."""
    match celda:
        case None:
            return ""
        case bool():
            raise TypeError("a cell is text or a number")
        case int() | Decimal():
            return f"{celda:,}"
        case _:
            return legible(celda, CELDA_MAX)
