"""When each cut is due, and what is to be done at one instant. Pure: the call, what is signed and ``now`` decide.

A slot of the clock begins when its cut is due and ends when the next one is: from ``inicio`` every ``intervalo_min``
to ``fin_actualizacion``, whose slot is the one of the closing cut. A slot that ends without a cut is lost: its cut is
never made afterwards, because the next one says more. The closing cut alone is owed until it is signed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from pregon.instituto.monitor import periodos as huecos
from pregon.instituto.monitor.veredicto import Firmado
from pregon.trust.aviso import TODOS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from pregon.convocatoria.model import Convocatoria
    from pregon.instituto.monitor.modelo import Periodo
    from pregon.trust.aviso import Aviso

GRACIA_MAX = timedelta(minutes=5)
"""How long a notice of delay outlives its slot, so that the next one is there before it ends."""
PARTE_DE_GRACIA = 4
"""And never more than this part of the interval."""
MIRA_MAX = timedelta(seconds=60)
"""Where there is nothing to do, look again after so long."""
_MOSTRADAS = 4
"""Late cuts that a notice names; of more, the last ones."""

Fase = Literal["antes", "noche", "cerrada"]


@dataclass(frozen=True)
class Corte:
    """One signed cut: its number, the hour that it states, when it was signed (aware), and its manifest."""

    corte: int
    hora_corte: datetime
    firmado: datetime
    manifiesto_sha256: str
    ultimo: bool = False


@dataclass(frozen=True, kw_only=True)
class Tareas:
    """What is to be done now.

    ``corta``: the slot whose cut is to be made, ``ultimo`` whether it is the closing one, ``tarde`` whether it is late
    already. ``anuncia``: the slot whose delay is to be announced, ``hasta`` when that notice may end. ``ausentes``:
    slots of the delay, oldest first. ``terminados``: slots that ended and are not noted yet. ``sella``: the timestamp
    is to be signed again. ``despierta``: when something else will be due, if nothing happens before.
    """

    fase: Fase
    despierta: datetime
    corta: Periodo | None = None
    ultimo: bool = False
    tarde: bool = False
    anuncia: Periodo | None = None
    hasta: datetime | None = None
    ausentes: tuple[Periodo, ...] = ()
    terminados: tuple[Periodo, ...] = ()
    sella: bool = False


def periodos(convocatoria: Convocatoria, cortes: Sequence[Corte] = ()) -> tuple[Periodo, ...]:
    """Every slot of the night with the cut that was signed for it; after the closing cut there is none."""
    closing = next((one.corte for one in cortes if one.ultimo), None)
    return huecos.periodos(
        convocatoria,
        [
            (Firmado(corte=one.corte, firmado=one.firmado, manifiesto_sha256=one.manifiesto_sha256), one.hora_corte)
            for one in cortes
        ],
        cierre=closing,
    )


def es_de(periodo: Periodo, hora: datetime) -> bool:
    """Whether files that state ``hora`` are those of ``periodo``: the same rule by which a cut belongs to a slot."""
    return periodo.vence - huecos.ADELANTO <= hora < periodo.hasta - huecos.ADELANTO


def cubre(avisos: Iterable[Aviso], *, hasta: datetime, ultimo: Corte | None, ahora: datetime) -> bool:
    """Whether a signed notice of delay holds at ``ahora`` and will hold to ``hasta`` unless the cut comes before."""
    newest = -1 if ultimo is None else ultimo.corte
    signed = None if ultimo is None else ultimo.firmado
    return any(
        one.tipo == "retraso"
        and one.difusores == (TODOS,)
        and one.desde <= ahora
        and (one.hasta is None or one.hasta > hasta)
        and (one.corte > newest if one.corte is not None else signed is None or one.desde >= signed)
        for one in avisos
    )


def tareas(
    convocatoria: Convocatoria,
    firmados: Sequence[Corte],
    avisos: Sequence[Aviso],
    *,
    ahora: datetime,
    aviso_tras: timedelta,
    anotados: int,
    sellado: datetime | None,
) -> Tareas:
    """What is to be done at ``ahora``.

    Args:
        firmados: every signed cut. avisos: every signed notice.
        aviso_tras: how long after it was due a cut that is not signed is announced as late (a minute at most).
        anotados: slots whose end is in the journal.
        sellado: when the timestamp was signed last; None: nobody knows.
    """
    step = timedelta(minutes=convocatoria.intervalo_min)
    slots = periodos(convocatoria, firmados)
    newest = firmados[-1] if firmados else None
    ended = tuple(one for one in slots[anotados:] if one.hasta <= ahora)
    stamp = sellado is None or ahora >= sellado + step
    if newest is not None and newest.ultimo:
        left = tuple(one for one in slots[anotados:] if one.hasta > ahora)
        end = left[0].hasta if left else ahora + MIRA_MAX
        # Without an end of permanence (MOR) nothing is signed to it: the repository goes on saying that it is current.
        endless = convocatoria.permanencia_hasta is None
        return Tareas(fase="cerrada", despierta=min(end, ahora + MIRA_MAX), terminados=ended, sella=endless and stamp)
    current = next((one for one in reversed(slots) if one.vence <= ahora), None)
    if current is None:
        start = slots[0].vence
        stamp = stamp and ahora >= start - step  # Before that the repository says that nothing is due.
        return Tareas(fase="antes", despierta=min(start, ahora + MIRA_MAX), sella=stamp)
    closing = current.indice == slots[-1].indice
    # A closing cut is owed also after its own slot: then the notice goes on by slots that nobody counts.
    end = current.hasta
    while end <= ahora:
        end += step
    wake = [ahora + MIRA_MAX, end] + ([] if sellado is None else [sellado + step])
    if current.corte is not None and not closing:
        return Tareas(fase="noche", despierta=_first(wake, ahora), terminados=ended, sella=stamp)
    if closing:
        ended = tuple(one for one in ended if one.indice != current.indice)
    due = current.vence + aviso_tras
    late = ahora >= due
    silent = late and not cubre(avisos, hasta=end, ultimo=newest, ahora=ahora)
    return Tareas(
        fase="noche",
        despierta=_first([*wake, due], ahora),
        corta=current,
        ultimo=closing,
        tarde=late,
        anuncia=current if silent else None,
        hasta=end + min(GRACIA_MAX, step / PARTE_DE_GRACIA),
        ausentes=_missing(slots, current),
        terminados=ended,
        sella=stamp and not silent,  # The notice signs it too.
    )


def _first(instants: Iterable[datetime], ahora: datetime) -> datetime:
    return min(one for one in instants if one > ahora)


def _missing(slots: Sequence[Periodo], current: Periodo) -> tuple[Periodo, ...]:
    """The slots without a cut that end in the current one, oldest first."""
    found = [current]
    for one in reversed(slots[: current.indice]):
        if one.corte is not None:
            break
        found.append(one)
    return tuple(reversed(found))


def texto_de_retraso(ausentes: Sequence[Periodo], ultimo: Corte | None, convocatoria: Convocatoria) -> str:
    """What citizens read in each portal: which cut is late, and which one they are seeing."""
    hours = [f"{one.vence.astimezone(convocatoria.zona):%H:%M}" for one in ausentes]
    shown = hours if len(hours) <= _MOSTRADAS else ["…", *hours[-_MOSTRADAS:]]
    if len(shown) == 1:
        said = f"El corte de las {shown[0]} h se retrasa."
    else:
        said = f"Los cortes de las {', '.join(shown[:-1])} y {shown[-1]} h se retrasan."
    if ultimo is None or ultimo.corte == 0:
        return f"{said} El instituto publicará los primeros resultados en cuanto estén listos."
    seen = f"{ultimo.hora_corte.astimezone(convocatoria.zona):%H:%M}"
    return f"{said} Los resultados que se muestran son los del corte de las {seen} h."
