"""Colours of the style sheet: its variables, and how well one is read over another (WCAG 2.2)."""

from __future__ import annotations

import re
from importlib.resources import files

_OSCURO = re.compile(r"@media \(prefers-color-scheme:dark\)\{:root[^{]*\{([^}]*)\}\}")
_RAIZ = re.compile(r":root\{([^}]*)\}")
_VARIABLE = re.compile(r"--([a-z0-9-]+):(#[0-9a-f]{3,8})\b")


def variables(estilo: str) -> tuple[dict[str, str], dict[str, str]]:
    """The colour variables (``--pan:#1b5fae``), light and dark; a later one of a name overrides, as in any sheet."""
    dark = [found for block in _OSCURO.findall(estilo) for found in _VARIABLE.findall(block)]
    light = [found for block in _RAIZ.findall(_OSCURO.sub("", estilo)) for found in _VARIABLE.findall(block)]
    return dict(light), dict(dark)


def theme() -> str:
    """The part of the style sheet that gives the colours of a screen: other parts have those of paper."""
    return (files("pregon.instituto.portal") / "estilos" / "tema.css").read_text(encoding="utf-8")


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours (``#17467a``, ``#fff``): from 1, none, to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: str) -> float:
    digits = color.removeprefix("#")
    if len(digits) == 3:
        digits = "".join(2 * digit for digit in digits)
    red, green, blue = (_linear(int(digits[place : place + 2], 16) / 255) for place in (0, 2, 4))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
