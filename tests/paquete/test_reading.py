"""Hostile zips, each refused with its own code before anything is inflated, and each with an honest twin."""

from __future__ import annotations

import gzip
import struct
import tracemalloc
import zlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from pregon.base.errors import ArchivoError, EntradaError
from pregon.paquete.archive import write_zip
from pregon.paquete.names import NameLimits
from pregon.paquete.reading import Member, ReadingLimits, gzip_twin, members
from pregon.paquete.tree import PackageTree
from tests.vectors.archivos.zipforge import Entry, forge, local_header, zip64_end

if TYPE_CHECKING:
    from pathlib import Path

A = Entry("a.txt", b"hola " * 100)
B = Entry("b/c.txt", b"adios " * 100)
LIMITS = ReadingLimits(miembros=50, archivo=4 << 20, total=6 << 20, nombres=NameLimits(ruta=200, componente=100))
FOUR_MB = {"size": 4 << 20}
ZEROS = b"\0" * (3 << 20)


def deflated(data: bytes) -> bytes:
    deflater = zlib.compressobj(9, wbits=-15)
    return deflater.compress(data) + deflater.flush()


def descriptor(entry: Entry, *, crc: int | None = None) -> bytes:
    actual = zlib.crc32(entry.data) if crc is None else crc
    return struct.pack("<4sIII", b"PK\x07\x08", actual, len(entry.packed), len(entry.data))


def with_descriptor(*, crc: int | None = None, extra: bytes = b"") -> Entry:
    entry = Entry("d.txt", b"datos " * 50, flags=0x0808, local={"crc": 0, "packed": 0, "size": 0})
    entry.after = descriptor(entry, crc=crc) + extra
    return entry


def overlapping() -> bytes:
    """Two entries of the directory over one and the same member (the overlap bomb, one step)."""
    return forge(A, Entry("a.txt", A.data, central={"name": b"z.txt"}, at=0))


def nested_overlap() -> bytes:
    """A member whose data contain the local header and data of the next (the better zip bomb)."""
    inner = Entry("z.txt", b"x" * 50, method=0)
    outer = Entry("a.txt", local_header(inner) + inner.data, method=0)
    inner.at = len(local_header(outer))
    return forge(outer, inner)


def wide(*, offset_error: int = 0, entries: int = 1) -> bytes:
    """An archive with zip64 end records, honest unless told."""
    plain = forge(A)
    directory = plain.index(b"PK\x01\x02")
    size = len(plain) - 22 - directory
    return forge(
        A, end64=zip64_end(entries=entries, size=size, offset=directory, place=directory + size + offset_error)
    )


def needing(version: int) -> bytes:
    """An archive whose directory says that to read its member a program of that version of the format is needed."""
    data = bytearray(forge(A))
    data[data.index(b"PK\x01\x02") + 6] = version
    return bytes(data)


AES = struct.pack("<HHHHBH", 0x9901, 7, 2, 0x4541, 3, 8)
UNICODE_NAME = struct.pack("<HHBI", 0x7075, 10, 1, zlib.crc32(b"a.txt")) + b"b.txt"
TWICE64 = struct.pack("<HHQ", 1, 8, 0) * 2

