"""A made-up night of two contests, some hours in, for cuts that follow one another with few changes."""

from __future__ import annotations

import shutil
from datetime import timedelta
from typing import TYPE_CHECKING

from pregon.base.clock import ManualClock
from pregon.instituto import fuentes
from pregon.instituto.build import BuiltCut, build_cut
from pregon.instituto.workspace import open_workspace
from pregon.prep.synthetic.eleccion import election
from tests.instituto.conftest import HORA

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pregon.base.durable import Disk
    from pregon.instituto.fuentes import ContestSource
    from pregon.instituto.workspace import Workspace

HORAS = tuple(HORA + timedelta(minutes=20 * n) for n in range(24))
CASILLAS = 120


def write_sources(folder: Path, *cuts: int) -> dict[int, tuple[ContestSource, ...]]:
    """The files of those cuts of the night, in one folder for each."""
    found: dict[int, list[Path]] = {cut: [] for cut in cuts}
    for code in ("GUB", "DIP"):
        made = election(code, casillas=CASILLAS, unidades=4, cortes=list(HORAS), semilla=7, entidad=(4, "CAMPECHE"))
        for cut in cuts:
            path = folder / f"{HORAS[cut]:%Y%m%d_%H%M}" / f"{made.file_stem}.csv"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(made.actas_csv(cut))
            found[cut].append(path)
    return {cut: fuentes.sources(paths) for cut, paths in found.items()}


def make(space: Workspace, sources: Sequence[ContestSource], hora: int) -> BuiltCut:
    """The cut of that place in ``HORAS``, made half a minute later."""
    assert isinstance(space.clock, ManualClock)
    space.clock.instant = HORAS[hora] + timedelta(seconds=30)
    return build_cut(space, sources)


def copied(space: Workspace, folder: Path, *, disk: Disk | None = None) -> Workspace:
    """Another workspace that has lived the same."""
    shutil.copytree(space.folder, folder)
    assert isinstance(space.clock, ManualClock)
    return open_workspace(folder, clock=ManualClock(space.clock.instant), disk=disk or space.disk)


def contents(built: BuiltCut) -> dict[str, bytes]:
    """Every file that a cut left in the repository, by name."""
    return {path.name: path.read_bytes() for path in built.carpeta.iterdir()}
