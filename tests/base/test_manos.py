"""Two processes share the parts of one work: each is done once, whatever happens to the other one."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pregon.base.errors import EntradaError
from pregon.base.manos import PARTES, Mano, another, in_parts

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other process imports this module too."""
    root = str(Path(__file__).resolve().parents[2])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH")))))


@dataclass(frozen=True)
class Job:
    """Each part leaves a file that says which process made it. ``fails``: that part raises, there. ``dies``: too."""

    folder: Path
    fails: int = -1
    dies: int = -1

    def begin(self) -> Callable[[int], None]:
        return partial(self.part, there=True)

    def part(self, number: int, *, there: bool = False) -> None:
        if there and number == self.dies:
            os.kill(os.getpid(), signal.SIGKILL)
        if there and number == self.fails:
            raise EntradaError("no se pudo", intacto="todo", que_hacer="nada")
        (self.folder / str(number)).write_text(str(os.getpid()))

    def wait_and_part(self, number: int) -> None:
        """Here, after the other one did something: so both surely take part."""
        end = time.monotonic() + 30
        while not any(path.read_text() not in ("", str(os.getpid())) for path in self.folder.iterdir()):
            assert time.monotonic() < end, "the other process does nothing"
        self.part(number)

    @property
    def made(self) -> set[int]:
        return {int(path.name) for path in self.folder.iterdir()}

    @property
    def makers(self) -> set[int]:
        return {int(path.read_text()) for path in self.folder.iterdir()}


def test_both_take_part_and_nothing_is_missing(tmp_path: Path) -> None:
    job = Job(tmp_path)
    with Mano(__name__) as mano:
        mano.share(Job.begin, job, 200, job.wait_and_part)
    assert job.made == set(range(200))
    assert len(job.makers) == 2
    assert os.getpid() in job.makers


def test_most_parts_fit_in_the_pipe(tmp_path: Path) -> None:
    job = Job(tmp_path)
    with Mano(__name__) as mano:
        mano.share(Job.begin, job, PARTES, job.part)
    assert job.made == set(range(PARTES))


@pytest.mark.parametrize("trouble", ["fails", "dies"])
def test_what_the_other_one_leaves_is_done_here(tmp_path: Path, trouble: str) -> None:
    there = Job(tmp_path, **{trouble: 25})
    with Mano(__name__) as mano:
        mano.share(Job.begin, there, 50, there.part)
    assert there.made == set(range(50))


def test_hand_that_never_began_is_not_needed(tmp_path: Path) -> None:
    job = Job(tmp_path)
    with Mano("no.hay.tal.modulo") as mano:
        mano.share(Job.begin, job, 50, job.part)
    assert job.made == set(range(50))
    assert job.makers == {os.getpid()}


def test_error_told_is_the_first_in_order_whoever_met_it(tmp_path: Path) -> None:
    """Each part but the first two raises here; the other process may have done any of them before."""
    job = Job(tmp_path)

    def work(number: int) -> None:
        if number > 1:
            raise EntradaError(f"parte {number}", intacto="todo", que_hacer="nada")
        job.part(number)

    with Mano("no.hay.tal.modulo") as mano, pytest.raises(EntradaError) as told:
        mano.share(Job.begin, job, 50, work)
    assert told.value.que_paso == "parte 2"
    assert job.made == {0, 1}


def test_after_an_error_here_the_other_one_writes_no_more(tmp_path: Path) -> None:
    job = Job(tmp_path)

    def work(number: int) -> None:
        raise EntradaError(f"parte {number}", intacto="todo", que_hacer="nada")

    with Mano(__name__) as mano, pytest.raises(EntradaError):
        mano.share(Job.begin, job, 200, work)
    seen = job.made
    assert job.made == seen
    assert len(seen) < 200


def test_without_a_hand_the_parts_are_done_in_order() -> None:
    done: list[int] = []
    with another(__name__, wanted=False) as mano:
        in_parts(mano, Job.begin, None, 5, done.append)
    assert done == [0, 1, 2, 3, 4]


def test_it_ends_and_leaves_no_descriptor_open() -> None:
    before = sorted(Path("/proc/self/fd").iterdir())
    with Mano(__name__) as mano:
        pid = mano.pid
        os.kill(pid, 0)
    assert sorted(Path("/proc/self/fd").iterdir()) == before
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
