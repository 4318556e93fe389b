"""The process log to a syslog too, besides where it is written (MEX-II-1e). A slow syslog never delays the process."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pregon.base.errors import PregonError
from pregon.notifica.syslog import Enlace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pregon.base.clock import Clock
    from pregon.notifica.ajustes import AjustesCanal

_logger = logging.getLogger(__name__)

MAX_LINEAS = 5000
"""Lines that wait; of more, the newest are lost and counted: the process log in its own file has them all."""
FIN_S = 3.0
"""For the last lines when it ends."""
PAUSA_S = 2.0
"""After a line that could not be sent: those that come meanwhile wait."""
MSGID = "REGISTRO"
RAIZ = "pregon"
_SEVERITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))


class _ASyslog(logging.Handler):
    """Gives each record to a thread that sends it."""

    def __init__(self, ajustes: AjustesCanal, origen: str, clock: Clock) -> None:
        super().__init__(logging.INFO)
        self._enlace = Enlace(ajustes)
        self._nombre = ajustes.nombre
        self._origen = origen
        self._clock = clock
        self._lines: queue.Queue[logging.LogRecord | None] = queue.Queue(MAX_LINEAS)
        self._lost = 0
        self._ends: float | None = None
        self._awake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="registro-syslog", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        if record.name == __name__:
            return  # What it says of itself would come back to it.
        try:
            self._lines.put_nowait(record)
        except queue.Full:
            self._lost += 1

    def finish(self) -> None:
        """Send what waits, for at most ``FIN_S``."""
        self._ends = self._clock.monotonic() + FIN_S
        self._awake.set()
        with contextlib.suppress(queue.Full):
            self._lines.put_nowait(None)
        self._thread.join(FIN_S)

    def _run(self) -> None:
        failing = False
        while (record := self._next()) is not None:
            sent = False
            while not sent and not (self._ends is not None and (failing or self._clock.monotonic() >= self._ends)):
                sent = self._send(record)
                if not sent:
                    if not failing:
                        _logger.warning("el registro no llega a %s; se sigue intentando", self._nombre)
                    self._awake.wait(PAUSA_S)
                failing = not sent
            if self._ends is not None and not sent:
                break
            if self._lost:
                lost, self._lost = self._lost, 0
                _logger.warning("%s líneas del registro no llegaron a %s", lost, self._nombre)
        self._enlace.cierra()

    def _next(self) -> logging.LogRecord | None:
        while True:
            try:
                return self._lines.get(timeout=None if self._ends is None else 0.0)
            except queue.Empty:
                return None  # It ends, and the queue was so full that the end itself did not fit.

    def _send(self, record: logging.LogRecord) -> bool:
        severity = next((number for level, number in _SEVERITIES if record.levelno >= level), 7)
        data = {"origen": self._origen, "modulo": record.name}
        hora = datetime.fromtimestamp(record.created, UTC)
        try:
            self._enlace.manda(severity, MSGID, self.format(record), data, hora)
        except PregonError:
            return False
        except Exception:  # noqa: BLE001 (a record that cannot be formatted is no reason to end the others)
            return True
        return True


@contextlib.contextmanager
def a_syslog(ajustes: Iterable[AjustesCanal], *, origen: str, clock: Clock) -> Iterator[None]:
    """While the block lasts, what this process logs goes to every syslog of ``ajustes`` whose ``registro`` is true.

    ``origen`` is the id of who logs. Never blocks and never raises where a syslog does not answer.
    """
    handlers = [_ASyslog(each, origen, clock) for each in ajustes if each.canal == "syslog" and each.registro]
    root = logging.getLogger(RAIZ)
    for handler in handlers:
        root.addHandler(handler)
    try:
        yield
    finally:
        for handler in handlers:
            root.removeHandler(handler)
            handler.finish()
            handler.close()
