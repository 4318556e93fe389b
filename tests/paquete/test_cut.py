"""Writing a cut: the same bytes each time, sums that ``sha256sum`` checks, changes by content."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from pregon.base import procesos
from pregon.base.durable import Disk
from pregon.base.errors import ArchivoError, ComprobacionError, EntradaError
from pregon.base.hashing import sha256_bytes, sha256_file
from pregon.paquete.archive import write_zip
from pregon.paquete.cut import changes, stamped_name, write_cut
from pregon.paquete.manifest import FileEntry, Manifest, ManifestHead, parse_manifest
from pregon.paquete.reading import members
from pregon.paquete.tree import PackageTree

if TYPE_CHECKING:
    from pathlib import Path

HORA = datetime(2021, 6, 6, 22, 40, tzinfo=timezone(timedelta(hours=-5)))
HEAD = ManifestHead(
    convocatoria="gro-2021",
    instituto="iepcgro",
    ambiente="oficial",
    elecciones=("GUB",),
    corte=3,
    hora_corte=HORA,
    generado=HORA.astimezone(UTC),
)
BASE = stamped_name(HORA, "PREP_CAMP")


def tree(**contents: bytes) -> PackageTree:
    package = PackageTree()
    for ruta, content in contents.items():
        package.add(ruta.replace("__", "/"), content)
    return package


def contents(archive: Path) -> dict[str, bytes]:
    return {member.ruta: b"".join(member.open()) for member in members(archive)}


def run(folder: Path, *command: str) -> int:
    return procesos.start(command, output=folder.parent / "salida.txt", folder=folder).wait(30)


def test_name_of_the_archive_is_the_local_stamp() -> None:
    assert BASE == "20210606_2240_PREP_CAMP"


def test_same_tree_gives_the_same_archive_in_another_process_and_zone(tmp_path: Path) -> None:
    script = tmp_path / "otra.py"
    script.write_text(
        "import sys\nfrom datetime import datetime\nfrom pathlib import Path\n"
        "from pregon.paquete.archive import write_zip\nfrom pregon.paquete.tree import PackageTree\n"
        "tree = PackageTree()\n"
        "tree.add('z.json', b'{}' * 9000)\ntree.add('a.html', b'<p>' * 9000)\ntree.add('m.zip', b'PK' * 99)\n"
        f"stamp = datetime.fromisoformat({HORA.isoformat()!r})\n"
        "write_zip(Path(sys.argv[1]), tree, ['m.zip', 'z.json', 'a.html'], stamp=stamp)\n"
    )
    package = tree()
    package.add("a.html", b"<p>" * 9000)
    package.add("m.zip", b"PK" * 99)
    package.add("z.json", b"{}" * 9000)
    first, second = tmp_path / "uno.zip", tmp_path / "dos.zip"
    write_zip(first, package, ["z.json", "a.html", "m.zip"], stamp=HORA)
    environment = {"TZ": "Asia/Tokyo", "PYTHONPATH": os.pathsep.join(sys.path)}
    child = procesos.start([sys.executable, script, second], output=tmp_path / "salida", environment=environment)
    assert child.wait(60) == 0, child.tail()
    assert sha256_file(first) == sha256_file(second)
    assert run(tmp_path, "unzip", "-tq", "uno.zip") == 0


def test_archive_does_not_depend_on_when_it_was_generated(tmp_path: Path) -> None:
    for name, generado in (("uno", HORA), ("dos", HORA + timedelta(minutes=1))):
        write_cut(tmp_path / name, tree(index=b"hola"), replace(HEAD, generado=generado), None, BASE)
    names = f"{BASE}.zip", "manifiesto.json"
    same, differs = ((tmp_path / "uno" / n).read_bytes() == (tmp_path / "dos" / n).read_bytes() for n in names)
    assert same
    assert not differs


def test_sums_cover_all_but_themselves_and_sha256sum_agrees(tmp_path: Path) -> None:
    package = tree(index=b"hola", datos__0003__gub=b"{}")
    package.add("sección/niño.txt", b"x")
    manifest = write_cut(tmp_path / "0003", package, HEAD, None, BASE)
    unpacked = tmp_path / "abierto"
    for ruta, data in contents(tmp_path / "0003" / f"{BASE}.zip").items():
        (unpacked / ruta).parent.mkdir(parents=True, exist_ok=True)
        (unpacked / ruta).write_bytes(data)
    assert run(unpacked, "sha256sum", "--strict", "-c", "SHA256SUMS") == 0
    listed = {line.split("  ", 1)[1] for line in (unpacked / "SHA256SUMS").read_text().splitlines()}
    assert listed == {entry.ruta for entry in manifest.archivos} - {"SHA256SUMS"}
    assert {e.ruta: e.sha256 for e in manifest.archivos} == {
        str(path.relative_to(unpacked)): sha256_file(path) for path in unpacked.rglob("*") if path.is_file()
    }


def test_manifest_names_the_previous_by_its_exact_bytes(tmp_path: Path) -> None:
    first = write_cut(tmp_path / "0003", tree(index=b"hola"), HEAD, None, BASE)
    raw = (tmp_path / "0003" / "manifiesto.json").read_bytes()
    assert first.anterior is None
    assert parse_manifest(raw) == first
    assert sorted(p.name for p in (tmp_path / "0003").iterdir()) == [f"{BASE}.zip", "manifiesto.json"]
    # The same manifest with another spacing is another sequence of bytes: hashed as received.
    spaced = json.dumps(json.loads(raw)).encode()
    head = replace(HEAD, corte=4, hora_corte=HORA + timedelta(minutes=20))
    second = write_cut(tmp_path / "0004", tree(index=b"hola"), head, spaced, stamped_name(head.hora_corte, "PREP_CAMP"))
    assert second.anterior == sha256_bytes(spaced)


def test_changes_carry_each_new_content_once_and_by_content_not_by_path(tmp_path: Path) -> None:
    before = write_cut(tmp_path / "0003", tree(same=b"1", moved=b"2", changed=b"3", gone=b"4"), HEAD, None, BASE)
    now = tree(same=b"1", elsewhere__moved=b"2", changed=b"33", new__b=b"5", new__a=b"5", returned=b"4")
    raw = before.to_bytes()
    write_cut(tmp_path / "0004", now, replace(HEAD, corte=4), raw, BASE)
    found = contents(tmp_path / "0004" / f"{BASE}.cambios.zip")
    assert set(found) - {"SHA256SUMS", "resumen.txt"} == {"changed", "new/a"}
    assert found["new/a"] == b"5"


def test_no_change_is_an_empty_archive_of_changes_and_is_read(tmp_path: Path) -> None:
    entries = (FileEntry("a", 1, "a" * 64),)
    assert changes(entries, entries) == ()
    write_zip(tmp_path / "x.zip", tree(a=b"1"), (), stamp=HORA)
    assert contents(tmp_path / "x.zip") == {}


def test_summary_tells_a_person_what_it_is_and_shouts_a_simulacro(tmp_path: Path) -> None:
    head = replace(HEAD, ambiente="simulacro", ultimo=True, cierre="anticipado")
    write_cut(tmp_path / "s", tree(index=b"hola"), head, None, BASE, notas=["Actas contabilizadas: 10 de 20"])
    text = contents(tmp_path / "s" / f"{BASE}.zip")["resumen.txt"].decode()
    for phrase in (
        "SIMULACRO", "iepcgro", "gro-2021", "0003 (último; cierre anticipado)", "06/06/2021 22:40:00 (UTC-05:00)",
        "Archivos:      1 (4 bytes)", "Actas contabilizadas: 10 de 20",
    ):  # fmt: skip
        assert phrase in text


def test_leftovers_of_another_attempt_are_refused_and_stay(tmp_path: Path) -> None:
    folder = tmp_path / "0003"
    folder.mkdir()
    (folder / "20210606_2200_PREP_CAMP.zip").write_bytes(b"otro")
    with pytest.raises(ComprobacionError):
        write_cut(folder, tree(index=b"hola"), HEAD, None, BASE)
    assert [p.name for p in folder.iterdir()] == ["20210606_2200_PREP_CAMP.zip"]


def test_stopped_at_any_step_leaves_no_manifest_or_a_whole_cut(tmp_path: Path) -> None:
    previous = Manifest(
        **{name: getattr(HEAD, name) for name in ManifestHead.__dataclass_fields__}, anterior=None, archivos=()
    ).to_bytes()

    class Stop(Exception):
        pass

    class StoppingDisk(Disk):
        def __init__(self, left: int) -> None:
            self.left = left

        def write(self, path: Path, data: object, *, mode: int = 0o644) -> None:
            if self.left == 0:
                raise Stop
            self.left -= 1
            super().write(path, data, mode=mode)  # type: ignore[arg-type] # passed on as it came

    for steps in range(3):
        folder = tmp_path / str(steps)
        with pytest.raises(Stop):
            write_cut(folder, tree(index=b"hola"), HEAD, previous, BASE, disk=StoppingDisk(steps))
        assert not (folder / "manifiesto.json").exists()
        # The same attempt again, over what was left, ends well.
        write_cut(folder, tree(index=b"hola"), HEAD, previous, BASE)
        assert len(list(folder.iterdir())) == 3


def test_stored_file_that_changes_while_packing_is_noticed_and_leaves_no_archive(tmp_path: Path) -> None:
    source = tmp_path / "votos.zip"
    for change in (b"9,9,9", b"1,2", b""):
        source.write_bytes(b"1,2,3")
        package = tree()
        package.add("votos.zip", source)
        source.write_bytes(change)
        with pytest.raises(ComprobacionError):
            write_zip(tmp_path / "x.zip", package, ["votos.zip"], stamp=HORA)
        with pytest.raises(ComprobacionError):
            b"".join(package.chunks("votos.zip"))
        assert [p.name for p in tmp_path.iterdir()] == ["votos.zip"]


def test_file_that_changes_after_it_was_added_cannot_reach_the_archive(tmp_path: Path) -> None:
    source = tmp_path / "votos.csv"
    source.write_bytes(b"1,2,3")
    package = tree()
    package.add("votos.csv", source)
    source.write_bytes(b"9,9,9")
    write_zip(tmp_path / "x.zip", package, ["votos.csv"], stamp=HORA)
    assert contents(tmp_path / "x.zip") == {"votos.csv": b"1,2,3"}
    assert b"".join(package.chunks("votos.csv")) == b"1,2,3"
    assert package.entry("votos.csv").sha256 == sha256_bytes(b"1,2,3")


def test_name_written_by_the_cut_itself_cannot_be_in_the_tree(tmp_path: Path) -> None:
    package = tree(index=b"hola")
    package.add("resumen.txt", b"mio")
    with pytest.raises(ArchivoError) as refusal:
        write_cut(tmp_path / "0003", package, HEAD, None, BASE)
    assert refusal.value.codigo == "ARCHIVO_DUPLICADO"


def test_missing_file_is_told_before_anything_is_written(tmp_path: Path) -> None:
    package = tree(index=b"hola")
    with pytest.raises(EntradaError):
        package.add("b.csv", tmp_path / "no-existe.csv")
    assert len(package) == 1
    # And the name is free for the right file.
    (tmp_path / "b.csv").write_bytes(b"1")
    package.add("b.csv", tmp_path / "b.csv")
