"""One reader who waits before a portal while its server is killed, and knows for how long nobody answered."""

from __future__ import annotations

import threading
import time

from pregon.simulacro.portal import Portal

PAUSA_S = 0.05
"""Between an answer and the next question: no silence that a person could notice goes by unseen."""
RUTA = "corte.json"
_ERROR_DEL_SERVIDOR = 500


class Visitante(threading.Thread):
    """Asks for the cut over and over, from ``start`` until ``termina``."""

    def __init__(self, url: str) -> None:
        super().__init__(name=f"visitante {url}", daemon=True)
        self._portal = Portal(url)
        self._end = threading.Event()
        self._first = threading.Event()
        self.preguntas = 0
        """Questions asked."""
        self.sin_respuesta = 0
        """Those that nobody answered, or with an error of the server."""
        self.silencio_s = 0.0
        """Real seconds in all from each last answer before a silence to the first one after it."""

    def empieza(self) -> None:
        """Begin, and wait until the first question was answered or not."""
        self.start()
        self._first.wait()

    def termina(self) -> None:
        """Stop asking; a silence that is not over counts until now."""
        self._end.set()
        self.join()

    def run(self) -> None:
        before, silent = time.monotonic(), False
        while True:
            answer = self._portal.get(RUTA)
            now = time.monotonic()
            self.preguntas += 1
            heard = answer is not None and answer.status < _ERROR_DEL_SERVIDOR
            if not heard:
                self.sin_respuesta += 1
            if silent or not heard:
                self.silencio_s += now - before
            before, silent = now, not heard
            self._first.set()
            if self._end.wait(PAUSA_S):
                break
        if silent:
            self.silencio_s += time.monotonic() - before
        self._portal.close()
