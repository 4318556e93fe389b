"""Nights for the rows of docs/confiabilidad.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pregon.trust.keys import KeyRing, generate, ring_names
from tests.confiabilidad.noche import Noche, en_memoria

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def ring() -> KeyRing:
    """One whole ring of keys for the session."""
    return KeyRing(tuple(generate(name) for name in ring_names()))


@pytest.fixture
def noche(tmp_path: Path, ring: KeyRing) -> Noche:
    """A difusor an interval after the start, without cuts."""
    return Noche(tmp_path / "noche", ring)


@pytest.fixture
def memoria() -> Iterator[Path]:
    """A folder in memory."""
    with en_memoria() as folder:
        yield folder
