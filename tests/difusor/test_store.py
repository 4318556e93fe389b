"""Objects, releases and the failures that their writing may meet."""

from __future__ import annotations

import contextlib
import errno
import gzip
import os
import sys
import zipfile
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from pregon.base.durable import Disk
from pregon.base.errors import DiscoError, HashError
from pregon.base.hashing import sha256_bytes
from pregon.difusor import pointer
from pregon.difusor.gemelos import BR, GZ, TWINS, ZST, compress_gzip, decoded_matches
from pregon.difusor.objects import ObjectStore, stamp_ns
from pregon.difusor.release import plan
from pregon.paquete.manifest import FileEntry, Manifest
from tests.difusor.conftest import files_of, tree_hashes, without_twins
from tests.trust.conftest import INICIO, INTERVALO

if TYPE_CHECKING:
    from backports import zstd
elif sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tests.difusor.conftest import Escena

HORA = datetime(2027, 6, 7, 2, 40, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    return ObjectStore(tmp_path / "objetos", Disk())


def test_object_has_a_past_time_of_its_own_and_no_writer(store: ObjectStore) -> None:
    content = b"contenido " * 100
    sha256 = sha256_bytes(content)
    store.put(sha256, len(content), [content])
    status = store.path(sha256).stat()
    assert status.st_mode & 0o777 == 0o444
    assert status.st_mtime_ns == stamp_ns(sha256)
    assert 86_400 <= status.st_mtime < datetime(1987, 1, 7, tzinfo=UTC).timestamp()


def test_two_contents_of_one_size_never_share_a_time() -> None:
    stamps = {stamp_ns(sha256_bytes(str(n).encode())) for n in range(5000)}
    assert len(stamps) == 5000
    assert len({stamp // 10**9 for stamp in stamps}) > 4990, "nginx sees whole seconds: one chance in 5 * 10^8"


@pytest.mark.parametrize("given", [b"otro contenido", b"contenid", b"contenido y mas"])
def test_wrong_content_leaves_nothing(store: ObjectStore, given: bytes, tmp_path: Path) -> None:
    sha256 = sha256_bytes(b"contenido")
    with pytest.raises(HashError):
        store.put(sha256, 9, [given])
    assert not [path for path in (tmp_path / "objetos").rglob("*") if path.is_file()]


def test_a_content_in_memory_is_hashed_before_anything_is_written(store: ObjectStore, tmp_path: Path) -> None:
    content = b"linea de texto repetida\n" * 50
    with pytest.raises(HashError):
        store.put_whole(sha256_bytes(b"otro"), content, compress_gzip(content))
    assert not (tmp_path / "objetos").exists()
    sha256 = sha256_bytes(content)
    store.put_whole(sha256, content, compress_gzip(content))
    assert store.intact(sha256)
    assert store.path(sha256).stat().st_mtime_ns == stamp_ns(sha256)
    assert decoded_matches(store.path(sha256, GZ).read_bytes(), GZ, content)
    assert {store.path(sha256, twin).stat().st_mode & 0o777 for twin in ("", GZ)} == {0o444}
    assert store.listed() == {sha256, sha256 + GZ}


def test_half_a_content_under_its_own_name_is_not_taken_for_it(store: ObjectStore) -> None:
    """What a process killed while it wrote leaves there."""
    content = b"linea de texto repetida\n" * 50
    sha256 = sha256_bytes(content)
    for suffix, whole in (("", content), (GZ, compress_gzip(content))):
        path = store.path(sha256, suffix)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(whole[: len(whole) // 2])
    assert not store.has(sha256, len(content))
    store.put_whole(sha256, content, compress_gzip(content))
    assert store.intact(sha256)
    assert decoded_matches(store.path(sha256, GZ).read_bytes(), GZ, content)
    assert len(store.listed()) == 2


def test_twins_decode_to_the_content_and_a_lying_deflate_is_not_used(store: ObjectStore) -> None:
    content = b"linea de texto repetida\n" * 50
    sha256 = sha256_bytes(content)
    store.put(sha256, len(content), [content])
    store.put_gz(sha256, compress_gzip(b"otra cosa" * 30))
    assert store.complete_twins(sha256)
    for suffix in TWINS:
        assert decoded_matches(store.path(sha256, suffix).read_bytes(), suffix, content)
    assert not store.complete_twins(sha256)
    times = {store.path(sha256, suffix).stat().st_mtime_ns for suffix in ("", *TWINS)}
    assert len(times) == 4


def test_bomb_as_own_twin_is_not_expanded() -> None:
    bomb = compress_gzip(b"\0" * 50_000_000)
    assert not decoded_matches(bomb, GZ, b"\0" * 10)
    assert not decoded_matches(b"\x0b\x02\x80abc\x03", BR, b"abcd")
    assert not decoded_matches(b"no es gzip", GZ, b"x")


def test_own_zstd_twin_that_lies_bombs_goes_on_or_needs_more_than_a_browser_has() -> None:
    content = b"linea de texto repetida\n" * 50
    right = zstd.compress(content)
    assert decoded_matches(right, ZST, content)
    assert not decoded_matches(zstd.compress(b"\0" * 50_000_000), ZST, b"\0" * 10)
    for wrong in (right[:-1], right + b"mas", right + zstd.compress(b"otra"), b"no es zstd", b""):
        assert not decoded_matches(wrong, ZST, content)
    large = bytes(17 << 20)
    wide = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 24})
    assert not decoded_matches(wide.compress(large) + wide.flush(), ZST, large)


class Watching(Disk):
    """Notes what the release of a cut holds when the pointer moves to it, and the times of its files."""

    def __init__(self, release: Path) -> None:
        self._release = release
        self.seen: dict[str, int] = {}

    def write(self, path: Path, data: bytes | Iterable[bytes], *, mode: int = 0o644) -> None:
        if path.name == "puntero":
            self.seen = {ruta: (self._release / ruta).stat().st_mtime_ns for ruta in tree_hashes(self._release)}
        super().write(path, data, mode=mode)


def test_only_what_a_first_sight_asks_for_has_its_twin_when_the_cut_becomes_public(escena: Escena) -> None:
    """docs/adr/0011: the others come right after, and the file beside which they come keeps its time (ADR 0003)."""
    deep = [f"datos/0001/gub/seccion/{n:04d}.json" for n in range(5)]
    stored = {ruta: (f'{{"seccion": "{ruta}", "votos": "{"0" * 300}"}}').encode() for ruta in deep}
    escena.cut(1, {**files_of(1, INICIO + INTERVALO), **stored})
    disk = Watching(escena.workspace.cortes / "0001")
    assert escena.receiver(disk).run_once().error is None
    at_once = {*files_of(1, INICIO), "resumen.txt"}
    assert {ruta for ruta in disk.seen if ruta.endswith(TWINS)} == {ruta + GZ for ruta in at_once}
    assert disk.seen.keys() >= escena.manifest_hashes(1).keys() >= {*at_once, *deep}
    after = escena.public()
    assert after.keys() == disk.seen.keys() | {
        ruta + suffix for ruta in (*at_once, *deep, "manifiesto.json") for suffix in TWINS
    }
    release = escena.workspace.cortes / "0001"
    assert {ruta: (release / ruta).stat().st_mtime_ns for ruta in disk.seen} == disk.seen
    with zipfile.ZipFile(next(escena.repository.cut_folder(1).glob("*.zip"))) as package:
        for ruta in deep:
            twin = (release / (ruta + GZ)).read_bytes()
            assert gzip.decompress(twin) == stored[ruta]
            assert len(twin) == package.getinfo(ruta).compress_size + 18  # its own stream: a head of 10, a tail of 8
            assert (release / (ruta + GZ)).stat().st_mtime_ns not in disk.seen.values()


class NoLinks(Disk):
    """A file system that allows no more links."""

    def __init__(self, number: int) -> None:
        self._number = number

    def link(self, source: Path | str, target: Path | str) -> None:
        real = os.link

        def refuse(*_: object, **__: object) -> None:
            raise OSError(self._number, os.strerror(self._number))

        os.link = refuse  # what the kernel would answer
        try:
            super().link(source, target)
        finally:
            os.link = real


@pytest.mark.parametrize("number", [errno.EMLINK, errno.EXDEV])
def test_no_more_links_makes_copies_with_the_same_bytes_and_time(escena: Escena, number: int) -> None:
    escena.cut(1)
    receiver = escena.receiver(NoLinks(number))
    assert receiver.run_once().error is None
    release = escena.workspace.cortes / "0001"
    assert without_twins(tree_hashes(release)).items() >= escena.manifest_hashes(1).items()
    page = release / "index.html"
    original = escena.workspace.objetos / escena.manifest_hashes(1)["index.html"][:2]
    original /= escena.manifest_hashes(1)["index.html"]
    assert page.stat().st_ino != original.stat().st_ino
    assert page.stat().st_mtime_ns == original.stat().st_mtime_ns
    before = escena.public()
    assert escena.receiver().run_once().error is None
    assert escena.public() == before


class FailingDisk(Disk):
    """A disk on which the step numbered ``fail_at`` finds no space."""

    def __init__(self, fail_at: int | None = None) -> None:
        self.count = 0
        self.fail_at = fail_at

    @contextmanager
    def step(self, name: str, path: Path) -> Iterator[None]:
        del name, path
        number, self.count = self.count, self.count + 1
        if number == self.fail_at:
            raise DiscoError("sin espacio", intacto="-", que_hacer="-")
        yield


def test_disk_full_at_any_step_leaves_one_whole_cut_and_the_same_process_goes_on(escena: Escena) -> None:
    """Not a kill: the process lives, hears the error, and its next pass publishes."""
    escena.cut(1)
    escena.receiver().run_once()
    disk = FailingDisk()
    receiver = escena.receiver(disk)
    corte = 1
    failed = 0
    for number in range(0, 90, 4):
        corte += 1
        escena.cut(corte)
        old = without_twins(escena.public())
        disk.count, disk.fail_at = 0, number
        with contextlib.suppress(DiscoError):  # told by the outcome, or raised where the workspace itself fails
            outcome = receiver.run_once()
            assert outcome.error is None or outcome.error.codigo == "DISCO"
        failed += disk.count > number
        public = without_twins(escena.public())
        assert public == old or public.items() >= escena.manifest_hashes(corte).items(), number
        disk.fail_at = None
        assert receiver.run_once().error is None
        assert pointer.read(escena.workspace) == f"{corte:04d}", number
        assert without_twins(escena.public()).items() >= escena.manifest_hashes(corte).items(), number
    assert failed > 15


def manifest(corte: int, *rutas: str) -> Manifest:
    entries = tuple(FileEntry(ruta, 1, sha256_bytes(f"{corte} {ruta}".encode())) for ruta in rutas)
    return Manifest(
        convocatoria="demo",
        instituto="ie",
        ambiente="oficial",
        elecciones=("GUB",),
        corte=corte,
        hora_corte=HORA,
        generado=HORA,
        anterior=None,
        archivos=entries,
    )


def test_carried_paths_never_replace_collide_or_pass_for_a_twin() -> None:
    old = manifest(
        1, "index.html", "assets/a.css", "assets/B.css", "datos/0001/x", "datos/t.json.gz", "datos/u.json", "datos"
    )
    new = manifest(2, "index.html", "assets/a.css", "assets/b.css", "datos/t.json", "datos/u.json.gz")
    what = plan(new, "0" * 64, [old])
    carried = {ruta for ruta in what.rutas if ruta not in {entry.ruta for entry in new.archivos}}
    assert carried == {"manifiesto.json", "datos/0001/x"}
    assert what.rutas["assets/a.css"] == sha256_bytes(b"2 assets/a.css")
    assert "datos/u.json.gz" not in {twin for twin, _, _ in what.twin_paths()}
