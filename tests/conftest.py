"""Fixtures of the whole suite."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("fuzz", max_examples=5_000, deadline=None)

_DATOS = Path(__file__).resolve().parents[2] / "shared" / "datos"


@pytest.fixture(scope="session")
def datos() -> Path:
    """The folder of real published files. They are never copied into this repository.

    Where they are absent the tests on them skip, but never under CI.
    """
    if not _DATOS.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail(f"real files expected in {_DATOS}")
        pytest.skip(f"real files not present in {_DATOS}")
    return _DATOS
