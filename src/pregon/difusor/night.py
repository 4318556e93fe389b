"""The receive loop of one workspace: recover, then one pass after another until it is told to stop.

A refusal never ends it: it is told once and the site stays as it was. Time alone is a reason to look again: the pass
at the hour of the start comes at that hour, not at the next poll.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pregon.base.clock import SystemClock
from pregon.base.errors import PregonError
from pregon.base.locks import exclusive
from pregon.difusor.libro import Libro
from pregon.difusor.publish import Publisher
from pregon.difusor.receive import Receiver
from pregon.difusor.recover import recover
from pregon.difusor.reloj import offset_source
from pregon.transport.local import FolderSource

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

    Raises:
        AjustesError: the root given by hand is of another convocatoria or ambiente.
        DiscoError, EscrituraError: the workspace cannot be used.
    """
    libro = Libro(state)
    publisher = Publisher(workspace, libro, disk)
    recover(publisher, clock.now())
    source = FolderSource(workspace.settings.origin_folder(workspace.folder))
    return Receiver(publisher, source, clock=clock, offset=offset_source(workspace.settings.reloj))


def receive_once(workspace: Workspace, *, disk: Disk) -> Outcome:
    """Recover and make one pass.

    Raises:
        InstanciaError: another process receives for this workspace.
    """
    clock = workspace.open_clock()
    with exclusive(workspace.candado):
        state = workspace.open_state(clock)
        outcome = open_receiver(workspace, clock=clock, state=state, disk=disk).run_once()
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
        receiver = open_receiver(workspace, clock=clock, state=state, disk=disk)
        while not stop.is_set():
            due: datetime | None = None
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
            _rest(workspace.settings.sondeo_s, due, clock, stop)
        Libro(state).marcar_limpio(limpio=True)


def _rest(wait: float, until: datetime | None, clock: Clock, stop: Event) -> None:
    """Wait ``wait`` real seconds, less where the clock passes ``until`` first: its pace may change meanwhile."""
    end = clock.monotonic() + wait
    while (left := end - clock.monotonic()) > 0 and not stop.wait(min(left, LOOK_EVERY_S)):
        if until is not None and clock.now() >= until:
            return


def real_clock() -> Clock:
    """The machine's clock, for durations and probes of processes that decide nothing."""
    return SystemClock()
