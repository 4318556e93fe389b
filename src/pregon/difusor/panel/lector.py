"""Reads the state in threads of its own while somebody looks, and tells the open pages when something is different.

No request ever waits for the state database: a page is made of the last moment that could be read, and says how old
that is. A database that is locked or damaged costs nobody but this thread.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import TYPE_CHECKING

from pregon.base.clock import SystemClock
from pregon.difusor.libro import Libro
from pregon.difusor.panel import fuentes
from pregon.difusor.panel.foto import toma

if TYPE_CHECKING:
    from collections.abc import Callable

    from pregon.base.clock import Clock
    from pregon.base.state import Event, StateDatabase
    from pregon.difusor.panel.foto import Foto
    from pregon.difusor.workspace import Workspace

_logger = logging.getLogger(__name__)

MIRA_S = 0.3
"""Between two looks at whether the state's file changed, while a page is open."""
REPITE_S = 5.0
"""Between two readings where it did not: hours go by, disks fill."""
VIEJA_S = 15.0
"""From then on the page says that what it shows is old."""
ESPERA_S = 2.0
"""How long a page waits for a new reading before it shows the last one."""
EVENTOS = 10
PROPIOS = "panel_"
"""How the events of the panel itself begin."""


class Lector:
    """The last moment that could be read. ``cambia`` hears each one that was asked for or is different."""

    def __init__(
        self,
        workspace: Workspace,
        state: StateDatabase,
        clock: Clock,
        *,
        miran: Callable[[], bool],
        cambia: Callable[[Foto, float], None],
    ) -> None:
        """``miran``: whether any page is open. ``cambia`` gets the moment and its age in seconds."""
        self._workspace = workspace
        self._state = state
        self._clock = clock
        self._watched = miran
        self._tell = cambia
        self._real = SystemClock()
        self._ask = threading.Event()
        self._stop = threading.Event()
        self._lock = threading.Condition()
        self._shot: Foto | None = None
        self._at = 0.0
        self._cursor = 0
        self._journal: deque[Event] = deque(maxlen=EVENTOS)
        self._forecasts = fuentes.Pronosticos(workspace)
        self._threads = [
            threading.Thread(target=work, name=f"panel-{name}", daemon=True)
            for name, work in (("lector", self._run), ("edad", self._watch))
        ]

    def empieza(self) -> None:
        """Begin its threads."""
        for thread in self._threads:
            thread.start()

    def termina(self) -> None:
        """Ask it to end, and wait some seconds: no more, it may be waiting for the database."""
        if self._stop.is_set():
            return
        self._stop.set()
        self._ask.set()
        for thread in self._threads:
            thread.join(ESPERA_S)

    def foto(self) -> tuple[Foto | None, float]:
        """A moment read now, or after ``ESPERA_S`` the last one there is; and its age in seconds."""
        asked = self._real.monotonic()
        with self._lock:
            self._ask.set()
            self._lock.wait_for(lambda: self._at >= asked or self._stop.is_set(), ESPERA_S)
            return self._shot, self._age()

    def _age(self) -> float:
        return self._real.monotonic() - self._at if self._shot is not None else 0.0

    def _run(self) -> None:
        mark: object = None
        while not self._stop.is_set():
            asked = self._ask.wait(MIRA_S)
            if self._stop.is_set():
                return
            if not asked and not self._watched():
                continue
            self._ask.clear()
            try:
                now_mark = fuentes.marca(self._workspace)
                if asked or now_mark != mark or self._age() >= REPITE_S:
                    self._read()
                    mark = now_mark
            except Exception:
                # The border of the thread: it must live as long as the panel.
                _logger.exception("panel: no se pudo leer el estado")
                self._stop.wait(REPITE_S)

    def _watch(self) -> None:
        """Tell the open pages that what they show grows old, while the reading waits."""
        while not self._stop.wait(REPITE_S):
            if self._watched() and self._shot is not None and self._age() >= VIEJA_S:
                self._tell(self._shot, self._age())

    def _read(self) -> None:
        started, now = self._real.monotonic(), self._clock.now()
        libro = Libro(self._state)  # a new one: it remembers what it read
        zona = self._workspace.convocatoria.zona
        shot = toma(
            self._workspace,
            libro,
            now,
            eventos=self._events,
            alarmas=lambda: fuentes.alarmas(self._state, zona, now),
            pronostico=lambda: self._forecasts.da(libro, now),
        )
        with self._lock:
            self._shot, self._at = shot, started
            self._lock.notify_all()
        self._tell(shot, self._real.monotonic() - started)

    def _events(self) -> list[Event]:
        while True:
            found = self._state.events(after=self._cursor)
            if not found:
                return list(self._journal)
            # Who comes and goes is in the journal; here it would push out what happened to the cuts.
            self._journal.extend(event for event in found if not event.tipo.startswith(PROPIOS))
            self._cursor = found[-1].n
