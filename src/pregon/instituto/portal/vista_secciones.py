"""The secciones of a unit, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class HojaSecciones:
    """One page of secciones."""

    ruta: str
    titulo: str
