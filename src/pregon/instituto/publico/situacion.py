"""How each difusor of the list is, in public words. Pure.

What a verdict is made of (reasons, evidence, vantage points) and what may come of it (warnings, orders) is told to the
difusor and kept as evidence; here is only what any citizen who opens the portal could see. That a portal shows
something else than what was signed is under review until the institute orders something, which is public.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pregon.instituto.publico.modelo import Difusor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from pregon.instituto.monitor.modelo import Dictamen
    from pregon.instituto.publico.modelo import Disponibilidad, Fase, Situacion
    from pregon.instituto.registro.lista import Renglon

CON_CORTE: frozenset[Situacion] = frozenset({"al_dia", "atrasado", "parcial"})
"""Where the cut that it shows is told."""


def situaciones(
    renglones: Sequence[Renglon],
    dictamenes: Mapping[str, Dictamen],
    horas: Mapping[int, datetime],
    disponibilidad: Mapping[str, tuple[Disponibilidad, ...]],
    *,
    fase: Fase,
    ahora: datetime,
    vale: timedelta,
) -> tuple[Difusor, ...]:
    """How each line of the list is at ``ahora``, in the order of the list.

    Args:
        dictamenes: the last verdict on each. horas: the hour of each signed cut.
        vale: for how long a verdict says how somebody is.
    """
    made = []
    for line in renglones:
        told = dictamenes.get(line.id)
        if told is not None and ahora - told.hora > vale:
            told = None
        how = situacion(line, told, fase)
        cut = told.corte if told is not None and how in CON_CORTE else None
        if cut not in horas:
            cut = None
        made.append(
            Difusor(
                renglon=line,
                situacion=how,
                corte=cut,
                hora_corte=None if cut is None else horas[cut],
                atraso_s=None if told is None or how != "atrasado" or told.atraso_s is None else round(told.atraso_s),
                visto=None if told is None or line.como != "enlazado" or fase == "antes" else told.hora,
                disponibilidad=() if line.como == "no_valido" else disponibilidad.get(line.id, ()),
            )
        )
    return tuple(made)


def situacion(renglon: Renglon, dictamen: Dictamen | None, fase: Fase) -> Situacion:
    """The public words for a verdict. The institute's own lateness is told of the institute, not of who shows it."""
    if renglon.como != "enlazado":
        return renglon.como
    if fase == "antes":
        return "antes"
    if dictamen is None:
        return "sin_dato"
    match dictamen.veredicto, dictamen.causa:
        case ("al_dia", _) | ("atrasado", "instituto"):
            return "al_dia"
        case "atrasado", "difusor":
            return "atrasado"
        case "atrasado", "red":
            return "parcial"
        case "alterado", _:
            return "en_revision"
        case "inaccesible", "difusor":
            return "sin_respuesta"
        case _:
            return "sin_dato"
