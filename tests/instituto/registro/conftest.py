"""One workspace for each call, made once and copied for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.instituto.registro.fichas import Casa, casa, funda

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(scope="session")
def modelos(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    folder, made = tmp_path_factory.mktemp("modelos"), dict[str, "Path"]()

    def of(perfil: str) -> Path:
        if perfil not in made:
            made[perfil] = funda(folder / perfil, perfil)
        return made[perfil]

    return of


@pytest.fixture
def de_perfil(modelos: Callable[[str], Path], tmp_path: Path) -> Callable[[str], Casa]:
    """The workspace of a call, this test's own."""
    return lambda perfil: casa(modelos(perfil), tmp_path / perfil)


@pytest.fixture
def gro(de_perfil: Callable[[str], Casa]) -> Casa:
    return de_perfil("gro-2021")
