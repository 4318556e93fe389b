"""The stages of a call, and who is to be called in each (GRO-5.4, DGO-III-5, INE-VI-a, MEX-IV-1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from pregon.convocatoria.model import Convocatoria
    from pregon.convocatoria.solicitud.modelo import Borrador, Contacto, ContactoBorrador, Ficha

PREPARACION = "Instalación, pruebas y simulacros"
JORNADA = "Jornada electoral y difusión de resultados"
"""The two stages of INE-VI-a, for the calls that give none with dates (INE, MOR, MEX)."""


@dataclass(frozen=True)
class Etapa:
    """One stage of support, first and last day included; None where the call sets no day."""

    nombre: str
    desde: date | None
    hasta: date | None


def etapas(convocatoria: Convocatoria) -> tuple[Etapa, ...]:
    """The stages of a call, in order: its own, or the two that every call has."""
    if convocatoria.etapas:
        return tuple(Etapa(one.nombre, one.desde, one.hasta) for one in convocatoria.etapas)
    night = convocatoria.inicio.astimezone(convocatoria.zona).date()
    return (Etapa(PREPARACION, None, night - timedelta(days=1)), Etapa(JORNADA, night, None))


def etapa_en(convocatoria: Convocatoria, hora: datetime) -> Etapa:
    """The stage at an instant: the last one that has begun; before all of them, the first.

    A day between two stages is of the one that ended, so that there is always somebody to call.
    """
    day = hora.astimezone(convocatoria.zona).date()
    found = etapas(convocatoria)
    begun = [one for one in found if one.desde is None or one.desde <= day]
    return begun[-1] if begun else found[0]


def para(ficha: Ficha, convocatoria: Convocatoria, hora: datetime) -> tuple[Contacto, ...]:
    """Whom to call at an instant: technical staff of its stage who answer at that hour, then the rest of the people.

    Nobody of the form is left out: at three in the morning a wrong person is better than none.
    """
    stage = etapa_en(convocatoria, hora).nombre
    clock = hora.astimezone(convocatoria.zona).time()

    def order(one: Contacto) -> tuple[bool, bool, bool]:
        return one.papel != "tecnico", not _of_stage(one, stage), not one.atiende(clock)

    return tuple(sorted(ficha.contacto, key=order))


def sin_contacto(ficha: Borrador, convocatoria: Convocatoria) -> tuple[str, ...]:
    """The stages for which no technical contact is given (INE-VI-a-ii-1)."""
    return tuple(stage.nombre for stage in etapas(convocatoria) if not de_etapa(ficha, stage.nombre))


def horas_sin_contacto(ficha: Ficha, convocatoria: Convocatoria) -> tuple[int, ...]:
    """Hours of the day (0-23) at which no technical contact of the last stage answers: the night has all of them."""
    stage = etapas(convocatoria)[-1].nombre
    there = de_etapa(ficha, stage)
    return tuple(hour for hour in range(24) if not any(one.atiende(time(hour)) for one in there))


def de_etapa(ficha: Borrador, etapa: str) -> tuple[ContactoBorrador, ...]:
    """Its technical staff of one stage, in the order of the form (GRO-5.4, DGO-III-5)."""
    return tuple(one for one in ficha.de_papel("tecnico") if _of_stage(one, etapa))


def _of_stage(one: ContactoBorrador, stage: str) -> bool:
    return not one.etapas or stage in one.etapas
