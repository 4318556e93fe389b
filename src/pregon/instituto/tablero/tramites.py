"""What was asked for from the board: each request once, in the journal before it is done and after, in a thread.

A form has a number that is spent by its first request: the same one again does nothing, in this process or in another
that reads the same journal. What dies between the two entries is told as in doubt, and nobody repeats it but a person:
each action may be asked for again without harm (an order signs one notice, a delivery sends what is missing).
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict, deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from pregon.base.errors import PregonError
from pregon.instituto.opera.trabajos import Trabajos
from pregon.instituto.tablero.acciones import verbo

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from pregon.base.clock import Clock
    from pregon.base.estado import Estado
    from pregon.base.state import Event
    from pregon.instituto.tablero.acciones import Peticion
    from pregon.instituto.tablero.ejecuta import Hecho

_logger = logging.getLogger(__name__)

SUCESO: Final = "tablero_accion"
A_LA_VEZ: Final = 8
"""Requests under way at once."""
POR_MINUTO: Final = 30
"""Requests of one account in a minute: nobody types faster."""
GUARDA: Final = 2000
"""Requests that can be looked at; the numbers of older ones stay spent."""
_MINUTO_S: Final = 60.0
_LOTE: Final = 1000

Fase: TypeAlias = Literal["en_curso", "hecha", "fallo", "en_duda"]


@dataclass(frozen=True, kw_only=True)
class Tramite:
    """One request and how it goes. ``dice``: what came of it, or what happened; ``que_hacer`` where it failed.

    ``en_duda``: it was begun by a process that did not live to tell, or that is another one.
    """

    numero: str
    accion: str
    verbo: str
    cuenta: str
    papel: str
    motivo: str
    pedida: datetime
    difusor: str | None = None
    orden: str | None = None
    corte: int | None = None
    responde_a: str | None = None
    fase: Fase = "en_duda"
    dice: str = ""
    intacto: str = ""
    que_hacer: str = ""
    codigo: str | None = None
    aviso: int | None = None
    terminada: datetime | None = None


class Repetida(Exception):
    """The number was spent. ``numero``: it."""


class Demasiadas(Exception):
    """Too many are under way, or one account asks too fast. ``segundos``: when to try again."""

    def __init__(self, segundos: int) -> None:
        super().__init__(segundos)
        self.segundos = segundos


class Tramites:
    """The requests of one board, for any number of threads."""

    def __init__(
        self,
        state: Estado,
        clock: Clock,
        ejecuta: Callable[[Peticion], Hecho],
        *,
        real: Clock,
        por_minuto: int = POR_MINUTO,
    ) -> None:
        """``ejecuta`` carries one out, in a thread; ``real``: the machine's own clock, whose ``monotonic`` counts."""
        self._state = state
        self._clock = clock
        self._run = ejecuta
        self._real = real
        self._limit = por_minuto
        self._lock = threading.Lock()
        self._after = 0
        self._spent: set[str] = set()
        self._known: OrderedDict[str, Tramite] = OrderedDict()
        self._ours: set[str] = set()
        self._asked: dict[str, deque[float]] = {}
        self._jobs = Trabajos(real, lambda _name, _error: None)

    def ritmo(self, cuenta: str) -> None:
        """Count one request of an account, good or not. Raises ``Demasiadas`` where it asks too fast."""
        now = self._real.monotonic()
        with self._lock:
            times = self._asked.setdefault(cuenta, deque())
            while times and now - times[0] >= _MINUTO_S:
                times.popleft()
            if len(times) >= self._limit:
                raise Demasiadas(1 + int(_MINUTO_S - (now - times[0])))
            times.append(now)

    def gastado(self, numero: str) -> bool:
        """Whether that number was spent already."""
        with self._lock:
            self._read()
            return numero in self._spent

    def pide(self, peticion: Peticion) -> Tramite:
        """Write the request down, spend its number and begin it.

        Raises:
            Repetida: its number was spent; nothing is done. Demasiadas: too many are under way; its number is not.
            PregonError: the journal cannot be written; nothing is done.
        """
        with self._lock:
            self._read()
            if peticion.numero in self._spent:
                raise Repetida(peticion.numero)
            if sum(self._jobs.en_mano(one) is not None for one in self._ours) >= A_LA_VEZ:
                raise Demasiadas(5)
            self._state.record(SUCESO, paso="pedida", **_request(peticion))
            self._ours.add(peticion.numero)
            self._read()
            begun = self._known[peticion.numero]
            self._jobs.lanza(peticion.numero, lambda: self._carry_out(peticion))
        return begun

    def espera(self, numero: str, segundos: float) -> Tramite | None:
        """The request of that number once it ended, or as it is after so long."""
        self._jobs.espera(numero, segundos)
        return self.de(numero)

    def de(self, numero: str) -> Tramite | None:
        """The request of that number, None where there is none that is remembered."""
        with self._lock:
            self._read()
            return self._known.get(numero)

    def ultimos(self, *, difusor: str | None = None, cuantos: int = 20) -> tuple[Tramite, ...]:
        """The last requests, newest first."""
        with self._lock:
            self._read()
            found = [one for one in reversed(self._known.values()) if difusor in (None, one.difusor)]
        return tuple(found[:cuantos])

    def termina(self, segundos: float) -> bool:
        """Wait for those under way, at most so long in all; whether they all ended."""
        until = self._real.monotonic() + segundos
        return all(self._jobs.espera(one, until - self._real.monotonic()) for one in tuple(self._ours))

    def _carry_out(self, peticion: Peticion) -> None:
        told: dict[str, Any]
        try:
            done = self._run(peticion)
            told = {"paso": "hecha", "que_paso": done.dice, "aviso": done.aviso}
        except PregonError as exc:
            told = {"paso": "fallida", **{key: value for key, value in exc.as_dict().items() if key != "clase"}}
        except Exception as exc:
            # The border of the thread: a bug in one action must be told to whoever asked, and end nothing else.
            _logger.exception("tablero: %s", verbo(peticion))
            told = {
                "paso": "fallida",
                "codigo": PregonError.codigo,
                "que_paso": f"Falla interna ({type(exc).__name__}).",
                "intacto": "No se sabe qué alcanzó a hacerse.",
                "que_hacer": "Revise la bitácora y el registro del servicio antes de repetir.",
            }
        said = {key: value for key, value in _request(peticion).items() if key not in ("motivo", "texto", "evidencia")}
        try:
            self._state.record(SUCESO, **said, **{key: value for key, value in told.items() if value is not None})
        except PregonError as exc:
            # Done or not, nobody is told in the journal: whoever asked is, from memory.
            _logger.error("tablero: %s: %s", exc.codigo, exc.que_paso)  # noqa: TRY400 - its text says all
            with self._lock:
                self._ended(peticion.numero, told, self._clock.now())

    # The journal. Under the lock.

    def _read(self) -> None:
        if self._after and self._state.cabeza().n < self._after:
            # Another journal was put in its place, shorter: it is read from its start. What was spent stays spent.
            self._after = 0
            self._known.clear()
        while True:
            found = self._state.events(after=self._after, limit=_LOTE)
            for one in found:
                self._after = one.n
                if one.tipo == SUCESO and isinstance(one.dato.get("numero"), str):
                    self._take(one)
            if len(found) < _LOTE:
                return

    def _take(self, one: Event) -> None:
        data = one.dato
        numero: str = data["numero"]
        if data.get("paso") != "pedida":
            self._ended(numero, data, one.hora)
            return
        self._spent.add(numero)
        self._known[numero] = Tramite(
            numero=numero,
            accion=str(data.get("accion") or ""),
            verbo=str(data.get("verbo") or ""),
            cuenta=str(data.get("cuenta") or ""),
            papel=str(data.get("papel") or ""),
            motivo=str(data.get("motivo") or ""),
            difusor=data.get("difusor"),
            orden=data.get("orden"),
            corte=data.get("corte"),
            responde_a=data.get("responde_a"),
            pedida=one.hora,
            fase="en_curso" if numero in self._ours else "en_duda",
            dice="" if numero in self._ours else "No se sabe si terminó: la llevaba otro proceso.",
        )
        while len(self._known) > GUARDA:
            self._known.popitem(last=False)

    def _ended(self, numero: str, data: Mapping[str, Any], hora: datetime) -> None:
        known = self._known.get(numero)
        if known is None:
            return
        aviso = data.get("aviso")
        self._known[numero] = replace(
            known,
            fase="hecha" if data.get("paso") == "hecha" else "fallo",
            dice=str(data.get("que_paso") or ""),
            intacto=str(data.get("intacto") or ""),
            que_hacer=str(data.get("que_hacer") or ""),
            codigo=data.get("codigo"),
            aviso=aviso if isinstance(aviso, int) else None,
            terminada=hora,
        )


def _request(peticion: Peticion) -> dict[str, Any]:
    data = {
        "numero": peticion.numero,
        "accion": peticion.accion,
        "verbo": verbo(peticion),
        "cuenta": peticion.cuenta,
        "papel": peticion.papel,
        "motivo": peticion.motivo,
        "difusor": peticion.difusor,
        "orden": peticion.orden,
        "corte": peticion.corte,
        "texto": peticion.texto,
        "evidencia": list(peticion.evidencia) or None,
        "completo": peticion.completo or None,
        "responde_a": peticion.responde_a,
    }
    return {key: value for key, value in data.items() if value is not None}
