"""A recorded night replayed by a real institute towards its own difusores, wherever they are: at any speed, today.

The institute is a workspace of the ambiente «simulacro» with its keys, its profile and its ``[[destino]]`` tables; each
cut goes through the gate, is signed and is delivered as on the night. Only the hours are others: they keep their order
and their proportions from the start of the profile on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pregon.base.errors import AjustesError, UsoError
from pregon.instituto.build import build_cut
from pregon.instituto.entrega.corrida import Corrida
from pregon.instituto.fuentes import ContestSource
from pregon.simulacro.institute import OPERADOR

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from threading import Event

    from pregon.instituto.entrega.corrida import Linea
    from pregon.instituto.workspace import Workspace
    from pregon.paquete.manifest import Autorizacion
    from pregon.simulacro.grabacion import Grabacion
    from pregon.simulacro.plan import PlannedCut

MINUTO = timedelta(minutes=1)
"""The least between two cuts: the names of their packages tell the minute."""
ESPERA_S = 0.5
"""Real seconds between two looks at the clock, at most."""
MIRA_S = 0.05
"""The same of a simulated one."""


@dataclass(frozen=True)
class Hora:
    """One cut of the replay and when it is made now."""

    corte: PlannedCut
    hora: datetime


@dataclass(frozen=True)
class Repetido:
    """One cut as it was replayed: what was signed and how its deliveries went."""

    numero: int
    hora: datetime
    manifiesto_sha256: str
    entregas: tuple[Linea, ...]


def horario(grabacion: Grabacion, *, inicio: datetime, acelerar: float) -> tuple[Hora, ...]:
    """When each cut is made, from ``inicio`` (aware) on, ``acelerar`` times as fast as it was.

    Hours are whole minutes, each after the one before; the package before the start stays before it.

    Raises:
        UsoError: so fast that two cuts would be of the same minute.
    """
    before = grabacion.convocatoria.inicio.astimezone(UTC)
    found: list[Hora] = []
    for cut in grabacion.plan.todos:
        offset = (cut.sale.astimezone(UTC) - before) / acelerar
        minutes = offset // MINUTO
        hora = inicio + max(minutes, 1) * MINUTO if cut.numero else inicio + min(minutes, -1) * MINUTO
        if found and hora <= found[-1].hora:
            raise UsoError(
                f"A {acelerar:g} veces su velocidad, los cortes {found[-1].corte.numero} y {cut.numero} caen en el "
                "mismo minuto.",
                intacto="No se firmó nada.",
                que_hacer="Baje --acelerar: entre dos cortes debe quedar al menos un minuto.",
            )
        found.append(Hora(cut, hora))
    return tuple(found)


def repite(
    workspace: Workspace,
    grabacion: Grabacion,
    *,
    acelerar: float,
    stop: Event,
    entorno: Mapping[str, str],
    autorizaciones: tuple[Autorizacion, ...],
    dice: Callable[[Repetido], None] = lambda _: None,
) -> tuple[Repetido, ...]:
    """Replay the night with an institute's workspace until it ends or ``stop``; what was signed.

    Its profile says when it starts. Cuts whose hour has passed are left out, but the last of them. ``autorizaciones``:
    those of the recording (``grabacion.de_otra_fecha``).

    Raises:
        AjustesError: the workspace is of the ambiente «oficial», or of other elections; nothing was signed.
        FindingsError: the gate refuses a cut; those before it stay signed and delivered.
        UsoError: as ``horario``, or no cut is left to replay.
    """
    call = workspace.convocatoria
    if workspace.settings.ambiente != "simulacro":
        raise AjustesError(
            f"{workspace.folder} es de un proceso oficial.",
            intacto="No se firmó nada.",
            que_hacer="Repita noches sólo con un espacio de trabajo hecho con «--ambiente simulacro».",
        )
    if set(call.elecciones) != set(grabacion.convocatoria.elecciones):
        raise AjustesError(
            f"La noche grabada es de {', '.join(grabacion.convocatoria.elecciones)} y {call.id} de "
            f"{', '.join(call.elecciones)}.",
            intacto="No se firmó nada.",
            que_hacer="Use un espacio de trabajo con las mismas elecciones.",
        )
    hours = horario(grabacion, inicio=call.inicio, acelerar=acelerar)
    left = _pending(hours, workspace.clock.now())
    done: list[Repetido] = []
    for one in left:
        while (wait := (one.hora - workspace.clock.now()).total_seconds()) > 0:
            # A simulated clock may go faster than ours, and change its pace.
            if stop.wait(min(wait, MIRA_S if workspace.clock.simulado else ESPERA_S)):
                return tuple(done)
        made = _cut(workspace, one, autorizaciones, entorno)
        done.append(made)
        dice(made)
    return tuple(done)


def _pending(hours: tuple[Hora, ...], now: datetime) -> tuple[Hora, ...]:
    past = [one for one in hours if one.hora <= now]
    return (*past[-1:], *(one for one in hours if one.hora > now))


def _cut(
    workspace: Workspace, one: Hora, autorizaciones: tuple[Autorizacion, ...], entorno: Mapping[str, str]
) -> Repetido:
    cut = one.corte
    built = build_cut(
        workspace,
        [ContestSource(None, f.actas, f.candidaturas, f.leeme) for f in cut.fuentes],
        hora=one.hora,
        corte=None if cut.numero else 0,
        ultimo=cut.ultimo,
        operador=OPERADOR,
        autorizaciones=autorizaciones,
    )
    lines = Corrida(workspace, entorno).run() if workspace.settings.destino else ()
    return Repetido(built.corte, one.hora, built.manifiesto_sha256, lines)
