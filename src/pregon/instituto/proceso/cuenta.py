"""How each slot of the clock ended for each difusor, and the count of failed ones in a row: pure (GRO-3.3a).

It counts cuts, not looks: however often a portal was seen failing within one slot, the slot adds one at most. What
decides a slot is the last thing that was found out in it, so that whoever solved its failure in time fulfilled.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from pregon.instituto.proceso.modelo import Cierre, Cuenta

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from pregon.convocatoria.model import Convocatoria
    from pregon.instituto.monitor.modelo import Dictamen, Periodo
    from pregon.instituto.proceso.modelo import Resultado

PARTE_DEL_INTERVALO: Final = 2
"""Where the call promises no time, a cut may take this part of the interval: half of it."""
MAX_EVIDENCIA: Final = 50
"""Observations that one slot cites; of more, the last ones: they are what was still so when it ended."""

_CAUSAS: Final = {
    "instituto": "la causa es del instituto",
    "red": "la causa es de la red",
    "ninguna": "no se supo de quién es la causa",
}


def tolerancia(convocatoria: Convocatoria) -> timedelta:
    """How long after the signature of a cut an older one is no failure yet.

    ``retraso_max_s`` (DGO-I-11d), else ``transferencia_max_s`` (GRO-2.2b), else half the interval.
    """
    promised = convocatoria.retraso_max_s or convocatoria.transferencia_max_s
    if promised is not None:
        return timedelta(seconds=promised)
    return timedelta(minutes=convocatoria.intervalo_min) / PARTE_DEL_INTERVALO


def cierra(difusor: str, periodo: Periodo, dictamenes: Iterable[Dictamen], *, tolerancia: timedelta) -> Cierre:
    """How ``periodo`` ended for ``difusor``; of ``dictamenes``, those of others or of other times are left aside.

    * The institute signed no cut for it, or with less than ``tolerancia`` left: it counts for nobody.
    * Else the last dictamen that found anything out between the signature and the end decides. Within ``tolerancia``
      of the signature only one thing is said already: that this very cut is seen.
    * Nothing found out, or a failure whose cause is not the difusor: it does not count. A failure of which nobody knows
      whose it is finds nothing out: what was known before it holds.
    """
    if periodo.corte is None or periodo.firmado is None:
        return _cierre(difusor, periodo, "el instituto no firmó el corte de este periodo", resultado="no_cuenta")
    if periodo.firmado + tolerancia > periodo.hasta:
        return _cierre(
            difusor, periodo, "el instituto firmó el corte con menos tiempo del que promete", resultado="no_cuenta"
        )
    seen = _window(difusor, periodo, dictamenes, tolerancia)
    if not seen:
        return _cierre(difusor, periodo, "no se pudo determinar nada en este periodo", resultado="no_cuenta")
    last = seen[-1]
    if last.falla:
        because = f"terminó el periodo {last.veredicto} por causa del difusor"
        failed = tuple(one for one in seen if one.falla)
        return _cierre(difusor, periodo, because, last, failed, resultado="fallo")
    if last.veredicto == "al_dia":
        return _cierre(difusor, periodo, "terminó el periodo al día", last, (last,), resultado="cumplio")
    because = f"terminó el periodo {last.veredicto}, pero {_CAUSAS[last.causa]}"
    return _cierre(difusor, periodo, because, last, (last,), resultado="no_cuenta")


def suma(cuenta: Cuenta, cierre: Cierre) -> Cuenta:
    """The count after one slot more: a failure adds one, a fulfilled one takes it to zero, the others leave it."""
    if cierre.resultado == "no_cuenta":
        return cuenta
    if cierre.resultado == "cumplio":
        return Cuenta(difusor=cuenta.difusor)
    return replace(cuenta, seguidas=cuenta.seguidas + 1, cierres=(*cuenta.cierres, cierre))


def terminado(periodo: Periodo, siguiente: Periodo | None, ahora: datetime) -> bool:
    """Whether ``periodo`` ended at ``ahora``: its time is over, or the cut of the next one is signed already."""
    if siguiente is not None and siguiente.firmado is not None and siguiente.firmado <= ahora:
        return True
    return periodo.hasta <= ahora


def _window(
    difusor: str, periodo: Periodo, dictamenes: Iterable[Dictamen], tolerancia: timedelta
) -> Sequence[Dictamen]:
    """What was found out of ``difusor`` in the time in which the slot is judged, oldest first."""
    signed = periodo.firmado
    if signed is None:
        return ()
    due = signed + tolerancia

    def weighs(one: Dictamen) -> bool:
        if one.difusor != difusor or not signed <= one.hora < periodo.hasta:
            return False
        if not one.determinado or one.causa == "sin_determinar":
            return False
        return one.hora >= due or (one.veredicto == "al_dia" and one.corte == periodo.corte)

    return sorted((one for one in dictamenes if weighs(one)), key=lambda one: one.hora)


def _cierre(
    difusor: str,
    periodo: Periodo,
    porque: str,
    decide: Dictamen | None = None,
    citados: Sequence[Dictamen] = (),
    *,
    resultado: Resultado,
) -> Cierre:
    evidence = dict.fromkeys(number for one in citados for number in one.evidencia)
    return Cierre(
        difusor=difusor,
        periodo=periodo.indice,
        corte=periodo.corte,
        hora=periodo.hasta,
        resultado=resultado,
        porque=porque,
        evidencia=tuple(evidence)[-MAX_EVIDENCIA:],
        veredicto=None if decide is None else decide.veredicto,
        motivos=() if decide is None else tuple(dict.fromkeys(motive for one in citados for motive in one.motivos)),
        corte_visto=None if decide is None else decide.corte,
    )
