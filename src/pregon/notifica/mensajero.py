"""Takes messages and gives them to every channel: whoever has something to tell neither waits nor hears of failures.

Each channel has its own thread and its own queue, so that one that hangs delays nobody. What waits, and what has been
told, is kept in the state database: a process that starts again neither forgets nor repeats. A message is delivered at
least once; a process killed between the delivery and its note delivers it again.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from pregon.base.errors import DestinoError, PregonError
from pregon.notifica.canal import abre
from pregon.notifica.mensaje import Mensaje

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import TracebackType

    from pregon.base.clock import Clock
    from pregon.base.estado import Estado
    from pregon.notifica.ajustes import AjustesCanal
    from pregon.notifica.canal import Canal

_logger = logging.getLogger(__name__)

REPITE_S = 1800.0
"""How long what still lasts is not told again."""
ESPERAS_S = (5.0, 15.0, 45.0, 120.0, 300.0)
"""After each failure in a row, the last one for ever."""
VIDA_S = 6 * 3600.0
"""What could not be told for so long says nothing any more."""
MAX_PENDIENTES = 200
"""Messages that wait for one channel; of more, the oldest are lost, and that is noted."""
FIN_S = 5.0
"""For the last deliveries when it ends."""
CLAVE = "mensajes"
"""Of the value in the state database."""


@dataclass
class _Dicho:
    """What was told of one code, and the worst that was said since it began: whom its end concerns."""

    severidad: str
    hora: datetime
    peor: str


@dataclass(frozen=True)
class Falla:
    """A channel that does not deliver: ``desde`` in seconds of the clock's monotonic, and why."""

    canal: str
    desde: float
    que_paso: str


@dataclass
class _Via:
    """One channel with what waits for it."""

    clave: str
    ajustes: AjustesCanal
    canal: Canal
    pendientes: deque[tuple[float, Mensaje]] = field(default_factory=deque)
    falla: Falla | None = None
    perdidos: list[Mensaje] = field(default_factory=list)
    thread: threading.Thread | None = None


