"""What one cell says: one letter for one difusor in one slot. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from pregon.instituto.monitor.modelo import Dictamen, Periodo
    from pregon.instituto.proceso.modelo import Cierre
    from pregon.instituto.tablero.modelo import Letra

_FALLAS: dict[str, Letra] = {"alterado": "X", "inaccesible": "S", "atrasado": "R"}


def letra(
    periodo: Periodo,
    *,
    dictamen: Dictamen | None,
    cierre: Cierre | None,
    dicho: bool,
    fuera: bool,
    obligado: bool,
    ahora: datetime,
    tolerancia: timedelta,
) -> Letra:
    """The letter of ``periodo`` for a difusor.

    1. The due process closed it: that is how it ended.
    2. Else the last ``dictamen`` of its time. A slot without a cut is the institute's where it ended so.
    3. Else what the difusor itself says, signed (``dicho``: that it shows this very cut).

    ``fuera``: it was ordered to show a notice. ``obligado``: it had something to show by then. Who shows an older cut
    has time until ``tolerancia`` after the signature; the slot of a cut that nobody saw on time, and of which no more
    is known, stays undetermined.
    """
    # 1
    if cierre is not None and cierre.resultado == "cumplio":
        return "D"
    if cierre is not None and cierre.resultado == "fallo":
        return _FALLAS.get(cierre.veredicto or "", "R")
    if not obligado:
        return "-"
    if periodo.corte is None and periodo.hasta <= ahora:
        return "A" if fuera else "I"
    # 2
    if dictamen is not None:
        found = _seen(periodo, dictamen, fuera=fuera)
        return found if found != "E" or _on_time(periodo, ahora, tolerancia) else "D" if dicho else "Q"
    # 3
    if dicho:
        return "D"
    return "A" if fuera else "E" if _on_time(periodo, ahora, tolerancia) else "-"


def _seen(periodo: Periodo, one: Dictamen, *, fuera: bool) -> Letra:
    if one.veredicto == "sin_determinar":
        return "Q"
    if one.causa == "instituto":
        return "I"
    if one.veredicto in _FALLAS:
        return _FALLAS[one.veredicto] if one.causa == "difusor" else "N" if one.causa == "red" else "Q"
    if one.corte is None and fuera:
        return "A"
    return "D" if periodo.corte is not None and one.corte == periodo.corte else "E"


def _on_time(periodo: Periodo, ahora: datetime, tolerancia: timedelta) -> bool:
    if periodo.firmado is None:
        return ahora < periodo.hasta
    # What ended a moment ago is closed by the due process at the next round, not at once.
    return ahora <= max(periodo.firmado + tolerancia, periodo.hasta)
