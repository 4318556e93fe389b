"""``python -m bench``: medians of interleaved rounds, ours and a peer's, and their ratio.

* ``instituto``: three elections of actas in CSV to a signed package on disk, against ``zip -6`` of the unpacked tree.
* ``difusor``: verify, unpack to objects, link the release and sync, against ``sha256sum`` + ``unzip`` + ``sync -f``.
* ``difusor, corte 2``: the same for the next cut, by its archive of changes; the peer on the whole archive.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
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
    from collections.abc import Callable, Sequence

CONVOCATORIA = "gro-2021"
NIGHT = 72
"""Cuts of the made-up night; two neighbours in its middle are measured."""


class Stage:
    """A synthetic night of two cuts in a temporary folder."""

    def __init__(self, folder: Path, casillas: int) -> None:
        self.folder = folder
        self.profile = load(CONVOCATORIA)
        step = timedelta(minutes=self.profile.intervalo_min)
        night = [self.profile.inicio + step * k for k in range(1, NIGHT + 1)]
        self.hours = night[NIGHT // 2 : NIGHT // 2 + 2]
        contests = [
            election(code, casillas=casillas, unidades=24, cortes=night, semilla=7, entidad=(12, "Guerrero"))
            for code in self.profile.elecciones
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
        """Make and sign a cut; its folder."""
        clock = ManualClock(self.hours[number])
        return build_cut(open_workspace(institute, clock=clock), self.cuts[number], hora=self.hours[number]).carpeta

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


def timed(action: Callable[[], object]) -> float:
    """Seconds of one call."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def receive(difusor: Path) -> None:
    """One pass, which must publish."""
    outcome = receive_once(open_difusor(difusor), disk=Disk())
    if outcome.error is not None or not outcome.cambio:
        raise SystemExit(f"el difusor no publicó: {outcome}")


def show(name: str, ours: Sequence[float], peer: Sequence[float], against: str) -> None:
    """One line: medians and ratio."""
    a, b = statistics.median(ours), statistics.median(peer)
    print(f"{name:<28} {a:8.3f} s   {against}: {b:8.3f} s   razón {a / b:5.2f}")


def unpack_like_a_script(archive: Path, target: Path) -> None:
    """What a careful shell script does today: hash, unzip, sync."""
    target.mkdir()
    subprocess.run(["sha256sum", archive], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["unzip", "-q", archive, "-d", target], check=True)
    subprocess.run(["sync", "-f", target], check=True)


def main() -> None:
    """Run every measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--casillas", type=int, default=5000, help="actas por elección (tres elecciones)")
    parser.add_argument("--rondas", type=int, default=5)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="pregon-bench-"))
    try:
        stage = Stage(folder, options.casillas)
        first: Path | None = None
        ours, peer, mine, theirs, second, again = [], [], [], [], [], []
        for number in range(options.rondas):
            institute = stage.institute(f"instituto-{number}")
            ours.append(timed(lambda institute=institute: stage.build(institute, 0)))  # type: ignore[misc]
            cut = institute / "repositorio/targets/cortes/0001"
            whole = next(path for path in cut.glob("*.zip") if "cambios" not in path.name)
            tree = folder / f"arbol-{number}"
            theirs.append(timed(lambda whole=whole, tree=tree: unpack_like_a_script(whole, tree)))  # type: ignore[misc]
            peer.append(
                timed(
                    lambda tree=tree, number=number: subprocess.run(  # type: ignore[misc]
                        ["zip", "-6", "-q", "-r", folder / f"par-{number}.zip", "."], cwd=tree, check=True
                    )
                )
            )
            difusor = stage.difusor(f"difusor-{number}", institute)
            mine.append(timed(lambda difusor=difusor: receive(difusor)))  # type: ignore[misc]
            stage.build(institute, 1)
            second.append(timed(lambda difusor=difusor: receive(difusor)))  # type: ignore[misc]
            after = institute / "repositorio/targets/cortes/0002"
            zips = {"cambios" in path.name: path for path in after.glob("*.zip")}
            again.append(timed(lambda zips=zips, tree=tree: unpack_like_a_script(zips[False], tree / "2")))  # type: ignore[misc]
            if first is None:
                first = whole
                files = sum(1 for path in tree.rglob("*") if path.is_file())
                print(f"{3 * options.casillas:,} actas; {files:,} archivos; {whole.stat().st_size / 1e6:.1f} MB en zip")
                print(f"cambios / paquete: {zips[True].stat().st_size / zips[False].stat().st_size:.2f}")
            shutil.rmtree(tree)
        show("instituto: CSV a firmado", ours, peer, "zip -6")
        show("difusor: corte 1", mine, theirs, "sha256sum+unzip+sync")
        show("difusor: corte 2 (cambios)", second, again, "sha256sum+unzip+sync")
        print(f"memoria máxima: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB", file=sys.stdout)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
