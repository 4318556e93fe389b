"""What must be public now? A pure function of the profile's times, the clock's trust, the witness and our memory.

::

    espera ──(inicio, trusted clock or witness)──▶ publicado ⇄ atrasado ──(último corte)──▶ cerrado
                                                      │  ▲
                              (aviso signed, periods) ▼  │ (reinstated, verified cut)
                                                   suspendido

Every transition is drawn in ``docs/estados.md``. Once something is public, no clock takes it back: what is public is
never blanked by time (design §3), but where the profile itself asks for it (docs/adr/0012).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Estado(StrEnum):
    """The five states of ``difusor estado`` (design §7)."""

    ESPERA = "espera"
    PUBLICADO = "publicado"
    ATRASADO = "atrasado"
    SUSPENDIDO = "suspendido"
    CERRADO = "cerrado"


@dataclass(frozen=True)
class Tiempos:
    """The profile's instants that the decision needs (aware), and how many seconds late the next cut may be."""

    inicio: datetime
    permanencia_hasta: datetime | None
    proximo_margen_s: float


@dataclass(frozen=True)
class CorteListo:
    """The newest accepted cut: verified, unpacked, its release whole. ``proximo``: when the next one is promised."""

    corte: int
    ultimo: bool
    proximo: datetime | None


@dataclass(frozen=True)
class Situacion:
    """Everything known at one moment.

    ``reloj_fiable``: offset measured and within limit. ``testigo``: the newest signing instant of a verified
    timestamp. ``corte``: newest accepted cut. ``ya_publico``: whether some cut is or was public. ``suspendido``: a
    signed aviso names this difusor, or the periods of the profile ran out (``interrupcion``), and ``causa`` says which;
    ``vence``: when those periods run out if nothing comes.
    """

    now: datetime
    tiempos: Tiempos
    reloj_fiable: bool
    testigo: datetime | None
    corte: CorteListo | None
    ya_publico: bool
    suspendido: bool = False
    causa: str = "Un aviso firmado suspende a este difusor."
    vence: datetime | None = None


@dataclass(frozen=True)
class Decision:
    """What to show: ``corte`` the number of the cut, or None for the page of ``estado`` (espera, aviso).

    ``motivo`` says why in Spanish. ``revisa`` is the next instant at which time alone may change the answer.
    """

    estado: Estado
    corte: int | None
    motivo: str
    revisa: datetime | None = None


def embargo_lifted(situation: Situacion) -> bool:
    """Whether the package may be public: local time has come, and something besides this clock says so too.

    Source: design §3, Embargo; GRO-1.1a, DGO-I-1a, MOR-I-5a, MEX-I-1a, INE-I-a-1.
    """
    inicio = situation.tiempos.inicio
    if situation.now < inicio:
        return False
    return situation.reloj_fiable or (situation.testigo is not None and situation.testigo >= inicio)


def decide(situation: Situacion) -> Decision:
    """What must be public now, in this order.

    1. A suspension in force shows the aviso, once there was something to suspend.
    2. Nothing before the start: without a trusted hour, or without a cut, the page espera.
    3. The newest accepted cut. Late where the next one is overdue; closed where it was the last or its time passed.
    """
    cut = situation.corte
    lifted = situation.ya_publico or embargo_lifted(situation)
    # 1
    if situation.suspendido and lifted:
        return Decision(Estado.SUSPENDIDO, None, situation.causa)
    # 2
    if not lifted:
        if situation.now < situation.tiempos.inicio:
            return Decision(Estado.ESPERA, None, "Todavía no es la hora de inicio.", situation.tiempos.inicio)
        return Decision(
            Estado.ESPERA, None, "Es la hora de inicio según este reloj, pero nadie más lo confirma (reloj sin medir)."
        )
    if cut is None:
        return Decision(Estado.ESPERA, None, "Todavía no llega ningún corte verificado.")
    # 3
    if cut.ultimo:
        return Decision(Estado.CERRADO, cut.corte, "Es el último corte.")
    until = situation.tiempos.permanencia_hasta
    if until is not None and situation.now > until:
        return Decision(Estado.CERRADO, cut.corte, "Terminó el plazo de permanencia.")
    due = overdue_at(cut, situation.tiempos)
    if due is not None and situation.now > due:
        return Decision(
            Estado.ATRASADO, cut.corte, "El siguiente corte no ha llegado a tiempo.", _next(situation, until)
        )
    return Decision(
        Estado.PUBLICADO, cut.corte, "El corte más reciente está publicado.", _next(situation, due or until)
    )


def _next(situation: Situacion, other: datetime | None) -> datetime | None:
    """The first of what time alone may still bring."""
    coming = (instant for instant in (situation.vence, other) if instant is not None and instant > situation.now)
    return min(coming, default=None)


def overdue_at(cut: CorteListo, times: Tiempos) -> datetime | None:
    """The instant after which the cut following ``cut`` is late; None where no next one is promised."""
    if cut.proximo is None:
        return None
    return cut.proximo + timedelta(seconds=times.proximo_margen_s)
