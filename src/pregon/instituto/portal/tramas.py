"""The texture of each party: colour never says alone who is who (WCAG 1.4.1).

A texture is an SVG pattern defined once in each page, for the parties that it shows; the style sheet fills with it
(``.t-pan{fill:url(#p-pan) var(--pan)}``), and with the plain colour where it is not defined.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Iterable

LADO = 8
"""Side of a texture's tile, in CSS pixels: it does not stretch with the bar that it fills."""

_DIBUJOS = (
    "",  # plain
    "M-2 2 2-2M0 8 8 0M6 10 10 6",  # rising lines
    "M2 2h2v2h-2zM6 6h2v2h-2z",  # dots
    "M0 2h8M0 6h8",  # lying lines
    "M2 0v8M6 0v8",  # standing lines
    "M-2 6 2 10M0 0 8 8M6-2 10 2",  # falling lines
    "M4 0v8M0 4h8",  # grid
    "M0 6 4 2 8 6",  # waves
    "M0 0 8 8M8 0 0 8",  # lattice
    "M1 1h6v6h-6z",  # frames
)
_PROPIOS = {
    "t-pan": 0,
    "t-pri": 1,
    "t-prd": 2,
    "t-pt": 3,
    "t-pvem": 4,
    "t-mc": 5,
    "t-morena": 6,
    "t-pes": 7,
    "t-rsp": 8,
    "t-fxm": 9,
    "t-na": 2,
    "t-ind": 1,
    "t-suma": 0,
}


def definiciones(colores: Iterable[str]) -> Markup:
    """The patterns of some colour classes, each once, as one hidden drawing."""
    patterns = Markup().join(_pattern(color) for color in sorted(set(colores)) if _drawing(color))
    return patterns and Markup('<svg class="tramas" width="0" height="0" aria-hidden="true">{}</svg>').format(patterns)


def _drawing(color: str) -> str:
    known = _PROPIOS.get(color)
    if known is None:  # a neutral, or a colour of the institute's own: by its number, else by its letters
        tail = color.rpartition("-")[2]
        known = int(tail) if tail.isdecimal() else sum(tail.encode())
    return _DIBUJOS[known % len(_DIBUJOS)]


def _pattern(color: str) -> Markup:
    return Markup(
        '<pattern id="p{}" width="{lado}" height="{lado}" patternUnits="userSpaceOnUse">'
        '<rect class="{}" width="{lado}" height="{lado}"/><path d="{}"/></pattern>'
    ).format(color.removeprefix("t"), color, _drawing(color), lado=LADO)
