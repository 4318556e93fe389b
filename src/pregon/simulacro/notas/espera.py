"""What must be seen of each difusor in each period, said by the plan of faults alone. Pure; nothing of the night here.

The rules, from design §3 (nothing unverified is ever public; a late or bad cut never blanks the site; the last cut
stays) and the calls (GRO-1.1a, GRO-1.1b, GRO-3.3a and their like):

1. A cut that reaches a difusor whole is shown by it in its period.
2. What comes altered, unfinished, out of date or signed by somebody else is refused with its own code, and the cut
   that was there stays.
3. Where nothing comes (a link cut, a process killed, a cut that was not made), the cut that was there stays.
4. When a fault ends, the difusor shows the newest cut by itself, without waiting for another.
5. A cache that refuses to forget hides no cut from who asks the difusor itself; that it refuses is told, and asked
   again until it forgets.
6. Before the start nothing is shown, whatever a clock says.
7. A machine of the institute that is lost is replaced by another, and its cut comes with the number that followed.
8. A server that is killed comes back by its own means and shows the cut of its period; where only who cares for it was
   killed, no reader notices.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pregon.simulacro.fallas.plan import Clase, Falla

RECHAZO: Mapping[Clase, frozenset[str]] = {
    "corrompido": frozenset({"HASH"}),
    "truncado": frozenset({"RED"}),
    "corte_viejo": frozenset({"RETROCESO"}),
    "llave_ajena": frozenset({"FIRMA", "UMBRAL"}),
    "disco_lleno": frozenset({"DISCO"}),
    "reloj": frozenset({"EXPIRADO"}),
    "purga_negada": frozenset({"PURGA"}),
}
"""The code with which a difusor must tell each fault; the kinds that are not here reach it as silence, or not at all.

A file that ends before the length that was signed is a failure of the transfer, not of the content (INE-VI-a-i).
"""
_CALLAN = frozenset({"enlace_cortado", "proceso_muerto"})
"""Nothing comes, or nobody takes it: nothing new is shown, and there is nothing to refuse."""
_TARDAN: tuple[Clase, ...] = ("corte_tarde", "instituto_perdido", "instituto_relevado", "instituto_recuperado")
"""The cut comes, and not in time: until then the one before stays."""


@dataclass(frozen=True)
class Esperado:
    """What must be seen of a difusor in one period.

    ``muestra``: the number of the cut at its end; 0: nothing of any package. ``mientras``: the same before the cut of a
    period in which it comes late; None where it comes in time. ``codigos``: one of which it must tell; empty: none.
    ``vuelve``: the cut that it must show by itself once its fault ended, at its edge where the fault is of it; None
    where none ends. ``sigue``: what it tells of stops no cut: its own portal shows it. ``silencio``: how its portal may
    be without an answer in the period: «ninguno», «breve» (what the call lets pass, ``notas.caida``); None: not asked.
    """

    difusor: str
    periodo: int
    muestra: int
    mientras: int | None = None
    codigos: frozenset[str] = frozenset()
    falla: Falla | None = None
    vuelve: int | None = None
    sigue: bool = False
    silencio: Literal["ninguno", "breve"] | None = None


def esperado(fallas: Sequence[Falla], *, difusores: Sequence[str], periodos: int) -> dict[tuple[str, int], Esperado]:
    """By difusor and period (from 1). Cuts take consecutive numbers, and one that is not made takes none."""
    numbers, number = {}, 0
    for period in range(1, periodos + 1):
        number += not _of(fallas, "instituto", period, "corte_omitido")
        numbers[period] = number
    found = {}
    for name in difusores:
        shown = 0
        for period in range(1, periodos + 1):
            one = _one(fallas, name, period, before=shown, newest=numbers[period])
            found[name, period] = one
            shown = one.muestra if one.vuelve is None else one.vuelve
    return found


def _one(fallas: Sequence[Falla], name: str, period: int, *, before: int, newest: int) -> Esperado:
    meanwhile = before if any(_of(fallas, "instituto", period, clase) for clase in _TARDAN) else None
    fault = next((one for one in fallas if one.objetivo == name and one.activa(period)), None)
    if fault is None:
        return Esperado(name, period, newest, meanwhile)
    if fault.clase == "purga_negada":
        # Its own portal needs no cache; only the edge is behind, and must be told of until it forgets.
        back = newest if fault.ultimo == period else None
        return Esperado(name, period, newest, meanwhile, RECHAZO[fault.clase], fault, back, sigue=True)
    if fault.clase == "servidor_muerto":
        silence: Literal["ninguno", "breve"] = "ninguno" if fault.mata == "sirve" else "breve"
        return Esperado(name, period, newest, meanwhile, falla=fault, silencio=silence)
    # A clock that is slow opens nothing before its hour and shuts nothing: only one that is fast sees dates go by.
    stops = fault.clase in _CALLAN or (
        fault.clase in RECHAZO and not (fault.clase == "reloj" and fault.desfase_min < 0)
    )
    if not stops:
        return Esperado(name, period, newest, meanwhile, falla=fault)
    back = newest if fault.ultimo == period else None
    return Esperado(name, period, before, meanwhile, RECHAZO.get(fault.clase, frozenset()), fault, back)


def _of(fallas: Sequence[Falla], objetivo: str, period: int, clase: Clase) -> bool:
    return any(one.objetivo == objetivo and one.clase == clase and one.activa(period) for one in fallas)
