"""What the rule of each call asks for after a slot: warn, propose an order to a person, order, or nothing. Pure.

===========  ==========================================  ===================================  =======================
Call         What leads to the order                     The order                            The return
===========  ==========================================  ===================================  =======================
GRO-3.3      three failed cuts in a row                  interrupt, notice, link off          proposed, verified cut
DGO-I-12     any breach; the text gives no count         interrupt, notice, link off          proposed, verified cut
MOR-I-12     any breach; the text gives no count         block, off the list                  an operator's own order
MEX-I-12     any breach; the text gives no count         block, off the list                  an operator's own order
MEX-I-13     an attack: an operator says so              block, public notice                 an operator's own order
INE-I-d-3    documents or a rehearsal, never a count     removal                              a recorded exception
===========  ==========================================  ===================================  =======================

Where any breach suffices, altered content or results before their hour are one by themselves: the order is proposed at
once. For the rest the count of the only text that has one is borrowed, and a person always decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from pregon.convocatoria.clausulas import del_perfil
from pregon.instituto.proceso.modelo import Paso

if TYPE_CHECKING:
    from pregon.convocatoria.model import Convocatoria
    from pregon.instituto.proceso.modelo import Accion, Cierre, Cuenta

AccionPerfil = Literal["interrumpir", "bloquear", "baja"]

PERIODOS_SIN_CUENTA: Final = 3
"""Failed cuts in a row at which a person is asked, where the call gives no count: those of the text that has one."""
ADVERTENCIAS_SIN_ORDEN: Final = 2
"""Warnings for failures in a row where the call lets no failure of the night lead to an order (INE)."""
GRAVES: Final = frozenset({"CONTENIDO", "ANTICIPADO", "CORTE_AJENO"})
"""What is a breach the first time: other figures than the institute's (MEX-I-10b), or before their hour (MEX-I-1c)."""
PUNTOS_PARA_ORDENAR: Final = 2
"""Vantage points without which no program orders: one alone cannot tell a silent portal from its own broken way."""
SIN_CLAUSULA: Final = "regla de fallo de la convocatoria"
"""What a warning cites where the clauses of the call are not written."""
_CLAVES: Final = ("fallo.periodos", "fallo.accion", "fallo.irrevocable")


@dataclass(frozen=True, kw_only=True)
class Regla:
    """The rule of one call (``[fallo]`` of its profile).

    ``propone_en``: failed slots in a row at which the order is proposed; None: no count leads to one. ``contada``:
    whether that number is the call's own. ``grave_basta``: whether one altered portal suffices. ``automatica``: the
    order is signed without waiting for a person. ``regresa``: whether a verified cut proposes the return.
    ``clausula``: of the order, its id, or ``SIN_CLAUSULA``.
    """

    accion: AccionPerfil
    propone_en: int | None
    contada: bool
    grave_basta: bool
    automatica: bool
    regresa: bool
    irrevocable: bool
    clausula: str


def regla_de(convocatoria: Convocatoria, *, puntos: int = 1) -> Regla:
    """The rule of ``convocatoria``, where so many vantage points (``puntos``) watch.

    One without a count of its own, that removes for good, or that fewer than ``PUNTOS_PARA_ORDENAR`` points watch for,
    is never automatic.
    """
    fallo = convocatoria.fallo
    counted = "periodos" in fallo.causas and fallo.periodos is not None
    breach = "incumplimiento" in fallo.causas
    limit = fallo.periodos if counted else PERIODOS_SIN_CUENTA if breach or "periodos" in fallo.causas else None
    return Regla(
        accion=fallo.accion,
        propone_en=limit,
        contada=counted,
        grave_basta=breach,
        automatica=(fallo.automatica and counted and fallo.accion == "interrumpir" and puntos >= PUNTOS_PARA_ORDENAR),
        regresa=fallo.accion == "interrumpir" and not fallo.irrevocable,
        irrevocable=fallo.irrevocable,
        clausula=_clause(convocatoria),
    )


def paso(
    regla: Regla, cuenta: Cuenta, cierre: Cierre, *, estado: str = "activo", verificado: int | None = None
) -> Paso:
    """What follows after ``cierre``, already added to ``cuenta``, for a difusor in ``estado`` of the register.

    Only one that is «activo» is warned or ordered away. Only one that is «suspendido» is proposed to return, after a
    slot at whose end it was seen as it must be and its cut is verified: seen from outside, or in ``verificado``, the
    newest that its signed acuses say it has (who shows the notice shows no cut). One that is «bloqueado» returns by an
    operator's own order (MEX-I-13). A failure after the limit proposes again, so that one discarded order does not
    silence the rest of the night.
    """
    if cierre.difusor != cuenta.difusor:
        raise ValueError("la cuenta y el periodo son de difusores distintos")
    if estado == "suspendido" and cierre.resultado == "cumplio" and regla.regresa:
        if cierre.corte is not None and cierre.corte <= max(cierre.corte_visto or 0, verificado or 0):
            return _paso(
                regla, cuenta, "proponer_regreso", f"ya suspendido, tiene verificado el corte {cierre.corte:04d}"
            )
        return _paso(regla, cuenta, "nada", "no consta que tenga verificado el corte del periodo")
    if estado != "activo" or cierre.resultado != "fallo":
        return _paso(regla, cuenta, "nada", cierre.porque)
    failed, grave = cuenta.seguidas, sorted(GRAVES.intersection(cierre.motivos))
    if regla.grave_basta and grave:
        return _paso(regla, cuenta, "proponer", f"mostró lo que no es del instituto ({', '.join(grave)})")
    if regla.propone_en is None:
        again = failed <= ADVERTENCIAS_SIN_ORDEN
        return _paso(regla, cuenta, "advertir" if again else "nada", _in_a_row(failed))
    if failed < regla.propone_en:
        return _paso(regla, cuenta, "advertir", f"{_in_a_row(failed)}; el límite es {regla.propone_en}")
    return _paso(regla, cuenta, "ordenar" if regla.automatica else "proponer", _in_a_row(failed))


def _paso(regla: Regla, cuenta: Cuenta, accion: Accion, porque: str) -> Paso:
    return Paso(difusor=cuenta.difusor, accion=accion, cuenta=cuenta.seguidas, porque=porque, clausula=regla.clausula)


def _in_a_row(failed: int) -> str:
    return "un corte fallido" if failed == 1 else f"{failed} cortes fallidos seguidos"


def _clause(convocatoria: Convocatoria) -> str:
    for key in _CLAVES:
        found = del_perfil(convocatoria.id, key)
        if found:
            return found[0]
    return SIN_CLAUSULA
