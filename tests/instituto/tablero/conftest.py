"""The great night, made once, and boards that attend copies of nights, each with an account of every role."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pregon.base.clock import ManualClock
from pregon.instituto.tablero.cuentas import PAPELES, cuentas_de
from pregon.instituto.tablero.servicio import atendiendo
from pregon.instituto.workspace import open_workspace
from tests.instituto.tablero import noches
from tests.web.conftest import BARATO, CLAVE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pregon.instituto.tablero.servicio import Atendido
    from tests.instituto.tablero.noches import Noche

PERSONAS = {"ana": "observador", "beto": "operador", "carla": "titular"}
"""Who has an account on every board of the tests; each password is ``CLAVE``."""
LEE_S = 30.0


@pytest.fixture(scope="session")
def _grande(tmp_path_factory: pytest.TempPathFactory) -> Noche:
    return noches.haz(tmp_path_factory.mktemp("noche-grande"), difusores=100, slots=144, cada_s=600)


@pytest.fixture(scope="session")
def _chica(tmp_path_factory: pytest.TempPathFactory) -> Noche:
    return noches.haz(tmp_path_factory.mktemp("noche-chica"), difusores=8, slots=12, cada_s=120)


@pytest.fixture(scope="module")
def noche_grande(_grande: Noche, tmp_path_factory: pytest.TempPathFactory) -> Noche:
    """A copy of 100 difusores × 144 cuts for one module, that it may change."""
    return copia(_grande, tmp_path_factory.mktemp("grande"))


@pytest.fixture
def noche_chica(_chica: Noche, tmp_path: Path) -> Noche:
    """A copy of 8 difusores × 12 cuts for one test."""
    return copia(_chica, tmp_path)


def copia(noche: Noche, folder: Path) -> Noche:
    """The same night in a folder of its own, with a clock of its own."""
    shutil.copytree(noche.workspace.folder, folder / "espacio")
    clock = ManualClock(noche.clock.instant)
    return replace(noche, workspace=open_workspace(folder / "espacio", clock=clock), clock=clock)


@contextmanager
def atendida(noche: Noche) -> Iterator[Atendido]:
    """Its board, read and attended on a free port, with the accounts of ``PERSONAS``."""
    accounts = cuentas_de(noche.workspace, BARATO)
    for name, role in PERSONAS.items():
        roles = PAPELES[: PAPELES.index(role) + 1]
        accounts.pone(name, CLAVE, roles, ahora=noche.clock.now(), disk=noche.workspace.disk)
    with atendiendo(noche.workspace, environment={}, puerto=0, costo=BARATO) as attended:
        assert attended.tablero.lector.listo.wait(LEE_S)
        yield attended
