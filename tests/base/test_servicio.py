"""What a service tells its supervisor, over real sockets; and that nobody listening changes nothing."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from pregon.base.clock import ManualClock, SystemClock
from pregon.base.servicio import PER_LIMIT, Latido, Supervisor
from pregon.cli.registro import Diario, to_journal
from tests.trust.conftest import INICIO

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=["path", "abstract"])
def listening(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    name = str(tmp_path / "avisos") if request.param == "path" else f"@pregon-{os.getpid()}-{tmp_path.name}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind("\0" + name[1:] if name.startswith("@") else name)
        server.settimeout(5)
        yield name, server


def test_messages_reach_both_kinds_of_socket(listening: tuple[str, socket.socket]) -> None:
    name, server = listening
    boss = Supervisor.of_environment({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "3000000"})
    assert boss == Supervisor(name, 3.0)
    boss.ready("Público:\n corte 1")
    assert server.recv(4096) == "READY=1\nSTATUS=Público: corte 1".encode(), "one line, whatever it was given"
    boss.reloading(SystemClock())
    kind, when = server.recv(4096).decode().split("\n")
    assert kind == "RELOADING=1"
    assert abs(int(when.removeprefix("MONOTONIC_USEC=")) - time.monotonic() * 1e6) < 5e6
    boss.stopping()
    assert server.recv(4096).startswith(b"STOPPING=1\n")


@pytest.mark.parametrize("address", ["", "@", "relativa", "vsock:2:1234", "/no/está"])
def test_nobody_there_changes_nothing(address: str) -> None:
    boss = Supervisor.of_environment({"NOTIFY_SOCKET": address})
    assert boss.tell("READY=1") is False


def test_a_supervisor_that_does_not_read_does_not_hold_the_service(listening: tuple[str, socket.socket]) -> None:
    boss = Supervisor(listening[0])
    start = time.monotonic()
    sent = 0
    while boss.tell("STATUS=" + "x" * 4000):
        sent += 1
        assert time.monotonic() - start < 60
    assert sent > 0
    assert time.monotonic() - start < 20


@pytest.mark.parametrize(
    ("environment", "limit"),
    [
        ({"WATCHDOG_USEC": "1500000"}, 1.5),
        ({"WATCHDOG_USEC": "1500000", "WATCHDOG_PID": "77"}, 1.5),
        ({"WATCHDOG_USEC": "1500000", "WATCHDOG_PID": "78"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "mucho"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_is_ours_or_it_is_not(environment: dict[str, str], limit: float | None) -> None:
    assert Supervisor.of_environment({"NOTIFY_SOCKET": "/x", **environment}, pid=77).limite_s == limit


def test_signs_are_given_four_in_each_limit_and_only_after_the_start(listening: tuple[str, socket.socket]) -> None:
    clock = ManualClock(INICIO)
    latido = Latido(Supervisor(listening[0], 8.0), clock)
    latido.late()
    with latido:
        for _ in range(32):
            latido.late()
            clock.sleep(0.5)
    latido.late()
    Supervisor(listening[0]).tell("FIN")
    told = list(iter(lambda: listening[1].recv(100), b"FIN"))
    assert told == [b"WATCHDOG=1"] * int(16 / 8 * PER_LIMIT)


def test_alone_and_hung_the_process_ends_and_says_where() -> None:
    program = (
        "import time; from pregon.base.clock import SystemClock; from pregon.base.servicio import Latido, Supervisor\n"
        "def colgada(): time.sleep(60)\n"
        "with Latido(Supervisor(), SystemClock(), limite_s=0.5): colgada()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert "in colgada" in done.stderr


def test_a_large_block_is_the_systems_own_whatever_was_freed_before() -> None:
    program = (
        "import ctypes, re, sys; from pathlib import Path; from pregon.base.servicio import return_large_blocks\n"
        "def heap():\n"
        "    first, last = re.search(r'(\\w+)-(\\w+) .*\\[heap\\]', Path('/proc/self/maps').read_text()).groups()\n"
        "    return int(last, 16) - int(first, 16)\n"
        "if 'con' in sys.argv: assert return_large_blocks()\n"
        "bytes(20 << 20)\n"  # By itself glibc keeps, from now on, what is smaller than this.
        "before = heap(); large = bytes(8 << 20); print(heap() - before >> 20)"
    )
    grown = [
        int(subprocess.run([sys.executable, "-c", program, *more], capture_output=True, check=True, timeout=30).stdout)
        for more in ([], ["con"])
    ]
    assert grown == [8, 0]


def test_each_line_of_the_log_has_its_priority_for_journald() -> None:
    with pytest.raises(ValueError, match="invalid") as told:
        int("a\nb")
    error = (told.type, told.value, told.tb)
    record = logging.LogRecord("pregon", logging.ERROR, "", 0, "falló %s", ("x",), error)
    lines = Diario().format(record).splitlines()
    assert lines[0] == "<3>falló x"
    assert all(line.startswith("<3>") for line in lines)
    levels = [(logging.WARNING, "<4>"), (logging.INFO, "<6>"), (logging.DEBUG, "<7>"), (logging.CRITICAL, "<3>")]
    for level, head in levels:
        assert Diario().format(logging.LogRecord("pregon", level, "", 0, "x", (), None)) == f"{head}x"


def test_the_journal_is_known_by_its_own_device_and_inode(tmp_path: Path) -> None:
    with (tmp_path / "diario").open("w") as stream:
        status = os.fstat(stream.fileno())
        assert to_journal(stream, {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"})
        assert not to_journal(stream, {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino + 1}"})
        assert not to_journal(stream, {})
