"""Plots as SVG: greys, dashes and labels at the lines, so that they say the same on paper without colour."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ANCHO, ALTO = 720, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 92, 26, 44
TINTA, GRIS, BANDA = "#1f3a4d", "#4d5660", "#d5dde3"
_TIPO = "Libertinus Serif, Georgia, serif"
_APART = 13.0
Trazo = Literal["lleno", "rayas", "puntos"]
_DASH: dict[Trazo, str] = {"lleno": "", "rayas": ' stroke-dasharray="7 4"', "puntos": ' stroke-dasharray="1.5 3.5"'}


@dataclass(frozen=True)
class Linea:
    """A line of points (x, y) and its label, which is written at its end."""

    nombre: str
    puntos: Sequence[tuple[float, float]]
    trazo: Trazo = "lleno"
    grueso: float = 1.6


@dataclass(frozen=True)
class Eje:
    """An axis: what it is, from where to where, and the places that are labelled."""

    nombre: str
    desde: float
    hasta: float
    marcas: Sequence[tuple[float, str]]


def lineas(
    titulo: str,
    x: Eje,
    y: Eje,
    series: Sequence[Linea],
    *,
    banda: tuple[Sequence[tuple[float, float]], Sequence[tuple[float, float]]] | None = None,
    leyenda: bool = False,
) -> str:
    """Lines over a grid; ``banda``: two lines with the same xs, shaded between. ``leyenda``: what each line is stands
    above, with a piece of it, and not at its end: for lines that end together."""

    def at(point: tuple[float, float]) -> tuple[float, float]:
        return (
            _LEFT + (point[0] - x.desde) / (x.hasta - x.desde) * (ANCHO - _LEFT - _RIGHT),
            ALTO - _BOTTOM - (point[1] - y.desde) / (y.hasta - y.desde) * (ALTO - _TOP - _BOTTOM),
        )

    parts = [_head(titulo, ALTO), _grid(x, y, at)]
    if banda is not None:
        low, high = banda
        parts.append(f'<path d="{_path([at(p) for p in [*high, *reversed(low)]])}Z" fill="{BANDA}"/>')
    labels = []
    for line in series:
        drawn = [at(point) for point in line.puntos]
        parts.append(
            f'<path d="{_path(drawn)}" fill="none" stroke="{TINTA}" stroke-width="{line.grueso}" '
            f'stroke-linejoin="round"{_DASH[line.trazo]}/>'
        )
        labels.append((drawn[-1], line.nombre))
    parts += _legend(series) if leyenda else _labels(labels)
    return "\n".join([*parts, "</svg>\n"])


def barras(titulo: str, unidad: str, filas: Sequence[tuple[str, Sequence[tuple[str, float]]]]) -> str:
    """Horizontal bars in groups: each row has its name and, for each part, its own name and value. Scale by tens: what
    weighs a hundred times more still leaves the rest to be seen."""
    values = [value for _, parts in filas for _, value in parts if value > 0]
    low = math.floor(math.log10(min(values)))
    high = math.ceil(math.log10(max(values)))
    high = max(high, low + 1)
    left, bar, gap = 236, 11, 12
    kinds = list(dict.fromkeys(name for _, parts in filas for name, _ in parts))
    fills = dict(zip(kinds, (TINTA, "#7f95a3", "#ccd5db"), strict=False))
    height = _TOP + 22 + sum(len(parts) * bar + gap for _, parts in filas) + _BOTTOM

    def across(value: float) -> float:
        return left + (math.log10(max(value, 10**low)) - low) / (high - low) * (ANCHO - left - _RIGHT)

    out = [_head(titulo, height)]
    top = _TOP + 22
    for n in range(low, high + 1):
        px = across(10**n)
        out.append(f'<path d="M{px:.1f} {top}V{height - _BOTTOM}" stroke="#ccc" stroke-width=".6"/>')
        out.append(_text(px, height - _BOTTOM + 15, cifra(10**n), anchor="middle"))
    out.append(_text((left + ANCHO - _RIGHT) / 2, height - 8, unidad, anchor="middle"))
    for n, name in enumerate(kinds):
        px = left + n * 110
        out.append(f'<rect x="{px}" y="{_TOP - 4}" width="11" height="9" fill="{fills[name]}" stroke="{TINTA}" />')
        out.append(_text(px + 16, _TOP + 4, name))
    y = float(top + gap / 2)
    for name, each in filas:
        out.append(_text(left - 8, y + len(each) * bar / 2 + 4, name, anchor="end"))
        for kind, value in each:
            out.append(
                f'<rect x="{left}" y="{y:.1f}" width="{max(1.0, across(value) - left):.1f}" height="{bar - 2}" '
                f'fill="{fills[kind]}" stroke="{TINTA}" stroke-width=".5"/>'
            )
            out.append(_text(across(value) + 4, y + bar - 3, cifra(value), size=9.5))
            y += bar
        y += gap
    return "\n".join([*out, "</svg>\n"])


def escala(top: float, *, partes: int = 5) -> tuple[float, list[tuple[float, str]]]:
    """A round top for an axis from zero, and its marks."""
    rough = max(top, 1e-9) / partes
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(one * power for one in (1, 2, 2.5, 5, 10) if one * power >= rough)
    number = max(1, math.ceil(top / step - 1e-9))
    return step * number, [(step * n, cifra(step * n)) for n in range(number + 1)]


def cifra(value: float) -> str:
    """A number for people: with thousands, and decimals only where they say something."""
    if value >= 100 or abs(value - round(value)) < 1e-9:
        return f"{value:,.0f}"
    return f"{value:,.1f}" if value >= 1 else f"{value:,.2g}"


def _head(title: str, height: float) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {ANCHO} {height:.0f}" width="{ANCHO}" '
        f'height="{height:.0f}" role="img" font-family="{_TIPO}" font-size="11.5" fill="{GRIS}">'
        f"<title>{escape(title)}</title>"
    )


def _grid(x: Eje, y: Eje, place: Callable[[tuple[float, float]], tuple[float, float]]) -> str:
    out = []
    for value, label in y.marcas:
        _, py = place((x.desde, value))
        out.append(f'<path d="M{_LEFT} {py:.1f}H{ANCHO - _RIGHT}" stroke="#ccc" stroke-width=".6"/>')
        out.append(_text(_LEFT - 7, py + 4, label, anchor="end"))
    for value, label in x.marcas:
        px, _ = place((value, y.desde))
        out.append(f'<path d="M{px:.1f} {ALTO - _BOTTOM}v5" stroke="{GRIS}" stroke-width=".8"/>')
        out.append(_text(px, ALTO - _BOTTOM + 17, label, anchor="middle"))
    out.append(f'<path d="M{_LEFT} {ALTO - _BOTTOM}H{ANCHO - _RIGHT}" stroke="{GRIS}" stroke-width="1"/>')
    out.append(_text(_LEFT - 50, _TOP - 11, y.nombre))
    out.append(_text((_LEFT + ANCHO - _RIGHT) / 2, ALTO - 8, x.nombre, anchor="middle"))
    return "\n".join(out)


def _legend(series: Sequence[Linea]) -> list[str]:
    out = []
    x = float(ANCHO - _RIGHT - 100 * len(series))
    for line in series:
        out.append(
            f'<path d="M{x:.0f} {_TOP - 14}h26" stroke="{TINTA}" stroke-width="{line.grueso}"{_DASH[line.trazo]}/>'
        )
        out.append(_text(x + 31, _TOP - 10, line.nombre, fill=TINTA))
        x += 100
    return out


def _labels(labels: list[tuple[tuple[float, float], str]]) -> list[str]:
    """At the end of each line, under it where the grid would run through them; those that would touch are pushed
    apart, in their order."""
    out = []
    last = -math.inf
    for (px, py), name in sorted(labels, key=lambda one: one[0][1]):
        y = max(py + (4 if px >= ANCHO - _RIGHT - 1 else _APART), last + _APART)
        last = y
        out.append(_text(min(px, ANCHO - _RIGHT) + 5, y, name, fill=TINTA))
    return out


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{px:.1f} {py:.1f}" for px, py in points)


def _text(
    x: float, y: float, text: str, *, anchor: str = "start", size: float | None = None, fill: str | None = None
) -> str:
    more = (f' font-size="{size}"' if size else "") + (f' fill="{fill}"' if fill else "")
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{escape(text)}</text>'
