"""The questions that an institute asks before it writes its call, answered with a calibration."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from pregon.simulacro.modelo.noche import percentil
from pregon.simulacro.modelo.reparto import (
    P95,
    Escenario,
    difusores_posibles,
    p95,
    subida_necesaria,
    visibles,
)

if TYPE_CHECKING:
    from pregon.simulacro.modelo.calibracion import Calibracion

ESCALAS = (10, 30, 60, 100, 300)
"""How many difusores the table tells besides those asked for: a state's, a country's, and a country's with branches."""
INTERVALOS_MIN = (1, 2, 5, 10, 15, 20, 30, 60)
PARTE_DEL_INTERVALO = 0.5
"""A cut must be seen by 95 of each 100 before half of the time to the next has passed."""


@dataclass(frozen=True)
class Pregunta:
    """What is asked. ``bytes`` of each delivery, None: those of the calibration."""

    difusores: int
    subida_mbps: float
    bajada_mbps: float
    ms: float
    bytes: float | None
    limite_s: float


@dataclass(frozen=True)
class Renglon:
    """So many difusores: seconds from signed to visible, and the uplink with which ``limite_s`` is kept."""

    difusores: int
    p50_s: float
    p95_s: float
    ultimo_s: float
    subida_mbps: float | None


@dataclass(frozen=True)
class Respuesta:
    """``intervalo_min``: the least of the usual ones that leaves time; None where none does."""

    bytes: float
    limite_s: float
    renglones: tuple[Renglon, ...]
    difusores_max: int
    intervalo_min: int | None

    def to_json(self) -> dict[str, Any]:
        """``{bytes, limite_s, renglones[{difusores, p50_s, p95_s, ultimo_s, subida_mbps}], difusores_max, …}``."""
        return asdict(self)


def responde(calibracion: Calibracion, pregunta: Pregunta) -> Respuesta:
    """The answers. The difusor's work grows with the bytes of a cut, in the proportion that was measured."""
    work = calibracion.medida
    if pregunta.bytes is not None and work.bytes > 0:
        growth = max(1.0, pregunta.bytes / work.bytes)
        work = replace(work, bytes=pregunta.bytes, difusor_s=work.difusor_s * growth)
    case = Escenario(
        pregunta.difusores, subida_mbps=pregunta.subida_mbps, bajada_mbps=pregunta.bajada_mbps, ms=pregunta.ms
    )
    lines = []
    for number in sorted({*ESCALAS, pregunta.difusores}):
        seconds = visibles(work, replace(case, difusores=number))
        lines.append(
            Renglon(
                number,
                percentil(seconds, 0.5),
                percentil(seconds, P95),
                max(seconds),
                subida_necesaria(work, replace(case, difusores=number), limite_s=pregunta.limite_s),
            )
        )
    needed = p95(work, case) / PARTE_DEL_INTERVALO / 60
    return Respuesta(
        bytes=work.bytes,
        limite_s=pregunta.limite_s,
        renglones=tuple(lines),
        difusores_max=difusores_posibles(work, case, limite_s=pregunta.limite_s),
        intervalo_min=next((one for one in INTERVALOS_MIN if one >= math.ceil(needed * 1e6) / 1e6), None),
    )
