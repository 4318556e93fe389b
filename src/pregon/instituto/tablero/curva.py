"""The propagation of one cut, drawn on the server: seconds since it was signed by share of the difusores that show it.

The lines live in a drawing of a thousand by a hundred that stretches with its frame; texts are beside it, placed in
percentages, so they keep their size at any width. Nothing needs a style attribute. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pregon.instituto.tablero.modelo import Columna

ANCHO: Final = 1000
ALTO: Final = 100
SOMBRAS: Final = 5
"""Earlier cuts that are drawn behind, to see at once whether this one is usual."""
_TOPES: Final = (30, 60, 120, 180, 300, 600, 900, 1200, 1800, 3600, 7200, 14400, 43200, 86400)
_PARTES: Final = 4


@dataclass(frozen=True)
class Marca:
    """A text at ``lugar`` (``35.2%``) along its axis."""

    lugar: str
    texto: str


@dataclass(frozen=True, kw_only=True)
class Curva:
    """The drawing of ``columna``. ``trazo`` is its line, ``area`` what lies under it, ``sombras`` those of before.

    ``p50`` and ``p95``: where half, and nineteen of twenty, of those who owe it showed it; None where they do not yet.
    ``antes`` and ``despues``: the numbers of the cuts beside it, None at the ends.
    """

    columna: Columna
    trazo: str
    area: str
    sombras: tuple[str, ...]
    segundos: tuple[Marca, ...]
    partes: tuple[Marca, ...]
    p50: Marca | None
    p95: Marca | None
    antes: int | None
    despues: int | None


def curva_de(cortes: Sequence[Columna], elegido: int | None, hora: datetime) -> Curva | None:
    """The curve of the cut number ``elegido``, or of the newest signed one; None where there is none.

    ``hora``: until when the line of a cut that goes on arriving is drawn.
    """
    signed = [one for one in cortes if one.n is not None and one.firmado is not None]
    if not signed:
        return None
    place = next((i for i, one in enumerate(signed) if one.n == elegido), len(signed) - 1)
    column = signed[place]
    before = signed[max(0, place - SOMBRAS) : place]
    top = _top(column, before)
    line = _line(column, top, hora)
    return Curva(
        columna=column,
        trazo=line,
        area=f"{line}V{ALTO}H0Z",
        sombras=tuple(_line(one, top, hora) for one in before),
        segundos=tuple(
            Marca(f"{100 * part / _PARTES:g}%", _short(top * part // _PARTES)) for part in range(_PARTES + 1)
        ),
        partes=tuple(Marca(f"{100 - share}%", f"{share}%") for share in (50, 100)),
        p50=_mark(column.p50_s, top),
        p95=_mark(column.p95_s, top),
        antes=signed[place - 1].n if place else None,
        despues=signed[place + 1].n if place + 1 < len(signed) else None,
    )


def _top(column: Columna, before: Sequence[Columna]) -> int:
    """The last second of the axis: what this cut needs, and the usual end of those before."""
    ends = sorted(one.curva[-1][0] for one in before if one.curva)
    own = column.curva[-1][0] if column.curva else 0
    wanted = max(own, ends[len(ends) // 2] if ends else 0)
    return next((top for top in _TOPES if top > wanted), _TOPES[-1])


def _line(column: Columna, top: int, hora: datetime) -> str:
    """A staircase: each step where one more difusor shows it; level until now, or until the next one was due."""
    pieces = [f"M0 {ALTO}"]
    height = ALTO
    for seconds, count in column.curva:
        if seconds > top:
            break
        height = ALTO - ALTO * count // max(column.de, count, 1)
        pieces.append(f"H{ANCHO * seconds // top}V{height}")
    signed = column.firmado
    until = 0 if signed is None else int((min(hora, max(column.hasta, signed)) - signed).total_seconds())
    last = column.curva[-1][0] if column.curva else 0
    pieces.append(f"H{ANCHO * min(max(until, last, 0), top) // top}")
    return "".join(pieces)


def _mark(seconds: float | None, top: int) -> Marca | None:
    if seconds is None or seconds > top:
        return None
    return Marca(f"{100 * seconds / top:.1f}%", _short(round(seconds)))


def _short(seconds: int) -> str:
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min" if seconds % 60 == 0 else f"{seconds // 60}:{seconds % 60:02d}"
    return f"{seconds // 3600} h" if seconds % 3600 == 0 else f"{seconds // 3600} h {seconds % 3600 // 60}"
