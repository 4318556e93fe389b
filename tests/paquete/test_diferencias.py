"""Recipes: the same bytes made again, and nothing made from a recipe that lies."""

from __future__ import annotations

import json
import tracemalloc
import zlib
from datetime import datetime, timedelta, timezone
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pregon.base.errors import ArchivoError
from pregon.base.hashing import sha256_bytes, sha256_file
from pregon.paquete.archive import write_zip
from pregon.paquete.diferencias import (
    MIN_WHOLE_BYTES,
    MemberRecipe,
    decode,
    encode,
    is_worth,
    line_operations,
    member_recipe,
    rebuild,
    split_lines,
)
from pregon.paquete.errors import BaseError, DiferenciaError, DistintaError
from pregon.paquete.manifest import FileEntry
from pregon.paquete.receta import MAX_MEMBER_BYTES, MAX_MEMBERS
from pregon.paquete.tree import PackageTree

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

HORA = datetime(2021, 6, 6, 22, 40, tzinfo=timezone(timedelta(hours=-5)))
RUTA = "base-de-datos/20210606_2240_PREP_GUB_CAMP.zip"


def csv(cut: int, rows: int = 400) -> bytes:
    """Rows of which one in twenty is another in each cut; a header that changes; CR LF; blank lines that repeat."""
    lines = [f"corte {cut}", "", "", "SECCION,VOTOS"]
    lines += [f"{n},{Random(f'{n} {cut if n % 20 == cut else 0}').getrandbits(200)}" for n in range(rows)]
    return "\r\n".join(lines).encode()


def zipped(path: Path, files: dict[str, bytes], *, sello: datetime = HORA) -> Path:
    tree = PackageTree()
    for ruta, content in files.items():
        tree.add(ruta, content)
    write_zip(path, tree, files, stamp=sello)
    return path


def files(cut: int) -> dict[str, bytes]:
    return {
        f"GUB_{cut}.csv": csv(cut),
        "LEEME.txt": b"igual\n",
        f"nuevo_{cut}.txt": b"%d" % cut,
        "foto.png": b"\x89" * 9,
    }


def parts(before: dict[str, bytes], after: dict[str, bytes], sources: dict[str, str]) -> list[MemberRecipe]:
    made = []
    for ruta, content in after.items():
        de = sources.get(ruta)
        made.append(member_recipe(ruta, de, split_lines(before[de]) if de else [], split_lines(content)))
    return made


def pair(folder: Path) -> tuple[Path, Path, bytes]:
    """Base, target and the recipe between them."""
    base = zipped(folder / "base.zip", files(1), sello=HORA - timedelta(minutes=20))
    target = zipped(folder / "destino.zip", files(2))
    sources = {"GUB_2.csv": "GUB_1.csv", "LEEME.txt": "LEEME.txt", "foto.png": "foto.png"}
    recipe = encode(
        destino=FileEntry(RUTA, target.stat().st_size, sha256_file(target)),
        base_sha256=sha256_file(base),
        sello=HORA,
        miembros=parts(files(1), files(2), sources),
    )
    return base, target, recipe


def opened(recipe: bytes) -> tuple[dict[str, Any], bytes]:
    head, _, literals = zlib.decompress(recipe, -15).partition(b"\n")
    return json.loads(head), literals


def closed(header: object, literals: bytes) -> bytes:
    deflater = zlib.compressobj(wbits=-15)
    return deflater.compress(json.dumps(header).encode() + b"\n" + literals) + deflater.flush()


