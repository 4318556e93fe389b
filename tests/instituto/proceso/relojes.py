"""Slots, dictámenes and counts written short, for the pure tests of the due process."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pregon.instituto.monitor.modelo import Dictamen, Periodo

if TYPE_CHECKING:
    from pregon.instituto.monitor.modelo import Causa, Veredicto

INICIO = datetime(2021, 6, 7, 1, 0, tzinfo=UTC)
INTERVALO = timedelta(minutes=20)
TOLERANCIA = timedelta(minutes=10)
DIFUSOR = "radio-uno"


def periodo(indice: int, *, firmado_min: float | None = 1, corte: int | None = None) -> Periodo:
    """Slot ``indice``, its cut (``indice`` + 1) signed so many minutes after it was due; None: missed."""
    due = INICIO + indice * INTERVALO
    if firmado_min is None:
        return Periodo(indice, due, due + INTERVALO)
    number = indice + 1 if corte is None else corte
    return Periodo(indice, due, due + INTERVALO, number, due + timedelta(minutes=firmado_min), f"{number:064x}")


def visto(
    indice: int,
    minuto: float,
    veredicto: Veredicto = "al_dia",
    causa: Causa | None = None,
    **more: Any,
) -> Dictamen:
    """What is said of ``DIFUSOR`` so many minutes after slot ``indice`` was due; a failure is its own unless said."""
    mine: Causa = (
        "ninguna" if veredicto == "al_dia" else "sin_determinar" if veredicto == "sin_determinar" else "difusor"
    )
    values: dict[str, Any] = {
        "difusor": DIFUSOR,
        "corte": indice + 1 if veredicto == "al_dia" else None,
        "evidencia": (indice * 100 + int(minuto),),
        **more,
    }
    return Dictamen(
        hora=INICIO + indice * INTERVALO + timedelta(minutes=minuto),
        veredicto=veredicto,
        causa=mine if causa is None else causa,
        **values,
    )
