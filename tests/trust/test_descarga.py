"""A download cut at any point goes on from there, in another process too, and never believes what it kept."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from pregon.base.clock import ManualClock
from pregon.base.durable import PARCIAL
from pregon.base.errors import AusenteError, DiscoError, HashError, RedError
from pregon.base.hashing import sha256_bytes
from pregon.transport.local import FolderSource
from pregon.trust.descarga import download, kept_bytes, kept_sha256
from pregon.trust.origen import skipped
from pregon.trust.ritmo import LEAST_RATE, LOOK_S
from pregon.trust.verified import TargetRef
from tests.red.bancos import disco_chico
from tests.trust.conftest import INICIO

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIZE = 1_000_000
PIECE = 30_000
DATA = random.Random(7).randbytes(SIZE)
TARGET = TargetRef("cortes/0001/a.zip", SIZE, sha256_bytes(DATA))


class Enlace:
    """Gives ``data`` and stops for good after ``corta`` bytes; each piece takes ``segundos`` of ``clock``."""

    def __init__(self, data: bytes = DATA, *, corta: int | None = None, segundos: float = 0.0) -> None:
        self.clock = ManualClock(INICIO, simulado=False)
        self.dados = 0
        self.pedidos: list[int] = []
        self._data = data
        self._corta = corta
        self._segundos = segundos

    def stream(self, ruta: str, *, desde: int = 0) -> Iterator[bytes] | None:
        assert ruta == f"targets/{TARGET.ruta}"
        self.pedidos.append(desde)
        return self._pieces(self._data[desde:])

    def _pieces(self, data: bytes) -> Iterator[bytes]:
        for start in range(0, len(data), PIECE):
            piece = data[start : start + PIECE]
            if self._corta is not None and self.dados + len(piece) > self._corta:
                piece = piece[: self._corta - self.dados]
                self.dados += len(piece)
                yield piece
                raise RedError("se cortó", intacto="-", que_hacer="-")
            self.clock.sleep(self._segundos)
            self.dados += len(piece)
            yield piece


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "recepcion"
    folder.mkdir()
    return folder / "corte.zip"


def partial(place: Path) -> Path:
    return place.with_name(TARGET.sha256 + PARCIAL)


def bring(source: Enlace, place: Path) -> None:
    download(source, TARGET, place, source.clock)


def names(place: Path) -> list[str]:
    return sorted(path.name for path in place.parent.iterdir())


def test_cut_at_every_tenth_never_asks_for_a_byte_twice(place: Path) -> None:
    given = 0
    for tenth in range(1, 10):
        source = Enlace(corta=SIZE // 10)
        with pytest.raises(RedError):
            bring(source, place)
        given += source.dados
        assert source.pedidos == [SIZE // 10 * (tenth - 1)]
        assert partial(place).stat().st_size == given == kept_bytes(TARGET, place)
        assert names(place) == [partial(place).name]
    last = Enlace()
    bring(last, place)
    assert (last.pedidos, given + last.dados) == ([given], SIZE)
    assert place.read_bytes() == DATA
    assert names(place) == [place.name]
    # It is here: nothing is asked for again.
    again = Enlace()
    bring(again, place)
    assert again.pedidos == []


@pytest.mark.parametrize("position", [0, SIZE // 4, SIZE // 2 - 1])
def test_partial_changed_on_disk_is_refused_and_begun_anew(place: Path, position: int) -> None:
    with pytest.raises(RedError):
        bring(Enlace(corta=SIZE // 2), place)
    data = bytearray(partial(place).read_bytes())
    data[position] ^= 1
    partial(place).write_bytes(data)
    source = Enlace()
    bring(source, place)
    assert source.pedidos == [SIZE // 2, 0]
    assert place.read_bytes() == DATA
    assert names(place) == [place.name]


@pytest.mark.parametrize("kept", [DATA + b"x", DATA[:-1] + b"\0", bytes(SIZE)], ids=["longer", "other", "zeros"])
def test_whole_partial_that_is_another_thing_does_not_serve(place: Path, kept: bytes) -> None:
    partial(place).write_bytes(kept)
    source = Enlace()
    bring(source, place)
    assert source.pedidos == [0]
    assert place.read_bytes() == DATA


def test_partial_complete_when_the_process_died_needs_no_link(place: Path) -> None:
    partial(place).write_bytes(DATA)
    source = Enlace(corta=0)
    bring(source, place)
    assert source.pedidos == []
    assert place.read_bytes() == DATA


def test_other_bytes_from_the_source_are_refused_and_thrown_away(place: Path) -> None:
    forged = DATA[:700_000] + b"\0" + DATA[700_001:]
    with pytest.raises(RedError):
        bring(Enlace(corta=600_000), place)
    source = Enlace(forged)
    with pytest.raises(HashError):
        bring(source, place)
    # What was kept was good and nobody knew: it was asked for from the beginning, and that is what is refused.
    assert source.pedidos == [600_000, 0]
    assert names(place) == []
    bring(Enlace(), place)
    assert place.read_bytes() == DATA


def test_never_more_than_the_signed_bytes(place: Path) -> None:
    with pytest.raises(RedError):
        bring(Enlace(corta=SIZE - 10), place)
    source = Enlace(DATA + bytes(50 * PIECE))
    with pytest.raises(HashError):
        bring(source, place)
    assert source.dados <= 2 * (SIZE + PIECE)
    assert names(place) == []


def test_pace_counts_only_what_is_left(place: Path) -> None:
    with pytest.raises(RedError):
        bring(Enlace(corta=SIZE - 2 * PIECE), place)
    # Two pieces are left: the time of the whole file is not theirs.
    slow = Enlace(segundos=(LOOK_S + SIZE / LEAST_RATE) / 2 - 1)
    with pytest.raises(RedError, match="tarda demasiado"):
        bring(slow, place)
    assert kept_bytes(TARGET, place) == SIZE - PIECE
    bring(Enlace(segundos=LOOK_S - 1), place)
    assert place.read_bytes() == DATA


def test_link_that_gives_nothing_leaves_nothing(place: Path) -> None:
    with pytest.raises(RedError):
        bring(Enlace(corta=0), place)
    assert names(place) == []


def test_a_file_that_is_not_there_leaves_what_was_kept(place: Path, tmp_path: Path) -> None:
    with pytest.raises(RedError):
        bring(Enlace(corta=500), place)
    with pytest.raises(AusenteError):
        download(FolderSource(tmp_path), TARGET, place, ManualClock(INICIO, simulado=False))
    assert kept_bytes(TARGET, place) == 500


def test_usb_stick_pulled_half_way_goes_on_when_it_is_back(place: Path, tmp_path: Path) -> None:
    stick = tmp_path / "usb" / "targets" / "cortes" / "0001"
    stick.mkdir(parents=True)
    (stick / "a.zip").write_bytes(DATA[:400_000])  # what the stick still gave
    source = FolderSource(tmp_path / "usb")
    clock = ManualClock(INICIO, simulado=False)
    with pytest.raises(RedError):
        download(source, TARGET, place, clock)
    assert kept_bytes(TARGET, place) == 400_000
    # Only what had not come is read: what lies before it on the stick is damaged by now, and does not matter.
    (stick / "a.zip").write_bytes(bytes(400_000) + DATA[400_000:])
    download(source, TARGET, place, clock)
    assert place.read_bytes() == DATA


def test_disk_full_while_going_on_gives_its_room_back(place: Path) -> None:
    with disco_chico(place.parent, 600_000) as disk:
        with pytest.raises(RedError):
            bring(Enlace(corta=300_000), place)
        with pytest.raises(DiscoError):
            bring(Enlace(), place)
        assert names(place) == []
        disk.crece(1 << 20)
        bring(Enlace(), place)
        assert place.read_bytes() == DATA


def test_link_in_place_of_the_partial_is_not_followed(place: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secreto"
    secret.write_bytes(b"secreto")
    partial(place).symlink_to(secret)
    with pytest.raises(Exception, match="No se pudo escribir"):
        bring(Enlace(), place)
    assert secret.read_bytes() == b"secreto"
    bring(Enlace(), place)
    assert place.read_bytes() == DATA


def test_names_of_staging() -> None:
    assert kept_sha256(TARGET.sha256) == kept_sha256(TARGET.sha256 + PARCIAL) == TARGET.sha256
    for other in ("ajeno", TARGET.sha256[1:], TARGET.sha256 + ".zip", f"{TARGET.sha256}{PARCIAL}{PARCIAL}"):
        assert kept_sha256(other) is None


def test_skipped_gives_what_follows_wherever_the_pieces_end() -> None:
    pieces = [b"abc", b"", b"de", b"f"]
    for desde in range(8):
        assert b"".join(skipped(iter(pieces), desde)) == b"abcdef"[desde:]
