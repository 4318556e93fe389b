"""A machine that makes the next cut in a process of its own and may die (SIGKILL) around one of its steps.

Its steps are those of its disk and its transactions in the server. In a fork of a clean server (``forkserver``), which
has everything loaded, so that a case costs tenths of a second.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pregon.base.clock import ManualClock
from pregon.base.estado_postgres import PostgresState
from pregon.base.postgres import Servidor
from pregon.instituto import avisos, fuentes
from pregon.instituto.build import build_cut
from pregon.instituto.relevo.compartido import Compartido
from pregon.instituto.workspace import open_workspace
from tests.instituto.relevo.conftest import corta, hora
from tests.red.blancos import DiscoMortal, Pasos

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Cursor

LIMITE_S = 60.0
_CARGA = ["tests.instituto.relevo.victima", "pregon.instituto.relevo.releva"]


class ServidorMortal(Servidor):
    """A real server whose transactions are steps: a process dies before one begins, or once it is committed."""

    def __init__(self, other: Servidor, pasos: Pasos) -> None:
        super().__init__(other.direccion)
        self._steps = pasos

    @contextlib.contextmanager
    def transaccion(self) -> Iterator[Cursor[Any]]:
        # The function that asked for it, past contextlib's own frame.
        who = sys._getframe(2).f_code.co_name
        with self._steps.paso("transaccion", who), super().transaccion() as cursor:
            yield cursor


class PasosPorNombre(Pasos):
    """Steps of which one is named («operation name»), or numbered."""

    def __init__(self, en: int | str | None, *, despues: bool) -> None:
        super().__init__(en if isinstance(en, int) else None, despues=despues)
        self._name = en if isinstance(en, str) else None

    @contextlib.contextmanager
    def paso(self, name: str, what: Path | str) -> Iterator[None]:
        if f"{name} {what if isinstance(what, str) else what.name}" == self._name:
            self._at, self._name = len(self.nombres), None
        with super().paso(name, what):
            yield


@dataclass(frozen=True)
class Tarea:
    """What the process does in ``espacio``: the second cut, or a notice. ``salida``: the file for its steps.

    ``actas``: the folder of those of which the cut is made; without it, it is one of five files.
    """

    espacio: str
    aviso: bool
    en: int | str | None
    despues: bool
    salida: str
    actas: str | None = None


def trabaja(tarea: Tarea) -> None:
    """The process: status 0 where it lived and did it."""
    steps = PasosPorNombre(tarea.en, despues=tarea.despues)
    clock = ManualClock(hora(1), simulado=False)
    workspace = open_workspace(Path(tarea.espacio), clock=clock, disk=DiscoMortal(steps))
    shared = workspace.compartido
    assert shared is not None
    server = ServidorMortal(shared.servidor, steps)
    assert isinstance(shared.estado, PostgresState)
    shared.estado._server = server
    workspace.__dict__["compartido"] = Compartido(server, shared.ajustes, shared.estado, shared.vale)
    try:
        if tarea.aviso:
            avisos.announce_delay(workspace, avisos.Orden("se retrasa", "Ana"), texto="El corte se retrasa.")
        elif tarea.actas is None:
            corta(workspace, 1, "41")
        else:
            build_cut(workspace, fuentes.sources(sorted(Path(tarea.actas).glob("*.csv"))))
    except BaseException:  # noqa: BLE001 (the end of a process: the test reads what it says)
        Path(tarea.salida).write_text(traceback.format_exc())
        os._exit(1)
    Path(tarea.salida).write_text("\n".join(steps.nombres))
    os._exit(0)


def corre(tarea: Tarea) -> int | None:
    """Run it; its exit status, negative where a signal ended it."""
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(_CARGA)
    process = server.Process(target=trabaja, args=(tarea,))
    process.start()
    process.join(LIMITE_S)
    status = process.exitcode
    process.close()
    return status
