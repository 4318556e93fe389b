"""The three databases, started once, and a workspace to configure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pregon.base.clock import ManualClock
from tests.instituto.conftest import HORA, INICIO, Night
from tests.instituto_sql import servidores
from tests.instituto_sql.eleccion import CONTESTS, load, rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pregon.instituto.workspace import Workspace
    from tests.instituto_sql.servidores import Base


@pytest.fixture(scope="session")
def mariadb() -> Iterator[Base]:
    with servidores.mariadb() as base:
        yield base


@pytest.fixture(params=["postgres", "mariadb", "sqlite"])
def base(request: pytest.FixtureRequest, tmp_path: Path) -> Base:
    """Each of the three, with the same election loaded."""
    found: Base = (
        servidores.sqlite(tmp_path / "prep.db") if request.param == "sqlite" else request.getfixturevalue(request.param)
    )
    load(found, {name: rows() for name in CONTESTS})
    return found


@pytest.fixture
def night(tmp_path: Path) -> Night:
    return Night(tmp_path, ManualClock(INICIO - timedelta(hours=4)))


@pytest.fixture
def space(night: Night) -> Workspace:
    made = night.create()
    night.clock.instant = HORA + timedelta(seconds=30)
    return made
