"""Is this machine's clock right? Measured, never assumed: the embargo leans on it (design §3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

import ntplib

from pregon.base.procesos import capture

if TYPE_CHECKING:
    from pregon.base.clock import Clock
    from pregon.difusor.settings import Reloj

NTP_TIMEOUT_S = 3.0
CHRONY_TIMEOUT_S = 3.0

VALID_FOR = timedelta(minutes=15)
"""A measurement older than this says nothing any more."""

MEASURE_EVERY = timedelta(minutes=5)
"""How often the receive loop measures again."""

_CHRONY_FIELDS = 14
_CHRONY_OFFSET = 4
_CHRONY_STRATUM = 2
_CHRONY_LEAP = 13
_NOT_SYNCHRONISED = "Not synchronised"
_UNSYNCHRONISED_STRATUM = 16
_LEAP_ALARM = 3


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


class OffsetSource(Protocol):
    """Something that knows how far this machine's clock is from true time."""

    def measure(self) -> float | None:
        """Seconds this clock is off (sign as the source gives it), or None where it cannot be known now."""


class NtpSource:
    """One SNTP question to a server."""

    def __init__(self, server: str, *, port: int = 123, timeout_s: float = NTP_TIMEOUT_S) -> None:
        self._server = server
        self._port = port
        self._timeout_s = timeout_s

    def measure(self) -> float | None:
        try:
            answer = ntplib.NTPClient().request(self._server, version=4, port=self._port, timeout=self._timeout_s)
        except (ntplib.NTPException, OSError):
            return None
        if answer.leap == _LEAP_ALARM or not 0 < answer.stratum < _UNSYNCHRONISED_STRATUM:
            return None
        return float(answer.offset)


class ChronySource:
    """What the local chronyd says (``chronyc -c tracking``)."""

    def measure(self) -> float | None:
        text = capture(["chronyc", "-c", "tracking"], timeout=CHRONY_TIMEOUT_S)
        return None if text is None else parse_chrony_tracking(text)


def parse_chrony_tracking(text: str) -> float | None:
    """The offset in seconds from one line of ``chronyc -c tracking``; None where it is not synchronised.

    Fields (chronyc(1)): reference id, name, stratum, reference time, system time offset, …, leap status (the 14th).
    """
    fields = text.strip().split(",")
    if len(fields) != _CHRONY_FIELDS or fields[_CHRONY_LEAP] == _NOT_SYNCHRONISED:
        return None
    try:
        stratum, offset = int(fields[_CHRONY_STRATUM]), float(fields[_CHRONY_OFFSET])
    except ValueError:
        return None
    return offset if 0 < stratum < _UNSYNCHRONISED_STRATUM else None


@dataclass(frozen=True)
class FixedSource:
    """The offset that the settings of a simulacro declare; None is a clock that nobody measured."""

    desfase_s: float | None

    def measure(self) -> float | None:
        return self.desfase_s


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
