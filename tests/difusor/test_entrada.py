"""A sender that pushes into ``entrada/`` and does what it should not."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pregon.base.durable import Disk
from pregon.base.hora import FixedSource
from pregon.difusor import pointer
from pregon.difusor.night import open_receiver
from pregon.difusor.novedades import signed_news
from pregon.difusor.publish import Publisher
from pregon.difusor.receive import Receiver
from pregon.difusor.recover import recover
from pregon.transport.local import FolderSource, deliver
from tests.difusor.conftest import without_twins

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.difusor.conftest import Escena, EscenaFactory


@pytest.fixture
def pushed(escena_factory: EscenaFactory) -> Escena:
    """A difusor with one public cut that came through ``entrada/``, and a second one signed, not delivered yet."""
    escena = escena_factory(origen="entrada")
    escena.cut(1)
    deliver(escena.repository.folder, escena.workspace.entrada, Disk())
    escena.receiver().run_once()
    assert pointer.read(escena.workspace) == "0001"
    escena.cut(2)
    return escena


def second(escena: Escena) -> Path:
    return escena.workspace.entrada / "targets" / "cortes" / "0002"


def test_half_delivery_is_waited_for(pushed: Escena) -> None:
    before = pushed.public()
    folder = pushed.workspace.entrada / "metadata"
    (folder / "timestamp.json").write_bytes((pushed.repository.folder / "metadata/timestamp.json").read_bytes())
    outcome = pushed.receiver().run_once()
    assert outcome.error is not None
    assert outcome.error.codigo == "RED"
    assert pushed.public() == before
    deliver(pushed.repository.folder, pushed.workspace.entrada, Disk())
    assert pushed.receiver().run_once().novedad == 2


@pytest.mark.parametrize("kind", ["link", "fifo", "folder"])
def test_archive_that_is_not_a_file(pushed: Escena, kind: str) -> None:
    deliver(pushed.repository.folder, pushed.workspace.entrada, Disk())
    before = pushed.public()
    archive = next(second(pushed).glob("*.cambios.zip"))
    honest = archive.read_bytes()
    archive.unlink()
    if kind == "link":
        # The right bytes, but behind a link: still not followed.
        elsewhere = pushed.folder / "otro.zip"
        elsewhere.write_bytes(honest)
        archive.symlink_to(elsewhere)
    elif kind == "fifo":
        os.mkfifo(archive)
    else:
        archive.mkdir()
    outcome = pushed.receiver().run_once()
    assert outcome.error is not None
    assert outcome.error.codigo == "RED"
    assert pushed.public() == before
    assert not list(pushed.workspace.recepcion.iterdir())


class ChangingSource:
    """The sender changes a file at a chosen moment of its being read."""

    def __init__(self, folder: Path, change: Callable[[str, int], None]) -> None:
        self._inner = FolderSource(folder)
        self._change = change

    def stream(self, ruta: str, *, desde: int = 0) -> Iterator[bytes] | None:
        stream = self._inner.stream(ruta, desde=desde)
        return None if stream is None else self._watched(ruta, stream)

    def _watched(self, ruta: str, stream: Iterator[bytes]) -> Iterator[bytes]:
        self._change(ruta, 0)
        for number, chunk in enumerate(stream, 1):
            yield chunk
            self._change(ruta, number)


def with_source(escena: Escena, change: Callable[[str, int], None]) -> Receiver:
    publisher = Publisher(escena.workspace, escena.libro, escena.disk)
    recover(publisher, escena.clock.now())
    source = ChangingSource(escena.workspace.entrada, change)
    news = signed_news(publisher, source, escena.clock)
    return Receiver(publisher, news, clock=escena.clock, offset=FixedSource(None))


def test_file_changed_after_it_was_copied_does_not_matter(pushed: Escena) -> None:
    deliver(pushed.repository.folder, pushed.workspace.entrada, Disk())

    def change(ruta: str, chunks: int) -> None:
        if chunks and ruta.startswith("targets/"):
            (pushed.workspace.entrada / ruta).write_bytes(b"otra cosa")

    assert with_source(pushed, change).run_once().novedad == 2
    assert without_twins(pushed.public()).items() >= pushed.manifest_hashes(2).items()
    for path in (pushed.workspace.historico / "0002").iterdir():
        assert path.read_bytes() != b"otra cosa"


def test_file_changed_between_the_metadata_and_its_copy_is_refused(pushed: Escena) -> None:
    deliver(pushed.repository.folder, pushed.workspace.entrada, Disk())
    before = pushed.public()

    def change(ruta: str, chunks: int) -> None:
        if ruta.endswith(".zip") and not chunks:
            path = pushed.workspace.entrada / ruta
            data = bytearray(path.read_bytes())
            data[len(data) // 3] ^= 0x20
            path.write_bytes(data)  # the file stays the same, its bytes do not

    outcome = with_source(pushed, change).run_once()
    assert outcome.error is not None
    assert outcome.error.codigo == "HASH"
    assert pushed.public() == before


def test_sender_that_keeps_the_file_open_cannot_reach_what_is_public(pushed: Escena) -> None:
    deliver(pushed.repository.folder, pushed.workspace.entrada, Disk())
    with next(second(pushed).glob("*.cambios.zip")).open("r+b") as held:
        assert pushed.receiver().run_once().novedad == 2
        before = pushed.public()
        held.seek(0)
        held.write(b"X" * 100)
    for path in pushed.workspace.entrada.rglob("*"):
        if path.is_file():
            assert path.stat().st_nlink == 1, "nothing of ours is the sender's file"
    assert pushed.public() == before
    again = open_receiver(pushed.workspace, clock=pushed.clock, state=pushed.state(), disk=pushed.disk)
    assert again.run_once().error is None
    assert pushed.public() == before
