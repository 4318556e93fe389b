"""``difusor``: verify, unpack to objects, link the release and sync, against ``sha256sum`` + ``unzip`` + ``sync -f``.

``difusor, corte 2`` is the same for the next cut, by its archive of changes; the peer on the whole archive.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from pregon.base.clock import ManualClock, SimulatedClock
from pregon.base.durable import Disk
from pregon.convocatoria.perfiles import load
from pregon.difusor.inicia import create as create_difusor
from pregon.difusor.night import receive_once
from pregon.difusor.workspace import open_workspace as open_difusor
from pregon.instituto.build import ContestSource, build_cut
from pregon.instituto.workspace import RAIZ, open_workspace
from pregon.instituto.workspace import create as create_institute
from pregon.prep.synthetic import election

if TYPE_CHECKING:
    from pathlib import Path

    from bench.informe import Informe

CONVOCATORIA = "gro-2021"
CASILLAS = 5_000
NIGHT = 72
"""Cuts of the made-up night; two neighbours in its middle are measured."""


class _Stage:
    """A synthetic night of two cuts in a folder."""

    def __init__(self, folder: Path, casillas: int) -> None:
        self.folder = folder
        profile = load(CONVOCATORIA)
        step = timedelta(minutes=profile.intervalo_min)
        night = [profile.inicio + step * k for k in range(1, NIGHT + 1)]
        self.hours = night[NIGHT // 2 : NIGHT // 2 + 2]
        contests = [
            election(code, casillas=casillas, unidades=24, cortes=night, semilla=7, entidad=(12, "Guerrero"))
            for code in profile.elecciones
        ]
        self.cuts: list[list[ContestSource]] = []
        for number in range(len(self.hours)):
            which = NIGHT // 2 + number
            place = folder / f"fuentes-{number}"
            place.mkdir(parents=True)
            sources = []
            for contest in contests:
                actas = place / f"{contest.file_stem}.csv"
                actas.write_bytes(contest.actas_csv(which))
                catalogue = place / f"{contest.file_stem}_CANDIDATURAS.csv"
                catalogue.write_bytes(contest.candidaturas_csv())
                sources.append(ContestSource(None, actas, catalogue))
            self.cuts.append(sources)

    def institute(self, name: str) -> Path:
        """A new institute's workspace."""
        path = self.folder / name
        create_institute(path, CONVOCATORIA, ambiente="simulacro", clock=ManualClock(self.hours[0]), disk=Disk())
        return path

    def build(self, institute: Path, number: int) -> Path:
        """Make and sign a cut; its whole archive."""
        clock = ManualClock(self.hours[number])
        built = build_cut(open_workspace(institute, clock=clock), self.cuts[number], hora=self.hours[number])
        return built.carpeta / built.paquete.nombre

    def difusor(self, name: str, institute: Path) -> Path:
        """A new difusor's workspace that reads ``institute``'s repository."""
        path = self.folder / name
        clock = self.folder / "reloj.json"
        clock.write_bytes(SimulatedClock.start(self.hours[1], 1).dump())
        toml = (
            f'convocatoria = "{CONVOCATORIA}"\nambiente = "simulacro"\nid = "{name}"\n'
            f'origen = "{institute / "repositorio"}"\n[reloj]\nfuente = "simulado"\nsimulado = "{clock}"\n'
        )
        create_difusor(path, toml, root=(institute / RAIZ).read_bytes(), disk=Disk())
        return path


def mide(informe: Informe, folder: Path, casillas: int, rondas: int) -> None:
    """Run it and print."""
    casillas = min(casillas, CASILLAS)
    informe.titulo("difusor", f"cortes de 3 elecciones de {casillas:,} actas, del repositorio a publicado")
    stage = _Stage(folder, casillas)
    ours: tuple[list[float], list[float]] = ([], [])
    peer: tuple[list[float], list[float]] = ([], [])
    for number in range(rondas):
        institute = stage.institute(f"instituto-{number}")
        difusor = stage.difusor(f"difusor-{number}", institute)
        for cut in (0, 1):
            whole = stage.build(institute, cut)
            ours[cut].append(_receive(difusor))
            peer[cut].append(_like_a_script(whole, folder / f"arbol-{number}-{cut}"))
        for path in (institute, difusor, folder / f"arbol-{number}-0", folder / f"arbol-{number}-1"):
            shutil.rmtree(path)
    names = ("difusor", "difusor, corte 2 (cambios)")
    for cut, name in enumerate(names):
        informe.razon(f"{name} / guion", ours[cut], peer[cut])
    for cut, name in enumerate(names):
        informe.segundos(name, ours[cut])
        informe.segundos(f"sha256sum+unzip+sync, corte {cut + 1}", peer[cut])
    shutil.rmtree(folder)


def _receive(difusor: Path) -> float:
    """Seconds of one pass, which must publish."""
    start = time.perf_counter()
    outcome = receive_once(open_difusor(difusor), disk=Disk())
    seconds = time.perf_counter() - start
    if outcome.error is not None or not outcome.cambio:
        raise SystemExit(f"el difusor no publicó: {outcome}")
    return seconds


def _like_a_script(archive: Path, target: Path) -> float:
    """Seconds of what a careful shell script does today: hash, unzip, sync."""
    start = time.perf_counter()
    target.mkdir()
    subprocess.run(["sha256sum", archive], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["unzip", "-q", archive, "-d", target], check=True)
    subprocess.run(["sync", "-f", target], check=True)
    return time.perf_counter() - start
