"""A power cut at any moment of a real run: what was not synced is lost, in several ways, and the night goes on."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pregon.difusor.historia.rescate import APARTADO, open_sound_state
from pregon.difusor.night import open_receiver
from tests.confiabilidad.noche import LIMITE_S, Noche
from tests.red.discos import APAGONES, Traza
from tests.red.llamadas import orden_grabada

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pregon.trust.keys import KeyRing
    from tests.red.discos import Apagon

SEMILLA = 20270606
DE_MUESTRA = 36
"""Power cuts of each default run; ``make aguante`` does them all."""
ROOT = Path(__file__).resolve().parents[2]
SIN_SINCRONIZAR = """
import sys
from contextlib import nullcontext
from pathlib import Path
from pregon.base.durable import Disk
from pregon.difusor.night import receive_once
from pregon.difusor.workspace import open_workspace

class Confiado(Disk):
    def sync_filesystem(self, path): pass
    def writing(self, path): return nullcontext()

receive_once(open_workspace(Path(sys.argv[1])), disk=Confiado())
"""
"""The real program on a disk of which it believes that it never loses anything."""


class Grabada:
    """A night with ``cortes`` cuts public and one more received while everything asked of the disk was recorded."""

    def __init__(self, folder: Path, ring: KeyRing, *, cortes: int, command: Sequence[str] | None = None) -> None:
        self.noche = Noche(folder / "noche", ring)
        self.folder = folder
        for _ in range(cortes):
            self.noche.corte()
            self.noche.escena.receiver().run_once()
        if cortes == 0:
            self.noche.escena.receiver().run_once()
        self.noche.corte()
        self.ultimo = cortes + 1
        before = folder / "antes"
        subprocess.run(["cp", "-a", self.noche.carpeta, before], check=True, timeout=LIMITE_S)
        order = command or self.noche.orden("difusor", "recibe", self.noche.carpeta, "--una-vez")
        recorded = orden_grabada([*order], folder / "traza.txt")
        done = subprocess.run(recorded, check=False, timeout=LIMITE_S, cwd=ROOT, capture_output=True)
        assert done.returncode == 0, done.stderr[-2000:]
        assert self.noche.publico() == self.ultimo
        self.traza = Traza(folder / "traza.txt", raiz=self.noche.carpeta, antes=before)

    def apaga(self, momento: int, apagon: Apagon, semilla: int) -> list[str]:
        """Cut the power there, start again on what survived; what the judge says at each step."""
        where = f"{apagon} {momento} {semilla}"
        folder = self.folder / "tras"
        shutil.rmtree(folder, ignore_errors=True)
        self.traza.tras_apagon(momento, apagon, semilla, folder)
        wrong = [f"{where}, al encender: {one}" for one in self.noche.juez.en_disco(folder)]
        workspace = replace(self.noche.workspace, folder=folder)
        clock = self.noche.escena.clock
        disk = self.noche.escena.disk
        receiver = open_receiver(workspace, clock=clock, state=open_sound_state(workspace, clock, disk), disk=disk)
        # Our own record of the night goes through the power cut too, and is not damaged by it.
        wrong += [f"{where}: se apartó {path.name}" for path in folder.glob(f"*{APARTADO}*")]
        wrong += [f"{where}, al iniciar: {one}" for one in self.noche.juez.en_disco(folder)]
        outcome = receiver.run_once()
        receiver.close()
        if outcome.error is not None:
            wrong.append(f"{where}: {outcome.error.codigo} {outcome.error.que_paso}")
        wrong += [f"{where}, después: {one}" for one in self.noche.juez.en_disco(folder)]
        if self.noche.juez.publico(folder) != self.ultimo:
            wrong.append(f"{where}: no se publicó el {self.ultimo}")
        return wrong

    def momentos(self) -> list[tuple[int, Apagon]]:
        """Every moment before and after a sync, in every way."""
        return [(moment, kind) for moment in self.traza.puntos for kind in APAGONES]


@pytest.fixture
def next_cut(memoria: Path, ring: KeyRing) -> Grabada:
    return Grabada(memoria, ring, cortes=1)


def test_what_is_recorded_is_what_was_done(next_cut: Grabada, tmp_path: Path) -> None:
    """The whole trace, nothing lost, gives the folder as the process left it: the layer forgets only what it says."""
    next_cut.traza.tras_apagon(sys.maxsize, "todo", 0, tmp_path / "todo")
    subprocess.run(["diff", "-r", tmp_path / "todo", next_cut.noche.carpeta], check=True, timeout=LIMITE_S)
    assert len(next_cut.traza.puntos) > 40


@pytest.mark.parametrize("cortes", [0, 1], ids=["first", "next"])
def test_power_cut_around_the_syncs(memoria: Path, ring: KeyRing, cortes: int) -> None:
    grabada = Grabada(memoria, ring, cortes=cortes)
    chosen = random.Random(SEMILLA + cortes).sample(grabada.momentos(), DE_MUESTRA // 2)
    assert [one for moment, kind in chosen for one in grabada.apaga(moment, kind, SEMILLA)] == []


def test_program_that_does_not_sync_is_caught(memoria: Path, ring: KeyRing) -> None:
    """The proof of the layer: on it, a difusor that never syncs shows the public less than a whole cut."""
    naive = [sys.executable, "-c", SIN_SINCRONIZAR]
    folder = memoria / "noche" / "difusor"
    grabada = Grabada(memoria, ring, cortes=1, command=[*naive, str(folder)])
    last = grabada.traza.puntos[-1]
    wrong = [one for kind in ("nada", "diario", "suelto") for one in grabada.apaga(last, kind, SEMILLA)]
    assert [one for one in wrong if "al encender" in one]


@pytest.mark.aguante
@pytest.mark.parametrize("cortes", [0, 1], ids=["first", "next"])
def test_power_cut_at_every_sync(memoria: Path, ring: KeyRing, cortes: int) -> None:
    grabada = Grabada(memoria, ring, cortes=cortes)
    wrong = [
        one
        for seed in range(3)
        for moment, kind in grabada.momentos()
        for one in grabada.apaga(moment, kind, SEMILLA + seed)
    ]
    assert wrong == []
