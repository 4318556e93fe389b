"""The loop of one workspace: recover, then a step of the sweep and a pass, and again, until it is told to stop.

A refusal never ends it: it is told once and the site stays as it was. Time alone is a reason to look again: the pass
at the hour of the start comes at that hour, not at the next poll. So is a timestamp that somebody has just delivered.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pregon.base.clock import SystemClock
from pregon.base.errors import PregonError
from pregon.base.locks import exclusive
from pregon.difusor.barrido import Barrido
from pregon.difusor.libro import Libro
from pregon.difusor.novedades import Timbre, open_news
from pregon.difusor.publish import Publisher
from pregon.difusor.receive import Receiver
from pregon.difusor.recover import recover
from pregon.difusor.reloj import offset_source

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from threading import Event

    from pregon.base.clock import Clock
    from pregon.base.durable import Disk
    from pregon.base.state import StateDatabase
    from pregon.difusor.receive import Outcome
    from pregon.difusor.workspace import Workspace

_logger = logging.getLogger(__name__)

LOOK_EVERY_S = 0.1
"""How often the clock is looked at between two passes."""


def open_receiver(workspace: Workspace, *, clock: Clock, state: StateDatabase, disk: Disk) -> Receiver:
    """Recover the workspace and make its receiver. The caller holds ``opera.lock``.

    Raises: as ``open_both``.
    """
    return open_both(workspace, clock=clock, state=state, disk=disk)[0]


def open_both(workspace: Workspace, *, clock: Clock, state: StateDatabase, disk: Disk) -> tuple[Receiver, Barrido]:
    """Recover the workspace and make its receiver and its sweep. The caller holds ``opera.lock``.

    Raises:
        AjustesError: the root given by hand is of another convocatoria or ambiente.
        DiscoError, EscrituraError: the workspace cannot be used.
    """
    libro = Libro(state)
    publisher = Publisher(workspace, libro, disk)
    recover(publisher, clock.now())
    news = open_news(publisher, clock)
    receiver = Receiver(publisher, news, clock=clock, offset=offset_source(workspace.settings.reloj))
    return receiver, Barrido(publisher, clock)


def receive_once(workspace: Workspace, *, disk: Disk) -> Outcome:
    """Recover, sweep (everything, where the last whole sweep is old) and make one pass.

    Raises:
        InstanciaError: another process receives for this workspace.
    """
    clock = workspace.open_clock()
    with exclusive(workspace.candado):
        state = workspace.open_state(clock)
        receiver, sweep = open_both(workspace, clock=clock, state=state, disk=disk)
        _sweep(workspace, sweep, whole=sweep.vencido)
        try:
            outcome = receiver.run_once()
        finally:
            receiver.close()
        Libro(state).marcar_limpio(limpio=True)
        return outcome


def receive_until(
    workspace: Workspace, stop: Event, *, disk: Disk, tell: Callable[[Outcome], None] = lambda _: None
) -> None:
    """Make passes until ``stop`` is set; ``tell`` hears each outcome.

    Raises:
        InstanciaError: another process receives for this workspace.
    """
    clock = workspace.open_clock()
    with exclusive(workspace.candado):
        state = workspace.open_state(clock)
        receiver, sweep = open_both(workspace, clock=clock, state=state, disk=disk)
        bell = Timbre(workspace)
        while not stop.is_set():
            due: datetime | None = None
            bell.arm()
            # Before the pass: what the pass itself would put right in silence is told too.
            _sweep(workspace, sweep)
            try:
                outcome = receiver.run_once()
                tell(outcome)
                due = outcome.decision.revisa
            except PregonError as exc:
                # The border of the service: a full disk or a locked database must not end the night.
                _logger.exception("difusor %s: %s", workspace.settings.id, exc.codigo)
            except Exception:
                # The same border, for a bug: what is public stays; the next pass begins anew.
                _logger.exception("difusor %s: falla interna en una pasada", workspace.settings.id)
            _rest(workspace.settings.sondeo_s, due, clock, stop, bell)
        receiver.close()
        Libro(state).marcar_limpio(limpio=True)


def _sweep(workspace: Workspace, sweep: Barrido, *, whole: bool = False) -> None:
    try:
        sweep.step(whole=whole)
    except PregonError as exc:
        # A sweep that fails must not stop a cut: a full disk, a file that the system will not let us replace.
        _logger.exception("difusor %s: barrido: %s", workspace.settings.id, exc.codigo)
    except Exception:
        _logger.exception("difusor %s: falla interna en el barrido", workspace.settings.id)


def _rest(wait: float, until: datetime | None, clock: Clock, stop: Event, bell: Timbre) -> None:
    """Wait ``wait`` real seconds; less where something was delivered, or the clock passes ``until`` first.

    The clock's pace may change meanwhile.
    """
    end = clock.monotonic() + wait
    while (left := end - clock.monotonic()) > 0 and not stop.wait(min(left, LOOK_EVERY_S)):
        if bell.rings() or (until is not None and clock.now() >= until):
            return


def real_clock() -> Clock:
    """The machine's clock, for durations and probes of processes that decide nothing."""
    return SystemClock()
