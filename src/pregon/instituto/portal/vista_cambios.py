"""«Qué cambió en este corte»: the view of a contest's changes, bounded so that its page stays small at any hour.

The page shows as many actas as the limits below say; all of them are in ``cambios.json``.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pregon.instituto.cambios import ARCHIVO
from pregon.instituto.portal.formato import cantidad, casilla
from pregon.instituto.portal.vista_unidad import INDICE
from pregon.prep.cambios import Cambios
from pregon.prep.text import natural

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pregon.instituto.portal.partidos import Actores
    from pregon.instituto.portal.vista_unidad import VistaUnidad
    from pregon.instituto.portal.vistas import VistaContienda
    from pregon.prep.cambios import Celda
    from pregon.prep.model import Acta

MAX_ENTRARON = 200
MAX_CORREGIDAS = 100
MAX_MOVIDAS = 50
MAX_SALIERON = 50
MAX_CELDAS = 12
"""Cells shown of one corrected acta."""
MAX_TEXTO = 80
"""Characters shown of one cell."""
_FUERA = "Fuera de catálogo"
_COLUMNAS = {
    "TOTAL_VOTOS_ASENTADO": "Total de votos asentado",
    "TOTAL_VOTOS_CALCULADO": "Total de votos calculado",
    "LISTA_NOMINAL": "Lista nominal",
    "OBSERVACIONES": "Observaciones",
    "CONTABILIZADA": "Contabilizada",
}


@dataclass(frozen=True)
class Anterior:
    """The cut before this one."""

    corte: int
    hora: datetime


@dataclass(frozen=True)
class FilaActa:
    """An acta: its unit in words, its sección and casilla. ``carpeta`` is that of its unit's page, empty if none."""

    unidad: str
    carpeta: str
    seccion: str
    casilla: str


@dataclass(frozen=True)
class FilaCelda:
    """A cell before and now, as shown."""

    columna: str
    antes: str
    despues: str


@dataclass(frozen=True)
class FilaCorregida:
    """A corrected acta; ``otras`` counts the cells left out."""

    acta: FilaActa
    celdas: tuple[FilaCelda, ...]
    otras: int


@dataclass(frozen=True)
class FilaMovida:
    """An acta that changed its place."""

    antes: FilaActa
    despues: FilaActa


@dataclass(frozen=True)
class FilaUnidad:
    """How many actas of a unit entered and were corrected."""

    titulo: str
    carpeta: str
    entraron: int
    corregidas: int


@dataclass(frozen=True)
class VistaCambios:
    """The page of changes of one contest. The four numbers count all; the lists may be shorter.

    ``anterior`` is None where there is nothing to compare with: the first cut.
    """

    ruta: str
    archivo: str
    anterior: Anterior | None
    entraron: int
    corregidas: int
    movidas: int
    salieron: int
    unidades: tuple[FilaUnidad, ...]
    lista_entraron: tuple[FilaActa, ...]
    lista_corregidas: tuple[FilaCorregida, ...]
    lista_movidas: tuple[FilaMovida, ...]
    lista_salieron: tuple[FilaActa, ...]

    @property
    def resumen(self) -> str:
        """One sentence: what happened to how many actas."""
        if self.anterior is None:
            return "No hay un corte anterior con el cual compararlo."
        told = [
            cantidad(count, one, many)
            for count, one, many in (
                (self.entraron, "acta nueva", "actas nuevas"),
                (self.corregidas, "corregida", "corregidas"),
                (self.movidas, "cambió de lugar", "cambiaron de lugar"),
                (self.salieron, "salió", "salieron"),
            )
            if count
        ]
        if not told:
            return "Ningún acta cambió respecto del corte anterior."
        joined = told[0] if len(told) == 1 else f"{', '.join(told[:-1])} y {told[-1]}"
        return f"Respecto del corte anterior: {joined}."


