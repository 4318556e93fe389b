"""How often one may try to sign in: waits that double, by account and by address, and never a lock that stays.

An attempt is counted before its password is looked at, so that many at once gain nothing; the right one clears it. Who
has signed in from an address before waits there only for what is tried on that account from that address.
"""

from __future__ import annotations

import ipaddress
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container

    from pregon.base.clock import Clock

LIBRES = 5
"""Attempts in a row without any wait."""
PRIMERA_S = 2.0
TOPE_S = 300.0
"""The first wait and the longest: twelve guesses an hour, and the owner is never more than that away."""
OLVIDO_S = 3600.0
"""After so long without attempts, all is forgotten."""
MAX_DIRECCIONES = 4096
MAX_NOMBRES = 1024
MAX_CONOCIDAS = 1024
_RED_V6 = 64


@dataclass(frozen=True)
class _Cuenta:
    intentos: int
    hasta: float
    ultimo: float


class _Tabla:
    """Attempts by key; the one quiet longest is forgotten first."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rows: OrderedDict[object, _Cuenta] = OrderedDict()

    def wait(self, key: object, now: float) -> float:
        row = self._rows.get(key)
        return 0.0 if row is None or now - row.ultimo > OLVIDO_S else max(0.0, row.hasta - now)

    def count(self, key: object, now: float) -> None:
        row = self._rows.pop(key, None)
        tries = 1 if row is None or now - row.ultimo > OLVIDO_S else row.intentos + 1
        late = tries - LIBRES
        pause = 0.0 if late < 0 else min(TOPE_S, PRIMERA_S * 2.0 ** min(late, 16))
        self._rows[key] = _Cuenta(tries, now + pause, now)
        while len(self._rows) > self._limit:
            self._rows.popitem(last=False)

    def clear(self, key: object) -> None:
        self._rows.pop(key, None)

    def __len__(self) -> int:
        return len(self._rows)


class Frenos:
    """The waits of one site, for any number of threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._addresses = _Tabla(MAX_DIRECCIONES)
        self._accounts = _Tabla(MAX_NOMBRES)
        self._unknown = _Tabla(MAX_NOMBRES)
        self._pairs = _Tabla(MAX_CONOCIDAS)
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()

    def intenta(self, nombre: str, direccion: str, *, cuentas: Container[str]) -> float:
        """Count an attempt; 0, or the seconds to wait before one is looked at (this one was not, nor counted).

        ``cuentas``: the names that exist, so that invented ones never push out what is known of a real one.
        """
        now = self._clock.monotonic()
        net = red(direccion)
        with self._lock:
            rows = self._rows(nombre, net, cuentas)
            wait = max(table.wait(key, now) for table, key in rows)
            if wait <= 0:
                for table, key in rows:
                    table.count(key, now)
        return wait

    def acierta(self, nombre: str, direccion: str) -> None:
        """Forget the attempts of who has just signed in, and know the address as one of theirs."""
        pair = (nombre, red(direccion))
        with self._lock:
            self._addresses.clear(pair[1])
            self._accounts.clear(nombre)
            self._pairs.clear(pair)
            self._known.pop(pair, None)
            self._known[pair] = None
            if len(self._known) > MAX_CONOCIDAS:
                self._known.popitem(last=False)

    def __len__(self) -> int:
        tables = (self._addresses, self._accounts, self._unknown, self._pairs)
        return sum(len(table) for table in tables) + len(self._known)

    def _rows(self, nombre: str, net: str, cuentas: Container[str]) -> list[tuple[_Tabla, object]]:
        if (nombre, net) in self._known:
            return [(self._pairs, (nombre, net))]
        return [(self._addresses, net), (self._accounts if nombre in cuentas else self._unknown, nombre)]


def red(direccion: str) -> str:
    """What one client holds: its IPv4 address, or its /64 of IPv6."""
    try:
        address = ipaddress.ip_address(direccion.partition("%")[0])
    except ValueError:
        return "?"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, _RED_V6), strict=False))
    return str(address)
