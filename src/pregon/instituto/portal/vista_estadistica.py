"""«Estadística»: actas and votes by kind of casilla, and what the actas were marked with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class VistaEstadistica:
    """The page of a contest's statistics."""

    ruta: str
    resumen: str
