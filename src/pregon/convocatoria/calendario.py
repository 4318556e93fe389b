"""The calendar of a call: every deadline, rehearsal, window and stage of its profile, as a table and as iCalendar.

Sources: ``plazos``, ``simulacros``, ``ventanas_prueba``, ``etapas``, ``memoria`` and the hours of the night.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Literal

from pregon.convocatoria.lectura import in_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pregon.convocatoria.model import Convocatoria
    from pregon.convocatoria.secciones import Ventana

Quien = Literal["difusor", "instituto", "ambos"]
Clase = Literal["plazo", "desde", "simulacro", "ventana", "etapa", "noche", "memoria"]

AVISA_DIAS = 7
"""How long before it a deadline is told of: a week has every working hour of an office."""
PRODID = "-//Pregon//Calendario de difusores//ES"
DOMINIO = "calendario.pregon"
"""What makes the ids of the events ours; it is nobody's address."""

_PLAZOS: dict[str, tuple[Quien, Clase, str]] = {
    "solicitud": ("difusor", "plazo", "Solicitud o aviso al instituto"),
    "infraestructura": ("difusor", "plazo", "Infraestructura operando"),
    "documentos": ("difusor", "plazo", "Documentación entregada"),
    "logo": ("difusor", "plazo", "Logotipo entregado"),
    "analisis_capacidad": ("difusor", "plazo", "Análisis de capacidad entregado"),
    "procedimiento": ("instituto", "plazo", "El instituto entrega el procedimiento para obtener el paquete"),
    "calendario_pruebas": ("instituto", "plazo", "El instituto notifica el calendario de pruebas"),
    "lista": ("instituto", "desde", "Lista de difusores a la vista del público"),
    "memoria_formato": ("instituto", "plazo", "El instituto entrega el formato de la memoria técnica"),
    "memoria_entrega": ("difusor", "plazo", "Memoria técnica entregada"),
}


@dataclass(frozen=True)
class Fecha:
    """One line of the calendar.

    ``clave``: stable id within the call, the path of what says it. ``desde``, ``hasta``: a day counts whole, an
    instant is aware; both included; the same where it is one day or instant. ``horas``: of each of those days, local.
    """

    clave: str
    clase: Clase
    quien: Quien
    que: str
    desde: date
    hasta: date
    horas: tuple[time, time] | None = None
    obligatorio: bool = False

    @property
    def limite(self) -> bool:
        """Whether it is a deadline: something must be done by then."""
        return self.clase == "plazo"

    def cuando(self) -> str:
        """In words: «a más tardar el lunes 3 de mayo de 2021»."""
        if self.limite:
            return f"a más tardar el {in_words(self.hasta)}"
        if self.clase == "desde":
            return f"desde el {in_words(self.desde)}"
        if self.desde == self.hasta:
            return in_words(self.desde)
        hours = "" if self.horas is None else f", de {self.horas[0]:%H:%M} a {self.horas[1]:%H:%M} h"
        return f"del {in_words(self.desde)} al {in_words(self.hasta)}{hours}"

    def as_dict(self) -> dict[str, Any]:
        """The object of ``--json``; days and instants in ISO 8601."""
        return {
            "clave": self.clave,
            "clase": self.clase,
            "quien": self.quien,
            "que": self.que,
            "desde": self.desde.isoformat(),
            "hasta": self.hasta.isoformat(),
            "horas": None if self.horas is None else [f"{one:%H:%M}" for one in self.horas],
            "obligatorio": self.obligatorio,
        }


def fechas(convocatoria: Convocatoria) -> tuple[Fecha, ...]:
    """Every date of the call, by their order; of those of one day, first what ends sooner."""
    found = (*_deadlines(convocatoria), *_days(convocatoria), *_night(convocatoria), *_report(convocatoria))
    return tuple(sorted(found, key=lambda one: (_start(one.desde, convocatoria), _end(one, convocatoria), one.clave)))


def proximas(convocatoria: Convocatoria, ahora: datetime, *, quien: Quien | None = None) -> tuple[Fecha, ...]:
    """Those that are not over at ``ahora``, soonest end first; ``quien``: only what is that one's, or of both."""
    left = [
        one
        for one in fechas(convocatoria)
        if _end(one, convocatoria) >= ahora and (quien is None or one.quien in (quien, "ambos"))
    ]
    return tuple(sorted(left, key=lambda one: (_end(one, convocatoria), one.clave)))


def apremian(convocatoria: Convocatoria, ahora: datetime, *, dias: int = AVISA_DIAS) -> tuple[Fecha, ...]:
    """The difusor's deadlines of the next ``dias`` days."""
    end = ahora + timedelta(days=dias)
    return tuple(
        one for one in proximas(convocatoria, ahora, quien="difusor") if one.limite and _end(one, convocatoria) <= end
    )


