"""Folders as carriers: what a hostile or careless sender can put there, and deliveries cut half way."""

from __future__ import annotations

import os
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pregon.base.clock import ManualClock
from pregon.base.durable import PARCIAL, Disk
from pregon.base.errors import DestinoError, EscrituraError, RedError
from pregon.transport import local
from pregon.transport.caudal import Caudal
from pregon.transport.destino import Entregado, Envio
from pregon.transport.local import (
    LEFTOVER_AGE_S,
    WHOLE_AGE_S,
    FolderDestination,
    FolderSource,
    deliver,
    whole_repository,
)
from pregon.transport.lugar import Lugar

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def repositorio(tmp_path: Path) -> Path:
    """The shape of a repository; the carrier does not look inside."""
    folder = tmp_path / "repositorio"
    for ruta, content in (
        ("metadata/1.root.json", b"root"),
        ("metadata/1.snapshot.json", b"snapshot"),
        ("metadata/timestamp.json", b"timestamp 1"),
        ("targets/cortes/0001/manifiesto.json", b"manifiesto 1"),
        ("targets/cortes/0001/a.zip", b"z" * 5000),
    ):
        path = folder / ruta
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def read(source: FolderSource, ruta: str) -> bytes | None:
    stream = source.stream(ruta)
    return None if stream is None else b"".join(stream)


def test_reads_what_is_there_and_says_what_is_not(repositorio: Path) -> None:
    source = FolderSource(repositorio)
    assert read(source, "targets/cortes/0001/a.zip") == b"z" * 5000
    assert read(source, "targets/cortes/0002/a.zip") is None
    assert read(source, "targets/nada") is None
    assert read(FolderSource(repositorio / "no-hay"), "metadata/timestamp.json") is None


@pytest.mark.parametrize("ruta", ["../secreto", "/etc/hostname", "metadata/../../secreto", "", ".", "a/" * 9 + "a"])
def test_path_that_leaves_the_folder(repositorio: Path, ruta: str) -> None:
    (repositorio.parent / "secreto").write_bytes(b"secreto")
    with pytest.raises(RedError):
        FolderSource(repositorio).stream(ruta)


def test_link_is_not_followed(repositorio: Path) -> None:
    secret = repositorio.parent / "secreto"
    secret.write_bytes(b"secreto")
    (repositorio / "metadata" / "2.root.json").symlink_to(secret)
    with pytest.raises(RedError, match="enlace"):
        FolderSource(repositorio).stream("metadata/2.root.json")


def test_linked_folder_is_not_followed(repositorio: Path) -> None:
    elsewhere = repositorio.parent / "fuera"
    elsewhere.mkdir()
    (elsewhere / "a.zip").write_bytes(b"de fuera")
    (repositorio / "targets" / "cortes" / "0002").symlink_to(elsewhere)
    with pytest.raises(RedError, match="enlace"):
        FolderSource(repositorio).stream("targets/cortes/0002/a.zip")


def test_pipe_does_not_block(repositorio: Path) -> None:
    os.mkfifo(repositorio / "metadata" / "2.root.json")
    found: list[Exception] = []

    def ask() -> None:
        try:
            FolderSource(repositorio).stream("metadata/2.root.json")
        except RedError as exc:
            found.append(exc)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(5)
    assert not thread.is_alive()
    assert len(found) == 1


def test_folder_and_huge_file_are_refused(repositorio: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RedError):
        FolderSource(repositorio).stream("targets/cortes")
    monkeypatch.setattr(local, "MAX_FILE_BYTES", 4999)
    with pytest.raises(RedError, match="mide más"):
        FolderSource(repositorio).stream("targets/cortes/0001/a.zip")


def test_stream_that_nobody_reads_closes_its_file(repositorio: Path) -> None:
    before = open_files()
    source = FolderSource(repositorio)
    for _ in range(20):
        stream = source.stream("targets/cortes/0001/a.zip")
        assert stream is not None
        del stream
        for bad in ("targets/cortes", "targets/cortes/0001/a.zip/x", "metadata/nada"):
            try:
                source.stream(bad)
            except RedError:
                continue
    assert open_files() == before


