"""What a process holds: memory, handles and threads, sampled from /proc, and whether they grow."""

from __future__ import annotations

import math
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2

from pregon.difusor.servidor.caddy import ADMIN_SOCKET

if TYPE_CHECKING:
    from collections.abc import Sequence

_ALLOCATED = re.compile(r"^# HeapAlloc = (\d+)$", re.MULTILINE)
_FIELD = re.compile(r"^(Pss|Private_Dirty):\s+(\d+) kB$", re.MULTILINE)
HORA_S = 3600.0
HEAP_S = 10.0
MIRADAS = 10
ENTRE_MIRADAS_S = 0.05


@dataclass(frozen=True)
class Muestra:
    """One look at a process: seconds since the start, bytes, open handles, threads.

    ``memoria`` is its PSS, what the machine gives for it; ``propia`` is what it wrote and nobody shares, which does not
    change with whoever else runs the same programs.
    """

    t: float
    memoria: int
    propia: int
    manijas: int
    hilos: int


def muestra(pid: int, t: float) -> Muestra:
    """Look at it now."""
    proc = Path("/proc") / str(pid)
    held = {name: int(kib) << 10 for name, kib in _FIELD.findall((proc / "smaps_rollup").read_text())}
    handles, threads = (len(list((proc / name).iterdir())) for name in ("fd", "task"))
    return Muestra(t, held["Pss"], held["Private_Dirty"], handles, threads)


def en_reposo(pid: int, t: float) -> Muestra:
    """The least of several looks within half a second: what it holds between two passes, not in the middle of one."""
    looks = []
    for _ in range(MIRADAS):
        looks.append(muestra(pid, t))
        time.sleep(ENTRE_MIRADAS_S)
    return min(looks, key=lambda look: look.propia)


def vivo(servidor: Path) -> int:
    """Bytes that a Caddy needs: of its heap, what is left after a whole collection.

    What it holds of the machine says nothing of a leak: its collector lets more than a hundred megabytes come and go.
    ``servidor``: the folder of its admin socket.
    """
    folder = os.open(servidor, os.O_PATH | os.O_DIRECTORY)  # the path of a socket has few letters
    try:
        transport = httpx2.HTTPTransport(uds=f"/proc/self/fd/{folder}/{ADMIN_SOCKET}")
        with httpx2.Client(transport=transport, timeout=HEAP_S) as client:
            text = client.get("http://admin/debug/pprof/heap?gc=1&debug=1").text
    finally:
        os.close(folder)
    return int(_ALLOCATED.findall(text)[0])


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
