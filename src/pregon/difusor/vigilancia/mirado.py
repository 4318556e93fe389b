"""Since when, and until when, our own public address was looked at: what says that it answered, and not only no alarm.

A watch that is off, or a machine that is, raises no alarm either. So each look leaves its hour, as stretches of time in
which no two looks were far apart; who judges availability (INE-II-a-iii-3b) counts only those.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pregon.base.state import StateDatabase

CLAVE = "portal_mirado"
"""Of the value in the state database."""
HUECO_MIN = timedelta(minutes=3)
"""Two looks not farther apart are one stretch, however often they are made."""
HUECOS = 3
"""Otherwise, so many times as far as they should be."""
TRAMOS = 500
"""The oldest beyond these are forgotten, which makes what is known less, never more."""

Tramo = tuple[datetime, datetime]


def agrega(tramos: Sequence[Tramo], ahora: datetime, *, cada: timedelta) -> tuple[Tramo, ...]:
    """The stretches with one more look; ``cada``: how far apart looks should be."""
    if tramos and timedelta() <= ahora - tramos[-1][1] <= max(HUECO_MIN, HUECOS * cada):
        return (*tramos[:-1], (tramos[-1][0], ahora))
    return (*tramos, (ahora, ahora))[-TRAMOS:]


def cubierto(tramos: Iterable[Tramo], desde: datetime, hasta: datetime) -> timedelta:
    """How much of the time between two instants was watched."""
    total, reached = timedelta(), desde
    for begin, end in sorted(tramos):
        begin, end = max(begin, reached), min(end, hasta)
        if end > begin:
            total, reached = total + (end - begin), end
    return total


def lee(state: StateDatabase) -> tuple[Tramo, ...]:
    """What is kept; nothing where it is not understood.

    Raises:
        DiscoError: the state database cannot be read.
    """
    try:
        return tuple(
            (datetime.fromisoformat(begin), datetime.fromisoformat(end)) for begin, end in state.get(CLAVE) or ()
        )
    except (ValueError, TypeError):
        return ()


def guarda(state: StateDatabase, tramos: Iterable[Tramo]) -> None:
    """Keep them.

    Raises:
        DiscoError, EscrituraError: they cannot be kept.
    """
    state.put(**{CLAVE: [[begin.isoformat(), end.isoformat()] for begin, end in tramos]})
