"""For how long a portal may be silent in a night, and which clauses say so. Pure.

A call that asks for a share of availability (INE-IV-a: 99.9 % of the month) gets that share of its own night: of the 24
hours of updates, 86.4 seconds. Where none is asked for, the rule of continuity is that of the compliance report
(``difusor.cumplimiento``): less than one interval in all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pregon.convocatoria.model import Convocatoria


@dataclass(frozen=True)
class Caida:
    """``segundos``: the silence that is let pass. ``asunto``: what a longer one fails."""

    asunto: Literal["DISPONIBILIDAD", "CONTINUIDAD"]
    segundos: float


def caida_admitida(convocatoria: Convocatoria) -> Caida:
    """The limit of one call, for one night."""
    share = convocatoria.disponibilidad
    if share is None:
        return Caida("CONTINUIDAD", convocatoria.intervalo_min * 60.0)
    night = (convocatoria.fin_actualizacion - convocatoria.inicio).total_seconds()
    return Caida("DISPONIBILIDAD", round(night * float(100 - share) / 100, 1))
