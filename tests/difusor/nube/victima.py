"""A difusor that makes one pass in a process of its own and may die (SIGKILL) at one step of what it takes to a store.

In a fork of a clean server (``forkserver``), which has everything loaded: a case costs tenths of a second, and no
thread of the test's process is in it.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pregon.base.durable import Disk
from pregon.difusor.libro import Libro
from pregon.difusor.night import open_receiver
from pregon.difusor.nube.servicio import Nube
from pregon.difusor.publish import Publisher
from pregon.difusor.workspace import open_workspace
from tests.difusor.nube.playa import RelojVivo
from tests.red.blancos import DiscoMortal, EstadoMortal, Pasos

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.context import ForkServerProcess

    from tests.difusor.conftest import Escena

LIMITE_S = 60.0
_CARGA = ["tests.difusor.nube.victima", "pregon.difusor.nube.publica", "pregon.difusor.nube.borde", "obstore"]


class PasosDeNube(Pasos):
    """Those of the object stores alone: what the loop writes meanwhile is of ``test_kill``."""

    @contextlib.contextmanager
    def paso(self, name: str, what: Path | str) -> Iterator[None]:
        foreign = isinstance(what, str) and not what.startswith("nube")
        with contextlib.nullcontext() if foreign else super().paso(name, what):
            yield


def pasada(carpeta: str, instante: str, en: int | None, despues: bool, salida: str) -> None:  # noqa: FBT001 (a process)
    """The process: exit status 0 where every store shows what this difusor does."""
    workspace = open_workspace(Path(carpeta))
    clock = RelojVivo(datetime.fromisoformat(instante), simulado=False)
    steps = PasosDeNube(en, despues=despues)
    state = EstadoMortal(workspace.estado, clock, steps)
    receiver = open_receiver(workspace, clock=clock, state=state, disk=Disk())
    receiver.nube = Nube(workspace, Publisher(workspace, Libro(state), Disk()), clock=clock, disk=DiscoMortal(steps))
    outcome = receiver.run_once()
    left = receiver.completa(outcome.decision, LIMITE_S)
    receiver.close()
    Path(salida).write_text("\n".join(steps.nombres))
    os._exit(0 if outcome.error is None and left == () else 1)


class Victima:
    """One such process over an escena's workspace. ``pasos`` has the steps that it counted, where it lived."""

    def __init__(self, escena: Escena, *, en: int | None = None, despues: bool = False) -> None:
        server = multiprocessing.get_context("forkserver")
        server.set_forkserver_preload(_CARGA)
        self._output = escena.folder / "pasos.txt"
        self._output.unlink(missing_ok=True)
        args: tuple[Any, ...] = (
            str(escena.workspace.folder), escena.clock.instant.isoformat(), en, despues, str(self._output)
        )  # fmt: skip
        self.process: ForkServerProcess = server.Process(target=pasada, args=args)
        self.process.start()

    def mata(self) -> None:
        """End it at once, and wait until it is no more."""
        self.process.kill()
        self.process.join(LIMITE_S)

    def termina(self) -> int:
        """Its exit status; negative, the signal that ended it."""
        self.process.join(2 * LIMITE_S)
        status = self.process.exitcode
        assert status is not None, "it never ended"
        self.process.close()
        return status

    @property
    def pasos(self) -> list[str]:
        return self._output.read_text().splitlines()
