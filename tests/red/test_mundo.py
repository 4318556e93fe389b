"""The world of namespaces does what its links say, by measuring, and leaves nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.red import mundo as mundos
from tests.red.medidas import datagrams, round_trip_ms, seconds_of
from tests.red.mundo import Liga, Mundo, dos, imposible
from tests.red.relevo import NETNS

if os.environ.get("CI") != "true" and imposible():
    pytest.skip(f"no world can be made here: {imposible()}", allow_module_level=True)


def lost(semilla: int) -> list[int]:
    """Which of a thousand packets do not arrive when one of ten is lost."""
    with dos(Liga(perdida=0.1), semilla=semilla) as (_, a, b, enlace), datagrams(a, b) as (here, there):
        arrived: set[int] = set()
        for number in range(1000):
            here.send(number.to_bytes(2))
            if number % 50 == 49:  # no more at once than the receiver's buffer holds
                wanted = number + 1
                while sum(enlace.cuenta()[0].__dict__[key] for key in ("paquetes", "perdidos")) < wanted:
                    time.sleep(0.001)
                while len(arrived) < enlace.cuenta()[0].paquetes:
                    arrived.add(int.from_bytes(there.recv(100)))
        assert enlace.cuenta()[0].perdidos == 1000 - len(arrived)
        return sorted(set(range(1000)) - arrived)


def test_delay_and_rate() -> None:
    with dos(Liga(ms=80)) as (mundo, a, b, enlace):
        assert 80 <= round_trip_ms(a, b) < 95
        enlace.cambia(ms=0)
        assert round_trip_ms(a, b) < 20
        # The best of some: a busy machine makes it slower and never faster.
        assert min(seconds_of(a, b, 1_000_000) for _ in range(3)) < 0.2
        enlace.cambia(mbps=20)
        shaped = [seconds_of(a, b, 1_000_000) for _ in range(3)]
        # 1448 bytes of each packet of 1500 are content; what a bucket lets pass at once is some kilobytes.
        assert 0.40 < min(shaped) < 0.55, f"{8 / min(shaped):.1f} Mbps"
        there, back = enlace.cuenta()
        assert there.bytes > 2_000_000 > back.bytes > 0
        assert there.perdidos == back.perdidos == 0
        assert mundo.segundos_de_relevo() >= 0


def test_loss_by_seed() -> None:
    first = lost(7)
    assert 50 <= len(first) <= 150  # 100 of 1000; 50 is more than five times its deviation
    assert lost(7) == first
    assert lost(8) != first


def test_cut_cable_and_back() -> None:
    with dos(Liga()) as (_, a, b, enlace), datagrams(a, b) as (here, there):
        there.settimeout(0.2)
        enlace.corta()
        here.send(b"se pierde")
        with pytest.raises(TimeoutError):
            there.recv(100)
        enlace.abre()
        here.send(b"llega")
        assert there.recv(100) == b"llega"


def test_real_program_through_a_third_machine() -> None:
    with Mundo() as mundo:
        a, router, b = mundo.host("instituto"), mundo.host("proveedor"), mundo.host("difusor")
        mundo.une(a, router, Liga(ms=10))
        mundo.une(router, b, Liga(ms=10))
        mundo.camino(a, router, b)
        (mundo.folder / "hola.txt").write_text("hola")
        server = b.corre([sys.executable, "-m", "http.server", "8000", "--bind", b.ip, "--directory", mundo.folder])
        fetch = f"import urllib.request as u; print(u.urlopen('http://{b.ip}:8000/hola.txt', timeout=2).read())"
        client = a.corre([sys.executable, "-c", fetch])
        while client.wait(10) != 0 and server.returncode() is None:  # until it listens
            client = a.corre([sys.executable, "-c", fetch])
        assert "hola" in client.tail()
        assert round_trip_ms(a, b) >= 20
        assert server.returncode() is None
        outside = subprocess.run([sys.executable, "-c", fetch], capture_output=True, check=False, timeout=20)
        assert outside.returncode != 0, "the address of a machine of the world is reached from outside"
    assert server.returncode() is not None


def test_nothing_is_left_after_a_failure() -> None:
    before = set(NETNS.iterdir()) if NETNS.is_dir() else set()
    made: list[Path] = []
    pids: list[int] = []

    def fail() -> None:
        with dos(Liga(mbps=1)) as (mundo, a, _, _):
            made.extend(NETNS / host.namespace for host in (a,))
            made.append(mundo.folder)
            # It leaves a child in another session, that its own group does not reach.
            pids.append(a.corre(["sh", "-c", "setsid sleep 600 & sleep 600"]).pid)
            assert all(path.exists() for path in made)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not [path for path in made if path.exists()]
    assert not Path(f"/proc/{pids[0]}").exists()
    assert {path for path in NETNS.iterdir() if str(os.getpid()) in path.name} <= before


def test_what_a_killed_process_left_is_removed_by_the_next() -> None:
    code = (
        "from tests.red.mundo import *; import os, signal\n"
        "w = Mundo().__enter__(); h = w.host('a'); p = h.corre(['sleep', '600'])\n"
        "print(h.namespace, p.pid, w.folder, flush=True)\n"
        "while Path(f'/proc/{p.pid}/comm').read_text() != 'sleep\\n': pass\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=False, timeout=60, text=True, cwd=mundos.ROOT
    )
    assert done.stdout, done.stderr
    namespace, pid, folder = done.stdout.split()
    assert (NETNS / namespace).exists()
    mundos.sweep()
    assert not (NETNS / namespace).exists()
    assert not Path(folder).exists()
    deadline = time.monotonic() + 5
    while Path(f"/proc/{pid}/ns/net").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    status = Path(f"/proc/{pid}/stat")
    assert not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z"
