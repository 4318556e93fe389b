"""Readers who come all at once: each asks for the portal again as soon as it was answered."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from pregon.simulacro.portal import Portal

if TYPE_CHECKING:
    from collections.abc import Sequence

RUTAS = ("", "corte.json", "manifiesto.json")
MAXIMO = 4000
"""Questions of one crowd at most: it must weigh on the portal, and not on whoever rehearses."""


class Avalancha:
    """A crowd before one portal, from ``empieza`` until ``termina``."""

    def __init__(self, url: str, lectores: int, rutas: Sequence[str] = RUTAS) -> None:
        self._url = url
        self._rutas = rutas
        self._share = max(1, MAXIMO // lectores)
        self._end = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._read, daemon=True) for _ in range(lectores)]
        self.preguntas = 0
        """Questions asked so far."""
        self.sin_respuesta = 0
        """Those that nobody answered, or with an error of the server."""

    def empieza(self) -> None:
        """Let them come."""
        for thread in self._threads:
            thread.start()

    def termina(self) -> None:
        """Send them home, and wait until the last one left."""
        self._end.set()
        for thread in self._threads:
            thread.join()

    def _read(self) -> None:
        portal = Portal(self._url)
        try:
            for n in range(self._share):
                if self._end.is_set():
                    return
                answer = portal.get(self._rutas[n % len(self._rutas)])
                with self._lock:
                    self.preguntas += 1
                    self.sin_respuesta += answer is None or answer.status >= 500
        finally:
            portal.close()