def ics(convocatoria: Convocatoria, *, hecho: datetime) -> bytes:
    """The calendar as one iCalendar file (RFC 5545): an event each, and an alarm a week before each deadline.

    Instants are in UTC, so no reader needs our zone; days are whole days. Ids are stable: importing it again changes
    nothing. ``hecho``: when it was made.
    """
    from icalendar import Alarm, Calendar, Event

    calendar = Calendar()
    calendar.add("prodid", PRODID)
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", convocatoria.nombre)
    calendar.add("x-wr-timezone", convocatoria.zona_horaria)
    for one in fechas(convocatoria):
        for mark, start, end in _spans(one, convocatoria):
            event = Event()
            event.add("uid", f"{one.clave}{mark}.{convocatoria.id}@{DOMINIO}")
            event.add("dtstamp", hecho.astimezone(UTC))
            event.add("summary", f"{one.que} ({convocatoria.nombre})")
            event.add("description", f"{one.que}: {one.cuando()}. Le toca: {_WHO[one.quien]}.")
            event.add("categories", [one.clase])
            event.add("dtstart", start)
            event.add("dtend", end)
            if one.limite:
                alarm = Alarm()
                alarm.add("action", "DISPLAY")
                alarm.add("description", f"En una semana: {one.que}")
                alarm.add("trigger", timedelta(days=-AVISA_DIAS))
                event.add_component(alarm)
            calendar.add_component(event)
    return bytes(calendar.to_ical())


_WHO = {"difusor": "al difusor", "instituto": "al instituto", "ambos": "a los dos"}


def _spans(one: Fecha, convocatoria: Convocatoria) -> Iterator[tuple[str, date, date]]:
    """Start and end as iCalendar says them, where the end is not included; an event for each day of a window of hours,
    for the zone may change its offset meanwhile. With what tells them apart."""
    if one.horas is not None:
        for n in range((one.hasta - one.desde).days + 1):
            day = one.desde + timedelta(days=n)
            first, last = (datetime.combine(day, hour, convocatoria.zona).astimezone(UTC) for hour in one.horas)
            yield f".{n + 1}", first, last
        return
    start: date = one.desde.astimezone(UTC) if isinstance(one.desde, datetime) else one.desde
    if isinstance(one.hasta, datetime):
        end = one.hasta.astimezone(UTC)
        yield "", start, end + timedelta(minutes=1) if end == start else end
    else:
        yield "", start, one.hasta + timedelta(days=1)


def _deadlines(profile: Convocatoria) -> Iterator[Fecha]:
    for key, when in profile.plazos:
        if when is not None:
            who, kind, text = _PLAZOS[key]
            if key == "lista" and profile.lista_antes:
                kind = "plazo"
            yield Fecha(f"plazos.{key}", kind, who, text, when, when)


def _days(profile: Convocatoria) -> Iterator[Fecha]:
    for number, one in enumerate(profile.simulacros, 1):
        yield Fecha(
            f"simulacros.{number}", "simulacro", "ambos", one.nombre, one.fecha, one.fecha, obligatorio=one.obligatorio
        )
    yield from _windows("ventanas_prueba", "ventana", profile.ventanas_prueba)
    yield from _windows("etapas", "etapa", profile.etapas)


def _windows(key: str, kind: Clase, windows: Sequence[Ventana]) -> Iterator[Fecha]:
    for number, one in enumerate(windows, 1):
        hours = None
        if one.hora_desde is not None and one.hora_hasta is not None:
            hours = one.hora_desde, one.hora_hasta
        yield Fecha(f"{key}.{number}", kind, "ambos", one.nombre, one.desde, one.hasta, horas=hours)


def _night(profile: Convocatoria) -> Iterator[Fecha]:
    text = "Publicación de resultados, con actualizaciones"
    yield Fecha("inicio", "noche", "ambos", text, profile.inicio, profile.fin_actualizacion)
    if profile.permanencia_hasta is not None:
        yield Fecha(
            "permanencia_hasta",
            "noche",
            "difusor",
            "El último corte sigue publicado",
            profile.fin_actualizacion,
            profile.permanencia_hasta,
        )


def _report(profile: Convocatoria) -> Iterator[Fecha]:
    report = profile.memoria
    if report is None:
        return
    for key, text in (("bitacoras", "Bitácoras de acceso"), ("estadisticas", "Estadísticas del portal")):
        first, last = getattr(report, f"{key}_desde"), getattr(report, f"{key}_hasta")
        if first is not None and last is not None:
            yield Fecha(f"memoria.{key}", "memoria", "difusor", f"{text} para la memoria", first, last)


def _start(day: date, profile: Convocatoria) -> datetime:
    return day if isinstance(day, datetime) else datetime.combine(day, time(), profile.zona)


def _end(one: Fecha, profile: Convocatoria) -> datetime:
    return profile.vence(one.hasta)