HOSTILE: dict[str, tuple[bytes, str]] = {
    "empty file": (b"", "ARCHIVO_ILEGIBLE"),
    "not a zip": (b"7z\xbc\xaf\x27\x1c" * 40, "ARCHIVO_ILEGIBLE"),
    "cut short": (forge(A, B)[:-30], "ARCHIVO_TRUNCADO"),
    "more entries declared than there are": (forge(A, count=2), "ARCHIVO_CABECERA"),
    "too many members": (forge(*(Entry(f"{n}.txt", b"x", method=0) for n in range(51))), "ARCHIVO_MIEMBROS"),
    "bytes before the first member": (forge(A, before=b"#!/bin/sh\n"), "ARCHIVO_SOBRANTE"),
    "bytes before the directory": (forge(A, gap=b"oculto"), "ARCHIVO_SOBRANTE"),
    "bytes between members": (forge(Entry("a.txt", b"x", after=b"oculto"), B), "ARCHIVO_SOBRANTE"),
    "bytes after the end": (forge(A, after=b"oculto"), "ARCHIVO_SOBRANTE"),
    "a second zip after the end": (forge(A) + forge(B), "ARCHIVO_SOBRANTE"),
    "comment": (forge(A, comment=b"hola"), "ARCHIVO_SOBRANTE"),
    "bytes after a data descriptor": (forge(with_descriptor(extra=b"oculto")), "ARCHIVO_SOBRANTE"),
    "data descriptor with another CRC": (forge(with_descriptor(crc=7)), "ARCHIVO_CABECERA"),
    "local name differs": (forge(Entry("a.txt", b"x", local={"name": b"e.txt"})), "ARCHIVO_CABECERA"),
    "local method differs": (forge(Entry("a.txt", b"x", local={"method": 0})), "ARCHIVO_CABECERA"),
    "local size differs": (forge(Entry("a.txt", b"x", local={"size": 9})), "ARCHIVO_CABECERA"),
    "local CRC differs": (forge(Entry("a.txt", b"x", local={"crc": 9})), "ARCHIVO_CABECERA"),
    "no local header there": (forge(A).replace(b"PK\x03\x04", b"PK\x03\x05"), "ARCHIVO_CABECERA"),
    "second name in an extra field": (forge(Entry("a.txt", b"x", extra=UNICODE_NAME)), "ARCHIVO_CABECERA"),
    "zip64 sizes given twice": (forge(Entry("a.txt", b"x", extra=TWICE64)), "ARCHIVO_ZIP64"),
    "zip64 end record elsewhere": (wide(offset_error=-4), "ARCHIVO_ZIP64"),
    "zip64 end record contradicts": (wide(entries=2), "ARCHIVO_ZIP64"),
    "two entries over one member": (overlapping(), "ARCHIVO_TRASLAPE"),
    "member inside another": (nested_overlap(), "ARCHIVO_TRASLAPE"),
    "member running into the directory": (
        forge(Entry("a.txt", b"x" * 9, method=0, local={"packed": 60, "size": 60}, central={"packed": 60, "size": 60})),
        "ARCHIVO_TRASLAPE",
    ),
    "one member too large": (
        forge(Entry("a.txt", b"x", local={"size": 5 << 20}, central={"size": 5 << 20})),
        "ARCHIVO_GRANDE",
    ),
    "too large in all": (
        forge(*(Entry(f"{n}.txt", b"\0", raw=b"\0" * 20_000, local=FOUR_MB, central=FOUR_MB) for n in range(2))),
        "ARCHIVO_TOTAL",
    ),
    "declares a bomb": (forge(Entry("a.txt", ZEROS, raw=deflated(ZEROS))), "ARCHIVO_RAZON"),
    "stored with two sizes": (forge(Entry("a.txt", b"x", method=0, central={"size": 9})), "ARCHIVO_TAMANO"),
    "folder with content": (forge(Entry("a/", b"x", method=0, external=0o40755 << 16)), "ARCHIVO_TAMANO"),
    "unknown method": (forge(Entry("a.txt", b"x", method=14)), "ARCHIVO_METODO"),
    "a newer version needed": (needing(64), "ARCHIVO_METODO"),
    "patched data": (forge(Entry("a.txt", b"x", flags=0x0820)), "ARCHIVO_METODO"),
    "encrypted": (forge(Entry("a.txt", b"x", flags=0x0801)), "ARCHIVO_CIFRADO"),
    "AES in an extra field": (forge(Entry("a.txt", b"x", extra=AES)), "ARCHIVO_CIFRADO"),
    "symbolic link": (forge(Entry("a.txt", b"/etc/passwd", external=0o120777 << 16)), "ARCHIVO_ENLACE"),
    "character device": (forge(Entry("a.txt", b"", external=0o020666 << 16)), "ARCHIVO_ESPECIAL"),
    "named pipe": (forge(Entry("a.txt", b"", external=0o010666 << 16)), "ARCHIVO_ESPECIAL"),
    "folder named as a file": (forge(Entry("a", b"", method=0, external=0o40755 << 16)), "ARCHIVO_ESPECIAL"),
    "absolute": (forge(Entry("/etc/passwd", b"x")), "ARCHIVO_ABSOLUTA"),
    "parent": (forge(Entry("../evil", b"x")), "ARCHIVO_SUPERIOR"),
    "parent inside": (forge(Entry("a/../../evil", b"x")), "ARCHIVO_SUPERIOR"),
    "current folder": (forge(Entry("./a.txt", b"x")), "ARCHIVO_SUPERIOR"),
    "empty component": (forge(Entry("a//b.txt", b"x")), "ARCHIVO_SUPERIOR"),
    "drive": (forge(Entry("C:evil.txt", b"x")), "ARCHIVO_UNIDAD"),
    "alternate stream": (forge(Entry("a.txt:evil", b"x")), "ARCHIVO_UNIDAD"),
    "backslash": (forge(Entry("a\\..\\evil.txt", b"x")), "ARCHIVO_DIAGONAL"),
    "NUL": (forge(Entry("a.txt\0.html", b"x")), "ARCHIVO_NULO"),
    "line end": (forge(Entry("a\n.txt", b"x")), "ARCHIVO_CONTROL"),
    "zero-width space": (forge(Entry("a\u200b.txt", b"x")), "ARCHIVO_CONTROL"),
    "right-to-left override": (forge(Entry("a\u202etxt.exe", b"x")), "ARCHIVO_BIDI"),
    "Windows device": (forge(Entry("datos/NUL.json", b"x")), "ARCHIVO_NOMBRE"),
    "final dot": (forge(Entry("a.txt.", b"x")), "ARCHIVO_NOMBRE"),
    "encoding not stated": (forge(Entry(b"a\x82o.txt", b"x", flags=0)), "ARCHIVO_NOMBRE"),
    "name not UTF-8": (forge(Entry(b"a\xff.txt", b"x")), "ARCHIVO_NOMBRE"),
    "name of the manifest": (forge(Entry("Manifiesto.json", b"x")), "ARCHIVO_RESERVADO"),
    "long component": (forge(Entry("a" * 101, b"x")), "ARCHIVO_LARGO"),
    "long path": (forge(Entry("/".join(["a" * 90] * 3), b"x")), "ARCHIVO_LARGO"),
    "deep path": (forge(Entry("/".join("abcdefghijklmnopq"), b"x")), "ARCHIVO_PROFUNDIDAD"),
    "same name twice": (forge(A, Entry("a.txt", b"otro")), "ARCHIVO_DUPLICADO"),
    "same folder twice": (forge(*[Entry("a/", method=0, external=0o40755 << 16)] * 2), "ARCHIVO_DUPLICADO"),
    "names equal but for case": (forge(A, Entry("A.TXT", b"otro")), "ARCHIVO_COLISION"),
    "folders equal but for case": (forge(B, Entry("B/d.txt", b"otro")), "ARCHIVO_COLISION"),
    "names equal in Unicode": (forge(Entry("ni\u00f1o", b"x"), Entry("nin\u0303o", b"y")), "ARCHIVO_COLISION"),
    "file and folder": (forge(Entry("a", b"x"), Entry("a/b", b"y")), "ARCHIVO_COLISION"),
}  # fmt: skip