def vista_cambios(
    view: VistaContienda, actores: Actores, cambios: Cambios | None, anterior: Anterior | None
) -> VistaCambios:
    """The page of changes of the contest in ``view``.

    Args:
        view: the contest in this cut.
        actores: its vote columns.
        cambios: what ``prep.cambios.changes`` found; None in the first cut, with ``anterior`` None.
        anterior: the cut that it was compared with.
    """
    if cambios is None or anterior is None:
        cambios, anterior = Cambios(), None
    rows = _Filas(view)
    entered = Counter(acta.unidad for acta in cambios.entraron)
    corrected = Counter(item.acta.unidad for item in cambios.corregidas)
    units = sorted(entered | corrected, key=rows.place)
    return VistaCambios(
        ruta=f"{view.id}/cambios/{INDICE}",
        archivo=f"{view.datos}{ARCHIVO}",
        anterior=anterior,
        entraron=len(cambios.entraron),
        corregidas=len(cambios.corregidas),
        movidas=len(cambios.movidas),
        salieron=len(cambios.salieron),
        unidades=tuple(FilaUnidad(*rows.unit(key), entered[key], corrected[key]) for key in units),
        lista_entraron=rows.of(cambios.entraron, MAX_ENTRARON),
        lista_corregidas=tuple(
            FilaCorregida(
                acta=rows.acta(item.acta),
                celdas=tuple(_cell(cell, actores) for cell in item.celdas[:MAX_CELDAS]),
                otras=max(len(item.celdas) - MAX_CELDAS, 0),
            )
            for item in sorted(cambios.corregidas, key=lambda item: rows.order(item.acta))[:MAX_CORREGIDAS]
        ),
        lista_movidas=tuple(
            FilaMovida(rows.acta(item.antes), rows.acta(item.despues))
            for item in sorted(cambios.movidas, key=lambda item: rows.order(item.despues))[:MAX_MOVIDAS]
        ),
        lista_salieron=rows.of(cambios.salieron, MAX_SALIERON),
    )


class _Filas:
    """Actas in words, in the order of the contest's units. A unit that is not there is fuera de catálogo."""

    def __init__(self, view: VistaContienda) -> None:
        self._units: dict[str, VistaUnidad] = {unit.id: unit for unit in view.unidades}
        self._order = {identifier: place for place, identifier in enumerate(self._units)}

    def place(self, unit: str) -> int:
        return self._order.get(unit, len(self._order))

    def order(self, acta: Acta) -> tuple[object, ...]:
        case = tuple(natural(text) for text in (acta.seccion, acta.tipo, acta.id_casilla, acta.ext_contigua))
        return (self.place(acta.unidad), *case, acta.linea)

    def unit(self, identifier: str) -> tuple[str, str]:
        """Its title and folder."""
        unit = self._units.get(identifier)
        return (_FUERA, "") if unit is None else (unit.titulo, unit.carpeta)

    def acta(self, acta: Acta) -> FilaActa:
        return FilaActa(
            *self.unit(acta.unidad),
            seccion=acta.seccion.lstrip("0") or "—",
            casilla=casilla(acta.tipo, acta.id_casilla, acta.ext_contigua),
        )

    def of(self, actas: Sequence[Acta], limit: int) -> tuple[FilaActa, ...]:
        return tuple(self.acta(acta) for acta in sorted(actas, key=self.order)[:limit])


def _cell(cell: Celda, actores: Actores) -> FilaCelda:
    return FilaCelda(_column(cell.columna, actores), _shown(cell.antes), _shown(cell.despues))


def _column(key: str, actores: Actores) -> str:
    if key in _COLUMNAS:
        return _COLUMNAS[key]
    if actores.nulos(key):
        return "Votos nulos"
    if actores.no_registradas(key):
        return "Candidaturas no registradas"
    return " · ".join(party.siglas for party in actores.partidos(key))


def _shown(value: int | str) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    text = {"vacio": "vacío", "": "vacío"}.get(value, value)
    text = text.replace("_", " ")
    return text if len(text) <= MAX_TEXTO else f"{text[: MAX_TEXTO - 1]}…"
