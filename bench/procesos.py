"""Child processes with a clock around them and, when asked, the memory of their whole tree.

A child of ours (``bench.hijos``, ``bench.pares``) prints ``listo T`` once its imports are done, T by its own
``perf_counter``: on Linux that clock is the same for every process, so the parent can tell start-up from work. The last
line it prints is JSON: what it found.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

RAIZ = Path(__file__).resolve().parents[1]
LIMITE_S = 600.0
"""No child of a measure may take longer."""
MUESTREO_S = 0.05
"""Time between two samples of memory."""


@dataclass(frozen=True)
class Memoria:
    """Peaks in bytes. ``pss``: the largest sum over the tree; ``hwm``: the largest VmHWM of a single process."""

    pss: int
    hwm: int
    procesos: int


@dataclass(frozen=True)
class Corrida:
    """One child from its start to its end, in seconds. ``arranque``: interpreter and imports; ``trabajo``: the rest.

    ``inicio``: when it was started, by ``perf_counter``.
    """

    inicio: float
    total: float
    arranque: float
    salida: dict[str, Any]
    memoria: Memoria | None

    @property
    def trabajo(self) -> float:
        return self.total - self.arranque


def corre(modulo: str, *argumentos: str | Path, memoria: bool = False) -> Corrida:
    """Run ``python -m modulo`` from start to end.

    ``memoria`` samples the tree meanwhile, which costs some time of another core: not for rounds that are compared.

    Raises:
        SystemExit: it failed or took longer than ``LIMITE_S``.
    """
    command = [sys.executable, "-m", modulo, *map(str, argumentos)]
    with tempfile.TemporaryFile() as out:
        start = time.perf_counter()
        child = subprocess.Popen(command, cwd=RAIZ, stdin=subprocess.DEVNULL, stdout=out, start_new_session=True)
        # A blocking wait: one with a timeout polls, and would round what is measured.
        guard = threading.Timer(LIMITE_S, _kill, [child.pid])
        guard.start()
        sampler = _Sampler(child.pid) if memoria else None
        try:
            status = child.wait()
        finally:
            guard.cancel()
            if child.returncode is None:
                _kill(child.pid)
                child.wait()
        total = time.perf_counter() - start
        found = None if sampler is None else sampler.stop()
        out.seek(0)
        lines = out.read().decode().splitlines()
    ready = next((float(line.split()[1]) for line in lines if line.startswith("listo ")), None)
    if status != 0 or ready is None:
        raise SystemExit(f"{' '.join(command)} terminó con estado {status}")
    return Corrida(start, total, ready - start, json.loads(lines[-1]), found)


def cronometra(command: Sequence[str | Path], folder: Path) -> float:
    """Seconds of a program of the system, from start to end.

    Raises:
        SystemExit: it failed.
    """
    start = time.perf_counter()
    status = subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, check=False).returncode
    seconds = time.perf_counter() - start
    if status != 0:
        raise SystemExit(f"{command[0]} terminó con estado {status}")
    return seconds


def listo() -> None:
    """Called by a child when its imports are done."""
    print(f"listo {time.perf_counter()}", flush=True)


class _Sampler:
    """A thread that adds up the memory of a process and its descendants until it is told to stop."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._pss = self._hwm = self._most = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> Memoria:
        self._done.set()
        self._thread.join()
        return Memoria(self._pss, self._hwm, self._most)

    def _run(self) -> None:
        while not self._done.wait(MUESTREO_S):
            tree = _tree(self._root)
            self._most = max(self._most, len(tree))
            self._pss = max(self._pss, sum(_kib(pid, "smaps_rollup", b"Pss:") for pid in tree))
            self._hwm = max(self._hwm, *(_kib(pid, "status", b"VmHWM:") for pid in tree), 0)


def _tree(root: int) -> list[int]:
    """``root`` and what descends from it, also what its parent left behind: the session tells."""
    parents: dict[int, int] = {}
    found = set()
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        try:
            stat = Path("/proc", entry.name, "stat").read_text()
        except OSError:
            continue  # it ended between the two reads
        fields = stat.rpartition(")")[2].split()
        pid = int(entry.name)
        parents[pid] = int(fields[1])
        if pid == root or int(fields[3]) == root:
            found.add(pid)
    grown = True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in found} - found
        grown = bool(more)
        found |= more
    return sorted(found)


def segundos_de_procesador(root: int) -> float:
    """Seconds of processor, of user and of system, that ``root`` and what descends from it have taken until now."""
    ticks = 0
    for pid in _tree(root):
        with contextlib.suppress(OSError):  # it ended meanwhile
            fields = Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _kib(pid: int, name: str, key: bytes) -> int:
    """A figure of /proc in bytes; zero when the process is gone."""
    try:
        text = Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in text.splitlines() if line.startswith(key)), 0)


def _kill(pid: int) -> None:
    """End a child and what it started: they are a process group of their own."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
