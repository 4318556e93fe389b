"""The slots of a call's clock, each with the cut that was signed for it. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pregon.instituto.monitor.modelo import Periodo

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pregon.convocatoria.model import Convocatoria
    from pregon.instituto.monitor.veredicto import Firmado

ADELANTO = timedelta(seconds=60)
"""A cut whose hour is this little before a slot belongs to it: the clock of the source need not be ours."""


def periodos(
    convocatoria: Convocatoria, cortes: Sequence[tuple[Firmado, datetime]], *, cierre: int | None = None
) -> tuple[Periodo, ...]:
    """Every slot of the night: ``inicio``, one each interval, and the end of updates.

    Args:
        cortes: the signed cuts with their hour. One belongs to the slot in which its hour falls; where two do, the
            slot's is the last. The package of before the start (0000) belongs to none.
        cierre: the number of the closing cut, once there is one: nothing is owed after it.
    """
    call = convocatoria
    step = timedelta(minutes=call.intervalo_min)
    hours = [call.inicio + step * i for i in range(int((call.fin_actualizacion - call.inicio) / step) + 1)]
    if hours[-1] < call.fin_actualizacion:
        hours.append(call.fin_actualizacion)
    held: dict[int, Firmado] = {}
    last = len(hours) - 1
    for cut, hour in sorted(cortes, key=lambda one: one[0].corte):
        if cut.corte == 0:
            continue
        index = max((i for i, due in enumerate(hours) if due - ADELANTO <= hour), default=0)
        held[index] = cut
        if cut.corte == cierre:
            last = index
    return tuple(
        _slot(index, due, hours[index + 1] if index < last else due + step, held.get(index))
        for index, due in enumerate(hours[: last + 1])
    )


def _slot(index: int, due: datetime, until: datetime, cut: Firmado | None) -> Periodo:
    if cut is None:
        return Periodo(index, due, until)
    return Periodo(index, due, until, cut.corte, cut.firmado, cut.manifiesto_sha256)
