"""Takes what was decided to every target of ``[[nube]]``: a thread for each, so that a slow one holds nobody.

Reception and the local publication never wait for it and never fail by it. Each thread has room for one order, the
newest: a cut that another followed before it went up is never finished. What failed is tried again, sooner at first;
what is shown is looked at again every hour, and whoever altered it in the bucket is undone.
"""

from __future__ import annotations

import logging
import math
import os
import threading
from typing import TYPE_CHECKING, Any

from pregon.base.clock import SystemClock
from pregon.base.durable import Disk
from pregon.base.errors import PregonError
from pregon.base.hashing import sha256_bytes, sha256_file
from pregon.difusor import pointer
from pregon.difusor.decide import Estado
from pregon.difusor.nube.archivo import Historiales
from pregon.difusor.nube.blanco import Blanco, Pedido
from pregon.difusor.pages import AVISOS
from pregon.difusor.publish import Publisher

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pregon.base.clock import Clock
    from pregon.difusor.aceptado import Aceptado
    from pregon.difusor.decide import Decision
    from pregon.difusor.nube.estado import EstadoNube
    from pregon.difusor.release import Plan
    from pregon.difusor.workspace import Workspace

_logger = logging.getLogger(__name__)

ESPERA_S = 0.5
"""After a failure; twice as much after each one more."""
ESPERA_MAX_S = 60.0
REVISA_S = 3600.0
"""Between two looks at everything that a target should have."""
INTENTOS = 3
"""Failures in a row after which nobody waits any longer for a target (``espera``, ``visible``)."""
PASOS = ("pedido", "subido", "purgado", "visible")
"""Instants of a target that an acuse has."""
CIERRA_S = 3.0
"""For all threads to end what they are in the middle of; what they leave, the next start completes."""


class Nube:
    """The targets of one workspace. Without any, it does nothing and starts nothing."""

    def __init__(self, workspace: Workspace, publisher: Publisher, *, clock: Clock, disk: Disk | None = None) -> None:
        """``disk``: for the threads; the loop's own tells a supervisor that the loop advances, which they do not.

        Raises:
            DiscoError: the state database cannot be read.
        """
        self._workspace = workspace
        self._last: Pedido | None = None
        settings = workspace.settings.nube
        self._historiales = Historiales(workspace, publisher, clock=clock, disk=disk)
        self._hilos: tuple[_Hilo, ...] = ()
        if not settings:
            return
        own = Publisher(workspace, publisher.libro.otro(), disk or Disk())
        plans = _Planes(own)
        self._hilos = tuple(
            _Hilo(Blanco(each, own, plan=plans.de, clock=clock, environment=os.environ), workspace) for each in settings
        )

    def sucede(self, antes: Nube) -> None:
        """Begin no work before the threads of ``antes``, which was closed, have ended: one writer for each target."""
        self._historiales.tras(antes._historiales.vivos())
        for hilo in self._hilos:
            hilo.tras([thread for each in antes._hilos if each.blanco.estorba(hilo.blanco) for thread in each.vivos()])

    def despacha(self, decision: Decision, cut: Aceptado | None) -> None:
        """Have every target show what ``decision`` made public here: ``cut``, or the page of its state.

        Returns at once and never raises. Before the start there is nothing to take anywhere.
        """
        if not self._hilos:
            return
        try:
            pedido = self._pedido(decision, cut)
        except Exception:
            # The border of the loop: what is public here never depends on what is published elsewhere.
            _logger.exception("difusor %s: nube: no se pudo ver qué llevar", self._workspace.settings.id)
            return
        if pedido is None or pedido == self._last:
            return
        self._last = pedido
        self._historiales.despierta()
        for hilo in self._hilos:
            hilo.pide(pedido)

    def _pedido(self, decision: Decision, cut: Aceptado | None) -> Pedido | None:
        workspace = self._workspace
        avisos = workspace.servidor / AVISOS
        told = sha256_file(avisos) if avisos.is_file() else None
        if told is not None:
            # Any notice, so that the store has its signature too before another could be signed with its number.
            told += f" {sum(1 for _ in workspace.avisos.glob('*.json'))}"
        if cut is not None:
            return Pedido(pointer.release_name(cut.corte), cut.sha256, told, cut=cut)
        public = pointer.read(workspace)
        name = pointer.AVISO if decision.estado is Estado.SUSPENDIDO else pointer.ESPERA
        if public != name:
            return None  # Our memory is lost, and what is public stays.
        page = workspace.cortes / name / "index.html"
        return Pedido(name, sha256_bytes(page.read_bytes()), told, pagina=page)

    def visible(self, cut: Aceptado) -> tuple[Mapping[str, Any], ...] | None:
        """The times of each target that shows ``cut``, and what those that fail lack it for; None where one may yet.

        Each has ``nombre`` and ``publica``, and the keys of ``EstadoNube.tiempos``. One that failed ``INTENTOS`` times
        in a row does not hold back what the others show: its times are None, and ``falla`` is the code of why.
        """
        found = []
        for each in self.estado():
            place = {"nombre": each.nombre, "publica": each.publica}
            if each.al_dia and (each.muestra, each.sha256) == (pointer.release_name(cut.corte), cut.sha256):
                found.append({**place, **each.tiempos})
            elif each.error is not None and each.error.intentos >= INTENTOS:
                found.append({**place, **dict.fromkeys(PASOS), "falla": each.error.codigo})
            else:
                return None
        return tuple(found)

    def estado(self) -> tuple[EstadoNube, ...]:
        """What each target shows and lacks, in the order of the settings."""
        return tuple(hilo.blanco.estado for hilo in self._hilos)

    def espera(self, segundos: float) -> tuple[EstadoNube, ...]:
        """Wait until each target shows what was asked, failed ``INTENTOS`` times, or ``segundos`` pass in all.

        Gives those that do not show it.
        """
        real = SystemClock()
        end = real.monotonic() + segundos
        missing = tuple(hilo.blanco.estado for hilo in self._hilos if not hilo.espera(end - real.monotonic()))
        self._historiales.espera(end - real.monotonic())
        return missing

    def close(self, segundos: float = CIERRA_S) -> None:
        """Ask every thread to end and wait for them, ``segundos`` in all."""
        real = SystemClock()
        end = real.monotonic() + segundos
        for hilo in self._hilos:
            hilo.para()
        self._historiales.close(segundos)
        for hilo in self._hilos:
            for thread in hilo.vivos():
                thread.join(max(0.0, end - real.monotonic()))


