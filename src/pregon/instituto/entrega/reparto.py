"""Many deliveries at once: bounded, with one shared rate, and nobody waits for one who is slow or dead.

Each delivery has a thread. A slot is for who makes progress: one that puts hardly anything on the link while others
wait goes on *apart*, without its slot, until its own deadline. Only ``RedError`` is tried again, with a growing wait
that is never the same for two; ``InstanciaError`` (another process is delivering there) is waited for. What a carrier
cannot be stopped from is left behind at the deadline: its thread dies with the process.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import random
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from pregon.base.errors import ComprobacionError, InstanciaError, PregonError, RedError
from pregon.transport.caudal import Caudal

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from pregon.base.clock import Clock

_logger = logging.getLogger(__name__)

T = TypeVar("T")

ESPERA_S = 1.0
"""Wait before the second attempt; it doubles at each one, and a half of it is left to chance."""
ESPERA_MAX_S = 30.0
OCUPADO_S = 0.5
"""How often to look whether another process has finished delivering there."""
MIRA_S = 0.25
"""How often progress is looked at."""
LENTA_TRAS_S = 2.0
"""Over how long a delivery's rate is measured before it may lose its slot; connecting fits in it."""
PISO_BYTES_S = 32 << 10
"""Who sends less than this makes no progress worth a slot. The slowest link of a call is 20 Mbps (GRO-2.2a)."""
OPACA_S = 20.0
"""A carrier that is a program of its own shows nothing of its progress: how long it keeps its slot."""
FRACCION = 16
"""Nor does who sends less than this fraction of the best rate seen in this round."""
APARTE_MAX = 64
"""Deliveries that may go on apart."""
GRACIA_S = 1.0
"""How long after its deadline a delivery is waited for: it sees it itself at the next piece."""


@dataclass(frozen=True)
class Encargo(Generic[T]):
    """One delivery to make. ``intenta(n, caudal)`` makes attempt ``n`` (from 0) and raises as ``Destination.deliver``.

    It must take what it sends from ``caudal``: that is how its progress is seen and its deadline kept.
    """

    nombre: str
    intenta: Callable[[int, Caudal], T]


@dataclass(frozen=True)
class Resultado(Generic[T]):
    """How one delivery ended: ``valor``, or the ``error`` of its last attempt.

    ``bytes`` put on the link in all attempts, ``segundos`` since its first one began.
    """

    nombre: str
    valor: T | None
    error: PregonError | None
    bytes: int
    segundos: float
    intentos: int


@dataclass(frozen=True)
class Reglas:
    """Limits of a round: ``AjustesEntrega`` says what the first three are.

    ``espera_s``: wait before the second attempt; ``lenta_s``: how long a slot is kept without progress.
    """

    a_la_vez: int
    intentos: int
    plazo_s: float
    espera_s: float = ESPERA_S
    lenta_s: float = LENTA_TRAS_S


def order(nombres: Sequence[str], *, vuelta: int, fallaron: Collection[str] = ()) -> tuple[str, ...]:
    """Who goes first in round ``vuelta``: each round begins one further, and those that failed lately go to the end.

    So that nobody is always last; among those that failed, and among the others, the turn is the same.
    """
    if not nombres:
        return ()
    start = vuelta % len(nombres)
    turned = (*nombres[start:], *nombres[:start])
    return (*(one for one in turned if one not in fallaron), *(one for one in turned if one in fallaron))


class Medidor(Caudal):
    """The shared rate as one delivery sees it: it also counts what passes, and ends the delivery at its deadline."""

    def __init__(self, comun: Caudal, clock: Clock, *, hasta: float) -> None:
        """``hasta``: instant of ``clock.monotonic`` after which no byte is given."""
        super().__init__(clock)
        self._comun = comun
        self._reloj = clock
        self._hasta = hasta
        self.bytes = 0
        self.opaco = False
        """Whether the carrier is a program that is only told its share: its progress is not seen here."""

    @property
    def share(self) -> int | None:
        self.opaco = True
        return self._comun.share

    def reserve(self, size: int) -> float:
        """As ``Caudal``.

        Raises:
            RedError: the deadline of this delivery is past.
        """
        if self._reloj.monotonic() > self._hasta:
            raise _late()
        self.bytes += size
        return self._comun.reserve(size)


