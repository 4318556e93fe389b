"""A package whose weights are known, a profile, and a real package of a small institute."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pregon.base.clock import ManualClock
from pregon.difusor.aforo.peso import Consulta, Pesos
from pregon.difusor.nube.costo import Medida, Peso
from tests.instituto.conftest import INICIO, Night

if TYPE_CHECKING:
    from pathlib import Path

MEDIDA = Medida(
    "a mano", Peso(), Peso(), Peso(), Peso(100_000, 20), cambia=Peso(600_000, 90), rutas=4, original=900_000
)
PESOS = Pesos(
    "a mano",
    "0042",
    MEDIDA,
    primera=Consulta("primera", 210_000, 52_000, 48_000, 20),
    repetida=Consulta("repetida", 110_000, 21_000, 18_000, 5),
    novedad=Consulta("novedad", 100_000, 19_000, 17_000, 4),
    paginas={
        "contienda": Consulta("contienda", 36_000, 5_100, 4_600, 1, 12),
        "unidad": Consulta("unidad", 39_000, 6_800, 6_300, 2, 68),
        "secciones": Consulta("secciones", 35_000, 5_700, 5_100, 2, 68),
        "otra": Consulta("otra", 33_000, 6_800, 6_200, 1, 6),
    },
    descarga=Consulta("descarga", 400_000, 400_000, None, 1, 3),
)
"""As a package of an entity weighs."""


@pytest.fixture(scope="module")
def paquete(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package that an institute made and signed: two contests of two districts."""
    folder = tmp_path_factory.mktemp("instituto")
    night = Night(folder, ManualClock(INICIO - timedelta(hours=4)))
    built = night.cut(night.create())
    return built.carpeta / built.paquete.nombre
