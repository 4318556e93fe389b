"""Nights of faults by seed, one after another, as ``pregon simulacro vigilancia`` asks for them."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pregon.base.clock import SystemClock
from pregon.base.durable import Disk
from pregon.base.errors import UsoError
from pregon.instituto.monitor.veredicto import Reglas
from pregon.instituto.proceso.regla import PERIODOS_SIN_CUENTA, regla_de
from pregon.simulacro.flota.azar import sortea
from pregon.simulacro.flota.fallas import Reloj
from pregon.simulacro.flota.mirada import LEIDAS, Mirador
from pregon.simulacro.flota.noche import Vigilia, reglas_de
from pregon.simulacro.flota.red import ADMITIDO_S, OjoReal
from pregon.simulacro.flota.verdad import suspensiones

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pregon.convocatoria.model import Convocatoria
    from pregon.simulacro.flota.noche import Resultado


MAX_RED = 100
"""Difusores over the network: each takes nine sockets of this process, which may have a thousand."""
MUESTRA_RED = 4
"""Files besides those of every round, over the network: sixty portals and three points share one machine."""


@dataclass(frozen=True, kw_only=True)
class Pedido:
    """What was asked for. ``cada_s``: seconds of night time between looks. ``red``: over real sockets."""

    semilla: int
    noches: int = 1
    difusores: int = 60
    periodos: int = 9
    cada_s: int = 60
    red: bool = False


def reloj_de(convocatoria: Convocatoria, *, periodos: int, cada_s: int) -> Reloj:
    """The clock of the first slots of a call.

    Raises:
        UsoError: the call has no count of failed slots, so that no suspension can be right or wrong.
    """
    if regla_de(convocatoria).propone_en is None:
        raise UsoError(
            f"En {convocatoria.id} ninguna cuenta de periodos lleva a suspender: no hay qué comparar.",
            intacto="No se ensayó nada.",
            que_hacer="Ensaye con gro-2021, que cuenta tres actualizaciones seguidas.",
        )
    return Reloj(
        inicio=convocatoria.inicio,
        intervalo_s=convocatoria.intervalo_min * 60,
        periodos=periodos,
        tolerancia_s=int(Reglas.de(convocatoria).tolerancia.total_seconds()),
        ronda_s=cada_s,
    )


def ensaya(pedido: Pedido, convocatoria: Convocatoria) -> Iterator[Resultado]:
    """Each night with its own seed, from ``semilla`` on; those of odd seeds have points without witnesses.

    Raises:
        UsoError: as ``reloj_de``; more difusores than ``MAX_RED`` over the network.
    """
    if pedido.red and pedido.difusores > MAX_RED:
        raise UsoError(
            f"Con --red se ensayan a lo más {MAX_RED} difusores.",
            intacto="No se ensayó nada.",
            que_hacer="Pida menos, o quite --red.",
        )
    clock = reloj_de(convocatoria, periodos=pedido.periodos, cada_s=pedido.cada_s)
    rule = regla_de(convocatoria)
    for seed in range(pedido.semilla, pedido.semilla + pedido.noches):
        night = sortea(seed, clock, difusores=pedido.difusores, rutas=LEIDAS)
        # Read from the call and not from the rule, which is what is being tried.
        breach = "incumplimiento" in convocatoria.fallo.causas
        due = suspensiones(night, fallos=convocatoria.fallo.periodos or PERIODOS_SIN_CUENTA, graves=breach)
        if not pedido.red:
            yield Vigilia(night, rule, ojo=Mirador(night, testigos=seed % 2 == 0), debidas=due).vive()
            continue
        with (
            tempfile.TemporaryDirectory(prefix="pregon-flota-") as folder,
            OjoReal(night, convocatoria, Path(folder), real=SystemClock(), disk=Disk(), muestra=MUESTRA_RED) as eye,
        ):
            rules = reglas_de(night, respuesta_max_s=ADMITIDO_S)
            yield Vigilia(night, rule, ojo=eye, firma=eye.firma, reglas=rules, debidas=due).vive()


def to_json(result: Resultado) -> dict[str, Any]:
    """One night for programs."""
    return {
        "semilla": result.guion.semilla,
        "difusores": len(result.guion.difusores),
        "dictamenes": result.dictamenes,
        "veredictos": dict(sorted(result.veredictos.items())),
        "fallas": len(result.guion.fallas),
        "suspensiones": dict(sorted(result.suspensiones.items())),
        "debidas": dict(sorted(result.debidas.items())),
        "falsas": list(result.falsas),
        "faltantes": list(result.faltantes),
        "discrepancias": [
            {"difusor": one.difusor, "hora": one.hora.isoformat(), "dicho": one.dicho, "cierto": one.cierto}
            for one in result.discrepancias
        ],
        "ok": result.ok,
    }
