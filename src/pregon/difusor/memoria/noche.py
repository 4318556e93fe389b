"""What the difusor's own records say of the night: each cut's hours, freshness and availability. No log knows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from pregon.bitacoras.sucesos import Caida, Publicacion, availability, freshness
from pregon.difusor.cumplimiento.comun import tramos_caidos
from pregon.difusor.memoria.incidencias import incidencias
from pregon.difusor.vigilancia.mirado import cubierto

if TYPE_CHECKING:
    from datetime import date

    from pregon.bitacoras.sucesos import Disponibilidad, Frescura
    from pregon.convocatoria.model import Convocatoria
    from pregon.difusor.cumplimiento.registros import Registros
    from pregon.difusor.memoria.incidencias import Incidencia

Dias = tuple["date", "date"]


@dataclass(frozen=True, kw_only=True)
class Corte:
    """One cut. ``publico``: the first moment that a signed acuse says that it was; ``segundos`` from its hour, or from
    the start where that is later, until then. None: no acuse says it.
    """

    numero: int
    hora: datetime
    firmado: datetime | None
    recibido: datetime
    publico: datetime | None
    visible: datetime | None
    segundos: float | None

    def as_dict(self) -> dict[str, Any]:
        """The object of ``--json``."""
        hours = {"hora": self.hora, "firmado": self.firmado, "recibido": self.recibido}
        hours |= {"publico": self.publico, "visible": self.visible}
        told = {key: None if value is None else value.isoformat() for key, value in hours.items()}
        return {"numero": self.numero, **told, "segundos": self.segundos}


@dataclass(frozen=True, kw_only=True)
class Noche:
    """The night by our own records, between ``desde`` and ``hasta``. ``vigilado_s``: of the seconds of
    ``disponibilidad``, those in which somebody looked; of the rest nothing is known. ``disponibilidad`` None: the night
    has not begun. ``acuses_rotos``: why the acuses prove nothing.
    """

    desde: datetime
    hasta: datetime
    cortes: tuple[Corte, ...]
    frescura: Frescura | None
    disponibilidad: Disponibilidad | None
    vigilado_s: int
    incidencias: tuple[Incidencia, ...]
    acuses_rotos: str | None

    @property
    def publicados(self) -> int:
        """How many cuts an acuse says were public."""
        return sum(1 for one in self.cortes if one.publico is not None)


def dias_pedidos(call: Convocatoria) -> Dias:
    """The days of the election that the report is of: those that the call names, else those of its night."""
    asked = call.memoria
    if asked is not None:
        first = asked.bitacoras_desde or asked.estadisticas_desde
        last = asked.bitacoras_hasta or asked.estadisticas_hasta
        if first is not None and last is not None:
            return first, last
    return call.inicio.astimezone(call.zona).date(), call.fin_actualizacion.astimezone(call.zona).date()


def mira(records: Registros, dias: Dias) -> Noche:
    """The night. ``dias``: those of the election, both included; incidents are told from the first of them to now, or
    to the end of what the call wants kept public.
    """
    call, now = records.convocatoria, records.ahora
    first = datetime.combine(dias[0], time(), call.zona)
    last = datetime.combine(dias[1] + timedelta(days=1), time(), call.zona)
    until = max(last, call.permanencia_hasta or call.fin_actualizacion)
    begin, end = min(first, call.inicio), min(now, until)
    cuts = _cuts(records)
    shown = [
        Publicacion(one.numero, max(one.hora, call.inicio), one.publico) for one in cuts if one.publico is not None
    ]
    # Availability is of the publication: from its start to the end of the updates, or to now while they last.
    start, finish = call.inicio, min(now, call.fin_actualizacion)
    down = [Caida(a, b) for a, b in tramos_caidos(records)]
    return Noche(
        desde=begin.astimezone(UTC),
        hasta=end.astimezone(UTC),
        cortes=cuts,
        frescura=freshness(shown),
        disponibilidad=availability(start, finish, down) if finish > start else None,
        vigilado_s=int(cubierto(records.mirado, start, finish).total_seconds()) if finish > start else 0,
        incidencias=incidencias(records.sucesos, begin, end),
        acuses_rotos=records.acuses_rotos,
    )


def _cuts(records: Registros) -> tuple[Corte, ...]:
    start = records.convocatoria.inicio
    published, visible = records.recibos("publicado"), records.recibos("visible")
    found = []
    for cut in records.cortes:
        hours = [one.acuse.hora for each in (published, visible) if (one := each.get(cut.corte)) is not None]
        public = min(hours, default=None)
        seen = visible.get(cut.corte)
        found.append(
            Corte(
                numero=cut.corte,
                hora=cut.hora_corte,
                firmado=cut.firmado,
                recibido=cut.recibido,
                publico=public,
                visible=None if seen is None else seen.acuse.hora,
                segundos=None if public is None else (public - max(cut.hora_corte, start)).total_seconds(),
            )
        )
    return tuple(found)
