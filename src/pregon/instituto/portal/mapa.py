"""A map of tiles of Mexico: one tile of equal size per entidad federativa, near where it lies.

Every entidad weighs the same on it, and every tile can be touched on a phone; nothing is drawn from geography, so
nothing of a border can be wrong. Numbers are those of the INE's catalogue of entidades (1 to 32).
"""

from __future__ import annotations

from dataclasses import dataclass

_CUADRICULA = """
BC   SON  CHIH COAH NL   TAMS .    .    .    .    .
BCS  SIN  DGO  ZAC  SLP  .    .    .    .    .    .
.    NAY  JAL  AGS  GTO  QRO  HGO  VER  .    .    .
.    .    COL  MICH MEX  CDMX TLAX PUE  .    .    YUC
.    .    .    .    GRO  MOR  OAX  .    TAB  CAMP QROO
.    .    .    .    .    .    .    CHIS .    .    .
"""
_NUMERADAS = """
AGS BC BCS CAMP COAH COL CHIS CHIH CDMX DGO GTO GRO HGO JAL MEX MICH
MOR NAY NL OAX PUE QRO QROO SLP SIN SON TAB TAMS TLAX VER YUC ZAC
"""
_SIGLAS = tuple(_NUMERADAS.split())


@dataclass(frozen=True)
class Casilla:
    """A tile: the letters on it and its classes in the grid (``r2 k3``: third row, fourth column)."""

    siglas: str
    clases: str


def tile_of(entidad: str) -> Casilla | None:
    """The tile of an entidad by its number as text (``09``); None for what is not one of the 32."""
    if not entidad.isdecimal() or not 1 <= int(entidad) <= len(_SIGLAS):
        return None
    letters = _SIGLAS[int(entidad) - 1]
    for row, line in enumerate(_CUADRICULA.split("\n")[1:]):
        if letters in line.split():
            return Casilla(letters, f"r{row} k{line.split().index(letters)}")
    return None
