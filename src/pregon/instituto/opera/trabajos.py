"""Work in threads of its own, one at a time of each name, so that nothing of the night waits for anything else."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from pregon.base.clock import Clock

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Trabajo:
    thread: threading.Thread
    desde: float


class Trabajos:
    """The threads of one service. ``fin`` hears how each one ended: None, or an error that nobody expected."""

    def __init__(self, clock: Clock, fin: Callable[[str, Exception | None], None]) -> None:
        """``clock``: the machine's own; only its ``monotonic`` counts."""
        self._clock = clock
        self._ended = fin
        self._now: dict[str, _Trabajo] = {}

    def lanza(self, nombre: str, trabajo: Callable[[], None]) -> bool:
        """Begin ``trabajo`` unless one of that name is under way; whether it began."""
        if self.en_mano(nombre) is not None:
            return False

        def run() -> None:
            try:
                trabajo()
            except Exception as exc:
                # The border of the thread: the night goes on, and people are told.
                _logger.exception("falla en %s", nombre)
                self._ended(nombre, exc)
            else:
                self._ended(nombre, None)

        # Daemons: one that is stuck in a dead link must not keep the process from ending.
        thread = threading.Thread(target=run, name=nombre, daemon=True)
        self._now[nombre] = _Trabajo(thread, self._clock.monotonic())
        thread.start()
        return True

    def en_mano(self, nombre: str) -> float | None:
        """Seconds that the one of that name has taken; None where there is none."""
        found = self._now.get(nombre)
        if found is None or not found.thread.is_alive():
            return None
        return self._clock.monotonic() - found.desde

    def espera(self, nombre: str, segundos: float) -> bool:
        """Wait for the one of that name; whether it ended in time."""
        found = self._now.get(nombre)
        if found is not None:
            found.thread.join(max(0.0, segundos))
        return self.en_mano(nombre) is None
