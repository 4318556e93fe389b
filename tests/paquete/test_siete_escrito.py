"""The 7z that we write: ours and others' programs read it alike, the same tree gives the same bytes (GRO-2.3d)."""

from __future__ import annotations

import os
import subprocess
from datetime import datetime, timedelta, timezone
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pregon.base.errors import ArchivoError, ComprobacionError
from pregon.base.hashing import sha256_bytes
from pregon.paquete.reading import members
from pregon.paquete.siete import escrito as sieteescrito
from pregon.paquete.siete.escrito import sevenz_chunks, write_7z
from pregon.paquete.tree import PackageTree

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

HORA = datetime(2021, 6, 6, 22, 40, 31, tzinfo=timezone(timedelta(hours=-5)))
NOISE = Random(7).randbytes(40_000)
FILES = {
    "index.html": b"<!doctype html>" * 400,
    "datos/0001/gub/entidad.json": b'{"a": 1}' * 9_000,
    "base-de-datos/20210606_2240_PREP_GUB_CAMP.zip": NOISE,
    "assets/mapa.woff2": NOISE[::-1],
    "vacio.txt": b"",
    "datos/0001/seccion/ñandú.json": "«acentos»".encode(),
    "z": b"1",
}


def tree_of(files: Mapping[str, bytes]) -> PackageTree:
    tree = PackageTree()
    for ruta, data in files.items():
        tree.add(ruta, data)
    return tree


def written(files: Mapping[str, bytes], target: Path) -> Path:
    write_7z(target, tree_of(files), files, stamp=HORA)
    return target


def read(archive: Path) -> dict[str, bytes]:
    return {member.ruta: b"".join(member.open()) for member in members(archive)}


@pytest.mark.parametrize(
    "files",
    [FILES, {"solo.html": b"x"}, {"solo.zip": NOISE}, {"vacio.txt": b""}, {"a.txt": b"", "b.png": b"", "c.js": b"c"}],
    ids=["todo", "uno", "copiado", "vacio", "casi vacio"],
)
def test_our_reader_and_the_programs_of_others_give_back_every_byte(files: dict[str, bytes], tmp_path: Path) -> None:
    archive = written(files, tmp_path / "corte.7z")
    assert read(archive) == files
    for n, command in enumerate((["7zz", "x", "-bd", "-y", f"-o{tmp_path}/0"], ["bsdtar", "-xf"])):
        out = tmp_path / str(n)
        out.mkdir(exist_ok=True)
        done = subprocess.run([*command, archive], cwd=out, check=True, capture_output=True, timeout=30, text=True)
        assert "arning" not in done.stdout + done.stderr
        found = {str(path.relative_to(out)): path for path in out.rglob("*") if path.is_file()}
        assert {ruta: path.read_bytes() for ruta, path in found.items()} == files
        for path in found.values():
            assert path.stat().st_mtime == HORA.timestamp()
            assert path.stat().st_mode & 0o777 == 0o644 & ~_umask()


def test_the_same_tree_gives_the_same_bytes_whatever_the_order_and_the_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = written(FILES, tmp_path / "a.7z").read_bytes()
    turned = dict(reversed(FILES.items()))
    assert written(turned, tmp_path / "b.7z").read_bytes() == first
    monkeypatch.setattr(sieteescrito, "BLOQUE", 1000)
    several = written(FILES, tmp_path / "c.7z")
    assert several.read_bytes() != first
    assert read(several) == FILES
    shown = subprocess.run(["7zz", "l", "-slt", several], check=True, capture_output=True, timeout=30, text=True)
    assert "Blocks = 4" in shown.stdout


def test_what_is_compressed_already_is_copied_and_the_rest_shrinks(tmp_path: Path) -> None:
    archive = written(FILES, tmp_path / "corte.7z")
    data = archive.read_bytes()
    assert NOISE in data
    assert NOISE[::-1] in data
    assert len(data) < 2 * len(NOISE) + 2_000


@pytest.mark.parametrize("at", [8, 40, -5, -200])
def test_one_byte_changed_anywhere_is_refused(at: int, tmp_path: Path) -> None:
    archive = written({"index.html": FILES["index.html"], "z.zip": NOISE}, tmp_path / "corte.7z")
    data = bytearray(archive.read_bytes())
    data[at] ^= 0x10
    archive.write_bytes(data)
    with pytest.raises(ArchivoError):
        read(archive)


def test_a_file_that_changes_meanwhile_stops_it_and_what_was_there_stays(tmp_path: Path) -> None:
    origin, target = tmp_path / "base.zip", tmp_path / "corte.7z"
    origin.write_bytes(NOISE)
    tree = PackageTree()
    tree.add("base.zip", origin)
    target.write_bytes(b"antes")
    origin.write_bytes(NOISE[::-1])
    with pytest.raises(ComprobacionError):
        write_7z(target, tree, ["base.zip"], stamp=HORA)
    assert target.read_bytes() == b"antes"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["base.zip", "corte.7z"]


@given(st.dictionaries(st.from_regex(r"[a-z]{1,9}(/[a-z]{1,9})?\.(js|zip)", fullmatch=True), st.binary(max_size=900)))
@settings(deadline=None, max_examples=40)
def test_any_tree_comes_back(files: dict[str, bytes]) -> None:
    archive = b"".join(sevenz_chunks(tree_of(files), files, stamp=HORA))
    descriptor = os.memfd_create("corte")
    with os.fdopen(descriptor, "w+b") as file:
        file.write(archive)
        file.flush()
        assert {m.ruta: sha256_bytes(b"".join(m.open())) for m in members(file)} == {
            ruta: sha256_bytes(data) for ruta, data in files.items()
        }


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