def test_the_same_bytes_are_made_again(tmp_path: Path) -> None:
    base, target, recipe = pair(tmp_path)
    read = decode(recipe)
    assert (read.base_sha256, read.sello) == (sha256_file(base), HORA)
    assert b"".join(rebuild(read, base)) == target.read_bytes()
    with base.open("rb") as file:
        assert b"".join(rebuild(read, file)) == target.read_bytes()
    assert len(recipe) < target.stat().st_size / 4
    assert is_worth(MIN_WHOLE_BYTES, MIN_WHOLE_BYTES // 2 - 1)
    assert not is_worth(MIN_WHOLE_BYTES, MIN_WHOLE_BYTES // 2)
    assert not is_worth(MIN_WHOLE_BYTES - 1, 1)
    assert is_worth(10, 1, minimo=10)


def applied(before: Sequence[str], after: Sequence[str], index: dict[str, int] | None = None) -> list[str]:
    found: list[str] = []
    for place, copied, inserted in line_operations(before, after, index):
        found += before[place : place + copied]
        found += after[len(found) : len(found) + inserted]
    return found


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from("abcdefgh"), max_size=30), st.lists(st.sampled_from("abcdefghij"), max_size=30))
def test_operations_give_the_lines_after(before: list[str], after: list[str]) -> None:
    assert applied(before, after) == after
    assert applied(before, after, {line: before.index(line) for line in before}) == after
    assert applied(before, after, {}) == after
    as_bytes = [line.encode() for line in before], [line.encode() for line in after]
    assert line_operations(*as_bytes) == line_operations(before, after)


def test_a_changed_line_costs_one_operation_even_where_lines_repeat() -> None:
    before = ["a", "", "", "b", "", "c", ""]
    assert line_operations(before, ["a", "", "", "B", "", "c", ""]) == [(0, 3, 1), (4, 3, 0)]
    assert line_operations(before, before) == [(0, 7, 0)]
    assert line_operations(before, []) == []
    assert line_operations([], ["x", "y"]) == [(0, 0, 2)]
    assert line_operations(before, ["c", ""]) == [(5, 2, 0)]


@settings(max_examples=60, deadline=None)
@given(before=st.binary(max_size=60), after=st.binary(max_size=60), named=st.booleans())
def test_any_two_contents(
    tmp_path_factory: pytest.TempPathFactory, *, before: bytes, after: bytes, named: bool
) -> None:
    folder = tmp_path_factory.mktemp("par")
    name = "x.zip" if named else "x.csv"  # stored, or deflated
    base, target = zipped(folder / "a", {name: before}), zipped(folder / "b", {name: after})
    recipe = encode(
        destino=FileEntry(RUTA, target.stat().st_size, sha256_file(target)),
        base_sha256=sha256_file(base),
        sello=HORA,
        miembros=parts({name: before}, {name: after}, {name: name}),
    )
    assert b"".join(rebuild(decode(recipe), base)) == target.read_bytes()


@pytest.mark.parametrize("order", ["as it was", "backwards"])
def test_lines_longer_than_what_is_read_at_a_time(tmp_path: Path, order: str) -> None:
    """Lines that end in another piece than they begin, one longer than three pieces, and a last one without its end."""
    random = Random(3)
    lines = [random.randbytes(random.randint(0, 90_000)).replace(b"\n", b" ") + b"\n" for _ in range(60)]
    lines[20] = random.randbytes(3_500_000).replace(b"\n", b" ") + b"\n"
    before = b"".join([*lines, b"sin final"])
    kept = [line for number, line in enumerate(lines) if number % 7]
    after = b"".join([*(kept if order == "as it was" else [kept[-1], *kept[:-1]]), b"otro\n", b"sin final"])
    base, target = zipped(tmp_path / "a", {"x.csv": before}), zipped(tmp_path / "b", {"x.csv": after})
    recipe = encode(
        destino=FileEntry(RUTA, target.stat().st_size, sha256_file(target)),
        base_sha256=sha256_file(base),
        sello=HORA,
        miembros=parts({"x.csv": before}, {"x.csv": after}, {"x.csv": "x.csv"}),
    )
    assert len(recipe) < 10_000
    assert b"".join(rebuild(decode(recipe), base)) == target.read_bytes()


