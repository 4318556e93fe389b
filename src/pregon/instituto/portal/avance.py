"""The progress strip: how much is counted, and where the source's own header says otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pregon.instituto.portal.formato import entero, porcentaje
from pregon.prep.percent import trunc4

if TYPE_CHECKING:
    from pregon.tablas.model import ContestTotals, UnitTotals

_COMPARADOS = {
    "ACTAS_ESPERADAS": "Actas esperadas",
    "ACTAS_REGISTRADAS": "Actas registradas",
    "ACTAS_FUERA_CATALOGO": "Actas fuera de catálogo",
    "ACTAS_CAPTURADAS": "Actas capturadas",
    "PORCENTAJE_ACTAS_CAPTURADAS": "Porcentaje de actas capturadas",
    "ACTAS_CONTABILIZADAS": "Actas contabilizadas",
    "PORCENTAJE_ACTAS_CONTABILIZADAS": "Porcentaje de actas contabilizadas",
    "PORCENTAJE_ACTAS_INCONSISTENCIAS": "Porcentaje de actas con inconsistencias",
    "ACTAS_NO_CONTABILIZADAS": "Actas no contabilizadas",
    "LISTA_NOMINAL_ACTAS_CONTABILIZADAS": "Lista nominal de las actas contabilizadas",
    "TOTAL_VOTOS_C_CS": "Total de votos con casillas especiales",
    "TOTAL_VOTOS_S_CS": "Total de votos sin casillas especiales",
    "PORCENTAJE_PARTICIPACION_CIUDADANA": "Participación ciudadana",
}


@dataclass(frozen=True)
class Nota:
    """One figure where header and rows of the source disagree: what we computed and what its header says."""

    nombre: str
    concepto: str
    calculado: str
    fuente: str


@dataclass(frozen=True)
class Avance:
    """Counts of actas and their percentages over the expected ones (four decimals), and turnout."""

    esperadas: int
    capturadas: int
    porcentaje_capturadas: str
    contabilizadas: int
    porcentaje_contabilizadas: str
    participacion: str
    lista_nominal: int
    total_votos: int
    con_especiales: bool
    notas: tuple[Nota, ...] = ()

    @property
    def con_nota(self) -> frozenset[str]:
        """Names of the figures that carry a note."""
        return frozenset(nota.nombre for nota in self.notas)


def of_contest(totals: ContestTotals) -> Avance:
    """The strip of a whole contest, from the figures recalculated over its rows."""
    value = totals.recalculado
    return Avance(
        esperadas=_count(value["ACTAS_ESPERADAS"]),
        capturadas=_count(value["ACTAS_CAPTURADAS"]),
        porcentaje_capturadas=_percent(value["PORCENTAJE_ACTAS_CAPTURADAS"]),
        contabilizadas=_count(value["ACTAS_CONTABILIZADAS"]),
        porcentaje_contabilizadas=_percent(value["PORCENTAJE_ACTAS_CONTABILIZADAS"]),
        participacion=_percent(value["PORCENTAJE_PARTICIPACION_CIUDADANA"]),
        lista_nominal=_count(value["LISTA_NOMINAL_ACTAS_CONTABILIZADAS"]),
        total_votos=_count(value["TOTAL_VOTOS_C_CS"]),
        con_especiales=totals.regla_participacion == "con_especiales",
        notas=_notes(totals),
    )


def of_unit(unit: UnitTotals, *, con_especiales: bool) -> Avance:
    """The strip of a district or municipality."""
    actas = unit.actas
    return Avance(
        esperadas=actas.esperadas,
        capturadas=actas.capturadas,
        porcentaje_capturadas=trunc4(actas.capturadas, actas.esperadas),
        contabilizadas=actas.contabilizadas,
        porcentaje_contabilizadas=trunc4(actas.contabilizadas, actas.esperadas),
        participacion=unit.participacion,
        lista_nominal=unit.lista_nominal,
        total_votos=unit.total_votos,
        con_especiales=con_especiales,
    )


def _notes(totals: ContestTotals) -> tuple[Nota, ...]:
    notes: list[Nota] = []
    for name, words in _COMPARADOS.items():
        ours, theirs = totals.recalculado.get(name), totals.encabezado.get(name)
        if ours is not None and theirs is not None and ours != theirs:
            notes.append(Nota(name, words, _shown(ours), _shown(theirs)))
    return tuple(notes)


def _shown(value: int | str) -> str:
    return entero(value) if isinstance(value, int) else porcentaje(value)


def _count(value: int | str | None) -> int:
    return value if isinstance(value, int) else 0


def _percent(value: int | str | None) -> str:
    return value if isinstance(value, str) else "0.0000"
