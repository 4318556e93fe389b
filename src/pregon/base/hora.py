"""How far this machine's clock is from true time, as an NTP server or the local chronyd says: measured, not assumed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import ntplib

from pregon.base.procesos import capture

NTP_TIMEOUT_S = 3.0
CHRONY_TIMEOUT_S = 3.0

_CHRONY_FIELDS = 14
_CHRONY_OFFSET = 4
_CHRONY_STRATUM = 2
_CHRONY_LEAP = 13
_NOT_SYNCHRONISED = "Not synchronised"
_UNSYNCHRONISED_STRATUM = 16
_LEAP_ALARM = 3


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
