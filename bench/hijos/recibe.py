"""``python -m bench.hijos.recibe DIFUSOR [--completo]``: a difusor started anew receives one cut and makes it public.

What ``recibe`` does between two sweeps: recovery, then one pass. It stops once the pointer is switched, unless it is
told to finish the pass (the other twins, pruning). Prints when the pass began and when the cut was public, by
``perf_counter``, and the processor time taken until each.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.procesos import listo
from pregon.base.durable import Disk
from pregon.base.locks import exclusive
from pregon.difusor.libro import Libro
from pregon.difusor.night import open_receiver
from pregon.difusor.workspace import open_workspace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class _Watched(Disk):
    """A real disk that notes when the pointer is switched."""

    def __init__(self, *, completo: bool) -> None:
        self._completo = completo
        self.visto: dict[str, float] = {}

    @contextlib.contextmanager
    def _watch(self) -> Iterator[None]:
        yield
        self.anota("publico")
        if not self._completo:
            self.di()
            os._exit(0)

    def write(self, path: Path, data: bytes | Iterable[bytes], *, mode: int = 0o644) -> None:
        """As ever. The pointer is the last thing written before the public sees the cut."""
        with self._watch() if path.name == "puntero" else contextlib.nullcontext():
            super().write(path, data, mode=mode)

    def anota(self, what: str) -> None:
        """Remember this moment under a name."""
        own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
        self.visto[what] = time.perf_counter()
        self.visto[f"{what}_cpu"] = own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime

    def di(self) -> None:
        """Print what was seen."""
        print(json.dumps(self.visto), flush=True)


def main() -> None:
    """Receive; print when it was public."""
    disk = _Watched(completo="--completo" in sys.argv)
    listo()
    workspace = open_workspace(Path(sys.argv[1]))
    clock = workspace.open_clock()
    with exclusive(workspace.candado):
        state = workspace.open_state(clock)
        receiver = open_receiver(workspace, clock=clock, state=state, disk=disk)
        disk.anota("abierto")
        outcome = receiver.run_once()
        Libro(state).marcar_limpio(limpio=True)
    if outcome.error is not None or "publico" not in disk.visto:
        raise SystemExit(f"el difusor no publicó: {outcome}")
    disk.di()


if __name__ == "__main__":
    main()
