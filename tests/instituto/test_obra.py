"""The contests of a cut, each in its own process: the same bytes, the same errors, and nothing left behind."""

from __future__ import annotations

import os
import signal
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pregon.base.clock import ManualClock
from pregon.base.errors import ComprobacionError, FindingsError, FormatoError
from pregon.base.forked import Forked
from pregon.instituto import armado, obra
from pregon.instituto.datos import contest_files
from pregon.instituto.obra import Obra
from tests.instituto.conftest import INICIO, Night, tree_digest
from tests.instituto.madrugada import contents, copied, make, write_sources

if TYPE_CHECKING:
    from pregon.instituto.fuentes import ContestSource
    from pregon.instituto.workspace import Workspace

_Start = tuple["Workspace", dict[int, tuple["ContestSource", ...]]]


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> _Start:
    """A workspace with nothing made in it, and the sources of three cuts."""
    folder = tmp_path_factory.mktemp("obra")
    space = Night(folder, ManualClock(INICIO - timedelta(hours=4))).create()
    return space, write_sources(folder, 10, 11, 12)


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch) -> list[Forked[Any]]:
    """Every contest in its own process; the processes that were started."""
    started: list[Forked[Any]] = []

    class Watched(Forked[Any]):
        def __init__(self, make: Any) -> None:
            super().__init__(make)
            started.append(self)

    monkeypatch.setattr(armado, "APART_BYTES", 0)
    monkeypatch.setattr("pregon.base.forked.Forked", Watched)
    return started


def children() -> set[int]:
    """The processes that this one has started and that are still there, zombies too."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = path.read_text().rpartition(")")[2].split()[1]
        except OSError:
            continue
        if int(parent) == os.getpid():
            found.add(int(path.parent.name))
    return found


def test_cuts_made_apart_are_the_cuts_made_together(
    start: _Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, apart: list[Forked[Any]]
) -> None:
    space, sources = start
    one, many = copied(space, tmp_path / "uno"), copied(space, tmp_path / "varios")
    before = children()
    for cut in (10, 11, 12):
        with monkeypatch.context() as patch:
            patch.setattr(armado, "APART_BYTES", 1 << 40)
            together = contents(make(one, sources[cut], cut))
        assert len(apart) == 2 * (cut - 10)
        assert contents(make(many, sources[cut][::-1], cut)) == together
        assert len(apart) == 2 * (cut - 9)
        assert not list(many.trabajo.iterdir())
    assert tree_digest(one.repositorio / "targets") == tree_digest(many.repositorio / "targets")
    assert tree_digest(one.apuntes).keys() == tree_digest(many.apuntes).keys()
    assert tree_digest(many.apuntes)
    assert children() <= before


def _unreadable(path: Path) -> None:
    lines = path.read_text().split("\n")
    lines[-4] += ",de más,y más"
    path.write_text("\n".join(lines))


def _error_of(space: Workspace, sources: tuple[ContestSource, ...], error: type[Exception]) -> Any:
    before, notes, running = tree_digest(space.repositorio), tree_digest(space.apuntes), children()
    with pytest.raises(error) as raised:
        make(space, sources, 11)
    assert tree_digest(space.repositorio) == before
    assert tree_digest(space.apuntes) == notes
    assert children() <= running
    return raised.value


def test_error_in_one_process_is_the_error_of_one_process(
    start: _Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, apart: list[Forked[Any]]
) -> None:
    space = copied(start[0], tmp_path / "espacio")
    make(space, start[1][10], 10)
    bad = write_sources(tmp_path / "malas", 11)[11]
    _unreadable(bad[1].actas)
    apart.clear()
    told = _error_of(space, bad, FormatoError)
    assert len(apart) == 2
    with monkeypatch.context() as patch:
        patch.setattr(armado, "APART_BYTES", 1 << 40)
        alone = _error_of(space, bad, FormatoError)
    assert told.as_dict() == alone.as_dict()
    assert "SIM_DIP_LOC_2021.csv, línea" in told.que_paso
    make(space, start[1][11], 11)  # and the next order is not harmed
    assert not list(space.trabajo.iterdir())


def test_first_contest_in_trouble_is_the_one_told_of(start: _Start, tmp_path: Path, apart: list[Forked[Any]]) -> None:
    space = copied(start[0], tmp_path / "espacio")
    bad = write_sources(tmp_path / "malas", 11)[11]
    for source in bad:
        _unreadable(source.actas)
    assert "SIM_GUB_2021.csv" in _error_of(space, bad, FormatoError).que_paso
    assert "SIM_DIP_LOC_2021.csv" in _error_of(space, bad[::-1], FormatoError).que_paso
    assert len(apart) == 4


def test_contradiction_seen_in_one_process_is_not_signed(
    start: _Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, apart: list[Forked[Any]]
) -> None:
    space = copied(start[0], tmp_path / "espacio")

    def altered(*args: Any, **kwargs: Any) -> Any:
        for route, content in contest_files(*args, **kwargs):
            yield (
                route,
                content.replace(b'"total_votos":', b'"total_votos":1', 1) if "/dip/distrito/" in route else content,
            )

    monkeypatch.setattr(obra, "contest_files", altered)
    told = _error_of(space, start[1][11], FindingsError)
    assert "dip: TOTALES_DISTINTOS en datos/0001/dip/distrito/" in told.que_paso
    assert len(apart) == 2
    monkeypatch.undo()
    make(space, start[1][11], 11)
    assert not list(space.trabajo.iterdir())


@pytest.mark.parametrize("step", ["cuenta", "piezas"])
def test_process_killed_in_the_middle_signs_nothing(
    start: _Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, apart: list[Forked[Any]], step: str
) -> None:
    space = copied(start[0], tmp_path / "espacio")
    make(space, start[1][10], 10)
    apart.clear()
    work = getattr(Obra, step)

    def killed(self: Obra, *args: Any) -> Any:
        done = work(self, *args)
        if self._source.eleccion.id == "dip":
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    with monkeypatch.context() as patch:
        patch.setattr(Obra, step, killed)
        told = _error_of(space, start[1][11], ComprobacionError)
    assert f"estado -{signal.SIGKILL.value}" in told.que_paso
    assert len(apart) == 2
    assert make(space, start[1][11], 11).corte == 2
    assert not list(space.trabajo.iterdir())


@pytest.mark.parametrize("step", ["lay", "seal"])
def test_process_killed_while_it_writes_its_notes_does_not_undo_a_signed_cut(
    start: _Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, apart: list[Forked[Any]], step: str
) -> None:
    space = copied(start[0], tmp_path / "espacio")

    def killed(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    with monkeypatch.context() as patch:
        patch.setattr(f"pregon.instituto.apuntes.{step}", killed)
        built = make(space, start[1][10], 10)
    assert len(apart) == 2
    assert built.corte == 1
    assert space.state().events()[-1].tipo == "corte"
    assert make(space, start[1][11], 11).manifest.anterior == built.manifiesto_sha256