def test_database_made_again_holds_a_piece_of_the_one_before(tmp_path: Path) -> None:
    rows = [f"{n},{'CONTABILIZADA ' * 20}\n" for n in range(60_000)]
    before = {"GUB.csv": "".join(rows).encode()}
    after = {"GUB.csv": "".join([row if n % 20 else f"{n}," + row for n, row in enumerate(rows)]).encode()}
    base, target = zipped(tmp_path / "a", before), zipped(tmp_path / "b", after)
    recipe = decode(
        encode(
            destino=FileEntry(RUTA, target.stat().st_size, sha256_file(target)),
            base_sha256=sha256_file(base),
            sello=HORA,
            miembros=parts(before, after, {"GUB.csv": "GUB.csv"}),
        )
    )
    tracemalloc.start()
    try:
        assert b"".join(rebuild(recipe, base)) == target.read_bytes()
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 8 << 20 < len(before["GUB.csv"]) / 2


def test_lines_of_text_are_the_bytes_of_the_file() -> None:
    before, after = "niño\r\nuno\r\n", "niño\r\ndos ñ\r\n"
    as_text = member_recipe(
        "x", "y", before.splitlines(keepends=True), after.splitlines(keepends=True), codificacion="cp1252"
    )
    as_bytes = member_recipe("x", "y", split_lines(before.encode("cp1252")), split_lines(after.encode("cp1252")))
    assert as_text == as_bytes
    assert as_text.bytes == len(after.encode("cp1252"))


def member(header: dict[str, Any]) -> dict[str, Any]:
    """The CSV of the recipe."""
    found: dict[str, Any] = header["miembros"][0]
    return found


def literals_of(header: dict[str, Any]) -> int:
    """How many new bytes the CSV takes."""
    return sum(literal for _, _, literal in member(header)["operaciones"])


LIES: dict[str, Callable[[dict[str, Any]], object]] = {
    "huge copy": lambda h: member(h).update(operaciones=[[0, 10**9, 0]]),
    "copy beyond the base": lambda h: member(h).update(operaciones=[[390, 20, literals_of(h)]], bytes=10**6),
    "copy of the line after the last": lambda h: member(h).update(operaciones=[[404, 1, literals_of(h)]], bytes=10**6),
    "negative place": lambda h: member(h)["operaciones"][0].__setitem__(0, -1),
    "negative copy": lambda h: member(h)["operaciones"][0].__setitem__(1, -1),
    "negative literal": lambda h: member(h)["operaciones"][0].__setitem__(2, -1),
    "place beyond every file": lambda h: member(h)["operaciones"][0].__setitem__(0, 10**30),
    "fraction": lambda h: member(h)["operaciones"][0].__setitem__(0, 0.5),
    "true as a number": lambda h: member(h)["operaciones"][0].__setitem__(1, bool(1)),
    "two numbers": lambda h: member(h)["operaciones"][0].pop(),
    "more literals than there are": lambda h: member(h)["operaciones"][-1].__setitem__(2, 99),
    "less literals than there are": lambda h: member(h)["operaciones"].pop(0),
    "operations that are not a list": lambda h: member(h).update(operaciones={}),
    "copy from no member": lambda h: member(h).update(de=None),
    "from a member that is not there": lambda h: member(h).update(de="otro.csv"),
    "one base member twice": lambda h: h["miembros"][-1].update(de="LEEME.txt"),
    "member larger than admitted": lambda h: member(h).update(bytes=MAX_MEMBER_BYTES + 1),
    "member of another size": lambda h: member(h).update(bytes=member(h)["bytes"] + 1),
    "member smaller than its lines": lambda h: member(h).update(bytes=member(h)["bytes"] - 1),
    "members that add up to too much": lambda h: h.update(
        miembros=[{"ruta": f"{n}", "de": None, "bytes": MAX_MEMBER_BYTES, "operaciones": []} for n in range(5)]
    ),
    "too many members": lambda h: h.update(
        miembros=[{"ruta": f"{n:03}", "de": None, "bytes": 0, "operaciones": []} for n in range(MAX_MEMBERS + 1)]
    ),
    "no members": lambda h: h.update(miembros=[]),
    "member twice": lambda h: h["miembros"].insert(0, {**member(h), "operaciones": [], "bytes": 0}),
    "members out of order": lambda h: h["miembros"].reverse(),
    "unknown key": lambda h: h.update(otra=1),
    "unknown key of a member": lambda h: member(h).update(otra=1),
    "missing key": lambda h: h.pop("sello"),
    "another format": lambda h: h.update(formato="pregon/diferencia/2"),
    "stamp without offset": lambda h: h.update(sello="2021-06-06T22:40:00"),
    "stamp that is none": lambda h: h.update(sello="ayer"),
    "base that is no hash": lambda h: h.update(base="../../etc/passwd"),
    "base that is no text": lambda h: h.update(base=None),
    "target that is no object": lambda h: h.update(destino=[]),
    "negative target": lambda h: h["destino"].update(bytes=-1),
}
NAMES: dict[str, Callable[[dict[str, Any]], object]] = {
    "target outside": lambda h: h["destino"].update(ruta="../x.zip"),
    "member outside": lambda h: member(h).update(ruta="/etc/x"),
    "source outside": lambda h: member(h).update(de="a\\b"),
    "member with a control character": lambda h: member(h).update(ruta="a\nb"),
}


