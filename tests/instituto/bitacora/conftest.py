"""One night for the papers, made once: its readers change nothing; who writes works on a copy."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pregon.base.clock import ManualClock
from pregon.instituto.bitacora import expediente
from pregon.instituto.bitacora.asunto import Asunto
from tests.instituto.bitacora.noche import Noche, hace
from tests.instituto.conftest import INICIO, Night
from tests.instituto.proceso.casa import RADIO
from tests.red.servidores.correo import Correo, Modales
from tests.red.servidores.gancho import Gancho
from tests.red.servidores.nginx import Autoridad

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def hecha(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Noche]:
    folder = tmp_path_factory.mktemp("bitacora")
    authority = Autoridad(tmp_path_factory.mktemp("autoridad"))
    night = Night(folder, ManualClock(INICIO - timedelta(hours=4)))
    with Correo(Modales()) as correo, Gancho(authority.firma("gancho")) as gancho:
        yield hace(night, correo, gancho, authority)


def copia(hecha: Noche, folder: Path) -> Noche:
    """A copy of that night in ``folder``, which must not be there."""
    shutil.copytree(hecha.casa.night.folder, folder)
    made = Noche(
        replace(
            hecha.casa,
            night=replace(hecha.casa.night, folder=folder, clock=ManualClock(hecha.casa.night.clock.instant)),
            folder=folder / hecha.casa.folder.name,
        ),
        folder / hecha.afuera.name,
        hecha.orden,
    )
    settings = made.casa.folder / "instituto.toml"
    settings.write_text(settings.read_text().replace(str(hecha.afuera), str(made.afuera)))
    return made


@pytest.fixture
def noche(hecha: Noche, tmp_path: Path) -> Noche:
    """A copy of that night, this test's own."""
    return copia(hecha, tmp_path / "copia")


@pytest.fixture(scope="session")
def escrita(hecha: Noche, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of the radio, without its PDF, written once."""
    folder = tmp_path_factory.mktemp("expediente")
    night = copia(hecha, folder / "copia")
    return expediente.escribe(night.espacio, folder / "radio", Asunto(RADIO), con_pdf=False).carpeta


@pytest.fixture
def carpeta(escrita: Path, tmp_path: Path) -> Path:
    """A copy of that file, this test's own."""
    return Path(shutil.copytree(escrita, tmp_path / "radio"))
