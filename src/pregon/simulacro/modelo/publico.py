"""The public of the night, person by person: what each difusor would have to give, with and without a CDN.

People spread over the difusores by equal parts; one difusor's are simulated, no more than ``MUESTRA`` of them, and what
they ask is multiplied. Habits are those that ``pregon aforo`` supposes (``AjustesAforo``), weights those of a package.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import asdict, dataclass
from random import Random
from typing import TYPE_CHECKING, Any

from pregon.difusor.aforo.curva import noche
from pregon.difusor.aforo.peso import partes
from pregon.simulacro.modelo.noche import cuenta, multitud
from pregon.simulacro.modelo.visitas import Costumbres, Peso, Portal, Suceso

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pregon.convocatoria.model import Convocatoria
    from pregon.difusor.aforo.ajustes import AjustesAforo
    from pregon.difusor.aforo.curva import Noche
    from pregon.difusor.aforo.peso import Consulta, Pesos

MUESTRA = 20_000
"""People who are simulated; more are their multiple, and chance weighs on them as on these."""
TCP_IP = 1.05
"""Headers below HTTP, as part of what is sent (docs/memoria/aforo.md)."""


@dataclass(frozen=True)
class Publico:
    """One difusor's greatest window of the night. ``origen_*``: what reaches it from a CDN of ``orillas`` places."""

    visitantes: int
    peticiones_s: float
    mbps: float
    abiertas: int
    orillas: int
    origen_peticiones_s: float
    origen_mbps: float

    def to_json(self) -> dict[str, Any]:
        """Its fields."""
        return asdict(self)


def simula(
    convocatoria: Convocatoria,
    ajustes: AjustesAforo,
    pesos: Pesos,
    *,
    visitantes: int,
    difusores: int,
    orillas: int,
    semilla: int,
) -> Publico:
    """The night of ``visitantes`` (of all the difusores together), as one of ``difusores`` sees it."""
    night = noche(convocatoria, ajustes.intervalo_min)
    habits, portal = en_visitas(night, ajustes, pesos)
    own = -(-visitantes // difusores)
    shown = min(own, MUESTRA)
    times = own / shown
    stays, asked = multitud(semilla, shown, habits, portal)
    speed = ajustes.red.mbps_usuario * 1e6 / 8
    whole = cuenta(stays, asked, segundos=night.segundos, tope=speed)
    missed = al_origen(asked, night.cortes, orillas=orillas, semilla=semilla)
    origin = cuenta(stays, missed, segundos=night.segundos, tope=speed)
    return Publico(
        visitantes=own,
        peticiones_s=whole.pico_peticiones * times,
        mbps=whole.pico_mbps * times,
        abiertas=round(whole.abiertas_max * times),
        orillas=orillas,
        # An edge that has a copy asks for no other: more people do not multiply it.
        origen_peticiones_s=origin.pico_peticiones,
        origen_mbps=origin.pico_mbps,
    )


def al_origen(sucesos: Sequence[Suceso], cortes: Sequence[int], *, orillas: int, semilla: int) -> list[Suceso]:
    """Those that an edge of the CDN has no copy of: of each consultation, the first that it is asked in each cut."""
    chance = Random(semilla)  # noqa: S311 (a simulation repeats)
    seen: set[tuple[int, str, Peso, int]] = set()
    missed = []
    for one in sucesos:
        key = (chance.randrange(orillas), one.clase, one.peso, bisect_right(cortes, one.hora))
        if key not in seen:
            seen.add(key)
            missed.append(one)
    return missed


def en_visitas(noche: Noche, ajustes: AjustesAforo, pesos: Pesos, **otras: Any) -> tuple[Costumbres, Portal]:
    """The settings and weights of ``pregon aforo`` in the simulation's own words; ``otras`` replace habits."""
    visit, rises, net = ajustes.visita, ajustes.curva, ajustes.red

    def wire(one: Consulta, opening: int = 0) -> Peso:
        return Peso(one.peticiones, (one.gzip + one.peticiones * net.cabeceras_bytes + opening) * TCP_IP)

    parts = partes(pesos, visit)
    portal = Portal(
        wire(pesos.primera, net.tls_bytes),
        wire(pesos.repetida, net.tls_bytes),
        wire(pesos.novedad),
        [(part, wire(pesos.paginas[name])) for name, part in parts.items()],
        None if pesos.descarga is None else wire(pesos.descarga),
    )
    habits: dict[str, Any] = {
        "segundos": noche.segundos,
        "cortes": noche.cortes,
        "horas": rises.horas,
        "apertura": rises.apertura_pct / 100,
        "apertura_s": rises.apertura_min * 60,
        "pulso": rises.pulso_pct / 100,
        "pulso_s": rises.pulso_min * 60,
        "visitas": visit.visitas,
        "paginas": visit.paginas,
        "estancia_s": visit.minutos * 60,
        "descarga": visit.descarga_pct / 100,
    }
    return Costumbres(**habits | otras), portal
