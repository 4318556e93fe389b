"""Sessions: what a browser holds is a random number; everything else stays here, in memory.

Kept by the SHA-256 of that number, so that not even a copy of this process's memory signs anybody in. They end with
the process: who was in signs in again.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pregon.base.clock import Clock
    from pregon.web.cuentas import Cuenta

ALEATORIOS = 32
"""Random bytes of a session's number and of its form token: 256 bits each."""
MAX_SESIONES = 512
MAX_POR_CUENTA = 8
"""Of one account at once; one more ends the one that has been quiet longest."""


@dataclass(frozen=True)
class Plazos:
    """Seconds after which a session ends: without being used, and since it began whatever its use."""

    ociosa_s: float = 2 * 3600.0
    absoluta_s: float = 24 * 3600.0


@dataclass(frozen=True)
class Sesion:
    """Who is in. ``ficha``: what each of its forms must send back. ``inicio``: monotonic seconds."""

    cuenta: Cuenta
    ficha: str
    inicio: float


class Sesiones:
    """The sessions of one site, for any number of threads; at most ``MAX_SESIONES``."""

    def __init__(self, clock: Clock, plazos: Plazos | None = None) -> None:
        self.plazos = plazos or Plazos()
        self._clock = clock
        self._lock = threading.Lock()
        self._table: OrderedDict[bytes, tuple[Sesion, float]] = OrderedDict()

    def abre(self, cuenta: Cuenta) -> str:
        """Begin a session; its number, always new, which nothing here can tell again."""
        ident = secrets.token_urlsafe(ALEATORIOS)
        now = self._clock.monotonic()
        with self._lock:
            own = [key for key, (each, _) in self._table.items() if each.cuenta.nombre == cuenta.nombre]
            for key in own[: max(0, len(own) - MAX_POR_CUENTA + 1)]:
                del self._table[key]
            while len(self._table) >= MAX_SESIONES:
                self._table.popitem(last=False)
            self._table[_key(ident)] = (Sesion(cuenta, secrets.token_urlsafe(ALEATORIOS), now), now)
        return ident

    def toma(self, ident: str, *, usa: bool = True) -> Sesion | None:
        """The session of that number, None where there is none or it is over; ``usa``: this counts as use."""
        now = self._clock.monotonic()
        key = _key(ident)
        with self._lock:
            found = self._table.get(key)
            if found is None:
                return None
            session, seen = found
            if now - seen > self.plazos.ociosa_s or now - session.inicio > self.plazos.absoluta_s:
                del self._table[key]
                return None
            if usa:
                self._table[key] = (session, now)
                self._table.move_to_end(key)
            return session

    def cierra(self, ident: str) -> None:
        """End the session of that number, if there is one."""
        with self._lock:
            self._table.pop(_key(ident), None)

    def __len__(self) -> int:
        return len(self._table)


def _key(ident: str) -> bytes:
    return hashlib.sha256(ident.encode(errors="replace")).digest()