class Mensajero:
    """Use as a context: threads begin on entry and end, within ``FIN_S``, at the exit.

    ``clock`` is the machine's own: people wait in real time, in a simulacro too. ``state`` None keeps nothing.
    """

    def __init__(
        self,
        canales: Sequence[tuple[AjustesCanal, Canal]],
        *,
        clock: Clock,
        state: Estado | None,
        repite_s: float = REPITE_S,
        esperas_s: Sequence[float] = ESPERAS_S,
    ) -> None:
        self._clock = clock
        self._state = state
        self._repite_s = repite_s
        self._esperas_s = tuple(esperas_s)
        self._vias = [_Via(f"{n} {ajustes.nombre}", ajustes, canal) for n, (ajustes, canal) in enumerate(canales)]
        self._dichos: dict[str, _Dicho] = {}
        self._turno = threading.Condition()
        self._escritura = threading.Lock()
        self._fin: float | None = None
        self._cerrado = False
        self._changed = False

    @classmethod
    def de(
        cls,
        ajustes: Sequence[AjustesCanal],
        folder: Path,
        *,
        clock: Clock,
        state: Estado | None,
        repite_s: float,
    ) -> Mensajero:
        """The messenger of these settings; paths are relative to ``folder``."""
        canales = [(each, abre(each, folder, clock)) for each in ajustes]
        return cls(canales, clock=clock, state=state, repite_s=repite_s)

    def __enter__(self) -> Self:
        self._recall()
        for via in self._vias:
            via.thread = threading.Thread(target=self._run, args=(via,), name=f"avisa-{via.ajustes.canal}", daemon=True)
            via.thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._turno:
            self._fin = self._clock.monotonic() + FIN_S
            self._turno.notify_all()
        for via in self._vias:
            if via.thread is not None:
                via.thread.join(max(0.0, self._fin - self._clock.monotonic()))
        self._remember()
        self._cerrado = True

    def manda(self, mensaje: Mensaje) -> None:
        """Tell ``mensaje``: returns at once and never raises.

        The same ``codigo`` with the same severity is told again only after ``repite_s``; its «resuelta», once, and only
        where the beginning was told.
        """
        with self._turno:
            worst = self._worth_telling(mensaje)
            if worst is None:
                return
            for via in self._vias:
                if via.ajustes.severidad == "aviso" or worst in ("alarma", "informe"):
                    self._queue(via, mensaje)
            self._changed = True
            self._turno.notify_all()

    @property
    def fallas(self) -> tuple[Falla, ...]:
        """The channels that do not deliver now."""
        return tuple(via.falla for via in self._vias if via.falla is not None)

    @property
    def pendientes(self) -> int:
        """Messages that wait, those of every channel together."""
        with self._turno:
            return sum(len(via.pendientes) for via in self._vias)

    def _worth_telling(self, mensaje: Mensaje) -> str | None:
        """The worst severity that was said of it; None where nothing new is said."""
        key = f"{mensaje.origen}/{mensaje.codigo}"
        known = self._dichos.get(key)
        if mensaje.severidad == "informe":
            return "informe"
        if mensaje.severidad == "resuelta":
            self._dichos.pop(key, None)
            return None if known is None else known.peor
        now = self._clock.now()
        worst: str = mensaje.severidad
        if known is not None:
            age = abs((now - known.hora).total_seconds())
            if known.severidad == mensaje.severidad and age < self._repite_s:
                return None
            worst = "alarma" if "alarma" in (known.peor, mensaje.severidad) else "aviso"
        self._dichos[key] = _Dicho(mensaje.severidad, now, worst)
        return mensaje.severidad

    def _queue(self, via: _Via, mensaje: Mensaje) -> None:
        via.pendientes.append((self._clock.monotonic(), mensaje))
        if len(via.pendientes) > MAX_PENDIENTES:
            via.perdidos.append(via.pendientes.popleft()[1])

    # One thread for each channel.

    def _run(self, via: _Via) -> None:
        failures = 0
        while (mensaje := self._next(via)) is not None:
            self._remember()
            self._note_lost(via)
            try:
                via.canal.envia(mensaje)
            except PregonError as exc:
                failures += 1
                self._failed(via, mensaje, exc.que_paso, lost=isinstance(exc, DestinoError))
            except Exception as exc:
                # The border of the thread: a bug in a channel must not silence it for the rest of the night.
                failures += 1
                _logger.exception("falla interna al avisar por %s", via.ajustes.nombre)
                self._failed(via, mensaje, f"falla interna: {type(exc).__name__}", lost=False)
            else:
                failures = 0
                via.falla = None
                self._drop(via, mensaje)
                self._note(via, mensaje, "entregado")
                continue
            if self._pause(self._esperas_s[min(failures, len(self._esperas_s)) - 1]):
                break
        self._note_lost(via)
        self._remember()

    def _next(self, via: _Via) -> Mensaje | None:
        """The oldest message that waits, once there is one; None when it is time to end."""
        while True:
            with self._turno:
                while not via.pendientes and self._fin is None:
                    self._turno.wait()
                if not via.pendientes or self._over():
                    return None
                since, mensaje = via.pendientes[0]
            if self._clock.monotonic() - since < VIDA_S:
                return mensaje
            self._drop(via, mensaje)
            self._note(via, mensaje, "perdido", f"no se pudo entregar en {VIDA_S / 3600:g} horas")

    def _over(self) -> bool:
        return self._fin is not None and self._clock.monotonic() >= self._fin

    def _pause(self, seconds: float) -> bool:
        """Wait before another try; True where it is ending, and there is none."""
        with self._turno:
            self._turno.wait_for(lambda: self._fin is not None, seconds)
            return self._fin is not None

    def _failed(self, via: _Via, mensaje: Mensaje, why: str, *, lost: bool) -> None:
        before = via.falla
        since = self._clock.monotonic() if before is None else before.desde
        via.falla = Falla(via.ajustes.nombre, since, why)
        if lost:
            self._drop(via, mensaje)
            self._note(via, mensaje, "perdido", why)
        elif before is None or before.que_paso != why:
            self._note(via, mensaje, "fallo", why)

    def _drop(self, via: _Via, mensaje: Mensaje) -> None:
        with self._turno:
            if via.pendientes and via.pendientes[0][1] is mensaje:
                via.pendientes.popleft()
            self._changed = True

    def _note_lost(self, via: _Via) -> None:
        with self._turno:
            lost, via.perdidos = via.perdidos, []
        if lost:
            why = f"esperaban más de {MAX_PENDIENTES}; se perdieron {len(lost)}, el más antiguo {lost[0].codigo}"
            self._note(via, lost[-1], "perdido", why)

    def _note(self, via: _Via, mensaje: Mensaje, resultado: str, que_paso: str | None = None) -> None:
        if resultado != "entregado":
            _logger.warning("%s %s: %s: %s", mensaje.codigo, via.ajustes.nombre, resultado, que_paso)
        if self._state is None or self._cerrado:
            return
        data = {"codigo": mensaje.codigo, "severidad": mensaje.severidad, "canal": via.ajustes.nombre}
        state = self._state
        self._quietly(lambda: state.record("mensaje", **data, resultado=resultado, que_paso=que_paso))

    # What outlives the process.

    def _remember(self) -> None:
        if self._state is None or self._cerrado:
            return
        with self._escritura:
            with self._turno:
                if not self._changed:
                    return
                self._changed = False
                value = {
                    "dichos": {
                        key: {"severidad": each.severidad, "hora": each.hora.isoformat(), "peor": each.peor}
                        for key, each in self._dichos.items()
                    },
                    "pendientes": {
                        via.clave: [mensaje.to_json() for _, mensaje in via.pendientes] for via in self._vias
                    },
                }
            state = self._state
            self._quietly(lambda: state.put(**{CLAVE: value}))

    def _recall(self) -> None:
        if self._state is None:
            return
        value: Any = None
        with contextlib.suppress(PregonError):
            value = self._state.get(CLAVE)
        try:
            told = {
                str(key): _Dicho(str(each["severidad"]), datetime.fromisoformat(each["hora"]), str(each["peor"]))
                for key, each in (value or {}).get("dichos", {}).items()
            }
            waiting = {
                str(key): [Mensaje.from_json(each) for each in items]
                for key, items in (value or {}).get("pendientes", {}).items()
            }
        except (ValueError, KeyError, TypeError, AttributeError):
            return  # Of another version: nothing is told twice for lack of it but what still lasts.
        with self._turno:
            self._dichos = {**told, **self._dichos}
            now = self._clock.monotonic()
            for via in self._vias:
                via.pendientes.extendleft((now, each) for each in reversed(waiting.get(via.clave, [])))

    @staticmethod
    def _quietly(action: Callable[[], None]) -> None:
        try:
            action()
        except PregonError as exc:
            # A disk that is full is one of the things to be told: telling goes on without it.
            _logger.warning("no se pudo anotar un mensaje: %s", exc.que_paso)
