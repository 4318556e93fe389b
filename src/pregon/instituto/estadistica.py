"""``estadistica.json``: the actas and votes of a contest by kind of casilla, and what its actas were marked with."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from pregon.instituto.portal.formato import CASILLAS
from pregon.prep.percent import trunc4
from pregon.tablas.diccionarios import ORDINARIAS
from pregon.tablas.estadistica import Observadas

if TYPE_CHECKING:
    from pregon.tablas.estadistica import Cuenta, Estadistica
    from pregon.tablas.model import ContestTotals

FORMATO = "pregon/estadistica/1"
ARCHIVO = "estadistica.json"
MAX_OBSERVACIONES = 60
"""Most observations told one by one; the rest are told together. Real nights have fewer than ten."""


def estadistica_json(totals: ContestTotals, found: Estadistica) -> dict[str, Any]:
    """The object of ``datos/<NNNN>/<contienda>/estadistica.json``, as its schema in ``contrato`` says."""
    whole = totals.entidad
    actas = {
        **whole.actas.as_dict(),
        "no_contabilizadas": found.no_contabilizadas,
        "pendientes": whole.actas.esperadas - whole.actas.capturadas,
        "fuera_catalogo": found.fuera_catalogo,
    }
    special = totals.regla_participacion == "con_especiales"
    ordinary = sum(count.total_votos for kind, count in found.tipos if kind in ORDINARIAS)
    shown, others = found.observaciones[:MAX_OBSERVACIONES], found.observaciones[MAX_OBSERVACIONES:]
    return {
        "formato": FORMATO,
        "contienda": totals.eleccion,
        "actas": actas,
        "porcentajes": {
            name: trunc4(actas[name], actas["esperadas"])
            for name in ("capturadas", "contabilizadas", "no_contabilizadas", "pendientes")
        },
        "casillas": [{"tipo": kind, "nombre": kind_name(kind), **_told(count)} for kind, count in found.tipos],
        "ubicacion": [{"ubicacion": where, **_told(count)} for where, count in found.ubicaciones],
        "votos": {"ordinarias": ordinary, "especiales": whole.total_votos - ordinary, "total": whole.total_votos},
        "participacion": {
            "votos": whole.total_votos if special else whole.total_votos_sin_especiales,
            "lista_nominal": whole.lista_nominal,
            "porcentaje": whole.participacion,
            "regla": totals.regla_participacion,
        },
        "observaciones": [{"texto": text, **_seen(count)} for text, count in shown],
        "otras_observaciones": _seen(sum((count for _, count in others), Observadas())),
        "sin_observaciones": _seen(found.sin_observaciones),
    }


def kind_name(tipo: str) -> str:
    """A kind of casilla in words, from its letter."""
    if not tipo:
        return "Sin tipo de casilla"
    return CASILLAS.get(tipo, f"Tipo {tipo}")


def _told(count: Cuenta) -> dict[str, int]:
    return dataclasses.asdict(count)


def _seen(count: Observadas) -> dict[str, int]:
    return dataclasses.asdict(count)
