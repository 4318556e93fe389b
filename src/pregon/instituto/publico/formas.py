"""The public state as JSON: ``difusores.json``, ``situacion.json``, ``noche.json`` and ``actual.json``.

Keys are stable (docs/operacion/publico.md). Hours are local with their offset; an hour or a number that is not known
is null. Each file is whole in itself and says of which state it is (``version``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pregon.instituto.publico.modelo import PALABRAS
from pregon.prep.percent import trunc4

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from pregon.instituto.publico.modelo import Actas, Corte, Difusor, Publico, Retraso
    from pregon.instituto.workspace import Workspace

SITUACION = "pregon/situacion/1"
NOCHE = "pregon/noche-publica/1"
ACTUAL = "pregon/publico/1"


def cabeza(workspace: Workspace, publico: Publico, version: int, formato: str) -> dict[str, Any]:
    """What every file begins with: whose it is, of which state, and its hour."""
    call = workspace.convocatoria
    return {
        "formato": formato,
        "convocatoria": call.id,
        "instituto": call.instituto,
        "titulo": call.nombre,
        "ambiente": workspace.settings.ambiente,
        "version": version,
        "generado": hora(workspace, publico.hora),
    }


def situacion(workspace: Workspace, publico: Publico, version: int) -> dict[str, Any]:
    """``situacion.json``: the institute's own situation and that of each difusor."""
    night = publico.noche
    last, owed = night.ultimo, night.pendiente
    return cabeza(workspace, publico, version, SITUACION) | {
        "noche": {
            "fase": night.fase,
            "inicio": hora(workspace, night.inicio),
            "fin": hora(workspace, night.fin),
            "proximo": hora(workspace, night.proximo),
            "corte": None
            if last is None
            else {
                "corte": last.corte,
                "hora_corte": hora(workspace, last.hora_corte),
                "firmado": hora(workspace, last.firmado),
            },
            "retraso": None if owed is None else _late(workspace, owed),
        },
        "difusores": [_difusor(workspace, one) for one in publico.difusores],
    }


def noche(workspace: Workspace, publico: Publico, version: int) -> dict[str, Any]:
    """``noche.json``: every cut with what it counts, and every late one."""
    night = publico.noche
    return cabeza(workspace, publico, version, NOCHE) | {
        "fase": night.fase,
        "inicio": hora(workspace, night.inicio),
        "fin": hora(workspace, night.fin),
        "proximo": hora(workspace, night.proximo),
        "contiendas": [{"id": one.id, "titulo": one.titulo} for one in night.contiendas],
        "cortes": [_cut(workspace, one) for one in night.cortes],
        "retrasos": [_late(workspace, one) for one in night.retrasos],
    }


def actual(
    workspace: Workspace, publico: Publico, version: int, *, vigencia: timedelta, sumas: Mapping[str, str]
) -> dict[str, Any]:
    """``actual.json``: the hour of the state, until when it counts as fresh, and the SHA-256 of its files.

    Before the start it is fresh until then, and after the closing cut for good: nobody needs renew it.
    """
    night = publico.noche
    until = None if night.fase == "cerrada" else max(publico.hora, night.inicio) + vigencia
    return cabeza(workspace, publico, version, ACTUAL) | {
        "vigente_hasta": hora(workspace, until),
        "archivos": dict(sumas),
    }


def hora(workspace: Workspace, instant: datetime | None) -> str | None:
    """An instant as every file writes it."""
    return None if instant is None else instant.astimezone(workspace.convocatoria.zona).isoformat(timespec="seconds")


def _difusor(workspace: Workspace, one: Difusor) -> dict[str, Any]:
    line = one.renglon
    return {
        "id": line.id,
        "nombre": line.nombre,
        "estado": line.como,
        "url": line.url,
        "desde": hora(workspace, line.desde),
        "situacion": one.situacion,
        "texto": PALABRAS[one.situacion],
        "corte": one.corte,
        "hora_corte": hora(workspace, one.hora_corte),
        "atraso_s": one.atraso_s,
        "visto": hora(workspace, one.visto),
        "disponibilidad": [
            {"mes": each.mes, "porcentaje": each.porcentaje, "observado_s": each.observado_s}
            for each in one.disponibilidad
        ],
    }


def _cut(workspace: Workspace, one: Corte) -> dict[str, Any]:
    return {
        "corte": one.corte,
        "hora_corte": hora(workspace, one.hora_corte),
        "vence": hora(workspace, one.vence),
        "firmado": hora(workspace, one.firmado),
        "tarde_s": one.tarde_s,
        "a_tiempo": one.a_tiempo,
        "contiendas": {ident: _actas(each) for ident, each in one.actas.items()},
    }


def _actas(one: Actas) -> dict[str, Any]:
    return {
        "esperadas": one.esperadas,
        "capturadas": one.capturadas,
        "contabilizadas": one.contabilizadas,
        "porcentaje_capturadas": trunc4(one.capturadas, one.esperadas),
        "porcentaje_contabilizadas": trunc4(one.contabilizadas, one.esperadas),
    }


def _late(workspace: Workspace, one: Retraso) -> dict[str, Any]:
    return {
        "vence": hora(workspace, one.vence),
        "desenlace": one.desenlace,
        "corte": one.corte,
        "segundos": one.segundos,
        "porque": one.porque,
        "texto": one.texto,
        "anunciado": hora(workspace, one.anunciado),
    }
