"""What the pages of the whole site need of each contest: small values, so that each may be made in its own process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pregon.instituto.elecciones import Unidad
    from pregon.instituto.portal.avance import Avance
    from pregon.instituto.portal.modelo import Renglon

PRIMERAS = 3
"""Lines of a race for one office on the cover."""
MAX_LIDERES = 4
"""Lines of a contest of many races on the cover."""
MAX_MOSAICO = 60
"""Most units that the cover shows as tiles; with more, only the contest's own page does."""


@dataclass(frozen=True)
class Liderazgo:
    """In how many units a line is ahead."""

    renglon: Renglon
    unidades: int

    @property
    def barra(self) -> tuple[tuple[int, int, str], ...]:
        """Pieces ``(from, width, colour)`` of a bar as long as its units, one per party of the line."""
        colors = [party.color for party in self.renglon.partidos]
        size = self.unidades * 60 // len(colors)
        return tuple((index * size, size, color) for index, color in enumerate(colors))


@dataclass(frozen=True)
class Tesela:
    """A unit as a tile: where it leads, what it is called, and who is ahead, in words and in colours."""

    carpeta: str
    numero: str
    nombre: str
    rotulo: str
    lider: str
    colores: tuple[str, ...]


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

    @property
    def indice(self) -> str:
        """The list of its data files."""
        return f"{self.datos}indice.json"
