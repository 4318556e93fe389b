"""The threads in which the history goes to the bucket, one for each target with ``historial``.

Neither reception nor publication waits for them: an original may have some hundred megabytes.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from functools import partial
from typing import TYPE_CHECKING

from pregon.base.clock import SystemClock
from pregon.base.durable import Disk
from pregon.base.errors import PregonError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pregon.base.clock import Clock
    from pregon.difusor.libro import Libro
    from pregon.difusor.nube.ajustes import AjustesNube
    from pregon.difusor.nube.historial import Historial
    from pregon.difusor.publish import Publisher
    from pregon.difusor.workspace import Workspace

_logger = logging.getLogger(__name__)

LATIDO_S = 30.0
"""How often a target is looked at."""
ESPERA_MAX_S = 300.0
"""After failures: ``LATIDO_S``, and twice as much after each one more, up to this."""
CIERRA_S = 5.0


class Historiales:
    """The threads of one workspace, begun with it. Without any target that keeps history, it does nothing.

    Daemons, as those of ``servicio``: a request that hangs must not keep a process that was asked to end.
    """

    def __init__(
        self,
        workspace: Workspace,
        publisher: Publisher,
        *,
        clock: Clock,
        disk: Disk | None = None,
    ) -> None:
        self._stop = threading.Event()
        self._hilos = []
        for each in workspace.settings.nube:
            if each.historial:
                libro = publisher.libro.otro()
                abre = partial(_open, each, workspace, libro, clock, disk or Disk(), self._stop)
                self._hilos.append(_Hilo(each.nombre, libro, abre, self._stop))

    def vivos(self) -> list[threading.Thread]:
        """Those that still work, and those that they wait for."""
        return [thread for hilo in self._hilos for thread in (*hilo.antes, hilo) if thread.is_alive()]

    def tras(self, threads: Sequence[threading.Thread]) -> None:
        """Begin no work before ``threads``, which were asked to end, have ended."""
        for hilo in self._hilos:
            hilo.antes = tuple(threads)

    def despierta(self) -> None:
        """Something may be new: look now, not at the next beat. Returns at once."""
        for hilo in self._hilos:
            hilo.despierta()

    def espera(self, segundos: float) -> bool:
        """Wait until each target was tried after ``despierta``, ``segundos`` in all; whether they were."""
        real = SystemClock()
        end = real.monotonic() + segundos
        return all(hilo.mirado.wait(max(0.0, end - real.monotonic())) for hilo in self._hilos)

    def close(self, segundos: float = CIERRA_S) -> None:
        """Ask them to end and wait for them, ``segundos`` in all."""
        real = SystemClock()
        end = real.monotonic() + segundos
        self._stop.set()
        self.despierta()
        for hilo in self._hilos:
            if hilo.is_alive():
                hilo.join(max(0.0, end - real.monotonic()))


def _open(
    ajustes: AjustesNube, workspace: Workspace, libro: Libro, clock: Clock, disk: Disk, stop: threading.Event
) -> Historial:
    from pregon.difusor.nube.historial import Historial  # Late: it needs what reports, which needs who receives.

    return Historial(ajustes, workspace, libro, clock=clock, disk=disk, environment=os.environ, parar=stop)


class _Hilo(threading.Thread):
    """The history of one target, and its thread, which is begun by the first ``despierta``."""

    def __init__(
        self,
        nombre: str,
        libro: Libro,
        abre: Callable[[], Historial],
        stop: threading.Event,
    ) -> None:
        super().__init__(name=f"historial-{nombre}", daemon=True)
        self._nombre = nombre
        self._libro = libro
        self._abre = abre
        self._stop_asked = stop
        self.antes: tuple[threading.Thread, ...] = ()
        self._wake = threading.Event()
        self.mirado = threading.Event()

    def despierta(self) -> None:
        if not self._stop_asked.is_set():
            self.mirado.clear()
        self._wake.set()
        if self.ident is None and not self._stop_asked.is_set():
            self.start()

    def run(self) -> None:
        for thread in self.antes:
            thread.join()
        historial: Historial | None = None
        failures = 0
        while not self._stop_asked.is_set():
            self._wake.clear()
            again = False
            try:
                historial = historial or self._abre()
                again = historial.guarda().traidos > 0
                failures = 0
                self._libro.recuerda_historial(self._nombre, None)
            except PregonError as exc:
                failures += 1
                self._tell(exc.codigo, exc.que_paso)
            except Exception as exc:
                # The border of the thread: what is public, and the next cut, never depend on the history.
                failures += 1
                _logger.exception("historial en %s: falla interna", self._nombre)
                self._tell(PregonError.codigo, f"{type(exc).__name__}: {exc}")
            if not self._wake.is_set() or failures:
                self.mirado.set()
            if failures:
                # Not before its time, although there is more to take: whoever fails is not asked at every cut.
                self._stop_asked.wait(min(ESPERA_MAX_S, LATIDO_S * 2.0 ** (min(failures, 8) - 1)))
            elif not again:
                self._wake.wait(LATIDO_S)
        if historial is not None:
            historial.suelta()

    def _tell(self, codigo: str, que_paso: str) -> None:
        """The same trouble is one fact, told once."""
        if self._stop_asked.is_set():
            return
        with contextlib.suppress(PregonError):
            if self._libro.recuerda_historial(self._nombre, {"codigo": codigo, "que_paso": que_paso}):
                _logger.warning("historial en %s: %s: %s", self._nombre, codigo, que_paso)
                self._libro.evento("historial_falla", nube=self._nombre, codigo=codigo, que_paso=que_paso)