class WatchedDisk(Disk):
    """Notes each step; fails at the one numbered ``fail_at``."""

    def __init__(self, fail_at: int | None = None) -> None:
        self.steps: list[str] = []
        self._fail_at = fail_at

    @contextmanager
    def step(self, name: str, path: Path) -> Iterator[Any]:
        if len(self.steps) == self._fail_at:
            raise EscrituraError("disco de prueba", intacto="-", que_hacer="-")
        self.steps.append(f"{name} {path.name}")
        yield


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_delivery_goes_in_three_steps_and_only_what_is_missing(repositorio: Path, tmp_path: Path) -> None:
    destino = tmp_path / "entrada"
    disk = WatchedDisk()
    assert deliver(repositorio, destino, disk) == 5
    assert tree(destino) == tree(repositorio)
    renamed = [step.removeprefix("replace ") for step in disk.steps if step.startswith("replace ")]
    assert renamed == ["a.zip", "manifiesto.json", "1.root.json", "1.snapshot.json", "timestamp.json"]
    assert all(step.endswith(".part") for step in disk.steps if step.startswith("write "))
    assert deliver(repositorio, destino, Disk()) == 0
    (repositorio / "metadata" / "timestamp.json").write_bytes(b"timestamp 2")
    (repositorio / "targets" / "cortes" / "0002").mkdir()
    (repositorio / "targets" / "cortes" / "0002" / "a.zip").write_bytes(b"y")
    disk = WatchedDisk()
    assert deliver(repositorio, destino, disk) == 2
    assert disk.steps[-1] == "replace timestamp.json"


def test_delivery_cut_at_any_step_never_shows_the_new_timestamp_first(repositorio: Path, tmp_path: Path) -> None:
    destino = tmp_path / "entrada"
    deliver(repositorio, destino, Disk())
    (repositorio / "metadata" / "timestamp.json").write_bytes(b"timestamp 2")
    (repositorio / "metadata" / "2.snapshot.json").write_bytes(b"snapshot 2")
    (repositorio / "targets" / "cortes" / "0001" / "b.zip").write_bytes(b"b" * 100)
    for number in range(20):
        disk = WatchedDisk(number)
        try:
            deliver(repositorio, destino, disk)
        except DestinoError:
            there = tree(destino)
            assert there["metadata/timestamp.json"] == b"timestamp 1"
            continue
        break
    wanted = tree(repositorio)
    assert {ruta: data for ruta, data in tree(destino).items() if not ruta.endswith(".part")} == wanted


