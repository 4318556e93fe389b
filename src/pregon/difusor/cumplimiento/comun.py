"""What the measurements share: whether the night is over, how long the portal was down, and how things are told."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pregon.convocatoria.lectura import in_words
from pregon.difusor.cumplimiento.evidencia import Medicion

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date, datetime

    from pregon.base.state import Event
    from pregon.difusor.cumplimiento.evidencia import Evidencia
    from pregon.difusor.cumplimiento.registros import Recibo, Registros

MAX_NOMBRADOS = 8
"""Cuts or files that a sentence names."""
_CAIDO = ("PORTAL_CAIDO", "SERVIDOR")
"""Alarms that mean that nobody could read the results."""


def terminada(r: Registros) -> bool:
    """Whether no more cuts will come: the hour passed, or the institute said that one was the last."""
    return r.ahora >= r.convocatoria.fin_actualizacion or (bool(r.cortes) and r.cortes[-1].ultimo)


def sin_cortes(r: Registros, what: str) -> Medicion:
    """The measurement of a night without cuts: pending while it may come, unmet once it is over."""
    if terminada(r):
        return Medicion("no_cumple", f"La jornada terminó y aquí no hay ningún corte: no hay {what} que mostrar.")
    return Medicion("pendiente", f"La noche no ha ocurrido: todavía no hay {what}.")


def acuses_rotos(r: Registros) -> Medicion | None:
    """The measurement of whoever needs the acuses, where they prove nothing; None where they do."""
    if r.acuses_rotos is None:
        return None
    return Medicion("no_cumple", f"Los acuses de este difusor no prueban nada desde uno que falla: {r.acuses_rotos}")


def caidas(r: Registros) -> tuple[Event, ...]:
    """The alarms, and their ends, that mean that the portal did not answer."""
    return tuple(event for event in r.de("alarma", "alarma_resuelta") if event.dato.get("codigo") in _CAIDO)


def tramos_caidos(r: Registros) -> list[tuple[datetime, datetime]]:
    """The stretches in which some alarm said that the portal did not answer, oldest first; they may overlap. One not
    resolved lasts on.
    """
    spans: list[tuple[datetime, datetime]] = []
    since: dict[str, datetime] = {}
    for event in caidas(r):
        code = event.dato["codigo"]
        if event.tipo == "alarma":
            since.setdefault(code, event.hora)
        elif code in since:
            spans.append((since.pop(code), event.hora))
    spans += [(begin, r.ahora) for begin in since.values()]
    return sorted(spans)


def caido(r: Registros, start: datetime, end: datetime) -> timedelta:
    """How long, between two instants, some alarm said that the portal did not answer."""
    total, reached = timedelta(), start
    for begin, finish in tramos_caidos(r):
        begin, finish = max(begin, reached), min(finish, end)
        if finish > begin:
            total, reached = total + (finish - begin), finish
    return total


def extremos(r: Registros) -> Iterator[Recibo]:
    """The acuses of the first and the last cut that were published."""
    published = r.recibos("publicado")
    for corte in sorted({min(published), max(published)} if published else ()):
        yield published[corte]


def del_manifiesto(r: Registros) -> tuple[Evidencia, ...]:
    """The last manifest, as proof."""
    return () if r.manifiesto is None else (r.manifiesto,)


def pruebas_de(receipts: Iterable[Recibo]) -> tuple[Evidencia, ...]:
    """Acuses, as proofs."""
    return tuple(one.evidencia for one in receipts)


def dias(first: date, last: date) -> Iterator[date]:
    """Every day of a span, both ends included."""
    for n in range((last - first).days + 1):
        yield first + timedelta(days=n)


def en_hora(instant: datetime, r: Registros) -> str:
    """An instant in words, in the zone of the call."""
    return in_words(instant.astimezone(r.convocatoria.zona).replace(microsecond=0))


def en_minutos(span: timedelta) -> str:
    """A span in whole minutes."""
    return f"{span.total_seconds() / 60:.0f} min"


def nombrados(items: Iterable[object]) -> str:
    """The first few of a list, and how many more there are."""
    names = [str(one) for one in items]
    rest = len(names) - MAX_NOMBRADOS
    return ", ".join(names[:MAX_NOMBRADOS]) + (f" y {rest} más" if rest > 0 else "")
