"""A large package is stored and linked by two processes: the same tree, the same refusals, nothing left behind."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pregon.base.durable import Disk
from pregon.base.errors import HashError
from pregon.difusor.atento import DiscoAtento, quieto
from pregon.difusor.objects import ObjectStore
from pregon.difusor.unpack import missing, unpack
from pregon.paquete.archive import write_zip
from pregon.paquete.manifest import FileEntry, Manifest
from pregon.paquete.tree import PackageTree
from tests.difusor.conftest import tree_hashes, without_twins
from tests.difusor.test_diferencias import files, hour, recipe, ruta, whole_archive

if TYPE_CHECKING:
    from tests.difusor.conftest import Escena

MANY = 400


@pytest.fixture(autouse=True)
def _always_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pregon.difusor.unpack.MANO_BYTES", 0)
    monkeypatch.setattr("pregon.difusor.release.MUCHOS", 0)


class Patient(ObjectStore):
    """Stores its first content once another process has stored one."""

    def put_whole(self, sha256: str, content: bytes, twin: bytes | None) -> None:
        end = time.monotonic() + 30
        while not any(self.stored()):
            assert time.monotonic() < end, "the other process stores nothing"
        super().put_whole(sha256, content, twin)


def package(folder: Path, *, lie: int = -1) -> tuple[Manifest, Path]:
    """``MANY`` files, and their manifest; it says another hash of the one numbered ``lie``."""
    tree = PackageTree()
    for number in range(MANY):
        tree.add(f"datos/0001/gub/{number:04d}.json", (f'{{"numero": {number}}}\n' * 40).encode())
    entries = [
        FileEntry(entry.ruta, entry.bytes, "0" * 64 if number == lie else entry.sha256)
        for number, entry in enumerate(tree.entries())
    ]
    manifest = Manifest(
        convocatoria="demo",
        instituto="ie",
        ambiente="oficial",
        elecciones=("GUB",),
        corte=1,
        hora_corte=hour(1),
        generado=hour(1),
        anterior=None,
        archivos=tuple(entries),
    )
    archive = folder / "x.zip"
    write_zip(archive, tree, [entry.ruta for entry in tree.entries()], stamp=hour(1))
    return manifest, archive


def test_two_processes_store_what_one_would(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest, archive = package(tmp_path)
    shared = Patient(tmp_path / "dos", Disk())
    (tmp_path / "dos").mkdir()
    (tmp_path / "uno").mkdir()
    unpack(archive, manifest, shared)
    assert not missing(manifest, shared)
    assert all(shared.intact(sha256) for sha256 in shared.stored())
    monkeypatch.setattr("pregon.difusor.unpack.MANO_BYTES", 1 << 30)
    unpack(archive, manifest, ObjectStore(tmp_path / "uno", Disk()))
    assert tree_hashes(tmp_path / "dos") == tree_hashes(tmp_path / "uno")
    times = [
        {path.relative_to(root): (path.stat().st_mtime_ns, path.stat().st_mode) for path in root.rglob("*.gz")}
        for root in (tmp_path / "dos", tmp_path / "uno")
    ]
    assert times[0] == times[1]


@pytest.mark.parametrize("lie", [0, MANY // 2, MANY - 1])
def test_content_that_is_not_the_one_listed_leaves_nothing(tmp_path: Path, lie: int) -> None:
    manifest, archive = package(tmp_path, lie=lie)
    (tmp_path / "objetos").mkdir()
    store = ObjectStore(tmp_path / "objetos", Disk())
    with pytest.raises(HashError):
        unpack(archive, manifest, store)
    assert not tree_hashes(tmp_path / "objetos")


def test_the_disk_of_the_service_lets_another_process_help() -> None:
    """``opera`` writes through it: only a disk whose every step is recorded, as some tests', keeps the work to one."""
    assert not DiscoAtento(quieto).heard
    assert not ObjectStore(Path(), DiscoAtento(quieto)).heard


def test_cut_by_recipes_is_public_as_the_manifest_lists_it(escena: Escena) -> None:
    receiver = escena.receiver()
    escena.cut(1, files(1))
    assert receiver.run_once().error is None
    escena.cut(2, files(2), diferencias={ruta(2): recipe(2)})
    whole_archive(escena, 2).unlink()
    outcome = escena.receiver().run_once()
    assert (outcome.error, outcome.novedad) == (None, 2)
    assert without_twins(escena.public()).items() >= escena.manifest_hashes(2).items()
    store = ObjectStore(escena.workspace.objetos, Disk())
    for path, sha256 in escena.manifest_hashes(2).items():
        assert (escena.workspace.cortes / "0002" / path).samefile(store.path(sha256))
