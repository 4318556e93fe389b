"""The same facts as JSON types: what programs read of a paper."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pregon
from pregon.instituto.bitacora.hechos import rachas
from pregon.instituto.monitor import formas

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pregon.instituto.bitacora.cadena import Verificacion
    from pregon.instituto.bitacora.hechos import Hechos
    from pregon.instituto.monitor.modelo import Dictamen
    from pregon.instituto.proceso.diario import Advertencia, OrdenDifusor
    from pregon.trust.acuse import Acuse


def base(hechos: Hechos, formato: str, read: Verificacion) -> dict[str, Any]:
    return {
        "formato": formato,
        "convocatoria": hechos.workspace.convocatoria.id,
        "ambiente": hechos.workspace.settings.ambiente,
        "hora": hechos.hora.isoformat(),
        "version": pregon.__version__,
        "integridad": read.as_dict(),
    }


def sucesos(hechos: Hechos, difusor: str, tipo: str) -> list[dict[str, Any]]:
    return [
        {"n": one.n, **one.dato} for one in hechos.bitacora if one.tipo == tipo and one.dato.get("difusor") == difusor
    ]


def vigilancia(verdicts: Sequence[Dictamen]) -> list[dict[str, Any]]:
    return [
        {
            "desde": run.desde.isoformat(),
            "hasta": run.hasta.isoformat(),
            "rondas": run.cuantos,
            **formas.de_dictamen(run.ultimo),
        }
        for run in rachas(verdicts)
    ]


def advertencia(one: Advertencia) -> dict[str, Any]:
    return {
        "id": one.id,
        "difusor": one.difusor,
        "periodo": one.periodo,
        "cuenta": one.cuenta,
        "hora": one.hora.isoformat(),
        "titulo": one.titulo,
        "texto": one.texto,
        "evidencia": list(one.evidencia),
        "envios": {
            name: {
                "fase": sent.fase,
                "intentos": sent.intentos,
                "hora": None if sent.hora is None else sent.hora.isoformat(),
                "que_paso": sent.que_paso,
            }
            for name, sent in one.envios.items()
        },
    }


def orden(one: OrdenDifusor) -> dict[str, Any]:
    return {
        "id": one.id,
        "difusor": one.difusor,
        "accion": one.accion,
        "fase": one.fase,
        "periodo": one.periodo,
        "cuenta": one.cuenta,
        "porque": one.porque,
        "clausula": one.clausula,
        "hora": one.hora.isoformat(),
        "operador": one.operador,
        "motivo": one.motivo,
        "decidida": None if one.decidida is None else one.decidida.isoformat(),
        "evidencia": list(one.evidencia),
    }


def acuse(nodo: str, one: Acuse) -> dict[str, Any]:
    return {
        "nodo": nodo,
        "corte": one.corte,
        "evento": one.evento,
        "hora": one.hora.isoformat(),
        "segundos": one.segundos,
        "codigo": one.codigo,
        "manifiesto_sha256": one.manifiesto_sha256,
        "sha256": one.sha256,
    }
