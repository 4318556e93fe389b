"""What the pages of the whole site need of each contest: small values, so that each may be made in its own process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pregon.instituto.portal.modelo import ANCHO_BARRA, Segmento

if TYPE_CHECKING:
    from pregon.instituto.elecciones import Unidad
    from pregon.instituto.portal.avance import Avance
    from pregon.instituto.portal.modelo import Renglon
    from pregon.instituto.portal.vista_consulta import Consulta

PRIMERAS = 3
"""Lines of a race for one office on the cover."""
MAX_LIDERES = 4
"""Lines of a contest of many races on the cover."""
CERRADA, CLARA = 5, 15
"""Percentage points over the second place from which a lead is no longer narrow, and from which it is clear."""
MAX_MOSAICO = 60
"""Most units that the cover shows as tiles; with more, only the contest's own page does."""


@dataclass(frozen=True)
class Liderazgo:
    """In how many units a line is ahead."""

    renglon: Renglon
    unidades: int

    def barra(self, todas: int) -> tuple[Segmento, ...]:
        """Pieces of a bar as long as its units are of ``todas``, one per party of the line."""
        colors = [party.color for party in self.renglon.partidos]
        size = self.unidades * ANCHO_BARRA // max(todas, 1) // len(colors)
        return tuple(Segmento(index * size, size, color) for index, color in enumerate(colors))


@dataclass(frozen=True)
class Tesela:
    """A unit as a tile: where it leads, what it is called, and who is ahead, in words and in colours.

    ``ventaja`` is how clear the lead is, for the tile's shade: 1 below ``CERRADA`` points, 2 below ``CLARA``, else 3;
    0 where nobody leads. ``lugar`` is its class in a map of tiles, empty in a row of them.
    """

    carpeta: str
    numero: str
    nombre: str
    rotulo: str
    lider: str
    colores: tuple[str, ...]
    ventaja: int = 0
    lugar: str = ""

    @property
    def franjas(self) -> tuple[Segmento, ...]:
        """Its stripes: one per colour."""
        count = max(len(self.colores), 1)
        ends = [number * ANCHO_BARRA // count for number in range(count + 1)]
        colors = self.colores or ("t-nada",)
        return tuple(Segmento(a, b - a, color) for a, b, color in zip(ends[:-1], ends[1:], colors, strict=True))


def shade(puntos: str) -> int:
    """The ``ventaja`` of a tile, from percentage points as a text of four decimals."""
    points = float(puntos)
    return 1 if points < CERRADA else 2 if points < CLARA else 3


@dataclass(frozen=True)
class Tarjeta:
    """A contest on the pages of the whole site. ``demarcaciones`` counts its districts or municipalities.

    ``primeras`` and ``liderazgos`` are what the cover shows of a race for one office or of many; ``mosaico`` is empty
    where there are too many units for it.
    """

    id: str
    titulo: str
    ruta: str
    datos: str
    palabra: Unidad
    unico_cargo: bool
    con_nombres: bool
    sin_votos: bool
    titular: str
    avance: Avance
    demarcaciones: int
    primeras: tuple[Renglon, ...]
    liderazgos: tuple[Liderazgo, ...]
    mosaico: tuple[Tesela, ...]
    consulta: Consulta

    @property
    def colores(self) -> frozenset[str]:
        """Colour classes of whoever it shows."""
        lines = (*self.primeras, *(entry.renglon for entry in self.liderazgos))
        shown = {party.color for line in lines for party in line.partidos}
        return frozenset(shown.union(*(tile.colores for tile in self.mosaico)))

    @property
    def indice(self) -> str:
        """The list of its data files."""
        return f"{self.datos}indice.json"
