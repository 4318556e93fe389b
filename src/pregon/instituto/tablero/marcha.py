"""How the institute itself goes: each slot of its night, what it owes, its vantage points, what stopped. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pregon.instituto.tablero.modelo import Columna, Noche, Punto

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime, timedelta

    from pregon.instituto.monitor.modelo import Periodo
    from pregon.instituto.opera.programa import Corte


def columna(
    slot: Periodo, corte: Corte | None, segundos: Iterable[int], *, deben: int, ahora: datetime, margen: timedelta
) -> Columna:
    """One slot. ``segundos``: of each difusor that shows its cut, since it was signed; ``deben``: how many owe it.

    A cut is late where it was signed more than ``margen`` after its hour.
    """
    took = sorted(segundos)
    owed = 0 if slot.corte is None else max(deben, len(took))
    steps = {seconds: place for place, seconds in enumerate(took, 1)}
    late = None if slot.firmado is None else slot.firmado - slot.vence
    return Columna(
        indice=slot.indice,
        vence=slot.vence,
        hasta=slot.hasta,
        n=slot.corte,
        hora_corte=None if corte is None else corte.hora_corte,
        firmado=slot.firmado,
        perdido=slot.corte is None and slot.hasta <= ahora,
        ultimo=corte is not None and corte.ultimo,
        visibles=len(took),
        de=owed,
        p50_s=rango(took, owed, 50),
        p95_s=rango(took, owed, 95),
        retraso_s=late.total_seconds() if late is not None and late > margen else None,
        curva=tuple(steps.items()),
    )


def rango(took: Sequence[int], owed: int, percent: int) -> float | None:
    """Seconds within which that percentage of all who owe it showed it; None while fewer do. ``took`` is in order."""
    need = -(-owed * percent // 100)
    return float(took[need - 1]) if 0 < need <= len(took) else None


def noche(
    slots: Sequence[Periodo],
    cortes: Iterable[Corte],
    *,
    inicio: datetime,
    fin: datetime,
    margen: timedelta,
    ahora: datetime,
) -> Noche:
    """Where the institute is. Of the slots that began only the current one can be owed: a lost cut is owed no more."""
    signed = [one.corte for one in slots if one.corte is not None]
    closed = any(one.ultimo for one in cortes)
    current = next((one for one in reversed(slots) if one.vence <= ahora), None)
    following = next((one.vence for one in slots if one.vence > ahora), None)
    late = current is not None and current.corte is None and ahora >= current.vence + margen
    return Noche(
        inicio=inicio,
        fin=fin,
        fase="cerrada" if closed else "antes" if current is None else "noche",
        corte=signed[-1] if signed else None,
        proximo=None if closed else following,
        debe_desde=current.vence if current is not None and late and not closed else None,
    )


def puntos(
    nombres: Iterable[str],
    vistos: Mapping[str, tuple[datetime, bool]],
    *,
    ahora: datetime,
    calla: timedelta,
    oida: datetime | None,
) -> tuple[Punto, ...]:
    """The vantage points: those that there must be (``nombres``) and those that were seen, with their own network.

    One is silent after ``calla``; who was never seen, only where there was a round (``oida``).
    """
    made = []
    for name in dict.fromkeys((*nombres, *vistos)):
        seen = vistos.get(name)
        if seen is None:
            made.append(Punto(nombre=name, visto=None, con_red=False, calla=oida is not None))
        else:
            made.append(Punto(nombre=name, visto=seen[0], con_red=seen[1], calla=ahora - seen[0] > calla))
    return tuple(made)


def parado(noche: Noche, ultimo: datetime | None, *, ahora: datetime, tras: timedelta) -> datetime | None:
    """Since when something that must come again and again through the night came no more; None where it does."""
    return ultimo if ultimo is not None and noche.fase == "noche" and ahora - ultimo > tras else None
