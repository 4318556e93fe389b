"""The analysis of one night: from the settings, the profile and a measured package to what must be there. Pure."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from pregon.difusor.aforo import peso
from pregon.difusor.aforo.capacidad import Carga, Espera, Plan, planea, por_nucleo
from pregon.difusor.aforo.curva import ESPERA_S, VENTANA_S, llegadas, noche
from pregon.difusor.aforo.demanda import ESCENARIOS, estima
from pregon.difusor.aforo.palabras import dictamen, supuestos
from pregon.difusor.aforo.pico import BANDA, trafico

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pregon.convocatoria.model import Convocatoria
    from pregon.difusor.aforo.ajustes import AjustesAforo
    from pregon.difusor.aforo.curva import Noche
    from pregon.difusor.aforo.demanda import Demanda, Escenario
    from pregon.difusor.aforo.peso import Pesos
    from pregon.difusor.aforo.pico import Pico, Trafico

FORMATO = "pregon/aforo/1"
LIMITE_S = 10.0
"""For one page, where the call says nothing (GRO-2.4h, INE-II-a-iii-3a)."""


@dataclass(frozen=True)
class Origen:
    """What the places of a CDN ask of the difusor itself in the minute after a cut, at most: all that changed, each."""

    orillas: int
    peticiones: float
    mbps: float


@dataclass(frozen=True)
class Aforo:
    """All of it. ``carga``: what is sized for, the high end of chance in the scenario «alto». ``limite_s``: for a
    page."""

    convocatoria: Convocatoria
    ajustes: AjustesAforo
    noche: Noche
    pesos: Pesos
    demanda: Demanda
    escenarios: Mapping[Escenario, Trafico]
    carga: Carga
    limite_s: float
    plan: Plan
    origen: Origen | None

    @property
    def cdn_pedida(self) -> bool:
        """Whether the call asks for a CDN, whatever the load (INE-II-a-i-1)."""
        return self.convocatoria.cdn == "requerido"

    @property
    def soporta(self) -> int:
        """Visitors of the whole night that what there is carries, with the room that is asked."""
        return math.floor(self.plan.aguanta * self.demanda.visitantes("alto"))

    @property
    def resuelto(self) -> bool:
        """Whether what is declared carries the night: alone, or behind a CDN that does and whose asking it carries."""
        cdn, origin, server = self.ajustes.cdn, self.origen, self.ajustes.servidor
        if cdn is None or origin is None:
            return self.plan.basta and not self.cdn_pedida
        room = server.ocupacion_max_pct / 100
        edge = cdn.mbps is None or cdn.mbps * room >= self.carga.mbps
        machines = server.equipos * server.nucleos * por_nucleo(server)
        return edge and origin.mbps <= server.mbps * room and origin.peticiones <= machines * room

    def si_pesara(self, por_consulta: int) -> float:
        """Mbit/s at the peak if each consultation transmitted so many bytes (INE-II-a-iii-3d)."""
        return self.escenarios["alto"].consultas.alto * por_consulta * 8 / 1e6

    def as_dict(self) -> dict[str, Any]:
        """The object of ``--json`` (docs/memoria/aforo.md)."""
        call = self.convocatoria
        return {
            "formato": FORMATO,
            "convocatoria": call.id,
            "difusor": self.ajustes.difusor,
            "inicio": call.inicio.isoformat(),
            "fin": call.fin_actualizacion.isoformat(),
            "intervalo_min": self.noche.intervalo_min,
            "cortes": len(self.noche.cortes),
            "demanda": {
                "estimaciones": [asdict(one) for one in self.demanda.estimaciones],
                "rige": self.demanda.rige.nombre,
                "visitantes": {name: self.demanda.visitantes(name) for name in ESCENARIOS},
            },
            "pesos": {"medido_en": self.pesos.que, "consultas": [asdict(one) for one in self.pesos.todas]},
            "escenarios": {name: _traffic(one) for name, one in self.escenarios.items()},
            "ventana_s": VENTANA_S,
            "carga": asdict(self.carga),
            "limite_s": self.limite_s,
            "capacidad": {
                "equipos": self.plan.equipos,
                "mbps": _number(self.plan.mbps),
                "minimo": _wait(self.plan.minimo),
                "declarado": self.ajustes.servidor.model_dump() | {"espera": _wait(self.plan.declarado)},
                "soporta_visitantes": self.soporta,
                "basta": self.plan.basta,
                "resuelto": self.resuelto,
                "cdn_pedida": self.cdn_pedida,
                "origen_cdn": None if self.origen is None else asdict(self.origen),
            },
            "si_cada_consulta_pesara": {
                "1_MB": round(self.si_pesara(peso.INE_MIN), 1),
                "20_MB": round(self.si_pesara(peso.INE_MAX), 1),
            },
            "ajustes": self.ajustes.model_dump(),
            "supuestos": list(supuestos(self)),
            "dictamen": list(dictamen(self)),
        }


def analiza(call: Convocatoria, settings: AjustesAforo, pesos: Pesos) -> Aforo:
    """The analysis.

    Raises:
        ValueError: nothing says how many come (``ajustes.con_visitantes``).
    """
    night = noche(call, settings.intervalo_min)
    demand = estima(settings)
    shape = llegadas(night, settings.curva, settings.visita)
    parts = peso.partes(pesos, settings.visita)
    found = {
        name: trafico(round(demand.visitantes(name) * settings.visita.visitas), shape, pesos, settings, parts)
        for name in ESCENARIOS
    }
    high, net = found["alto"], settings.red
    first = pesos.primera
    wire = first.bytes(settings.visita.representacion) + first.peticiones * net.cabeceras_bytes + net.tls_bytes
    load = Carga(high.peticiones.alto, high.mbps.alto, wire * (1 + net.sobrecosto_pct / 100), first.peticiones)
    limit = float(call.respuesta_max_s or LIMITE_S)
    return Aforo(
        call, settings, night, pesos, demand, found, load, limit, planea(load, net, settings.servidor, limit),
        origen=None if settings.cdn is None else _origin(pesos, settings.cdn.orillas),
    )  # fmt: skip


def _origin(pesos: Pesos, orillas: int) -> Origen:
    changes = pesos.medida.cambia
    return Origen(orillas, orillas * changes.objetos / ESPERA_S, orillas * changes.bytes * 8 / 1e6 / ESPERA_S)


def _traffic(one: Trafico) -> dict[str, Any]:
    return {
        "visitas": one.visitas,
        "peticiones_s": _peak(one.peticiones),
        "consultas_s": _peak(one.consultas),
        "mbps": _peak(one.mbps),
        "simultaneos": _peak(one.simultaneos),
        "total": {"peticiones": one.total_peticiones, "consultas": one.total_consultas, "bytes": one.total_bytes},
    }


def _peak(one: Pico) -> dict[str, float]:
    names = tuple(f"p{part * 100:02.0f}" for part in BANDA)
    return dict(zip(names, (round(value, 2) for value in (one.bajo, one.medio, one.alto)), strict=True)) | {
        "segundo": one.segundo
    }


def _wait(one: Espera) -> dict[str, float | None]:
    return {name: _number(value) for name, value in asdict(one).items()}


def _number(value: float) -> float | None:
    """JSON has no infinity: what never ends is null."""
    return round(value, 4) if math.isfinite(value) else None
