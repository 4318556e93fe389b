"""Notes of the previous cut only spare work: with them, without them or with damaged ones a cut is the same bytes."""

from __future__ import annotations

import dataclasses
import json
import shutil
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pregon.base.clock import ManualClock
from pregon.base.errors import DiscoError, FindingsError
from pregon.instituto import apuntes, armado, build, datos, fuentes, hojas, obra
from pregon.instituto.datos import _known
from pregon.instituto.secciones import amended
from pregon.paquete.names import CAMBIOS
from pregon.tablas.siguiente import understand_next
from tests.instituto.conftest import INICIO, Night, tree_digest
from tests.instituto.madrugada import contents, copied, make, write_sources
from tests.instituto.test_build import FullDisk

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pregon.instituto.build import BuiltCut
    from pregon.instituto.fuentes import ContestSource
    from pregon.instituto.workspace import Workspace

pytestmark = pytest.mark.xdist_group("apuntes")

CONTESTS = ("gub", "dip")


@dataclasses.dataclass(frozen=True)
class Start:
    """A workspace with one cut made, its notes, and the sources of the cuts that follow."""

    space: Workspace
    first: BuiltCut
    sources: dict[int, tuple[ContestSource, ...]]
    second: dict[str, bytes]
    """What the next cut leaves when it is made without any notes."""


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Start:
    folder = tmp_path_factory.mktemp("apuntes")
    space = Night(folder, ManualClock(INICIO - timedelta(hours=4))).create()
    sources = write_sources(folder, 11, 12, 13)
    first = make(space, sources[11], 11)
    bare = copied(space, folder / "sin")
    shutil.rmtree(bare.apuntes)
    return Start(space, first, sources, contents(make(bare, sources[12], 12)))


@pytest.fixture
def followed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The contests whose cut was understood from their notes."""
    seen: list[str] = []

    def watched(*args: object, **kwargs: object) -> object:
        seen.append(args[0].titulo)  # type: ignore[attr-defined]
        return understand_next(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(obra, "understand_next", watched)
    return seen


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was taken from the previous cut: ``hoja`` for each file of actas amended, ``unidad`` for each of a unit."""
    seen: list[str] = []

    def watched(*args: Any) -> bytes | None:
        made = amended(*args)
        seen.extend(["hoja"] * (made is not None))
        return made

    def known(content: bytes | None, secciones: int) -> Sequence[str | None]:
        found = _known(content, secciones)
        seen.extend(["unidad"] * (None not in found and bool(found)))
        return found

    monkeypatch.setattr(hojas, "amended", watched)
    monkeypatch.setattr(datos, "_known", known)
    return seen


def note_files(space: Workspace, contest: str) -> list[Path]:
    return sorted(path for path in (space.apuntes / contest).iterdir() if path.is_file())


def differing(one: dict[str, bytes], other: dict[str, bytes]) -> list[str]:
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def assert_same_bytes(made: dict[str, bytes], start: Start) -> None:
    """The archive, its manifest and the changes are byte for byte those made without notes."""
    assert differing(made, start.second) == []
    assert any(name.endswith(CAMBIOS) for name in made)


def test_cut_with_notes_is_the_cut_without_them(
    start: Start, tmp_path: Path, followed: list[str], taken: list[str]
) -> None:
    space = copied(start.space, tmp_path / "con")
    second = make(space, start.sources[12], 12)
    assert len(followed) == len(CONTESTS)  # they did serve
    assert {"hoja", "unidad"} == set(taken)
    assert_same_bytes(contents(second), start)
    third = make(space, start.sources[13], 13)  # from notes that were themselves made from notes
    assert len(followed) == 2 * len(CONTESTS)
    bare = copied(start.space, tmp_path / "sin")
    shutil.rmtree(bare.apuntes)
    make(bare, start.sources[12], 12)
    shutil.rmtree(bare.apuntes)
    plain = make(bare, start.sources[13], 13)
    assert len(followed) == 2 * len(CONTESTS)
    assert differing(contents(third), contents(plain)) == []
    for contest, source in zip(CONTESTS, start.sources[13], strict=True):
        table, signed = fuentes.read(source).tabla, third.manifiesto_sha256
        known = apuntes.load(space.apuntes / contest, table, signed)
        assert known is not None
        assert known == apuntes.load(bare.apuntes / contest, table, plain.manifiesto_sha256)


