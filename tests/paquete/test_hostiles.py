"""The catalogue of hostile archives (``tests/vectors/archivos``): our verdict, the twin's, and what others do."""

from __future__ import annotations

import hashlib
import json
import os
import struct
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pregon.base.durable import Disk
from pregon.base.errors import ArchivoError, DiscoError
from pregon.base.procesos import start
from pregon.difusor.objects import ObjectStore
from pregon.difusor.unpack import unpack
from pregon.paquete import errors
from pregon.paquete.reading import ReadingLimits, members
from tests.paquete.hijo_hostiles import manifest_of
from tests.vectors.archivos import genera, otros
from tests.vectors.archivos.comprime import lzma2_stored
from tests.vectors.archivos.sieteforge import Siete, coder, num
from tests.vectors.archivos.zipforge import Entry, central_header, local_header, zip64_end

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
PEAK_KIB = 128 << 10
LIMITS = ReadingLimits()
INDEX = json.loads(genera.INDICE.read_text())
VECTORS = {vector["id"]: vector for vector in INDEX["vectores"]}
NO_ARCHIVE = {"ARCHIVO_MANIFIESTO", "ARCHIVO_DIFERENCIA", "ARCHIVO_BASE", "ARCHIVO_DISTINTA"}
"""Codes of what a package says and not of how an archive is made; they have tests of their own."""


def child(module: str, *arguments: Path | str, folder: Path) -> str:
    """What ``python -m module`` prints; it must end well."""
    output = folder.with_name(folder.name + ".salida")
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    process = start([sys.executable, "-m", module, *arguments], output=output, environment=environment, folder=folder)
    try:
        assert process.wait(60) == 0, output.read_text()
    finally:
        process.stop()
    return output.read_text()


def snapshot(folder: Path, *, without: Path) -> dict[str, tuple[int, int, int]]:
    """Every name under ``folder`` but those under ``without``: mode, size, modification time."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path == without or without in path.parents:
            continue
        status = path.lstat()
        found[str(path.relative_to(folder))] = (status.st_mode, status.st_size, status.st_mtime_ns)
    return found


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vectores")
    genera.write(folder)
    return folder


@pytest.fixture(scope="module")
def verdicts(archives: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What one process made of all of them; nothing outside its staging may have changed."""
    parent = tmp_path_factory.mktemp("mundo")
    staging, elsewhere = parent / "puesto", parent / "ajeno"
    staging.mkdir()
    elsewhere.mkdir()
    (elsewhere / "no-tocar.txt").write_text("intacto")
    working = parent / "puesto" / "cwd"
    working.mkdir()
    before = snapshot(parent, without=staging), snapshot(archives, without=staging)
    text = child("tests.paquete.hijo_hostiles", archives, genera.INDICE, staging, folder=working)
    assert (snapshot(parent, without=staging), snapshot(archives, without=staging)) == before
    assert list(working.iterdir()) == []
    found: dict[str, Any] = json.loads(text)
    return found


def test_index_is_the_one_that_the_generator_makes(archives: Path) -> None:
    assert genera.INDICE.read_text() == genera.to_text(genera.index(archives))
    for vector in VECTORS.values():
        for file in (vector, vector["gemelo"]):
            assert hashlib.sha256((archives / file["archivo"]).read_bytes()).hexdigest() == file["sha256"]


def test_catalogue_is_large_small_on_disk_and_names_every_reason() -> None:
    kinds = [vector["archivo"].rpartition(".")[2] for vector in VECTORS.values()]
    assert kinds.count("zip") >= 30
    assert kinds.count("7z") >= 30
    assert sum(vector["bytes"] for vector in VECTORS.values()) < 1 << 20
    assert all(vector["sha256"] != vector["gemelo"]["sha256"] for vector in VECTORS.values())
    codes = {leaf.codigo for leaf in errors.leaves()}
    assert {vector["codigo"] for vector in VECTORS.values()} == codes - NO_ARCHIVE


@pytest.mark.parametrize("name", VECTORS)
def test_hostile_archive_is_refused_with_its_code_and_leaves_nothing(name: str, verdicts: dict[str, Any]) -> None:
    found = verdicts[f"{name}/hostil"]
    assert found["lee"] == {"codigo": VECTORS[name]["codigo"], "salida": 76, "completo": True}
    # A length that the manifest does not list is refused before the content is unpacked.
    assert found["guarda"]["codigo"] in {VECTORS[name]["codigo"], "HASH"}
    assert found["guarda"]["quedan"] == {}