LYING: dict[str, tuple[bytes, str]] = {
    "wrong CRC": (forge(Entry("a.txt", b"hola", local={"crc": 1}, central={"crc": 1})), "ARCHIVO_CRC"),
    "wrong CRC, stored": (forge(Entry("a.txt", b"hola", 0, local={"crc": 1}, central={"crc": 1})), "ARCHIVO_CRC"),
    "wrong CRC, empty": (forge(Entry("a.txt", b"", local={"crc": 1}, central={"crc": 1})), "ARCHIVO_CRC"),
    "larger than declared": (
        forge(Entry("a.txt", ZEROS, raw=deflated(ZEROS), local={"size": 9999}, central={"size": 9999})),
        "ARCHIVO_TAMANO",
    ),
    "smaller than declared": (
        forge(Entry("a.txt", b"hola", local={"size": 99}, central={"size": 99})),
        "ARCHIVO_TAMANO",
    ),
    "data that are not deflate": (forge(Entry("a.txt", b"hola", raw=b"\xff" * 20)), "ARCHIVO_DATOS"),
    "deflate cut short": (forge(Entry("a.txt", b"hola" * 9, raw=deflated(b"hola" * 9)[:-3])), "ARCHIVO_TRUNCADO"),
    "bytes after the deflate": (forge(Entry("a.txt", b"hola", raw=deflated(b"hola") + b"oculto")), "ARCHIVO_SOBRANTE"),
}

