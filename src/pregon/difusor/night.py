"""The loop of one workspace: recover, then a step of the sweep and a pass, and again, until it is told to stop.

A refusal never ends it: it is told once and the site stays as it was. Time alone is a reason to look again: the pass
at the hour of the start comes at that hour, not at the next poll. So is a timestamp that somebody has just delivered.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from pregon.base.clock import SystemClock
from pregon.base.errors import DanadoError, PregonError
from pregon.base.locks import exclusive
from pregon.difusor.atento import quieto
from pregon.difusor.historia.rescate import open_sound_state
from pregon.difusor.integridad.barrido import Barrido
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
    from pregon.difusor.atento import Late
    from pregon.difusor.receive import Outcome
    from pregon.difusor.workspace import Workspace

_logger = logging.getLogger(__name__)

NUBE_MAX_S = 900.0
"""How long a single pass waits for the object stores: for the first cut of a national call everything goes up."""
LOOK_EVERY_S = 0.1
"""How often the clock is looked at between two passes."""


def open_receiver(workspace: Workspace, *, clock: Clock, state: StateDatabase, disk: Disk) -> Receiver:
    """Recover the workspace and make its receiver. The caller holds ``opera.lock``.

    Raises: as ``open_both``.
    """
    return open_both(workspace, clock=clock, state=state, disk=disk)[0]


def open_both(
    workspace: Workspace, *, clock: Clock, state: StateDatabase, disk: Disk, late: Late = quieto
) -> tuple[Receiver, Barrido]:
    """Recover the workspace and make its receiver and its sweep. The caller holds ``opera.lock``.

    Raises:
        AjustesError: the root given by hand is of another convocatoria or ambiente.
        DiscoError, EscrituraError: the workspace cannot be used.
    """
    return _both(_recovered(workspace, clock, state, disk), clock, late)


def _recovered(workspace: Workspace, clock: Clock, state: StateDatabase, disk: Disk) -> Publisher:
    publisher = Publisher(workspace, Libro(state), disk)
    recover(publisher, clock.now())
    return publisher


def _both(publisher: Publisher, clock: Clock, late: Late) -> tuple[Receiver, Barrido]:
    news = open_news(publisher, clock, late=late)
    source = offset_source(publisher.workspace.settings.reloj)
    return Receiver(publisher, news, clock=clock, offset=source), Barrido(publisher, clock)


class Noche:
    """The passes and the rests of one workspace. Its maker holds ``opera.lock`` until after ``termina``.

    ``late`` hears that the work goes on: at each look between two passes, and at each piece that comes of a source
    that is read in pieces (what is written is heard by the disk, ``difusor.atento``).
    """

    def __init__(
        self, workspace: Workspace, *, clock: Clock, state: StateDatabase, disk: Disk, late: Late = quieto
    ) -> None:
        publisher = _recovered(workspace, clock, state, disk)
        self.workspace = workspace
        self.libro = publisher.libro
        """Its memory. It keeps what it read, so whoever asks about this night asks this one."""
        self._clock = clock
        self._disk = disk
        self._late = late
        self._receiver, self._sweep = _both(publisher, clock, late)
        self._bell = Timbre(workspace)
        self._due: datetime | None = None

    def adopta(self, workspace: Workspace) -> None:
        """Go on with other settings of the same workspace. Where this raises, with those of before.

        Raises:
            PregonError: they cannot be used.
        """
        publisher = Publisher(workspace, self.libro, self._disk)
        receiver, sweep = _both(publisher, self._clock, self._late)
        receiver.sucede(self._receiver)
        self.workspace, self._receiver, self._sweep = workspace, receiver, sweep
        self._bell = Timbre(workspace)

    def pasada(self, tell: Callable[[Outcome], None]) -> None:
        """A step of the sweep and a pass; ``tell`` hears how it went. A failure is told and ends nothing."""
        self._due = None
        self._bell.arm()
        # Before the pass: what the pass itself would put right in silence is told too.
        _sweep(self.workspace, self._sweep)
        self._late()
        name = self.workspace.settings.id
        try:
            outcome = self._receiver.run_once()
            tell(outcome)
            self._due = outcome.decision.revisa
            if isinstance(outcome.error, DanadoError):
                self._begin_anew()
        except DanadoError:
            _logger.exception("difusor %s: base de estado dañada", name)
            self._begin_anew()
        except PregonError as exc:
            # The border of the service: a full disk or a locked database must not end the night.
            _logger.exception("difusor %s: %s", name, exc.codigo)
        except Exception:
            # The same border, for a bug: what is public stays; the next pass begins anew.
            _logger.exception("difusor %s: falla interna en una pasada", name)

    def _begin_anew(self) -> None:
        """Set the damaged state database aside and go on with another. Where that fails, the next pass tries again."""
        try:
            state = open_sound_state(self.workspace, self._clock, self._disk)
            publisher = _recovered(self.workspace, self._clock, state, self._disk)
            receiver, sweep = _both(publisher, self._clock, self._late)
        except PregonError as exc:
            _logger.exception("difusor %s: %s", self.workspace.settings.id, exc.codigo)
            return
        receiver.sucede(self._receiver)
        self.libro, self._receiver, self._sweep = publisher.libro, receiver, sweep

    def descansa(self, stop: Event, *, basta: Callable[[], bool] = lambda: False) -> None:
        """Wait ``sondeo_s`` real seconds; less where something was delivered, the hour to look comes, or ``basta``.

        The clock's pace may change meanwhile.
        """
        end = self._clock.monotonic() + self.workspace.settings.sondeo_s
        while (left := end - self._clock.monotonic()) > 0 and not stop.wait(min(left, LOOK_EVERY_S)):
            self._late()
            if basta() or self._bell.rings() or (self._due is not None and self._clock.now() >= self._due):
                return

    def termina(self) -> None:
        """The end in order: the next start need not hash everything again."""
        self._receiver.close()
        self.libro.marcar_limpio(limpio=True)


def receive_once(workspace: Workspace, *, disk: Disk) -> Outcome:
    """Recover, sweep (everything, where the last whole sweep is old) and make one pass.

    It waits ``NUBE_MAX_S`` at most for the object stores of the settings; ``atrasadas`` has those that are left behind.

    Raises:
        InstanciaError: another process receives for this workspace.
    """
    clock = workspace.open_clock()
    with exclusive(workspace.candado):
        state = open_sound_state(workspace, clock, disk)
        receiver, sweep = open_both(workspace, clock=clock, state=state, disk=disk)
        _sweep(workspace, sweep, whole=sweep.vencido)
        try:
            outcome = receiver.run_once()
            outcome = replace(outcome, atrasadas=receiver.completa(outcome.decision, NUBE_MAX_S))
        finally:
            receiver.close()
        Libro(state).marcar_limpio(limpio=True)
        return outcome


def receive_until(
    workspace: Workspace, stop: Event, *, disk: Disk, tell: Callable[[Outcome], None] = lambda _: None
) -> None:
    """Make passes until ``stop`` is set; ``tell`` hears each outcome. Nobody is watched or told: see ``opera``.

    Raises:
        InstanciaError: another process receives for this workspace.
    """
    clock = workspace.open_clock()
    with exclusive(workspace.candado):
        night = Noche(workspace, clock=clock, state=open_sound_state(workspace, clock, disk), disk=disk)
        while not stop.is_set():
            night.pasada(tell)
            night.descansa(stop)
        night.termina()


def _sweep(workspace: Workspace, sweep: Barrido, *, whole: bool = False) -> None:
    try:
        sweep.step(whole=whole)
    except PregonError as exc:
        # A sweep that fails must not stop a cut: a full disk, a file that the system will not let us replace.
        _logger.exception("difusor %s: barrido: %s", workspace.settings.id, exc.codigo)
    except Exception:
        _logger.exception("difusor %s: falla interna en el barrido", workspace.settings.id)


def real_clock() -> Clock:
    """The machine's clock, for durations and probes of processes that decide nothing."""
    return SystemClock()
