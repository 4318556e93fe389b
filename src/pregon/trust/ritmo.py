"""A source that must keep a pace: whoever drips what we ask for does not stop the difusor.

The limits of bytes are in ``cliente``. Without a limit of time a carrier that gives a byte a second would keep one look
at it going for hours, and what is due by time alone (the opening at the hour of the start) waits for that look.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pregon.base.errors import RedError
from pregon.trust.orden import INTACTO

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pregon.base.clock import Clock
    from pregon.trust.origen import RepositorySource

LOOK_S = 60.0
"""For all the metadata and the manifest of one look: some megabytes at most."""

LEAST_RATE = 64 << 10
"""Bytes a second that an archive must come at, after the first ``LOOK_S``: a line of half a megabit."""


def time_for(size: int) -> float:
    """The seconds that a file of ``size`` bytes may take."""
    return LOOK_S + size / LEAST_RATE


class Ritmo:
    """``source``, for ``seconds`` of real time from now on; a ``RepositorySource`` itself.

    The time is looked at between two pieces: a source must not wait for ever for one.
    """

    def __init__(self, source: RepositorySource, clock: Clock, seconds: float) -> None:
        self._source = source
        self._clock = clock
        self._seconds = seconds
        self._end = clock.monotonic() + seconds

    def stream(self, ruta: str, *, desde: int = 0) -> Iterator[bytes] | None:
        """As the source's own.

        Raises:
            RedError: as the source, or the time is over.
        """
        self._check(ruta)
        stream = self._source.stream(ruta, desde=desde)
        return None if stream is None else self._pieces(ruta, stream)

    def _pieces(self, ruta: str, stream: Iterator[bytes]) -> Iterator[bytes]:
        for piece in stream:
            self._check(ruta)
            yield piece

    def _check(self, ruta: str) -> None:
        if self._clock.monotonic() > self._end:
            raise RedError(
                f"El origen tarda demasiado: pasaron más de {self._seconds:,.0f} s y no terminó de llegar «{ruta}».",
                intacto=INTACTO,
                que_hacer="Revise la red o el montaje de origen; se intentará de nuevo en el siguiente ciclo.",
            )