@dataclass
class _Turno(Generic[T]):
    """Where one delivery is."""

    encargo: Encargo[T]
    puesto: int
    lista: float
    """When it may start."""
    inicio: float | None = None
    """When its first attempt began; ``desde``: the present one."""
    desde: float = 0.0
    hasta: float = 0.0
    intentos: int = 0
    bytes: int = 0
    medidor: Medidor | None = None
    aparte: bool = False
    visto: tuple[float, int] = (0.0, 0)
    resultado: Resultado[T] | None = None
    contado: bool = False


@dataclass(frozen=True)
class _Fin(Generic[T]):
    turno: _Turno[T]
    medidor: Medidor
    valor: T | None = None
    error: PregonError | None = None


@dataclass
class Reparto(Generic[T]):
    """One round of deliveries."""

    clock: Clock
    caudal: Caudal
    reglas: Reglas
    azar: Callable[[], float] = field(default_factory=lambda: random.SystemRandom().random)
    """Gives a number in [0, 1)."""

    def run(
        self, encargos: Iterable[Encargo[T]], *, al_terminar: Callable[[Resultado[T]], None] = lambda _: None
    ) -> tuple[Resultado[T], ...]:
        """Make every delivery, starting in the order given; the results in that order.

        ``al_terminar`` is called from this thread as each one ends. Nothing that a delivery raises comes out of here.
        """
        now = self.clock.monotonic()
        turnos = [_Turno(encargo, puesto, now) for puesto, encargo in enumerate(encargos)]
        ended: queue.SimpleQueue[_Fin[T]] = queue.SimpleQueue()
        best = 0.0
        while any(turno.resultado is None for turno in turnos):
            self._start(turnos, ended)
            with contextlib.suppress(queue.Empty):
                self._end(ended.get(timeout=self._patience(turnos)))
                while True:
                    self._end(ended.get_nowait())
            for turno in turnos:
                self._expire(turno)
            best = self._look(turnos, best)
            self._start(turnos, ended)  # Who waits does not wait for what is written of those that ended.
            for turno in turnos:
                if turno.resultado is not None and not turno.contado:
                    turno.contado = True
                    al_terminar(turno.resultado)
        return tuple(turno.resultado for turno in turnos if turno.resultado is not None)

    def _start(self, turnos: Sequence[_Turno[T]], ended: queue.SimpleQueue[_Fin[T]]) -> None:
        now = self.clock.monotonic()
        free = self.reglas.a_la_vez - sum(turno.medidor is not None and not turno.aparte for turno in turnos)
        for turno in _waiting(turnos, now)[: max(0, free)]:
            if turno.inicio is None:
                turno.inicio, turno.hasta = now, now + self.reglas.plazo_s
            turno.medidor = Medidor(self.caudal, self.clock, hasta=turno.hasta)
            turno.desde, turno.visto, turno.aparte = now, (now, 0), False
            # Not of a pool, whose threads the interpreter waits for at its end: one may be stuck in a dead link.
            threading.Thread(
                target=_attempt,
                args=(turno, turno.intentos, turno.medidor, ended),
                name=f"entrega {turno.encargo.nombre}",
                daemon=True,
            ).start()

    def _patience(self, turnos: Sequence[_Turno[T]]) -> float:
        now = self.clock.monotonic()
        waits = [turno.lista - now for turno in turnos if turno.resultado is None and turno.medidor is None]
        return max(0.001, min([MIRA_S, *(wait for wait in waits if wait > 0)]))

    def _end(self, fin: _Fin[T]) -> None:
        turno, error = fin.turno, fin.error
        if turno.medidor is not fin.medidor:
            return  # It had been left behind.
        turno.medidor = None
        turno.bytes += fin.medidor.bytes
        now = self.clock.monotonic()
        if isinstance(error, InstanciaError):
            turno.lista = now + OCUPADO_S * (0.5 + self.azar())
            again = turno.lista < turno.hasta
        else:
            turno.intentos += 1
            wait = min(ESPERA_MAX_S, self.reglas.espera_s * 2 ** (turno.intentos - 1))
            turno.lista = now + wait * (0.5 + self.azar())
            again = isinstance(error, RedError) and turno.intentos < self.reglas.intentos and turno.lista < turno.hasta
        if not again:
            turno.resultado = self._result(turno, fin.valor, error)

    def _expire(self, turno: _Turno[T]) -> None:
        if turno.medidor is None or self.clock.monotonic() <= turno.hasta + GRACIA_S:
            return
        turno.bytes += turno.medidor.bytes
        turno.medidor = None
        turno.intentos += 1
        turno.resultado = self._result(turno, None, _late())

    def _result(self, turno: _Turno[T], valor: T | None, error: PregonError | None) -> Resultado[T]:
        now = self.clock.monotonic()
        seconds = now - (now if turno.inicio is None else turno.inicio)
        return Resultado(turno.encargo.nombre, valor, error, turno.bytes, seconds, turno.intentos)

    def _look(self, turnos: Sequence[_Turno[T]], best: float) -> float:
        """Put apart who makes no progress while others wait. The best rate seen so far."""
        now = self.clock.monotonic()
        rates: dict[int, float] = {}
        for turno in turnos:
            since, seen = turno.visto
            if turno.medidor is not None and now - since >= self.reglas.lenta_s:
                rates[turno.puesto] = (turno.medidor.bytes - seen) / (now - since)
                turno.visto = (now, turno.medidor.bytes)
        best = max(best, *rates.values(), 0.0) if rates else best
        share = self.caudal.share
        floor = max(PISO_BYTES_S if share is None else min(PISO_BYTES_S, share / 4), best / FRACCION)
        apart = sum(turno.aparte and turno.medidor is not None for turno in turnos)
        waiting = len(_waiting(turnos, now))
        for turno in turnos:
            if waiting <= 0 or apart >= APARTE_MAX:
                break
            if turno.aparte or turno.puesto not in rates or rates[turno.puesto] >= floor:
                continue
            if turno.medidor is not None and (not turno.medidor.opaco or self._spent(turno, now)):
                turno.aparte = True
                apart += 1
                waiting -= 1
        return best

    def _spent(self, turno: _Turno[T], now: float) -> bool:
        """Whether a program that sends unseen has had its slot. Never under a cap: one more beside it would pass it."""
        return self.caudal.share is None and now - turno.desde >= OPACA_S


