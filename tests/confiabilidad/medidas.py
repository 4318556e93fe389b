"""What a process holds: memory, handles and threads, sampled from /proc, and whether they grow."""

from __future__ import annotations

import math
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_PSS = re.compile(r"^Pss:\s+(\d+) kB$", re.MULTILINE)
HORA_S = 3600.0
MIRADAS = 10
ENTRE_MIRADAS_S = 0.05


@dataclass(frozen=True)
class Muestra:
    """One look at a process: seconds since the start, PSS in bytes, open handles, threads."""

    t: float
    memoria: int
    manijas: int
    hilos: int


def muestra(pid: int, t: float) -> Muestra:
    """Look at it now."""
    proc = Path("/proc") / str(pid)
    found = _PSS.search((proc / "smaps_rollup").read_text())
    assert found is not None
    return Muestra(t, int(found[1]) << 10, len(list((proc / "fd").iterdir())), len(list((proc / "task").iterdir())))


def en_reposo(pid: int, t: float) -> Muestra:
    """The least of several looks within half a second: what it holds between two passes, not in the middle of one."""
    looks = []
    for _ in range(MIRADAS):
        looks.append(muestra(pid, t))
        time.sleep(ENTRE_MIRADAS_S)
    return min(looks, key=lambda look: look.memoria)


def pendiente(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Least squares: the slope of (seconds, value) per hour, and its standard error."""
    n = len(points)
    mean_t = sum(t for t, _ in points) / n
    mean_v = sum(v for _, v in points) / n
    spread = sum((t - mean_t) ** 2 for t, _ in points)
    slope = sum((t - mean_t) * (v - mean_v) for t, v in points) / spread
    left = sum((v - mean_v - slope * (t - mean_t)) ** 2 for t, v in points)
    error = math.sqrt(left / (n - 2) / spread) if n > 2 else math.inf
    return slope * HORA_S, error * HORA_S
