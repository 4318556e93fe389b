"""The whole public state at one instant, from what is signed, the open registry and the last verdicts. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pregon.instituto.opera.programa import periodos
from pregon.instituto.publico.modelo import Corte, Noche, Publico
from pregon.instituto.publico.retrasos import primeros, retrasos
from pregon.instituto.publico.situacion import situaciones

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from pregon.convocatoria.model import Convocatoria
    from pregon.instituto.monitor.modelo import Dictamen, Periodo
    from pregon.instituto.opera.programa import Corte as Firmado
    from pregon.instituto.publico.avance import Avance
    from pregon.instituto.publico.modelo import Disponibilidad, Fase
    from pregon.instituto.registro.lista import Renglon
    from pregon.trust.aviso import Aviso


def estado(
    convocatoria: Convocatoria,
    cortes: Sequence[Firmado],
    avisos: Sequence[Aviso],
    *,
    ahora: datetime,
    renglones: Sequence[Renglon],
    dictamenes: Mapping[str, Dictamen],
    avance: Avance,
    razones: Mapping[int, str],
    disponibilidad: Mapping[str, tuple[Disponibilidad, ...]],
    margen: timedelta,
    vale: timedelta,
) -> Publico:
    """What everybody may know at ``ahora``. Before the start no cut is told, signed or not (design §3).

    Args:
        razones: by slot, the reason that the journal gives for its delay.
        margen: what a cut may take after it was due. vale: for how long a verdict says how somebody is.
    """
    night = _night(convocatoria, cortes, avisos, avance, razones, ahora=ahora, margen=margen)
    found = situaciones(
        renglones,
        dictamenes,
        {one.corte: one.hora_corte for one in cortes},
        disponibilidad,
        fase=night.fase,
        ahora=ahora,
        vale=vale,
    )
    return Publico(hora=ahora, noche=night, difusores=found)


def _night(
    convocatoria: Convocatoria,
    cortes: Sequence[Firmado],
    avisos: Sequence[Aviso],
    avance: Avance,
    razones: Mapping[int, str],
    *,
    ahora: datetime,
    margen: timedelta,
) -> Noche:
    begin, end = convocatoria.inicio, convocatoria.fin_actualizacion
    if ahora < begin:
        return Noche(fase="antes", inicio=begin, fin=end, proximo=begin)
    slots = periodos(convocatoria, cortes)
    phase: Fase = "cerrada" if cortes and cortes[-1].ultimo else "noche"
    late = retrasos(slots, cortes, avisos, razones, ahora=ahora, margen=margen)
    by_cut = {cut.corte: slots[index] for index, cut in primeros(slots, cortes).items()}
    due: Periodo = slots[0]
    told = []
    for one in cortes:
        if one.corte == 0:
            continue
        due = by_cut.get(one.corte, due)
        own = one.corte in by_cut  # Another of the same slot was promised to nobody.
        delay = max(0, round((one.firmado - due.vence).total_seconds())) if own else 0
        told.append(
            Corte(
                corte=one.corte,
                hora_corte=one.hora_corte,
                firmado=one.firmado,
                vence=due.vence,
                tarde_s=delay,
                a_tiempo=not any(each.corte == one.corte for each in late),
                actas=avance.de(one.corte),
            )
        )
    following = None
    if phase == "noche":
        owed = late[-1] if late and late[-1].desenlace == "pendiente" else None
        held = primeros(slots, cortes)
        following = (
            owed.vence
            if owed is not None
            else next((one.vence for one in slots if one.indice not in held and one.hasta > ahora), None)
        )
    return Noche(
        fase=phase,
        inicio=begin,
        fin=end,
        proximo=following,
        contiendas=avance.contiendas,
        cortes=tuple(told),
        retrasos=late,
    )
