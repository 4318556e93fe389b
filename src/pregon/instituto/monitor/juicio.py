"""What one observation says of a portal, at its own hour: the rules of the call, and what was owed. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from pregon.convocatoria.model import Convocatoria
    from pregon.instituto.monitor.modelo import Causa, Motivo, Observacion, Periodo, Veredicto

Mando: TypeAlias = Literal["publica", "aviso"]
"""What a difusor has to show: the results, or the notice that they are not there (suspended, blocked)."""

RESPUESTA_MAX_S = 10.0
"""For one page, where the call says nothing (GRO-2.4h, INE-II-a-iii-3a)."""
DESFASE_MAX_S = 60.0
"""How far the hour of a server may be from ours before it is told. The hour that rules is that of the cut."""
EMBARGO_MARGEN = timedelta(seconds=2)
"""Two clocks that are right differ by less: nobody is accused for it."""
VENTANA = timedelta(seconds=150)
"""How old an observation may be to say something of now: two rounds and a half."""


@dataclass(frozen=True, kw_only=True)
class Reglas:
    """What the call says that a verdict needs. Aware instants.

    ``tolerancia``: after signing, before showing an older cut is a failure. ``margen``: how late the institute may be
    before its cut is owed. ``hasta``: the end of permanence. ``periodos_aviso``: after so many slots without a signal
    the difusor itself shows the notice (GRO-3.3b), None where the call does not ask for it.
    """

    inicio: datetime
    intervalo: timedelta
    tolerancia: timedelta
    margen: timedelta = timedelta(seconds=120)
    hasta: datetime | None = None
    respuesta_max_s: float = RESPUESTA_MAX_S
    desfase_max_s: float = DESFASE_MAX_S
    periodos_aviso: int | None = None
    ventana: timedelta = VENTANA

    @classmethod
    def de(cls, convocatoria: Convocatoria) -> Reglas:
        """Those of a call: DGO-I-2 says the seconds of delay, GRO-2.2b those of a transfer; else half the interval."""
        call = convocatoria
        said = call.retraso_max_s or call.transferencia_max_s
        interval = timedelta(minutes=call.intervalo_min)
        return cls(
            inicio=call.inicio,
            intervalo=interval,
            tolerancia=interval / 2 if said is None else timedelta(seconds=said),
            margen=timedelta(seconds=call.proximo_margen_s),
            hasta=call.permanencia_hasta,
            respuesta_max_s=float(call.respuesta_max_s or RESPUESTA_MAX_S),
            periodos_aviso=call.fallo.periodos if call.fallo.aviso_en_portal else None,
        )


@dataclass(frozen=True, kw_only=True)
class Firmado:
    """One signed cut: when, and the hash of its manifest."""

    corte: int
    firmado: datetime
    manifiesto_sha256: str | None = None


@dataclass(frozen=True)
class Juicio:
    """What one observation says alone. ``debido``: the cut that it should show, where it shows an older one."""

    vista: Observacion
    veredicto: Veredicto
    causa: Causa
    motivos: tuple[Motivo, ...] = ()
    debido: Firmado | None = None


def debido(signed: Sequence[Firmado], reglas: Reglas, hora: datetime) -> Firmado | None:
    """The oldest cut that a portal may still show at ``hora`` without being late; None while none is owed."""
    due = [one for one in signed if one.corte > 0 and one.firmado + reglas.tolerancia <= hora]
    return max(due, key=lambda one: one.corte, default=None)


def debe_el_instituto(periodos: Sequence[Periodo], reglas: Reglas, hora: datetime) -> bool:
    """Whether the newest slot that came due has no cut yet, past the margin."""
    due = [one for one in periodos if one.vence + reglas.margen <= hora]
    if not due or _signed_by(due[-1], hora):
        return False
    return not any(one.indice > due[-1].indice and _signed_by(one, hora) for one in periodos)


@dataclass(frozen=True)
class Orden:
    """What it was ordered to show, and since when."""

    mando: Mando
    desde: datetime | None

    def reciente(self, hora: datetime, reglas: Reglas) -> bool:
        """Whether it still has time to obey."""
        return self.desde is not None and hora < self.desde + reglas.tolerancia


@dataclass(frozen=True)
class Noche:
    """What every observation is judged against."""

    reglas: Reglas
    periodos: Sequence[Periodo]
    signed: Mapping[int, Firmado]
    orden: Orden

    def debido(self, hora: datetime) -> Firmado | None:
        """The cut that is owed at ``hora``."""
        return debido(tuple(self.signed.values()), self.reglas, hora)


def juzga(one: Observacion, night: Noche) -> Juicio:
    """Judge one observation at its own hour."""
    notes = _notas(one, night.reglas)
    if one.codigo == "TLS":
        return Juicio(one, "inaccesible", "difusor", ("TLS", *notes))
    if not one.alcanzable:
        return Juicio(one, "inaccesible", "difusor", ("SIN_RESPUESTA", *notes))
    if one.hora + EMBARGO_MARGEN < night.reglas.inicio:
        if one.forma == "resultados":
            return Juicio(one, "alterado", "difusor", ("ANTICIPADO", *notes))
        return Juicio(one, "al_dia", "ninguna", notes)
    found = _resultados(one, night) if one.forma == "resultados" else _sin_resultados(one, night)
    if found is not None:
        return Juicio(one, found.veredicto, found.causa, (*found.motivos, *notes), found.debido)
    if any(each.sha256 is None for each in one.muestras):
        notes = ("SIN_RESPUESTA", *notes)
    late = debe_el_instituto(night.periodos, night.reglas, one.hora)
    return Juicio(one, "atrasado" if late else "al_dia", "instituto" if late else "ninguna", notes)


def _resultados(one: Observacion, night: Noche) -> Juicio | None:
    """What is wrong with the results that it shows; None where nothing is."""
    mine = None if one.corte is None else night.signed.get(one.corte)
    if mine is None or (
        None not in (mine.manifiesto_sha256, one.manifiesto_sha256) and mine.manifiesto_sha256 != one.manifiesto_sha256
    ):
        return Juicio(one, "alterado", "difusor", ("CORTE_AJENO",))
    if any(not each.igual and each.sha256 is not None for each in one.muestras):
        return Juicio(one, "alterado", "difusor", ("CONTENIDO",))
    if 2 * sum(each.sha256 is None for each in one.muestras) > len(one.muestras):
        return Juicio(one, "inaccesible", "difusor", ("SIN_RESPUESTA",))
    owed = night.debido(one.hora)
    if owed is not None and mine.corte < owed.corte:
        return Juicio(one, "atrasado", "difusor", ("CORTE_VIEJO",), owed)
    return None


def _sin_resultados(one: Observacion, night: Noche) -> Juicio | None:
    """What is wrong with showing no results; None where nothing is."""
    rules, owed, just = night.reglas, night.debido(one.hora), night.orden.reciente(one.hora, night.reglas)
    if night.orden.mando == "aviso":
        return Juicio(one, "al_dia", "ninguna")  # It shows no results: whatever its page says, it obeys.
    if one.forma == "aviso":
        if just:
            return Juicio(one, "al_dia", "ninguna", ("AVISO_PROPIO",))
        if _sin_senal(rules, night.periodos, tuple(night.signed.values()), one.hora):
            return Juicio(one, "atrasado", "instituto", ("AVISO_PROPIO",))
        return None if owed is None else Juicio(one, "atrasado", "difusor", ("AVISO_PROPIO",), owed)
    if one.forma == "otra":
        if _has_results(night.signed, one.hora):
            return Juicio(one, "alterado", "difusor", ("CORTE_AJENO",))
    elif owed is not None and not just:
        return Juicio(one, "atrasado", "difusor", ("ESPERA_TARDIA",), owed)
    return None


def _has_results(signed: Mapping[int, Firmado], hora: datetime) -> bool:
    """Whether some cut with results was signed at ``hora``: then a portal that shows none of ours is another site."""
    return any(one.corte > 0 and one.firmado <= hora for one in signed.values())


def _notas(one: Observacion, reglas: Reglas) -> tuple[Motivo, ...]:
    """What is told and is no failure by itself."""
    said: list[Motivo] = []
    if one.cabeceras:
        said.append("CABECERAS")
    if one.desfase_s is not None and abs(one.desfase_s) > reglas.desfase_max_s:
        said.append("HORA")
    if one.segundos > reglas.respuesta_max_s:
        said.append("LENTO")
    return tuple(said)


def _sin_senal(reglas: Reglas, periodos: Sequence[Periodo], signed: Sequence[Firmado], hora: datetime) -> bool:
    """Whether the institute was silent for so long that a difusor shows the notice by itself, and may still do."""
    if reglas.periodos_aviso is None or not periodos:
        return False
    silence = reglas.intervalo * reglas.periodos_aviso
    heard = sorted(one.firmado for one in signed if one.corte > 0 and one.firmado <= hora)
    since = heard[-1] if heard else reglas.inicio
    if hora - since >= silence:
        return debe_el_instituto(periodos, reglas, hora)
    before = heard[-2] if len(heard) > 1 else reglas.inicio
    return bool(heard) and since - before >= silence and hora < since + reglas.tolerancia


def _signed_by(one: Periodo, hora: datetime) -> bool:
    return one.corte is not None and one.firmado is not None and one.firmado <= hora
