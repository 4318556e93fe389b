"""An institute with three signed cuts, as files on disk and as what a portal would show of each."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pregon.base.clock import ManualClock
from pregon.instituto.build import build_cut
from pregon.instituto.workspace import open_workspace
from tests.instituto.conftest import INICIO, Night, unpack

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from pregon.instituto.workspace import Workspace

CORTES = (1, 2, 3)
HORAS = {n: INICIO + timedelta(minutes=20 * (n - 1)) for n in CORTES}
FIRMADOS = {n: HORAS[n] + timedelta(seconds=30) for n in CORTES}


@dataclass(frozen=True)
class Instituto:
    """A workspace of one's own, and what each signed cut looks like when it is published."""

    workspace: Workspace
    clock: ManualClock
    publicados: dict[int, Path]

    def a_las(self, instant: datetime) -> None:
        self.clock.instant = instant


@pytest.fixture(scope="session")
def _firmado(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("monitor")
    night = Night(folder, ManualClock(INICIO - timedelta(hours=4)), "simulacro", elecciones=("GUB",))
    space = night.create()
    for n in CORTES:
        night.clock.instant = FIRMADOS[n]
        built = build_cut(space, night.sources(HORAS[n], votes=str(40 + n))[:1])
        assert built.corte == n
        site = unpack(built, folder / f"sitio-{n}")
        shutil.copy(built.carpeta / "manifiesto.json", site / "manifiesto.json")
    return folder


@pytest.fixture
def instituto(_firmado: Path, tmp_path: Path) -> Instituto:
    """A copy, with the three cuts of 20:00, 20:20 and 20:40 signed half a minute after their hour."""
    shutil.copytree(_firmado / "espacio", tmp_path / "espacio")
    sites = {n: _firmado / f"sitio-{n}" for n in CORTES}  # nobody writes there
    clock = ManualClock(FIRMADOS[3] + timedelta(minutes=2))
    return Instituto(open_workspace(tmp_path / "espacio", clock=clock), clock, sites)