@pytest.mark.parametrize("name", VECTORS)
def test_twin_is_admitted_and_its_bytes_are_the_ones_others_read(
    name: str, verdicts: dict[str, Any], archives: Path
) -> None:
    twin = VECTORS[name]["gemelo"]
    found = verdicts[f"{name}/gemelo"]
    expected = {ruta: file["sha256"] for ruta, file in twin["contenido"].items()}
    assert found["lee"] == {"contenido": expected}
    assert found["guarda"]["codigo"] is None
    contents = {sha256: digest for sha256, digest in found["guarda"]["quedan"].items() if "." not in sha256}
    assert contents == {sha256: sha256 for sha256 in expected.values()}
    if twin["archivo"].endswith(".zip"):
        with zipfile.ZipFile(archives / twin["archivo"]) as archive:
            files = [info for info in archive.infolist() if not info.is_dir()]
            assert {info.filename: hashlib.sha256(archive.read(info)).hexdigest() for info in files} == expected


def test_another_program_reads_the_same_from_the_7z_twins(archives: Path, tmp_path: Path) -> None:
    twins = [vector["gemelo"] for name, vector in VECTORS.items() if name.startswith("7z-")]
    for twin in twins:
        ended = subprocess.run(
            ["7zz", "x", "-so", "-bd", archives / twin["archivo"]],
            capture_output=True,
            timeout=20,
            check=False,
            cwd=tmp_path,
        )
        sizes = [file["bytes"] for file in twin["contenido"].values()]
        assert ended.returncode == 0, (twin["archivo"], ended.stderr)
        pieces, position = [], 0
        for size in sizes:
            pieces.append(hashlib.sha256(ended.stdout[position : position + size]).hexdigest())
            position += size
        assert (pieces, position) == ([f["sha256"] for f in twin["contenido"].values()], len(ended.stdout))


def test_peak_of_memory_over_the_whole_catalogue(verdicts: dict[str, Any]) -> None:
    assert verdicts["pico_kib"] < PEAK_KIB


def _crowded_zip(path: Path) -> int:
    """As many members as are admitted, with names that fold to others; no content."""
    body, directory = bytearray(), bytearray()
    entry = Entry(f"D/\u00d1######-{'y' * 120}\U0001f600", method=0)
    local, central = local_header(entry), central_header(entry, 0)
    for number in range(LIMITS.miembros):
        name = b"%06d" % number
        directory += central[:42] + struct.pack("<I", len(body)) + central[46:].replace(b"######", name)
        body += local.replace(b"######", name)
    place = len(body) + len(directory)
    end = zip64_end(entries=LIMITS.miembros, size=len(directory), offset=len(body), place=place)
    ceilings = (0xFFFF, 0xFFFF, 0xFFFF_FFFF, 0xFFFF_FFFF)
    path.write_bytes(body + directory + end + struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, *ceilings, 0))
    return 0


def _crowded_7z(path: Path) -> int:
    """A header of nearly the limit, and a dictionary of the limit that fills."""
    count = 45_000
    content = bytes(LIMITS.diccionario + (2 << 20))
    each = len(content) // count
    items: list[tuple[str, bytes | None]] = [(f"D/{n:05d}-{'y' * 64}", content[:each]) for n in range(count - 1)]
    items.append(("ultimo", content[: len(content) - each * (count - 1)]))
    path.write_bytes(Siete(items, method=num(1) + coder(b"\x21", b"\x1c"), packed=lzma2_stored(content)).build())
    return len(content)


@pytest.mark.parametrize("make", [_crowded_zip, _crowded_7z])
def test_largest_archives_that_are_admitted_stay_under_the_peak(make: Callable[[Path], int], tmp_path: Path) -> None:
    archive = tmp_path / "paquete"
    expected = make(archive)
    working = tmp_path / "cwd"
    working.mkdir()
    found = json.loads(child("tests.paquete.hijo_hostiles", archive, folder=working))
    archive.unlink()
    assert found["bytes"] == expected
    assert found["pico_kib"] < PEAK_KIB, found


