"""Where the panel gets what others keep: alarms, the disk's forecast, and whether anything changed at all."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from pregon.base.clock import SystemClock
from pregon.difusor.historia.pronostico import forecast
from pregon.difusor.panel.foto import Aviso
from pregon.difusor.panel.palabras import hora
from pregon.difusor.vigilancia.alarmas import CLAVE, vigentes
from pregon.difusor.vigilancia.catalogo import catalogo

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from pregon.base.state import StateDatabase
    from pregon.difusor.historia.pronostico import Pronostico
    from pregon.difusor.libro import Libro
    from pregon.difusor.workspace import Workspace

CADA_S = 60.0
"""Between two forecasts of the disk."""


def marca(workspace: Workspace) -> tuple[object, ...]:
    """Something else whenever the state or the pointer was written; two calls of ``stat`` and no database."""
    journal = workspace.estado.with_name(workspace.estado.name + "-wal")
    return (_mark(workspace.estado), _mark(workspace.puntero), _length(journal))


def _mark(path: Path) -> tuple[int, int, int] | None:
    with contextlib.suppress(OSError):
        status = path.stat()
        return status.st_mtime_ns, status.st_size, status.st_ino
    return None


def _length(path: Path) -> int:
    # Its size and not its date: reading makes one too, empty.
    with contextlib.suppress(OSError):
        return path.stat().st_size
    return 0


def alarmas(state: StateDatabase, zona: ZoneInfo, now: datetime) -> list[Aviso] | None:
    """The alarms in force, the gravest first; None where the self-watch has not looked yet.

    Raises:
        DiscoError: the state database cannot be read.
    """
    if state.get(CLAVE) is None:
        return None
    rules = catalogo()
    found = []
    for each in vigentes(state):
        title = rules[each.codigo].titulo if each.codigo in rules else each.codigo
        found.append(
            Aviso(each.codigo, title, each.texto, hora(each.desde, zona, now), grave=each.severidad == "alarma")
        )
    return found


class Pronosticos:
    """The disk's forecast, made again only now and then: it looks at every original."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._real = SystemClock()
        self._next = 0.0
        self._last: Pronostico | None = None

    def da(self, libro: Libro, now: datetime) -> Pronostico:
        """The forecast, at most ``CADA_S`` old. Raises: as ``pronostico.forecast``."""
        moment = self._real.monotonic()
        if self._last is None or moment >= self._next:
            self._last = forecast(self._workspace, libro, now)
            self._next = moment + CADA_S
        return self._last