def _flip(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def _flipped(path: Path) -> None:
    data = path.read_bytes()
    if data:
        path.write_bytes(_flip(data, len(data) // 2))


def _truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _missing(path: Path) -> None:
    path.unlink()


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("damage", [_flipped, _truncated, _missing, _folder])
def test_cut_with_damaged_notes_is_the_cut_without_them(
    start: Start, tmp_path: Path, followed: list[str], damage: Callable[[Path], None]
) -> None:
    """One file of each contest is damaged, another one in each; every single file is in the test below."""
    space = copied(start.space, tmp_path / "con")
    for number, contest in enumerate(CONTESTS):
        files = note_files(space, contest)
        damage(files[-1 - number])
    assert_same_bytes(contents(make(space, start.sources[12], 12)), start)
    assert followed == []


def test_every_damage_in_every_file_is_seen(start: Start, tmp_path: Path) -> None:
    table = fuentes.read(start.sources[12][0]).tabla
    signed = start.first.manifiesto_sha256
    folder = tmp_path / "gub"
    shutil.copytree(start.space.apuntes / "gub", folder)
    assert apuntes.load(folder, table, signed) is not None
    files = sorted(folder.iterdir())
    assert len(files) >= 6
    for path in files:
        whole = path.read_bytes()
        places = {0, len(whole) - 1, *range(0, len(whole), max(1, len(whole) // 40))} if whole else set()
        for place in places:
            path.write_bytes(_flip(whole, place))
            assert apuntes.load(folder, table, signed) is None, (path.name, place)
        for other in (whole[:-1], whole[: len(whole) // 2], b"", whole + b"\n", whole + b"x"):
            if other != whole:
                path.write_bytes(other)
                assert apuntes.load(folder, table, signed) is None, (path.name, len(other))
        path.unlink()
        assert apuntes.load(folder, table, signed) is None, path.name
        path.write_bytes(whole)
    assert apuntes.load(folder, table, signed) is not None


def test_digit_of_a_sum_changed_in_the_index_is_seen(start: Start, tmp_path: Path) -> None:
    """Every digit of the index may be a figure: none is taken on trust."""
    table = fuentes.read(start.sources[12][0]).tabla
    folder = tmp_path / "gub"
    shutil.copytree(start.space.apuntes / "gub", folder)
    path = folder / "apuntes.json"
    whole = path.read_bytes()
    digits = [place for place, byte in enumerate(whole) if chr(byte).isdigit()]
    assert len(digits) > 100
    for place in digits[:: max(1, len(digits) // 80)]:
        path.write_bytes(_flip(whole, place))
        assert apuntes.load(folder, table, start.first.manifiesto_sha256) is None, whole[place - 40 : place + 10]


def test_notes_of_another_cut_version_or_form_are_not_used(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = fuentes.read(start.sources[12][0]).tabla
    folder, signed = start.space.apuntes / "gub", start.first.manifiesto_sha256
    assert apuntes.load(folder, table, signed) is not None
    assert apuntes.load(folder, table, "0" * 64) is None
    assert apuntes.load(tmp_path / "nada", table, signed) is None
    for other in (
        dataclasses.replace(table, columnas=(*table.columnas[:-1], "OTRA")),
        dataclasses.replace(table, titulo="OTRA ELECCIÓN"),
        dataclasses.replace(table, dialecto=dataclasses.replace(table.dialecto, delimiter="|")),
        dataclasses.replace(table, entidades=("04", "09")),
        dataclasses.replace(table, nivel="municipio" if table.nivel == "distrito" else "distrito"),
    ):
        assert apuntes.load(folder, other, signed) is None
    monkeypatch.setattr(apuntes, "__version__", "99.0")
    assert apuntes.load(folder, table, signed) is None


def test_notes_of_one_contest_in_the_folder_of_another_make_the_same_cut(
    start: Start, tmp_path: Path, followed: list[str]
) -> None:
    space = copied(start.space, tmp_path / "con")
    shutil.rmtree(space.apuntes / "gub")
    shutil.copytree(space.apuntes / "dip", space.apuntes / "gub")
    assert_same_bytes(contents(make(space, start.sources[12], 12)), start)
    assert len(followed) == 1


@pytest.mark.parametrize("stopped", [False, True])
def test_notes_of_another_manifest_or_half_written_are_not_used(
    start: Start, tmp_path: Path, followed: list[str], *, stopped: bool
) -> None:
    """What is not of the last signed cut, or was not written to its end, counts for nothing."""
    space = copied(start.space, tmp_path / "con")
    table = fuentes.read(start.sources[12][0]).tabla
    known = apuntes.load(space.apuntes / "gub", table, start.first.manifiesto_sha256)
    assert known is not None
    lying = dataclasses.replace(known, renglones=known.renglones[::-1])
    of = start.first.manifiesto_sha256 if stopped else "0" * 64
    sums = apuntes.lay(tmp_path / "gub", lying, disk=space.disk)
    apuntes.seal(tmp_path / "gub", space.apuntes / "gub", lying, sums, table, of, disk=space.disk)
    if stopped:
        (space.apuntes / "gub" / "apuntes.json").unlink()  # it is written last
    assert apuntes.load(space.apuntes / "gub", table, start.first.manifiesto_sha256) is None
    assert_same_bytes(contents(make(space, start.sources[12], 12)), start)
    assert len(followed) == 1


@pytest.mark.parametrize("room", [0, 3, 5, 7])
def test_cut_that_fails_before_its_signature_leaves_notes_that_harm_nothing(
    start: Start, tmp_path: Path, room: int
) -> None:
    space = copied(start.space, tmp_path / "con")
    full = dataclasses.replace(space, disk=FullDisk(room))
    with pytest.raises(DiscoError):
        make(full, start.sources[13], 13)  # of another hour: nothing of it may show in the next
    assert_same_bytes(contents(make(space, start.sources[12], 12)), start)


def test_notes_of_a_cut_that_is_not_signed_in_the_end_do_not_touch_those_that_count(
    start: Start, tmp_path: Path, followed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are written while the cut is put together; here it fails when they are all there."""
    space = copied(start.space, tmp_path / "con")
    before, notes = tree_digest(space.repositorio), tree_digest(space.apuntes)

    def stopped(*_: object) -> None:
        raise DiscoError("no cabe", intacto="nada", que_hacer="nada")

    with monkeypatch.context() as patch:
        patch.setattr(armado, "APART_BYTES", 0)
        patch.setattr(build, "_publish", stopped)
        with pytest.raises(DiscoError):
            make(space, start.sources[13], 13)
    assert (tree_digest(space.repositorio), tree_digest(space.apuntes)) == (before, notes)
    assert_same_bytes(contents(make(space, start.sources[12], 12)), start)
    assert len(followed) == len(CONTESTS)  # of the second order: the first one had processes of its own
    assert not list(space.trabajo.iterdir())


def test_blocked_cut_leaves_notes_that_harm_nothing(start: Start, tmp_path: Path, followed: list[str]) -> None:
    space = copied(start.space, tmp_path / "con")
    before, notes = tree_digest(space.repositorio), tree_digest(space.apuntes)
    bad = [_with_another_header(source, tmp_path) for source in start.sources[13]]
    with pytest.raises(FindingsError, match="ENCABEZADO_ORIGEN"):
        make(space, bad, 13)
    assert tree_digest(space.repositorio) == before
    assert tree_digest(space.apuntes) == notes
    del followed[:]
    assert_same_bytes(contents(make(space, start.sources[12], 12)), start)
    assert len(followed) == len(CONTESTS)


def _with_another_header(source: ContestSource, folder: Path) -> ContestSource:
    lines = source.actas.read_bytes().split(b"\n")
    place = 1 + next(n for n, line in enumerate(lines) if line.startswith(b"ACTAS_ESPERADAS"))
    lines[place] = b"9" + lines[place]
    path = folder / source.actas.name
    path.write_bytes(b"\n".join(lines))
    return dataclasses.replace(source, actas=path)


def test_notes_that_cannot_be_written_do_not_stop_a_signed_cut(start: Start, tmp_path: Path) -> None:
    space = copied(start.space, tmp_path / "con")
    shutil.rmtree(space.apuntes)
    space.apuntes.write_bytes(b"")  # a file where the folder goes
    assert_same_bytes(contents(make(space, start.sources[12], 12)), start)
    assert space.state().events()[-1].tipo == "corte"


def test_file_with_quoted_cells_after_a_plain_one_leaves_no_stale_notes(
    start: Start, tmp_path: Path, followed: list[str]
) -> None:
    space = copied(start.space, tmp_path / "con")
    quoted = [_with_a_quote(source, tmp_path) for source in start.sources[12]]
    second = make(space, quoted, 12)
    assert followed == []
    assert not any((space.apuntes / contest / "apuntes.json").exists() for contest in CONTESTS)
    third = make(space, start.sources[13], 13)
    assert followed == []
    assert json.loads((third.carpeta / "manifiesto.json").read_bytes())["anterior"] == second.manifiesto_sha256


def _with_a_quote(source: ContestSource, folder: Path) -> ContestSource:
    lines = source.actas.read_text().split("\n")
    first, _, rest = lines[-2].partition(",")
    lines[-2] = f'"{first}",{rest}'
    path = folder / source.actas.name
    path.write_text("\n".join(lines))
    return dataclasses.replace(source, actas=path)
