"""The incidents of the night, from the journal: what begins and ends as one stretch, what repeats as one line."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pregon.difusor.panel import palabras
from pregon.difusor.vigilancia.catalogo import catalogo

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from pregon.base.state import Event
    from pregon.difusor.memoria.notas import Notas

JUNTAS = timedelta(minutes=20)
"""The same failure not farther apart than this is one incident, however often it was tried."""
SUELTAS = frozenset({
    "rechazado", "fallo", "alterado", "alterados", "dañado", "falla", "nube_falla", "nube_alterada", "historial_falla",
    "estado_apartado", "retraso_anunciado", "avisos_sin_leer", "aviso_cambiado", "aviso_ininteligible", "sin_original",
    "acuses_sin_copia", "acuse_sin_entregar", "ajustes_rechazados",
})  # fmt: skip
"""Kinds of event that are an incident each; alarms and interruptions have a beginning and an end."""
AFECTAN = frozenset({
    "interrumpido", "alterado", "alterados", "PORTAL_CAIDO", "PORTAL_ALTERADO", "PORTAL_VIEJO", "PORTAL_TLS",
    "PORTAL_LENTO", "SERVIDOR", "ALTERADO", "RETIRADO", "SUSPENDIDO",
})  # fmt: skip
"""Kinds that reach who reads the results (GRO-6.3, DGO-IV-3, INE-VII-a-i: «que hayan afectado la publicación»)."""


@dataclass(frozen=True, kw_only=True)
class Incidencia:
    """One incident. ``clave`` names it for good: of the same journal it is always the same. ``hasta`` None: it has no
    end in the journal, or it is of one moment. ``veces``: how many events it is made of. ``diario``: the number of the
    first of them; None: somebody wrote it in ``memoria.toml``.
    """

    clave: str
    tipo: str
    desde: datetime
    hasta: datetime | None
    que: str
    detalle: str
    veces: int
    afecto: bool
    abierta: bool = False
    explicacion: str = ""
    diario: int | None = None

    @property
    def segundos(self) -> int | None:
        """How long it lasted."""
        return None if self.hasta is None else int((self.hasta - self.desde).total_seconds())

    def as_dict(self) -> dict[str, Any]:
        """The object of ``--json``."""
        return {
            "clave": self.clave,
            "tipo": self.tipo,
            "desde": self.desde.isoformat(),
            "hasta": None if self.hasta is None else self.hasta.isoformat(),
            "segundos": self.segundos,
            "que": self.que,
            "detalle": self.detalle,
            "veces": self.veces,
            "afecto": self.afecto,
            "abierta": self.abierta,
            "explicacion": self.explicacion,
            "diario": self.diario,
        }


def incidencias(events: Iterable[Event], desde: datetime, hasta: datetime) -> tuple[Incidencia, ...]:
    """Those of the journal that touch the time between two instants, oldest first."""
    found: list[Incidencia] = []
    open_ones: dict[str, int] = {}
    last: dict[str, int] = {}
    for event in events:
        kind = _kind(event)
        if event.tipo in ("alarma", "interrumpido"):
            if kind not in open_ones:
                open_ones[kind] = len(found)
                found.append(_begins(event, kind))
        elif event.tipo in ("alarma_resuelta", "reanudado"):
            place = open_ones.pop(kind, None)
            if place is not None:
                found[place] = replace(found[place], hasta=event.hora, abierta=False)
        elif event.tipo in SUELTAS:
            place = last.get(kind)
            if place is not None and event.hora - (found[place].hasta or found[place].desde) <= JUNTAS:
                found[place] = replace(found[place], hasta=event.hora, veces=found[place].veces + 1)
            else:
                last[kind] = len(found)
                found.append(_begins(event, kind))
    touching = (one for one in found if one.desde <= hasta and (one.abierta or (one.hasta or one.desde) >= desde))
    return tuple(sorted(touching, key=lambda one: (one.desde, one.clave)))


def explicadas(some: Sequence[Incidencia], notas: Notas, zona: ZoneInfo) -> tuple[Incidencia, ...]:
    """The same with what people wrote of them, and with those that only they know."""
    told = [
        replace(
            one,
            explicacion=said.explicacion.strip(),
            afecto=one.afecto if said.afecto is None else said.afecto,
        )
        for one in some
        for said in (notas.de(one.clave),)
    ]
    for n, other in enumerate(notas.otra):
        begin, end = (
            None if at is None else at if at.tzinfo is not None else at.replace(tzinfo=zona)
            for at in (other.desde, other.hasta)
        )
        if begin is not None:
            told.append(
                Incidencia(
                    clave=f"otra {n + 1}", tipo="otra", desde=begin, hasta=end, que=other.que, detalle="", veces=1,
                    afecto=other.afecto, explicacion=other.explicacion.strip(),
                )
            )  # fmt: skip
    return tuple(sorted(told, key=lambda one: (one.desde, one.clave)))


def _begins(event: Event, kind: str) -> Incidencia:
    lasts = event.tipo in ("alarma", "interrumpido")
    rule = catalogo().get(kind)
    text, more = palabras.evento(event.tipo, event.dato)
    return Incidencia(
        clave=f"{kind} {event.hora:%Y-%m-%dT%H:%M:%SZ} {event.n}",
        tipo=kind,
        desde=event.hora,
        hasta=None,
        que=text if rule is None else rule.titulo,
        detalle=more,
        veces=1,
        afecto=kind.partition(" ")[0] in AFECTAN,
        abierta=lasts,
        diario=event.n,
    )


def _kind(event: Event) -> str:
    """What an event is for joining it with others: of an alarm its code, of a failure its kind and code."""
    data: Mapping[str, Any] = event.dato
    if event.tipo in ("alarma", "alarma_resuelta"):
        return str(data.get("codigo"))
    if event.tipo in ("interrumpido", "reanudado"):
        return "interrumpido"
    code = data.get("codigo") or data.get("donde")
    return event.tipo if code is None else f"{event.tipo} {code}"
