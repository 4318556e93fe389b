"""One public night, made once; who changes it works on a copy."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from pregon.base.clock import ManualClock
from tests.instituto.publico.noche import NochePublica, hace

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def hecha(tmp_path_factory: pytest.TempPathFactory) -> NochePublica:
    return hace(tmp_path_factory.mktemp("publico"))


@pytest.fixture
def noche(hecha: NochePublica, tmp_path: Path) -> NochePublica:
    """A copy of that night, this test's own."""
    shutil.copytree(hecha.folder, tmp_path / "espacio")
    return NochePublica(tmp_path / "espacio", ManualClock(hecha.clock.instant), hecha.secretos)
