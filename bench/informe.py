"""What a measure prints: ratios with their limits first, seconds after; and whether a limit was broken."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAME = 46
MIB = 1 << 20


@dataclass(frozen=True)
class Limite:
    """What a figure must keep within; either end may be open. Both ends are inside."""

    minimo: float | None = None
    maximo: float | None = None

    def cumple(self, value: float) -> bool:
        """True when ``value`` is within."""
        return (self.minimo is None or value >= self.minimo) and (self.maximo is None or value <= self.maximo)

    def texto(self, digits: int, unit: str) -> str:
        """As it is printed beside the figure."""
        if self.minimo is not None and self.maximo is not None:
            return f"límite {self.minimo:,.{digits}f} a {self.maximo:,.{digits}f}{unit}"
        sign, value = ("<=", self.maximo) if self.maximo is not None else (">=", self.minimo)
        return f"límite {sign} {value:,.{digits}f}{unit}"


class Informe:
    """Prints as it goes, so that a stopped run has said what it knew; remembers the names of what broke its limit."""

    def __init__(self) -> None:
        self.fuera: list[str] = []
        self._titulo = ""

    def titulo(self, nombre: str, detalle: str) -> None:
        """A new measure."""
        self._titulo = nombre
        print(f"\n{nombre}: {detalle}", flush=True)

    def cifra(
        self, nombre: str, value: float, limite: Limite | None = None, *, decimales: int = 2, unidad: str = ""
    ) -> None:
        """A figure with its limit beside it; «FUERA» when it breaks it."""
        line = f"  {nombre:<{_NAME}} {value:>12,.{decimales}f}{unidad}"
        if limite is not None:
            line += f"   {limite.texto(decimales, unidad)}"
            if not limite.cumple(value):
                line += "   FUERA"
                self.fuera.append(f"{self._titulo}: {nombre}")
        print(line, flush=True)

    def igual(self, nombre: str, *, cierto: bool) -> None:
        """Two answers that must be the same."""
        print(f"  {nombre:<{_NAME}} {'iguales' if cierto else 'DISTINTOS   FUERA':>12}", flush=True)
        if not cierto:
            self.fuera.append(f"{self._titulo}: {nombre}")

    def razon(self, nombre: str, a: Sequence[float], b: Sequence[float], limite: Limite | None = None) -> None:
        """The median of ``a`` over the median of ``b``."""
        self.cifra(f"{nombre} (razón)", statistics.median(a) / statistics.median(b), limite)

    def segundos(self, nombre: str, values: Sequence[float]) -> None:
        """Median and minimum of some rounds."""
        median, least = statistics.median(values), min(values)
        print(f"  {nombre:<{_NAME}} mediana {median:8.3f} s   mínimo {least:8.3f} s   n={len(values)}", flush=True)

    def nota(self, texto: str) -> None:
        """A line of explanation or of a table."""
        print(f"  {texto}", flush=True)

    def fin(self) -> int:
        """The last line; the exit status of the bench."""
        if not self.fuera:
            print("\nTodo dentro de sus límites.")
            return 0
        print(f"\nFUERA de su límite ({len(self.fuera)}):")
        for name in self.fuera:
            print(f"  {name}")
        return 1
