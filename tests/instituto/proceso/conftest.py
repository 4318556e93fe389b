"""The institute of these tests, with its real servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.instituto.proceso.casa import Casa, hecha
from tests.red.servidores.correo import Correo, Modales
from tests.red.servidores.gancho import Gancho
from tests.red.servidores.nginx import Autoridad

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.instituto.conftest import Night


@pytest.fixture(scope="session")
def autoridad(tmp_path_factory: pytest.TempPathFactory) -> Autoridad:
    return Autoridad(tmp_path_factory.mktemp("autoridad"))


@pytest.fixture(scope="session")
def certificado(autoridad: Autoridad) -> tuple[Path, Path]:
    return autoridad.firma("gancho")


@pytest.fixture
def casa_de(night: Night, autoridad: Autoridad, certificado: tuple[Path, Path]) -> Iterator[Callable[[], Casa]]:
    with Correo(Modales()) as correo, Gancho(certificado) as gancho:
        yield lambda: hecha(night, correo, gancho, autoridad)


@pytest.fixture
def casa(casa_de: Callable[[], Casa]) -> Casa:
    return casa_de()


@pytest.fixture
def simulacro(night: Night, casa_de: Callable[[], Casa]) -> Casa:
    night.ambiente = "simulacro"
    return casa_de()
