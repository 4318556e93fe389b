"""A night of a difusor made of real processes, and one judge of it: what every row of docs/confiabilidad.md runs on.

The ambiente is simulacro, because only there a process takes its hour from a file. Whatever is public is asked of the
real web server, not of the program.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2

from pregon.base import procesos
from pregon.base.clock import SimulatedClock
from pregon.base.durable import Disk
from pregon.difusor.workspace import open_workspace
from tests.confiabilidad.juez import Juez
from tests.difusor.conftest import files_of, make_escena
from tests.red import vivero
from tests.trust.conftest import INICIO, INTERVALO, OFICIAL, other

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime, timedelta

    from pregon.base.procesos import Process
    from pregon.difusor.workspace import Workspace
    from pregon.trust.keys import KeyRing

SIMULACRO = other(OFICIAL, ambiente="simulacro")
RELOJ = "reloj.json"
LIMITE_S = 30.0
"""Longest wait for anything to come out."""
MIRA_S = 0.02


class Noche:
    """An institute, a difusor's workspace that reads it, and its judge. Cuts are 1, 2, 3, …"""

    def __init__(
        self, folder: Path, ring: KeyRing, *, reloj: str = 'fuente = "simulado"', ahora: datetime | None = None
    ) -> None:
        """``ahora``: what the simulated clock reads now; an interval after the start where None."""
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.escena = make_escena(folder, ring, identity=SIMULACRO, reloj=f'{reloj}\nsimulado = "{RELOJ}"')
        self.juez = Juez()
        self.cortes = 0
        self._sirvieron = 0
        self.pon_reloj(INICIO + INTERVALO if ahora is None else ahora)

    @property
    def workspace(self) -> Workspace:
        return self.escena.workspace

    @property
    def carpeta(self) -> Path:
        """The workspace."""
        return self.escena.workspace.folder

    # The institute, and the hour.

    def corte(
        self,
        more: Mapping[str, bytes] | None = None,
        *,
        hora: datetime | None = None,
        firmado: datetime | None = None,
        permite: bool = True,
    ) -> int:
        """The institute signs the next cut, with ``more`` files; the judge knows it before anybody can see it.

        Its hour is as many intervals after the start as its number, or ``hora``; it is signed then, or at ``firmado``.
        """
        self.cortes += 1
        hora = hora or INICIO + INTERVALO * self.cortes
        built = files_of(self.cortes, hora, ambiente="simulacro")
        self.escena.clock.instant = hora
        build = self.escena.repository.cut_folder(self.cortes)
        self.escena.sign(
            self.cortes,
            built | dict(more or {}),
            hora_corte=hora,
            firmado=firmado or hora,
            antes=lambda: self.juez.conoce(build, permite=permite),
        )
        return self.cortes

    def pon_reloj(self, hora: datetime) -> None:
        """The simulated clock of every process reads ``hora`` now."""
        Disk().write(self.carpeta / RELOJ, SimulatedClock.start(hora, 1.0).dump())

    def mueve_reloj(self, tanto: timedelta) -> None:
        """Somebody moved the clock."""
        clock = SimulatedClock.load(self.carpeta / RELOJ)
        Disk().write(self.carpeta / RELOJ, replace(clock, origin=clock.origin + tanto, path=None).dump())

    # The difusor's processes.

    def orden(self, *words: str | Path) -> list[str]:
        """A command of Pregón, as a process of its own."""
        return [sys.executable, "-m", "pregon", *map(str, words)]

    def opera(self, *before: str | Path, como: str = "opera") -> Process:
        """Start ``difusor opera`` (or ``recibe``); ``before`` runs it. Whoever starts it ends it."""
        command = [*map(str, before), *self.orden("difusor", como, self.carpeta)]
        return procesos.start(command, output=self.folder / "opera.out")

    @contextlib.contextmanager
    def operando(self, *before: str | Path, como: str = "opera") -> Iterator[Process]:
        """``opera`` while the block lasts."""
        process = self.opera(*before, como=como)
        try:
            yield process
        finally:
            if process.returncode() is None:
                process.stop(grace=LIMITE_S)

    def una_vez(self, *before: str | Path, folder: Path | None = None) -> int:
        """``difusor recibe --una-vez``, a process of its own; ``before`` runs it. Its exit status."""
        words = ("difusor", "recibe", folder or self.carpeta, "--una-vez")
        output = self.folder / "recibe.out"
        if not before:
            return vivero.compartido().corre("pregon", *words, salida=output, limite=LIMITE_S)
        process = procesos.start([*map(str, before), *self.orden(*words)], output=output)
        return process.wait(LIMITE_S)

    def en_puerto(self, puerto: int) -> None:
        """Have every ``sirve`` from now on serve there, as on the night."""
        toml = self.carpeta / "difusor.toml"
        toml.write_text(toml.read_text().replace("puerto = 0", f"puerto = {puerto}"))

    @contextlib.contextmanager
    def sirviendo(self, *, grace: float = 10.0) -> Iterator[tuple[str, Process]]:
        """``difusor sirve`` while the block lasts: the address and the process."""
        self._sirvieron += 1
        output = self.folder / f"sirve-{self._sirvieron}.out"
        process = procesos.start(self.orden("difusor", "sirve", self.carpeta), output=output)
        try:
            yield self.direccion(process), process
        finally:
            if process.returncode() is None:
                process.stop(grace=grace)

    def direccion(self, process: Process) -> str:
        """The address that a ``sirve`` told when it was ready."""

        def ready() -> list[str]:
            return [line for line in process.tail().splitlines() if line.startswith("LISTO ")]

        procesos.wait_until(lambda: bool(ready()), process, timeout=LIMITE_S, what="sirve")
        return ready()[-1].split(" ")[1]

    # What comes out of it.

    def publico(self) -> int | None:
        """The number of the cut that the pointer names."""
        return self.juez.publico(self.carpeta)

    def espera_corte(self, number: int, process: Process) -> float:
        """Wait until the pointer names that cut; the seconds that it took."""
        start = time.monotonic()
        while self.publico() != number:
            assert process.returncode() is None, process.tail()
            assert time.monotonic() < start + LIMITE_S, f"{number}: {self.publico()}\n{process.tail()}"
            time.sleep(MIRA_S)
        return time.monotonic() - start

    def contesta(self, url: str) -> bool:
        """Whether the web server answers there with something public."""
        try:
            return httpx2.get(url, trust_env=False).status_code == 200
        except httpx2.HTTPError:
            return False

    @contextlib.contextmanager
    def nada(self) -> Iterator[None]:
        """In the place of a fault, none."""
        yield

    def deja_pasar(self, process: Process, *, pasadas: float = 8) -> None:
        """Let the receiver make some passes more (it looks ten times a second), during which it must not end."""
        time.sleep(pasadas * self.workspace.settings.sondeo_s)
        assert process.returncode() is None, process.tail()

    def sana(self, url: str | None = None, *, corte: int | None = None) -> list[str]:
        """The judge's word, on disk and (with ``url``) over HTTP."""
        wrong = self.juez.en_disco(self.carpeta)
        return wrong if url is None else [*wrong, *self.juez.por_http(url, corte=corte)]


def copia(workspace: Workspace, folder: Path) -> Workspace:
    """The same workspace elsewhere, hard links and times kept."""
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run(["cp", "-a", workspace.folder, folder], check=True, timeout=LIMITE_S)
    return open_workspace(folder)


@contextlib.contextmanager
def en_memoria() -> Iterator[Path]:
    """A folder in memory, where there is one: what is forgotten is forgotten by us, not by the disk."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as name:
        yield Path(name)


def servidor_de(sirve: Process) -> int:
    """The process of the web server that a ``sirve`` started."""
    [pid] = Path(f"/proc/{sirve.pid}/task/{sirve.pid}/children").read_text().split()
    return int(pid)


def mata_pid(pid: int) -> None:
    """SIGKILL to one that somebody else started."""
    os.kill(pid, signal.SIGKILL)


def mata(process: Process) -> None:
    """SIGKILL to the process alone, not to its group: what it started goes on."""
    os.kill(process.pid, signal.SIGKILL)
    process.wait(LIMITE_S)