@pytest.mark.parametrize("name", LIES)
def test_recipe_that_lies_is_refused(name: str, tmp_path: Path) -> None:
    base, _, recipe = pair(tmp_path)
    header, literals = opened(recipe)
    LIES[name](header)
    with pytest.raises(DiferenciaError):
        b"".join(rebuild(decode(closed(header, literals)), base))
    assert decode(closed(*opened(recipe))) == decode(recipe)  # honest, by the same road


@pytest.mark.parametrize("name", NAMES)
def test_name_that_is_not_admitted(name: str, tmp_path: Path) -> None:
    _, _, recipe = pair(tmp_path)
    header, literals = opened(recipe)
    NAMES[name](header)
    with pytest.raises(ArchivoError) as refusal:
        decode(closed(header, literals))
    assert refusal.value.codigo in {"ARCHIVO_SUPERIOR", "ARCHIVO_ABSOLUTA", "ARCHIVO_DIAGONAL", "ARCHIVO_CONTROL"}


def test_truncated_extended_or_not_a_recipe(tmp_path: Path) -> None:
    _, _, recipe = pair(tmp_path)
    header, literals = opened(recipe)
    twice = json.dumps(header)[:-1] + ', "base": "x"}'
    deflater = zlib.compressobj(wbits=-15)
    repeated = deflater.compress(twice.encode() + b"\n" + literals) + deflater.flush()
    deep = zlib.compressobj(wbits=-15)
    nested = deep.compress(b"[" * 200_000 + b"\n") + deep.flush()
    bad = [b"", b"\0", recipe[:-1], recipe[: len(recipe) // 2], recipe + b"x", repeated, nested]
    bad += [closed(header, literals[:-1]), closed(header, literals + b"x"), closed([], b""), closed(None, b"")]
    for data in bad:
        with pytest.raises(DiferenciaError):
            decode(data)


@pytest.mark.parametrize("form", ["header", "literals", "declared literals"])
def test_bomb_is_never_expanded(form: str, tmp_path: Path) -> None:
    _, _, recipe = pair(tmp_path)
    header, _ = opened(recipe)
    if form == "declared literals":
        header["miembros"] = [{"ruta": "x", "de": None, "bytes": 200 << 20, "operaciones": [[0, 0, 200 << 20]]}]
    deflater = zlib.compressobj(9, wbits=-15)
    head = b"" if form == "header" else json.dumps(header).encode() + b"\n"
    bomb = deflater.compress(head)
    for _ in range(200):
        bomb += deflater.compress(b" " * (1 << 20))
    bomb += deflater.flush()
    tracemalloc.start()
    try:
        with pytest.raises(DiferenciaError):
            decode(bomb)
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


def test_one_long_line_copied_many_times_is_refused_at_once(tmp_path: Path) -> None:
    base = zipped(tmp_path / "base.zip", {"x.csv": Random(1).randbytes(2 << 20).hex().encode()})
    lie = {
        "formato": "pregon/diferencia/1",
        "destino": {"ruta": RUTA, "bytes": 1 << 30, "sha256": "0" * 64},
        "base": sha256_file(base),
        "sello": HORA.isoformat(),
        "miembros": [{"ruta": "x.csv", "de": "x.csv", "bytes": 100, "operaciones": [[0, 1, 0]] + [[-1, 1, 0]] * 50}],
    }
    read = decode(closed(lie, b""))
    tracemalloc.start()
    try:
        with pytest.raises(DiferenciaError):
            b"".join(rebuild(read, base))
        assert tracemalloc.get_traced_memory()[1] < 40 << 20  # 50 copies compress to 100 MiB
    finally:
        tracemalloc.stop()


def test_other_base_gives_other_bytes_or_cannot_be_read(tmp_path: Path) -> None:
    base, _, recipe = pair(tmp_path)
    read = decode(recipe)
    other = {**files(1), "GUB_1.csv": csv(1).replace(b"\r\n7,", b"\r\n7;")}
    with pytest.raises(DistintaError):
        b"".join(rebuild(read, zipped(tmp_path / "otra.zip", other)))
    for content in (b"", b"no es un zip", base.read_bytes()[:-7]):
        (tmp_path / "mala").write_bytes(content)
        with pytest.raises(BaseError):
            b"".join(rebuild(read, tmp_path / "mala"))
    damaged = bytearray(base.read_bytes())
    damaged[len(damaged) // 3] ^= 1
    (tmp_path / "mala").write_bytes(damaged)
    with pytest.raises(BaseError):
        b"".join(rebuild(read, tmp_path / "mala"))
    with pytest.raises(BaseError):
        b"".join(rebuild(read, tmp_path / "no-existe"))


@pytest.mark.parametrize(("more", "sha256"), [(0, "0" * 64), (1, None), (-1, None), (-(10**4), None)])
def test_other_bytes_are_noticed_before_the_last_piece(more: int, sha256: str | None, tmp_path: Path) -> None:
    base, target, recipe = pair(tmp_path)
    header, literals = opened(recipe)
    header["destino"]["bytes"] = max(0, header["destino"]["bytes"] + more)
    header["destino"]["sha256"] = sha256 or header["destino"]["sha256"]
    taken: list[bytes] = []
    with pytest.raises(DistintaError):
        taken.extend(rebuild(decode(closed(header, literals)), base))
    assert sum(map(len, taken)) < max(1, header["destino"]["bytes"])
    assert target.read_bytes().startswith(b"".join(taken))


def test_recipe_beyond_the_limits_is_not_made(tmp_path: Path) -> None:
    base, target, _ = pair(tmp_path)
    with pytest.raises(ValueError, match="admisible"):
        encode(
            destino=FileEntry(RUTA, target.stat().st_size, sha256_file(target)),
            base_sha256=sha256_file(base),
            sello=HORA,
            miembros=[MemberRecipe("x", None, MAX_MEMBER_BYTES + 1, (), b"")],
        )


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_random_damage_is_refused_or_harmless(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = tmp_path_factory.mktemp("par")
    base, target, recipe = pair(folder)
    plain = bytearray(zlib.decompress(recipe, -15)) if data.draw(st.booleans()) else bytearray(recipe)
    inside = len(plain) != len(recipe)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, min(len(plain) - 1, 2_000)))
        plain[place : place + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=3))
    damaged = bytes(plain)
    if inside:
        deflater = zlib.compressobj(wbits=-15)
        damaged = deflater.compress(damaged) + deflater.flush()
    made = b""
    try:
        read = decode(damaged)
        for piece in rebuild(read, base):
            made += piece
    except ArchivoError:
        return
    # Only what it says of itself; who asked compares it with the manifest.
    assert sha256_bytes(made) == read.destino.sha256
    assert len(made) == read.destino.bytes
    assert made == target.read_bytes() or read.destino.sha256 != sha256_file(target)
