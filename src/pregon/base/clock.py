"""Where the time comes from. Nothing else in the house asks the operating system what time it is.

Instants are aware UTC ``datetime`` values; local time exists only where a person reads it. ``monotonic`` measures
durations in seconds and never goes back.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from pregon.base.errors import AjustesError

if TYPE_CHECKING:
    from pathlib import Path

_LOOK_AGAIN_S = 0.1
"""How often a sleeper of a simulated clock looks whether its pace changed; real seconds."""


class Clock(Protocol):
    """Gives the present instant and waits for durations."""

    @property
    def simulado(self) -> bool:
        """True where the instants are not the world's: allowed only in the ambiente «simulacro»."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""

    def monotonic(self) -> float:
        """Seconds of real time from an arbitrary origin; for measuring durations."""

    def sleep(self, seconds: float) -> None:
        """Wait ``seconds`` of this clock's own time."""


class SystemClock:
    """The machine's clock."""

    simulado = False

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            time.sleep(seconds)


@dataclass(frozen=True)
class SimulatedClock:
    """A clock that runs ``rate`` times faster than the world, the same in every process that opens its file.

    At the machine's instant ``real_origin`` it reads ``origin``. A clock opened with ``load`` reads its file again at
    each question, so that whoever leads the simulacro can hold it, or change its pace, for all processes at once.
    Used by the simulacro alone (design §2: a simulated clock exists only where ``ambiente = simulacro``).
    """

    origin: datetime
    real_origin: datetime
    rate: float
    path: Path | None = None
    simulado: bool = True

    @classmethod
    def start(cls, origin: datetime, rate: float) -> SimulatedClock:
        """A clock that reads ``origin`` now."""
        return cls(origin=origin.astimezone(UTC), real_origin=datetime.now(UTC), rate=rate)

    @classmethod
    def load(cls, path: Path) -> SimulatedClock:
        """Open the clock that ``dump`` wrote.

        Raises:
            AjustesError: the file is missing or is not a clock.
        """
        try:
            data = json.loads(path.read_bytes())
            return cls(
                origin=datetime.fromisoformat(data["origen"]),
                real_origin=datetime.fromisoformat(data["origen_real"]),
                rate=float(data["acelerar"]),
                path=path,
            )
        except (OSError, ValueError, KeyError, TypeError) as exc:
            raise AjustesError(
                f"El reloj simulado {path} no se puede leer: {exc}",
                intacto="No se publicó ni se borró nada.",
                que_hacer="Quite la clave «simulado» de [reloj] o vuelva a crear el simulacro.",
            ) from exc

    def dump(self) -> bytes:
        """The clock as JSON, for the other processes of the simulacro."""
        data = {
            "origen": self.origin.isoformat(),
            "origen_real": self.real_origin.isoformat(),
            "acelerar": self.rate,
        }
        return (json.dumps(data, sort_keys=True) + "\n").encode()

    def now(self) -> datetime:
        pace = self._pace()
        return pace.origin + (datetime.now(UTC) - pace.real_origin) * pace.rate

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        wake = self.now() + timedelta(seconds=max(seconds, 0.0))
        while (left := (wake - self.now()).total_seconds()) > 0:
            time.sleep(min(left / self._pace().rate, _LOOK_AGAIN_S))

    def until(self, instant: datetime) -> timedelta:
        """Real time left until the clock reads ``instant`` at its present pace (negative when past)."""
        return (instant - self.now()) / self._pace().rate

    def _pace(self) -> SimulatedClock:
        return self if self.path is None else SimulatedClock.load(self.path)


@dataclass
class ManualClock:
    """A clock that stands still until it is told; for tests and for judging the past."""

    instant: datetime
    simulado: bool = True

    def now(self) -> datetime:
        return self.instant

    def monotonic(self) -> float:
        return self.instant.timestamp()

    def sleep(self, seconds: float) -> None:
        self.instant += timedelta(seconds=max(seconds, 0.0))