def _waiting(turnos: Sequence[_Turno[T]], now: float) -> list[_Turno[T]]:
    """Who may start now, first those that never tried: a retry never goes before a first attempt."""
    found = [t for t in turnos if t.resultado is None and t.medidor is None and t.lista <= now]
    return sorted(found, key=lambda turno: (turno.intentos > 0, turno.puesto))


def _attempt(turno: _Turno[T], number: int, medidor: Medidor, ended: queue.SimpleQueue[_Fin[T]]) -> None:
    try:
        fin = _Fin(turno, medidor, valor=turno.encargo.intenta(number, medidor))
    except PregonError as exc:
        fin = _Fin(turno, medidor, error=exc)
    except Exception as exc:
        _logger.exception("entrega a %s", turno.encargo.nombre)
        fin = _Fin(turno, medidor, error=_bug(turno.encargo.nombre, exc))
    ended.put(fin)


def _late() -> RedError:
    return RedError(
        "La entrega no terminó en su plazo («plazo_s»).",
        intacto="El destino conserva el corte anterior completo; los demás destinos no esperaron a éste.",
        que_hacer="Revise el enlace con ese difusor; la siguiente entrega sigue desde donde ésta quedó.",
    )


def _bug(nombre: str, exc: Exception) -> ComprobacionError:
    return ComprobacionError(
        f"La entrega a {nombre} se interrumpió por un error del programa: {type(exc).__name__}: {exc}",
        intacto="Los demás destinos no se afectaron; en éste nada incompleto tiene su nombre definitivo.",
        que_hacer="Repita la entrega a ese difusor y avise a quien mantiene Pregón.",
    )
