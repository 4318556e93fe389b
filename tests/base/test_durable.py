"""Durable files: whole or as before."""

from __future__ import annotations

import os
import resource
import signal
from typing import TYPE_CHECKING

import pytest

from pregon.base.durable import PARCIAL, Disk
from pregon.base.errors import EscrituraError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def test_write_replaces_whole_and_sets_mode(tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    Disk().write(target, b"uno")
    Disk().write(target, [b"do", b"s"], mode=0o600)
    assert target.read_bytes() == b"dos"
    assert target.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [target]


def test_source_that_fails_midway_leaves_the_old_file_and_no_leftover(tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    target.write_bytes(b"viejo")

    def chunks() -> Iterator[bytes]:
        yield b"nue"
        raise ValueError

    with pytest.raises(ValueError):
        Disk().write(target, chunks())
    assert target.read_bytes() == b"viejo"
    assert list(tmp_path.iterdir()) == [target]


def test_missing_folder_is_an_escritura_error(tmp_path: Path) -> None:
    with pytest.raises(EscrituraError) as caught:
        Disk().write(tmp_path / "no" / "a", b"x")
    assert caught.value.salida == 73
    assert not (tmp_path / "no").exists()


def test_write_does_not_follow_a_planted_partial_link(tmp_path: Path) -> None:
    outside = tmp_path / "fuera"
    outside.write_bytes(b"intacto")
    folder = tmp_path / "dentro"
    folder.mkdir()
    (folder / ("a" + PARCIAL)).symlink_to(outside)
    with pytest.raises(EscrituraError):
        Disk().write(folder / "a", b"x")
    assert outside.read_bytes() == b"intacto"


def test_symlink_is_switched_in_one_step(tmp_path: Path) -> None:
    link = tmp_path / "publico"
    Disk().symlink(link, "cortes/0001")
    Disk().symlink(link, "cortes/0002")
    assert str(link.readlink()) == "cortes/0002"
    assert [p.name for p in tmp_path.iterdir()] == ["publico"]


def test_remove_tree_does_not_follow_links(tmp_path: Path) -> None:
    outside = tmp_path / "fuera"
    outside.mkdir()
    (outside / "x").write_bytes(b"1")
    link = tmp_path / "enlace"
    link.symlink_to(outside)
    Disk().remove_tree(link)
    Disk().remove_tree(tmp_path / "nada")
    assert not link.is_symlink()
    assert (outside / "x").exists()


def test_sync_filesystem_runs(tmp_path: Path) -> None:
    Disk().sync_filesystem(tmp_path)
    with pytest.raises(EscrituraError):
        Disk().sync_filesystem(tmp_path / "no")


def test_a_new_file_has_its_mode_and_time_whatever_the_umask_and_is_not_made_twice(tmp_path: Path) -> None:
    target = tmp_path / "a"
    before = os.umask(0o077)
    try:
        assert Disk().create_new(str(target), b"uno", mode=0o444, mtime_ns=5_000_000_007)
    finally:
        os.umask(before)
    assert target.stat().st_mode & 0o777 == 0o444
    assert target.stat().st_mtime_ns == 5_000_000_007
    assert not Disk().create_new(str(target), b"otro", mode=0o644, mtime_ns=1)
    assert target.read_bytes() == b"uno"
    assert list(tmp_path.iterdir()) == [target]


def test_a_new_file_that_does_not_fit_leaves_nothing(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(EscrituraError):
            Disk().create_new(str(tmp_path / "a"), b"x" * 5000, mtime_ns=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert list(tmp_path.iterdir()) == []


def test_a_new_link_asks_nothing_beforehand_and_replaces_nothing(tmp_path: Path) -> None:
    source, target = tmp_path / "a", tmp_path / "b"
    assert not Disk().link_new(str(source), str(target))
    source.write_bytes(b"uno")
    assert Disk().link_new(str(source), str(target))
    assert target.samefile(source)
    other = tmp_path / "c"
    other.write_bytes(b"otro")
    assert not Disk().link_new(str(source), str(other))
    assert other.read_bytes() == b"otro"


def test_what_fails_while_it_is_written_meanwhile_is_raised_at_the_end(tmp_path: Path) -> None:
    done = []
    with pytest.raises(EscrituraError), Disk().writing(tmp_path / "no"):
        done.append(1)
    assert done == [1]
