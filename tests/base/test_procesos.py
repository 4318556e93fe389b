"""What a child is given, what it sees of us and how much it may write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pregon.base.procesos import start

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_child_reads_what_it_is_fed(tmp_path: Path) -> None:
    child = start(["cat"], output=tmp_path / "salida", feeds=True)
    assert child.returncode() is None
    child.feed(b"uno\0dos\0")
    assert child.wait(None) == 0
    assert (tmp_path / "salida").read_bytes() == b"uno\0dos\0"
    child.feed(b"tarde")  # it ended: no error
    assert child.stop() == 0


def test_feeding_a_child_that_reads_nothing_does_not_fail(tmp_path: Path) -> None:
    child = start(["true"], output=tmp_path / "salida", feeds=True)
    assert child.wait(10) == 0
    child.feed(b"x" * 1_000_000)
    assert child.stop() == 0


def test_environment_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", "/un/agente")
    for inherits in (True, False):
        output = tmp_path / str(inherits)
        child = start(["/usr/bin/env"], output=output, environment={"LC_ALL": "C"}, inherits=inherits)
        assert child.wait(10) == 0
        assert ("SSH_AUTH_SOCK" in output.read_text(encoding="utf-8")) is inherits
        assert "LC_ALL=C\n" in output.read_text(encoding="utf-8")


def test_child_writes_no_file_over_its_limit(tmp_path: Path) -> None:
    command = ["sh", "-c", "read siga; head -c 100000 /dev/zero > largo"]
    child = start(command, output=tmp_path / "salida", folder=tmp_path, feeds=True, file_limit=4096)
    child.feed(b"siga\n")
    assert child.wait(10) != 0
    assert (tmp_path / "largo").stat().st_size == 4096
