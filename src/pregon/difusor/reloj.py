"""Is this machine's clock right? Measured, never assumed: the embargo leans on it (design §3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pregon.base.hora import ChronySource, FixedSource, NtpSource

if TYPE_CHECKING:
    from pregon.base.clock import Clock
    from pregon.base.hora import OffsetSource
    from pregon.difusor.settings import Reloj

VALID_FOR = timedelta(minutes=15)
"""A measurement older than this says nothing any more."""

MEASURE_EVERY = timedelta(minutes=5)
"""How often the receive loop measures again."""


@dataclass(frozen=True)
class ClockReading:
    """One measurement: ``desfase_s`` is how far this clock is from the source (None: not measured), at ``hora``."""

    fuente: str
    desfase_s: float | None
    hora: datetime

    def fiable(self, *, now: datetime, max_desfase_s: float) -> bool:
        """Whether the clock may be believed at ``now``: measured, recently, and within the limit of seconds."""
        if self.desfase_s is None or not abs(self.desfase_s) <= max_desfase_s:
            return False
        return abs(now - self.hora) <= VALID_FOR

    def to_json(self) -> dict[str, Any]:
        """The reading for the state database."""
        return {"fuente": self.fuente, "desfase_s": self.desfase_s, "hora": self.hora.isoformat()}

    @classmethod
    def from_json(cls, data: Any) -> ClockReading | None:
        """The reading that ``to_json`` gave, or None."""
        if data is None:
            return None
        return cls(fuente=data["fuente"], desfase_s=data["desfase_s"], hora=datetime.fromisoformat(data["hora"]))


def offset_source(settings: Reloj) -> OffsetSource:
    """The source that the settings name."""
    if settings.fuente == "ntp":
        return NtpSource(settings.servidor)
    if settings.fuente == "chrony":
        return ChronySource()
    return FixedSource(settings.desfase_s if settings.fuente == "simulado" else None)


def read_clock(settings: Reloj, clock: Clock, source: OffsetSource) -> ClockReading:
    """Measure now."""
    return ClockReading(fuente=settings.fuente, desfase_s=source.measure(), hora=clock.now())