def test_disk_that_fills_while_writing_leaves_nothing(archives: Path, tmp_path: Path) -> None:
    vector = VECTORS["7z-crc-segundo"]["gemelo"]
    store = ObjectStore(tmp_path, Disk(), reserva=1 << 60)
    with pytest.raises(DiscoError) as before:
        unpack(archives / vector["archivo"], manifest_of(vector["contenido"]), store)
    assert "Hacen falta" in before.value.que_paso
    (sha256, size), *_ = ((file["sha256"], file["bytes"]) for file in vector["contenido"].values())
    with pytest.raises(DiscoError) as during:
        store.put(sha256, size, [bytes(size)])
    assert "quedan" in during.value.que_paso
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_without_lzma_a_7z_says_what_to_install_and_a_zip_opens(archives: Path, tmp_path: Path) -> None:
    """A Python built without liblzma has no module ``_lzma``; here it is kept from loading."""
    script = (
        "import sys; sys.modules['_lzma'] = None\n"
        "from pathlib import Path\n"
        "from pregon.base.errors import AjustesError\n"
        "from pregon.paquete.reading import members\n"
        "assert [b''.join(m.open()) for m in members(Path(sys.argv[1]))]\n"
        "try:\n    [b''.join(m.open()) for m in members(Path(sys.argv[2]))]\n"
        "except AjustesError as exc:\n    print(exc.codigo, exc.salida, exc.que_hacer)\n"
    )
    zipped, packed = (archives / "gemelos" / name for name in ("zip-crc.zip", "7z-no-lzma.7z"))
    ended = subprocess.run(
        [sys.executable, "-c", script, zipped, packed],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")}, cwd=tmp_path, capture_output=True, timeout=30, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.decode().startswith("AJUSTES 78 ")
    assert b"apt install" in ended.stdout


def test_members_of_a_7z_may_be_opened_again_and_in_any_order(tmp_path: Path) -> None:
    items: list[tuple[str, bytes | None]] = [("a", b"uno"), ("b/c", b"dos" * 1000), ("d", b""), ("e", b"tres")]
    content = b"".join(data for _, data in items if data)
    path = tmp_path / "x.7z"
    path.write_bytes(Siete(items, method=num(1) + coder(b"\x21", b"\x12"), packed=lzma2_stored(content)).build())
    found = {member.ruta: member for member in members(path)}
    for _ in range(2):
        for name, data in reversed(items):
            assert b"".join(found[name].open()) == data
    half = found["b/c"].open()
    next(half)
    assert b"".join(found["e"].open()) == b"tres"


@pytest.mark.parametrize("options", ["", "-m0=lzma", "-mx0", "-ms=off -mhc=off", "-m0=BCJ -m1=LZMA2"])
def test_what_7zz_writes_is_read(options: str, tmp_path: Path) -> None:
    tree = tmp_path / "arbol"
    (tree / "datos").mkdir(parents=True)
    contents = {f"datos/{n}.json": (f'{{"acta": {n}}}' * n * 50).encode() for n in range(30)} | {
        "año.txt": b"ni\xc3\xb1o"
    }
    for ruta, data in contents.items():
        (tree / ruta).write_bytes(data)
    subprocess.run(
        ["7zz", "a", "-bd", *options.split(), tmp_path / "x.7z", "."],
        cwd=tree,
        check=True,
        capture_output=True,
        timeout=30,
    )
    assert {member.ruta: b"".join(member.open()) for member in members(tmp_path / "x.7z")} == contents


def test_other_programs_end_within_their_bounds(archives: Path) -> None:
    """What they do depends on their version: it is recorded in ``otros.json`` and shown, not judged."""
    outcomes = otros.run(archives / "hostiles", seconds=120)
    assert set(outcomes) == {f"{caso.id}.{caso.extension}" for caso in genera.cases()}
    assert all(set(row) <= set(otros.TOOLS) for row in outcomes.values())
    recorded = json.loads(otros.OTROS.read_text())
    print(otros.table(outcomes, recorded["programas"]))
    assert set(recorded["resultados"]) == set(outcomes)


def test_table_of_the_document_is_the_recorded_one() -> None:
    recorded = json.loads(otros.OTROS.read_text())
    assert otros.TABLA.read_text() == otros.table(recorded["resultados"], recorded["programas"])


def test_every_code_of_an_archive_is_explained_in_the_document() -> None:
    text = (ROOT / "docs" / "verificacion.md").read_text()
    assert {leaf.codigo for leaf in errors.leaves()} - NO_ARCHIVE <= {
        word.strip("`") for word in text.replace("|", " ").split() if word.startswith("`ARCHIVO_")
    }


def test_leaves_of_the_archive_have_one_code_each() -> None:
    codes = [leaf.codigo for leaf in errors.leaves()]
    assert len(codes) == len(set(codes))
    assert all(leaf.salida == 76 and issubclass(leaf, ArchivoError) for leaf in errors.leaves())