def test_link_in_the_repository_is_not_delivered(repositorio: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secreto"
    secret.write_bytes(b"secreto")
    (repositorio / "targets" / "cortes" / "0001" / "x.zip").symlink_to(secret)
    (repositorio / "targets" / "afuera").symlink_to(tmp_path)
    deliver(repositorio, tmp_path / "entrada", Disk())
    assert b"secreto" not in tree(tmp_path / "entrada").values()


def test_destination_that_cannot_be_written(repositorio: Path, tmp_path: Path) -> None:
    (tmp_path / "entrada").write_bytes(b"un archivo donde iba la carpeta")
    with pytest.raises(DestinoError):
        deliver(repositorio, tmp_path / "entrada", Disk())


def destination(folder: Path, disk: Disk | None = None) -> tuple[FolderDestination, ManualClock]:
    clock = ManualClock(datetime(2027, 6, 6, tzinfo=UTC))
    folder.mkdir(exist_ok=True)
    return FolderDestination(Lugar(url=folder.name), folder=folder.parent, clock=clock, disk=disk), clock


def test_destination_takes_the_steps_that_it_is_told_and_says_what_travelled(repositorio: Path, tmp_path: Path) -> None:
    folder = tmp_path / "entrada"
    there, clock = destination(folder)
    envio = Envio(repositorio, (("targets/cortes/0001/a.zip",), ("metadata/timestamp.json",)))
    assert there.deliver(envio, Caudal(clock)) == Entregado(2, 5000 + len(b"timestamp 1"))
    assert sorted(tree(folder)) == ["metadata/timestamp.json", "targets/cortes/0001/a.zip"]
    assert there.deliver(envio, Caudal(clock)) == Entregado(0, 0)
    assert there.deliver(whole_repository(repositorio), Caudal(clock)).archivos == 3
    assert tree(folder) == tree(repositorio)


def test_destination_keeps_to_the_shared_bandwidth(repositorio: Path, tmp_path: Path) -> None:
    (repositorio / "targets" / "cortes" / "0001" / "b.zip").write_bytes(bytes(5 << 20))
    there, clock = destination(tmp_path / "entrada")
    start = clock.instant
    there.deliver(whole_repository(repositorio), Caudal(clock, 1 << 20))
    assert 3.5 < (clock.instant - start).total_seconds() < 5.5


def test_folder_that_is_not_there_is_not_made(repositorio: Path, tmp_path: Path) -> None:
    """A stick that is not in its place: our own disk would get the files."""
    there, clock = destination(tmp_path / "usb")
    (tmp_path / "usb").rmdir()
    with pytest.raises(DestinoError):
        there.deliver(whole_repository(repositorio), Caudal(clock))
    assert not (tmp_path / "usb").exists()


def test_file_that_is_not_there_ends_the_delivery_before_its_step(repositorio: Path, tmp_path: Path) -> None:
    there, clock = destination(tmp_path / "entrada")
    envio = Envio(repositorio, (("targets/cortes/0009/a.zip",), ("metadata/timestamp.json",)))
    with pytest.raises(RedError, match="desapareció"):
        there.deliver(envio, Caudal(clock))
    assert tree(tmp_path / "entrada") == {}


def test_two_deliveries_at_once_never_show_a_file_that_is_not_whole(repositorio: Path, tmp_path: Path) -> None:
    content = {n: bytes([n]) * 300_000 for n in range(8)}
    for n, data in content.items():
        (repositorio / "targets" / "cortes" / "0001" / f"{n}.zip").write_bytes(data)
    folder = tmp_path / "entrada"
    wrong: list[str] = []
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            for n, data in content.items():
                path = folder / "targets" / "cortes" / "0001" / f"{n}.zip"
                if path.exists() and path.read_bytes() != data:
                    wrong.append(path.name)

    def push() -> None:
        there, clock = destination(folder)
        there.deliver(whole_repository(repositorio), Caudal(clock))

    watcher = threading.Thread(target=look)
    both = [threading.Thread(target=push) for _ in range(2)]
    watcher.start()
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    done.set()
    watcher.join()
    assert wrong == []
    assert tree(folder) == tree(repositorio)


def test_leftovers_of_ours_go_when_nobody_can_be_writing_them(repositorio: Path, tmp_path: Path) -> None:
    folder = tmp_path / "entrada"
    there, clock = destination(folder)
    there.deliver(whole_repository(repositorio), Caudal(clock))
    cut = folder / "targets" / "cortes" / "0001"
    (repositorio / "targets" / "cortes" / "0001" / "b.zip").write_bytes(b"b")
    ages = {
        "a.zip.0123abcd.part": WHOLE_AGE_S + 60,  # of a file that is whole
        f"a.zip.0123abce.part{PARCIAL}": WHOLE_AGE_S + 60,
        "b.zip.0123abcd.part": LEFTOVER_AGE_S + 60,  # of one that never was
        "a.zip.0123abcf.part": WHOLE_AGE_S - 60,  # another delivery may be writing these
        "b.zip.part": LEFTOVER_AGE_S - 60,
        "ajeno.zip.part": LEFTOVER_AGE_S + 60,  # and these are nobody's of ours
        "a.zip.otro": LEFTOVER_AGE_S + 60,
    }
    for name, age in ages.items():
        (cut / name).write_bytes(b"a medias")
        when = time.time() - age
        os.utime(cut / name, (when, when))
    there.deliver(whole_repository(repositorio), Caudal(clock))
    left = {path.name for path in cut.iterdir()} & set(ages)
    assert left == {"a.zip.0123abcf.part", "b.zip.part", "ajeno.zip.part", "a.zip.otro"}


def test_a_failed_copy_leaves_nothing_of_itself(repositorio: Path, tmp_path: Path) -> None:
    folder = tmp_path / "entrada"
    for number in range(6):
        there, clock = destination(folder, WatchedDisk(number))
        with pytest.raises(DestinoError):
            there.deliver(whole_repository(repositorio), Caudal(clock))
        assert not [ruta for ruta in tree(folder) if ".part" in ruta]
        assert "metadata/timestamp.json" not in tree(folder)


def test_reading_goes_on_from_an_offset(repositorio: Path) -> None:
    source = FolderSource(repositorio)
    for desde, expected in ((0, 5000), (1, 4999), (4999, 1), (5000, 0), (9000, 0)):
        pieces = source.stream("targets/cortes/0001/a.zip", desde=desde)
        assert pieces is not None
        assert b"".join(pieces) == b"z" * expected