class _Planes:
    """The plan of the cut that was last asked for, made once for all targets."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._lock = threading.Lock()
        self._last: tuple[str, Plan] | None = None

    def de(self, cut: Aceptado) -> Plan:
        with self._lock:
            if self._last is None or self._last[0] != cut.sha256:
                self._last = (cut.sha256, self._publisher.plan_of(cut))
            return self._last[1]


class _Hilo:
    """A target and its thread, which is begun by the first order."""

    def __init__(self, blanco: Blanco, workspace: Workspace) -> None:
        self.blanco = blanco
        self._workspace = workspace
        self._real = SystemClock()
        self._turn = threading.Condition()
        self._stop = False
        self._wanted: Pedido | None = None
        self._done: Pedido | None = None
        self._next = math.inf
        self._failures = 0
        self._before: Sequence[threading.Thread] = ()
        self._thread: threading.Thread | None = None

    def tras(self, threads: Sequence[threading.Thread]) -> None:
        self._before = threads

    def vivos(self) -> list[threading.Thread]:
        """Whatever still works for this target: its thread, and those that it waits for."""
        mine = [] if self._thread is None else [self._thread]
        return [thread for thread in (*self._before, *mine) if thread.is_alive()]

    def pide(self, pedido: Pedido) -> None:
        with self._turn:
            self._wanted, self._next, self._failures = pedido, -math.inf, 0
            self._turn.notify_all()
        self.blanco.deja()
        if self._thread is None:
            # A daemon: a request that hangs must not keep a process that was asked to end.
            self._thread = threading.Thread(target=self._run, name=f"nube-{self.blanco.nombre}", daemon=True)
            self._thread.start()

    def para(self) -> None:
        with self._turn:
            self._stop = True
            self._turn.notify_all()
        self.blanco.deja()

    def espera(self, segundos: float) -> bool:
        """Wait until what was asked is shown, or it failed ``INTENTOS`` times; whether it is shown."""
        with self._turn:
            self._turn.wait_for(
                lambda: self._wanted is self._done or self._failures >= INTENTOS or self._stop, max(0.0, segundos)
            )
            return self._wanted is self._done

    def _run(self) -> None:
        for thread in self._before:
            while thread.is_alive() and not self._stop:
                thread.join(0.2)
        while (pedido := self._taken()) is not None:
            failed = self._attempt(pedido)
            with self._turn:
                if self._wanted is pedido:
                    self._done = pedido if failed is None else self._done
                    self._failures = 0 if failed is None else self._failures + 1
                    wait = REVISA_S if failed is None else _wait(self._failures, failed)
                    self._next = self._real.monotonic() + wait
                self._turn.notify_all()
        self.blanco.close()

    def _taken(self) -> Pedido | None:
        """The order to work on, when its time comes; None: to end."""
        with self._turn:
            while not self._stop and (left := self._next - self._real.monotonic()) > 0:
                self._turn.wait(None if math.isinf(left) else left)
            self._next = math.inf
            return None if self._stop else self._wanted

    def _attempt(self, pedido: Pedido) -> Exception | None:
        def vigente() -> bool:
            # The pointer moves first, and the order that follows it comes a moment later.
            public = pointer.read(self._workspace)
            return self._wanted is pedido and not self._stop and public == pedido.que

        try:
            self.blanco.lleva(pedido, vigente=vigente, revisa=self._done is pedido)
        except PregonError as exc:
            if vigente():
                self.blanco.falla(exc)
            return exc
        except Exception as exc:
            # The border of the thread: a bug here must not end what the next cut needs.
            _logger.exception("nube %s: falla interna", self.blanco.nombre)
            self.blanco.falla(exc)
            return exc
        return None


def _wait(failures: int, error: Exception) -> float:
    asked = getattr(error, "espera_s", None) or 0.0
    return min(ESPERA_MAX_S, max(asked, ESPERA_S * 2.0 ** (min(failures, 12) - 1)))
