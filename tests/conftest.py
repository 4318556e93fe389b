"""Fixtures of the whole suite."""

from __future__ import annotations

import compileall
import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from _pytest.assertion import rewrite
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.instituto_sql.servidores import Base

# Collecting five thousand tests makes objects that all stay: to look for garbage among them, time and again, is two
# fifths of it. ``pytest_collection_finish`` looks once, and turns it on.
gc.disable()

settings.register_profile("fuzz", max_examples=5_000, deadline=None)

# Debian keeps sshd, nginx, sysctl, useradd and their like out of an ordinary user's PATH.
os.environ["PATH"] = f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin"

SHARED = {"campeche": "campeche", "base": "bases", "postgres": "bases", "mariadb": "bases", "almacen": "nube"}
"""Fixtures of the session that take seconds to make, and the group of tests that has them."""
SHARED_IN_A_MODULE = frozenset(
    {"archives", "country", "cuts", "fundada", "noche", "qroo", "scene", "sites", "small", "three", "url", "verdicts"}
)
"""The same, of a module: its tests that ask for them are one group."""
SHARED_IN_A_FOLDER = frozenset({"_firmado", "hecha"})
"""The same, of the session, that only the tests of one folder have: these are one group."""
_DATOS = Path(__file__).resolve().parents[2] / "shared" / "datos"


LONGEST_ID = 60


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name by its argument what has no name of its own: bytes and long texts.

    Bytes that change from one second to the next (gzip writes the hour) would give each process other tests, and
    xdist stops there. pytest numbers the names that repeat.
    """
    if isinstance(val, bytes) or (isinstance(val, str) and len(val) > LONGEST_ID):
        return argname
    return None


def pytest_sessionstart(session: pytest.Session) -> None:
    """Before xdist has processes: compile what they will collect, the asserts of tests rewritten, once for all of them.

    In a fresh clone each would do it by itself, at the same time as the others, which is half of its start. What is
    not done here, whatever the reason, they do.
    """
    config = session.config
    if hasattr(config, "workerinput") or not config.getoption("tx", default=None) or sys.dont_write_bytecode:
        return
    places = {Path(arg.partition("::")[0]).resolve() for arg in config.args}
    paths = sorted({path for place in places for path in (place.rglob("*.py") if place.is_dir() else [place])})
    processes = len(os.sched_getaffinity(0))
    children = []
    for number in range(processes):
        child = os.fork()
        if child == 0:
            try:
                for path in paths[number::processes]:
                    _compiled(path, config)
            finally:
                os._exit(0)  # what went wrong is told by whoever collects the file
        children.append(child)
    for child in children:
        os.waitpid(child, 0)


def _compiled(path: Path, config: pytest.Config) -> None:
    """What ``import`` would leave beside a file; of those whose asserts pytest rewrites, what its own import leaves."""
    if not path.name.startswith(("test_", "conftest.")):
        compileall.compile_file(path, quiet=2)
        return
    folder = rewrite.get_cache_dir(path)
    target = folder / f"{path.stem}{rewrite.PYC_TAIL}"
    if rewrite.try_makedirs(folder) and rewrite._read_pyc(path, target) is None:
        stat, code = rewrite._rewrite_test(path, config)
        rewrite._write_pyc(config.stash[rewrite.assertstate_key], code, stat, target)


@pytest.hookimpl(tryfirst=True)  # before xdist puts the groups in the node ids
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that share what is dear to make go to one process (``--dist loadgroup``), and these groups go first.

    Otherwise each process would make its own, for its half of the tests.
    """
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            names = getattr(item, "fixturenames", ())
            groups = {SHARED[name] for name in names if name in SHARED}
            groups |= {item.path.stem for name in names if name in SHARED_IN_A_MODULE}
            # It comes before the names of modules, which begin with «test_».
            groups |= {item.path.parent.name for name in names if name in SHARED_IN_A_FOLDER}
            if groups:
                item.add_marker(pytest.mark.xdist_group(min(groups)))


def pytest_collection_finish(session: pytest.Session) -> None:
    """The collector of garbage again, which passes over what was collected; and say so where the groups are lost.

    Otherwise the suite would only become slower, and nobody would know why.
    """
    gc.collect()
    gc.freeze()
    gc.enable()
    if not getattr(session.config.option, "loadgroup", False):
        return
    lost = [item.nodeid for item in session.items if item.get_closest_marker("xdist_group") and "@" not in item.nodeid]
    if lost:
        raise pytest.UsageError(f"pytest-xdist does not see the groups of {len(lost)} tests, such as {lost[0]}")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Base]:
    """A real PostgreSQL, started once."""
    from tests.instituto_sql import servidores

    with servidores.postgres() as base:
        yield base


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
