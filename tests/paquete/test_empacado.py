"""Compressed once, copied raw: the same bytes from memory, a file, another process or the previous package."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import shutil
import sys
import time
import zipfile
import zlib
from datetime import datetime, timedelta, timezone
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pregon.base import procesos
from pregon.base.errors import ComprobacionError, DiscoError, EntradaError
from pregon.base.hashing import CHUNK, sha256_bytes, sha256_file
from pregon.paquete.archive import write_zip, zip_of
from pregon.paquete.crudo import RawReader
from pregon.paquete.cut import write_cut
from pregon.paquete.empacado import Deflater, Extent, Packed, PreviousPackage, pack
from pregon.paquete.manifest import Manifest, ManifestHead
from pregon.paquete.names import DIFERENCIA
from pregon.paquete.reading import members
from pregon.paquete.tree import PackageTree
from pregon.paquete.zip import formato as zipformat
from pregon.paquete.zip.escrito import Record, central_header, dos_stamp, end_records, local_header

if TYPE_CHECKING:
    from pathlib import Path

HORA = datetime(2021, 6, 6, 22, 40, 31, tzinfo=timezone(timedelta(hours=-5)))
HEAD = ManifestHead(
    convocatoria="gro-2021",
    instituto="iepcgro",
    ambiente="oficial",
    elecciones=("GUB",),
    corte=3,
    hora_corte=HORA,
    generado=HORA,
)
BASE = "20210606_2240_PREP_CAMP"


def noise(size: int, seed: int = 1) -> bytes:
    """Hexadecimal digits: they compress to about half, never to nothing."""
    return Random(seed).randbytes((size + 1) // 2).hex()[:size].encode()


FILES = {
    "index.html": b"<p>hola</p>" * 500,
    "datos/0003/gub/entidad.json": noise(200_000),
    "secci\u00f3n/ni\u00f1o.txt": b"x",
    "vacio.json": b"",
    "base-de-datos/a.zip": b"PK" + noise(3_000, 2),
}


def tree_of(files: dict[str, bytes]) -> PackageTree:
    tree = PackageTree()
    for ruta, content in files.items():
        tree.add(ruta, content)
    return tree


def cut(folder: Path, files: dict[str, bytes] | None = None) -> tuple[Path, Manifest]:
    manifest = write_cut(folder, tree_of(FILES if files is None else files), HEAD, None, BASE)
    return folder / f"{BASE}.zip", manifest


def plain(packed: Packed) -> bytes:
    with RawReader() as reader:
        return b"".join(reader.plain(packed))


def read_zip(path: Path) -> dict[str, bytes]:
    """As our own reading and the standard library see it, which must be the same."""
    ours = {member.ruta: b"".join(member.open()) for member in members(path)}
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == ours
    return ours


def test_pack_gives_the_same_from_memory_and_from_a_file(tmp_path: Path) -> None:
    for size in (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 7):
        content = noise(size)
        file = tmp_path / "x.csv"
        file.write_bytes(content)
        from_memory = pack("x.csv", content)
        assert from_memory == pack("x.csv", file)
        assert (from_memory.bytes, from_memory.sha256, from_memory.crc32, from_memory.guardado) == (
            size,
            sha256_bytes(content),
            zlib.crc32(content),
            False,
        )
        assert isinstance(from_memory.comprimido, bytes)
        assert zlib.decompress(from_memory.comprimido, -15) == content
        assert plain(from_memory) == content


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, CHUNK + 9), max_size=6), st.integers(0, 9))
def test_deflate_does_not_depend_on_the_pieces(cuts: list[int], seed: int) -> None:
    content = noise(sum(cuts), seed)
    deflater, out, position = Deflater(), b"", 0
    for size in cuts:
        out += deflater.feed(content[position : position + size])
        position += size
    assert out + deflater.finish() == pack("x", content).comprimido


def test_compressed_names_are_stored_and_a_file_stays_where_it_lies(tmp_path: Path) -> None:
    file = tmp_path / "a.zip"
    file.write_bytes(noise(5_000))
    assert pack("b/A.ZIP", file).comprimido == Extent(file, 0, 5_000)
    assert pack("a.zip", file.read_bytes()).comprimido == file.read_bytes()
    assert pack("a.zip", file).guardado
    assert pack("a.zip.diferencia", b"x").guardado
    assert not pack("a.json", file).guardado


def test_unreadable_file_is_told_and_the_name_stays_free(tmp_path: Path) -> None:
    tree = PackageTree()
    for missing in (tmp_path / "no.csv", tmp_path / "no.zip", tmp_path):
        with pytest.raises(EntradaError):
            tree.add("x.csv", missing)
    assert len(tree) == 0
    tree.add("x.csv", b"1")


def test_what_another_process_packed_gives_the_same_archive(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        packed = pool.starmap(pack, FILES.items())
    assert [pickle.loads(pickle.dumps(p)) for p in packed] == packed  # noqa: S301 # our own bytes
    travelled = PackageTree()
    for ruta, one in zip(FILES, packed, strict=True):
        travelled.add(ruta, one)
    here = tree_of(FILES)
    assert travelled.entries() == here.entries()
    write_zip(tmp_path / "a.zip", travelled, FILES, stamp=HORA)
    write_zip(tmp_path / "b.zip", here, reversed(list(FILES)), stamp=HORA)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    assert read_zip(tmp_path / "a.zip") == FILES
    for ruta, content in FILES.items():
        assert b"".join(travelled.chunks(ruta)) == content
    assert here.packed("index.html") is here.packed("index.html")


def test_every_reader_that_is_here_agrees(tmp_path: Path) -> None:
    archive, _ = cut(tmp_path / "0003")
    assert read_zip(archive).items() >= FILES.items()
    with zipfile.ZipFile(archive) as read:
        for info in read.infolist():
            assert info.external_attr >> 16 == 0o100644
            assert info.date_time == (2021, 6, 6, 22, 40, 30)
            assert info.flag_bits == 0x0800
        assert read.namelist() == sorted(read.namelist())
    programs: list[list[str | Path]] = [["unzip", "-tq", archive]]
    programs += [[name, "t", archive] for name in ("7zz", "7z") if shutil.which(name)]
    for command in programs:
        child = procesos.start(command, output=tmp_path / "salida")
        assert child.wait(60) == 0, child.tail()


def test_more_members_than_zip32_holds(tmp_path: Path) -> None:
    one = pack("x.txt", b"x")
    path = tmp_path / "muchos.zip"
    for count in (0xFFFE, 0xFFFF, 70_000):
        path.write_bytes(b"".join(zip_of(((f"{n:05}.txt", one) for n in range(count)), stamp=HORA)))
        assert (b"PK\x06\x06" in path.read_bytes()) == (count >= 0xFFFF)
        assert sum(1 for _ in members(path)) == count
        with zipfile.ZipFile(path) as archive:
            assert len(archive.infolist()) == count
    child = procesos.start(["unzip", "-tqq", path], output=tmp_path / "salida")
    assert child.wait(60) == 0, child.tail()


@pytest.mark.parametrize("offset", [0, (1 << 32) - 2, (1 << 32) - 1, 1 << 32, 5 << 32])
@pytest.mark.parametrize("size", [0, (1 << 32) - 2, (1 << 32) - 1, 1 << 32, 7 << 32])
def test_headers_near_four_gigabytes(size: int, offset: int, tmp_path: Path) -> None:
    """The headers alone, with nothing between: the standard library reads the directory as it was written."""
    record = Record("ñ.csv".encode(), guardado=False, crc32=7, comprimido=size // 2, bytes=size, offset=offset)
    stamp = dos_stamp(HORA)
    local, central = local_header(record, stamp), central_header(record, stamp)
    wide = size >= 0xFFFF_FFFF
    assert len(local) == 30 + 6 + 20 * wide
    assert (local[4:6] == b"\x2d\0") == wide
    path = tmp_path / "x"
    with path.open("wb") as file:
        file.seek(offset)  # a hole
        file.write(local)
        place = file.tell()
        file.write(central + end_records(miembros=1, directorio=place, largo=len(central)))
    with zipfile.ZipFile(path) as archive:
        (info,) = archive.infolist()
    assert (info.file_size, info.compress_size, info.header_offset, info.CRC) == (size, size // 2, offset, 7)

    # And the local header says the same to our own reading.
    def read(start: int, length: int) -> bytes:
        return local[start - offset : start - offset + length]

    tail = zipformat.Tail(entries=1, directory=0, length=len(central))
    [fields] = zipformat.read_directory(lambda start, length: central[start : start + length], tail, len(central))
    assert (fields.size, fields.packed, fields.offset, fields.crc32) == (size, size // 2, offset, 7)
    assert zipformat.read_local(read, fields, place + size) == offset + len(local)


def test_stamps_outside_what_dos_can_tell() -> None:
    assert dos_stamp(HORA.replace(year=1970)) == dos_stamp(HORA.replace(year=1980))
    assert dos_stamp(HORA.replace(year=9999)) == dos_stamp(HORA.replace(year=2107))


def test_previous_package_gives_each_content_as_it_was_packed(tmp_path: Path) -> None:
    archive, manifest = cut(tmp_path / "0003")
    for signed in (None, sha256_file(archive)):
        with PreviousPackage(archive, manifest, sha256=signed) as previous:
            found = {entry.ruta: previous.find(entry.sha256) for entry in manifest.archivos}
            for ruta, content in FILES.items():
                assert previous.read(ruta) == content
            assert previous.find("0" * 64) is None
            with pytest.raises(KeyError):
                previous.read("no.json")
        again = PackageTree()
        for ruta, packed in found.items():
            assert packed is not None
            assert isinstance(packed.comprimido, Extent)
            again.add(ruta, packed)
        # Closed: the extents name the file.
        assert again.entries() == manifest.archivos
        write_zip(tmp_path / "copia.zip", again, found, stamp=HORA)
        assert (tmp_path / "copia.zip").read_bytes() == archive.read_bytes()
        for ruta, content in FILES.items():
            assert b"".join(again.chunks(ruta)) == content


def test_previous_package_after_fork(tmp_path: Path) -> None:
    archive, _ = cut(tmp_path / "0003")
    script = tmp_path / "hijos.py"
    script.write_text(
        "import os, sys\nfrom pathlib import Path\n"
        "from pregon.paquete.empacado import PreviousPackage\nfrom pregon.paquete.manifest import parse_manifest\n"
        "manifest = parse_manifest(Path(sys.argv[2]).read_bytes())\n"
        "previous = PreviousPackage(Path(sys.argv[1]), manifest)\n"
        "children = []\n"
        "for n in range(3):\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        ok = all(len(previous.read(e.ruta)) == e.bytes for e in manifest.archivos)\n"
        "        ok = ok and all(previous.find(e.sha256) for e in manifest.archivos)\n"
        "        os._exit(0 if ok else 1)\n"
        "    children.append(child)\n"
        "assert [os.waitpid(c, 0)[1] for c in children] == [0, 0, 0]\n"
        "previous.read(manifest.archivos[0].ruta)\n"
    )
    child = procesos.start(
        [sys.executable, script, archive, archive.with_name("manifiesto.json")],
        output=tmp_path / "salida",
        environment={"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert child.wait(60) == 0, child.tail()


def test_damaged_previous_package_is_never_copied(tmp_path: Path) -> None:
    archive, manifest = cut(tmp_path / "0003", {"a.json": noise(3_000), "b.zip": noise(900, 2)})
    honest = archive.read_bytes()
    signed = sha256_file(archive)
    random = Random(5)
    for _ in range(150):
        place = random.randrange(len(honest))
        bad = bytearray(honest)
        bad[place] ^= 1 << random.randrange(8)
        archive.write_bytes(bad)
        with pytest.raises(DiscoError):
            PreviousPackage(archive, manifest, sha256=signed)
        try:
            previous = PreviousPackage(archive, manifest)
        except DiscoError:
            continue
        with previous:
            for entry in manifest.archivos:
                try:
                    packed = previous.find(entry.sha256)
                except DiscoError:
                    with pytest.raises((ValueError, KeyError)):
                        previous.read(entry.ruta)
                    continue
                assert packed is not None
                assert sha256_bytes(plain(packed)) == entry.sha256
                assert sha256_bytes(previous.read(entry.ruta)) == entry.sha256
    for bad_bytes in (b"", honest[:-1], honest[:100], honest + b"x"):
        archive.write_bytes(bad_bytes)
        with pytest.raises(DiscoError):
            PreviousPackage(archive, manifest)
    archive.unlink()
    with pytest.raises(DiscoError):
        PreviousPackage(archive, manifest)


def test_package_that_lacks_what_its_manifest_lists(tmp_path: Path) -> None:
    archive, manifest = cut(tmp_path / "0003")
    write_zip(archive, tree_of({"otro.json": b"1"}), ["otro.json"], stamp=HORA)
    with PreviousPackage(archive, manifest) as previous:
        with pytest.raises(DiscoError):
            previous.find(manifest.archivos[0].sha256)
        with pytest.raises(KeyError):
            previous.read(manifest.archivos[0].ruta)


def test_extent_that_changed_leaves_no_archive(tmp_path: Path) -> None:
    archive, manifest = cut(tmp_path / "0003")
    with PreviousPackage(archive, manifest) as previous:
        packed = previous.find(sha256_bytes(FILES["index.html"]))
    assert packed is not None
    archive.write_bytes(archive.read_bytes()[:40])
    tree = PackageTree()
    tree.add("index.html", packed)
    with pytest.raises(ComprobacionError):
        write_zip(tmp_path / "x.zip", tree, ["index.html"], stamp=HORA)
    with pytest.raises(ComprobacionError):
        b"".join(tree.chunks("index.html"))
    assert not (tmp_path / "x.zip").exists()


def test_directory_of_a_national_package_is_read_at_once(tmp_path: Path) -> None:
    archive, manifest = cut(tmp_path / "0003", {f"datos/0003/{n:05}.json": b"%d" % n for n in range(12_000)})
    took = []
    for _ in range(5):
        start = time.process_time()
        with PreviousPackage(archive, manifest):
            took.append(time.process_time() - start)
    assert min(took) < 0.06  # measured 0.015; the standard library takes 0.1


def test_changes_carry_the_recipe_and_the_package_is_the_same(tmp_path: Path) -> None:
    _, before = cut(tmp_path / "0003")
    files = {**FILES, "base-de-datos/a.zip": noise(4_000, 9), "index.html": b"otro"}
    raw = before.to_bytes()
    recipes = {"base-de-datos/a.zip": b"receta", "vacio.json": b"no cambia"}
    whole = write_cut(tmp_path / "a", tree_of(files), HEAD, raw, BASE)
    short = write_cut(tmp_path / "b", tree_of(files), HEAD, raw, BASE, diferencias=recipes)
    assert whole == short
    assert (tmp_path / "a" / f"{BASE}.zip").read_bytes() == (tmp_path / "b" / f"{BASE}.zip").read_bytes()
    found = read_zip(tmp_path / "b" / f"{BASE}.cambios.zip")
    name = "base-de-datos/a.zip" + DIFERENCIA
    assert found[name] == b"receta"
    assert set(found) == set(read_zip(tmp_path / "a" / f"{BASE}.cambios.zip")) - {"base-de-datos/a.zip"} | {name}


def test_recipe_never_takes_the_name_of_a_file(tmp_path: Path) -> None:
    _, before = cut(tmp_path / "0003")
    files = {"a.zip": noise(50), "a.zip" + DIFERENCIA: b"un archivo"}
    write_cut(tmp_path / "b", tree_of(files), HEAD, before.to_bytes(), BASE, diferencias={"a.zip": b"receta"})
    found = read_zip(tmp_path / "b" / f"{BASE}.cambios.zip")
    assert found.items() >= files.items()