HONEST: dict[str, bytes] = {
    "two members": forge(A, B),
    "empty archive": forge(),
    "stored": forge(Entry("a.txt", b"hola", method=0)),
    "the newest version needed": needing(63),
    "folder entry": forge(Entry("b/", method=0, external=0o40755 << 16), B),
    "no file type bits": forge(Entry("a.txt", b"x", external=0)),
    "data descriptor": forge(with_descriptor(), A),
    "accents in UTF-8": forge(Entry("sección/niño.txt", b"x")),
    "zip64 end records": wide(),
    "repetitive but under the limit": forge(Entry("a.txt", b"\0" * (1 << 20))),
    "device name inside a word": forge(Entry("consulta.html", b"x"), Entry("nulos.json", b"y")),
    "as deep as allowed": forge(Entry("/".join("abcdefghijklmnop"), b"x")),
}


def write(folder: Path, data: bytes) -> Path:
    path = folder / "paquete.zip"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_archive_is_refused_before_inflating(case: str, tmp_path: Path) -> None:
    data, codigo = HOSTILE[case]
    path = write(tmp_path, data)
    with pytest.raises(ArchivoError) as refusal:
        members(path, LIMITS)
    assert refusal.value.codigo == codigo
    assert refusal.value.salida == 76
    assert refusal.value.intacto
    assert refusal.value.que_hacer
    assert [p.name for p in tmp_path.iterdir()] == ["paquete.zip"]
    assert path.read_bytes() == data


@pytest.mark.parametrize("case", LYING)
def test_member_that_lies_is_refused_while_inflating(case: str, tmp_path: Path) -> None:
    data, codigo = LYING[case]
    (member,) = members(write(tmp_path, data), LIMITS)
    with pytest.raises(ArchivoError) as refusal:
        for _ in member.open():
            pass
    assert refusal.value.codigo == codigo


@pytest.mark.parametrize("case", HONEST)
def test_honest_twin_is_admitted(case: str, tmp_path: Path) -> None:
    for member in members(write(tmp_path, HONEST[case]), LIMITS):
        assert len(b"".join(member.open())) == member.bytes


def test_bomb_that_lies_about_its_size_is_never_expanded(tmp_path: Path) -> None:
    bomb = b"\0" * (200 << 20)
    raw = deflated(bomb)
    size = {"size": 300_000}
    path = write(tmp_path, forge(Entry("a.txt", b"", raw=raw, local=size, central=size)))
    del bomb, raw
    tracemalloc.start()
    (member,) = members(path)
    with pytest.raises(ArchivoError) as refusal:
        list(member.open())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert refusal.value.codigo == "ARCHIVO_TAMANO"
    assert peak < 4 << 20


def test_archive_behind_a_link_is_not_opened(tmp_path: Path) -> None:
    link = tmp_path / "enlace.zip"
    link.symlink_to(write(tmp_path, forge(A)))
    with pytest.raises(EntradaError):
        members(link)


def test_gzip_twin_is_the_member_without_compressing_again(tmp_path: Path) -> None:
    tree = PackageTree()
    tree.add("a.html", b"<p>hola</p>" * 5000)
    tree.add("b.zip", b"PK" * 5000)
    target = tmp_path / "x.zip"
    write_zip(target, tree, ["a.html", "b.zip"], stamp=datetime(2027, 6, 7, tzinfo=UTC))
    with target.open("rb") as file:
        by_name: dict[str, Member] = {member.ruta: member for member in members(file)}
    content = b"".join(by_name["a.html"].open())
    twin = b"".join(gzip_twin(by_name["a.html"]) or ())
    assert gzip.decompress(twin) == content == b"<p>hola</p>" * 5000
    assert twin[10:-8] == b"".join(by_name["a.html"].deflate() or ())
    assert by_name["b.zip"].deflate() is None
    assert gzip_twin(by_name["b.zip"]) is None
