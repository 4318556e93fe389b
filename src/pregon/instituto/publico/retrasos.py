"""Which cuts were late, by how much and why: for people. Pure.

A cut is late where its notice of delay was signed, or where it was signed later than the settings let pass before one.
Why is told in words that anybody may read: what the journal says of files, people and machines stays there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pregon.instituto.opera.programa import es_de
from pregon.instituto.publico.modelo import Retraso
from pregon.trust.aviso import TODOS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from pregon.instituto.monitor.modelo import Periodo
    from pregon.instituto.opera.programa import Corte
    from pregon.trust.aviso import Aviso

_SIN_DECIR = "El instituto no ha dicho la causa."
_POR_CODIGO = {
    "ENTRADA": "No habían llegado los datos del corte.",
    "HALLAZGOS": "Los datos del corte se estaban revisando.",
    "CIERRE": "El corte de cierre esperaba la confirmación del instituto.",
    "INSTANCIA": "El instituto aún preparaba el corte.",
    "RED": "No se pudo llegar a la base de datos del instituto.",
    "DISCO": "Hubo una falla técnica en el instituto.",
    "ESCRITURA": "Hubo una falla técnica en el instituto.",
}
_HACIENDO = "El instituto aún preparaba el corte."
_FALLA = "Hubo una falla técnica en el instituto."


def publica(porque: str) -> str:
    """The public words for what the journal gives as the reason of a delay.

    It begins with the code of an error («ENTRADA: No han…») or is one of the two phrases of the service; whatever
    else it says names files, tables or people, and is not told.
    """
    code, mark, _ = porque.partition(": ")
    if mark and code.isupper():
        return _POR_CODIGO.get(code, _FALLA)
    return _HACIENDO if porque in ("se está haciendo", "no se ha podido comenzar") else _SIN_DECIR


def primeros(huecos: Sequence[Periodo], cortes: Sequence[Corte]) -> dict[int, Corte]:
    """The first cut of each slot, by its index: a second one of the same slot makes none late."""
    found: dict[int, Corte] = {}
    for one in sorted(cortes, key=lambda each: each.corte):
        if one.corte:
            slot = next((each for each in huecos if es_de(each, one.hora_corte)), huecos[0])
            found.setdefault(slot.indice, one)
    return found


def retrasos(
    huecos: Sequence[Periodo],
    cortes: Sequence[Corte],
    avisos: Sequence[Aviso],
    razones: Mapping[int, str],
    *,
    ahora: datetime,
    margen: timedelta,
) -> tuple[Retraso, ...]:
    """The late cuts until ``ahora``, oldest first.

    Args:
        huecos: every slot of the night. cortes: every signed cut. avisos: every signed notice.
        razones: by slot, the reason that the journal gives.
        margen: what a cut may take after it was due.
    """
    first, made = primeros(huecos, cortes), []
    told = [one for one in avisos if one.tipo == "retraso" and one.difusores == (TODOS,)]
    for slot in huecos:
        if slot.vence > ahora:
            break
        cut = first.get(slot.indice)
        until = min(slot.hasta, ahora) if cut is None else cut.firmado
        notice = next((one for one in reversed(told) if slot.vence <= one.desde <= until), None)
        if notice is None and until - slot.vence <= margen:
            continue
        # The slot of the closing cut is never over: that one is owed until it is signed.
        lost = cut is None and slot.hasta <= ahora and slot is not huecos[-1]
        took = (ahora if cut is None else cut.firmado) - slot.vence
        made.append(
            Retraso(
                vence=slot.vence,
                desenlace="perdido" if lost else "pendiente" if cut is None else "tarde",
                porque=publica(razones[slot.indice]) if slot.indice in razones else _SIN_DECIR,
                corte=None if cut is None else cut.corte,
                segundos=None if lost else round(took.total_seconds()),
                texto=None if notice is None else notice.texto,
                anunciado=None if notice is None else notice.desde,
            )
        )
    return tuple(made)
