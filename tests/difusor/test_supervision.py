"""The supervisor: the web server comes back, takes new settings without losing a request, and is handed over.

Real ``pregon difusor sirve`` and Caddy on free ports of this machine.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx2
import pytest

from pregon.base import procesos
from pregon.base.durable import Disk
from pregon.base.errors import AjustesError, ComprobacionError, InstanciaError
from pregon.base.red import free_port
from pregon.difusor.night import real_clock
from pregon.difusor.servidor import supervisor as vigilante
from pregon.difusor.servidor.direccion import DIRECCION
from pregon.difusor.servidor.proceso import find_caddy
from pregon.difusor.servidor.supervisor import SUPERVISION, Supervisor
from pregon.difusor.vigilancia.observa import serves
from pregon.difusor.workspace import open_workspace
from tests.trust.conftest import OFICIAL, other

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pregon.base.procesos import Process
    from tests.difusor.conftest import Escena, EscenaFactory

WAIT_S = 20.0


@pytest.fixture
def published(escena: Escena) -> Escena:
    """One cut, public, at a port of its own."""
    escena.cut(1)
    escena.receiver().run_once()
    set_port(escena, free_port("127.0.0.1"))
    return escena


def set_port(escena: Escena, port: int, more: str = "") -> None:
    toml = escena.workspace.folder / "difusor.toml"
    text = toml.read_text().partition("[servidor]")[0]
    toml.write_text(f"{text}[servidor]\npuerto = {port}\n{more}")


def url_of(escena: Escena) -> str:
    return open_workspace(escena.workspace.folder).settings.servidor.public_url or ""


def until(ready: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + WAIT_S
    while not ready():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def told(escena: Escena) -> dict[str, object]:
    found: dict[str, object] = json.loads((escena.workspace.servidor / SUPERVISION).read_bytes())
    return found


@contextmanager
def sirve(escena: Escena, *more: str | Path) -> Iterator[Process]:
    """``pregon difusor sirve`` until the block ends, from when it says LISTO."""
    output = escena.folder / f"sirve-{time.monotonic_ns()}.txt"
    command = [sys.executable, "-m", "pregon", "difusor", "sirve", escena.workspace.folder, *more]
    with procesos.running(command, output=output) as process:
        procesos.wait_until(lambda: "LISTO" in process.tail(), process, timeout=WAIT_S, what="sirve")
        yield process


def answers(url: str, path: str = "corte.json") -> int:
    try:
        return httpx2.get(url + path, trust_env=False, timeout=2).status_code
    except httpx2.HTTPError:
        return 0


@contextmanager
def supervised(*escenas: Escena) -> Iterator[tuple[Supervisor, list[str]]]:
    """A supervisor in this process, and what it says."""
    said: list[str] = []
    workspaces = [open_workspace(escena.workspace.folder) for escena in escenas]
    server = Supervisor(workspaces, program=find_caddy(), disk=Disk(), clock=real_clock(), port=None, tells=said.append)
    try:
        server.start()
        yield server, said
    finally:
        server.close()


@dataclass
class Lector:
    """Asks without rest over connections that stay open, as browsers do, and counts what was not answered right.

    A request on a connection that was used before, closed without a byte of answer, is sent again once: any client may
    (RFC 9112 §9.3.1) and all browsers do. ``nuevas``: new connections that were closed so; Caddy opens its port anew at
    a reload, and what waited at the one before is lost. Who then asks again must be answered.
    """

    url: str
    good: int = 0
    again: int = 0
    nuevas: int = 0
    bad: list[str] = field(default_factory=list)

    def run(self, stop: threading.Event) -> None:
        where = urlsplit(self.url)
        answered = True
        while not stop.is_set():
            connection = http.client.HTTPConnection(where.hostname or "", where.port or 0, timeout=10)
            with contextlib.closing(connection):
                used = 0
                try:
                    while not stop.is_set():
                        connection.request("GET", "/corte.json")
                        answer = connection.getresponse()
                        body = answer.read()
                        if answer.status != 200 or json.loads(body)["corte"] != 1:
                            self.bad.append(f"{answer.status} {body[:80]!r}")
                        self.good += 1
                        used += 1
                        answered = True
                        if answer.will_close:
                            break
                except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError) as exc:
                    if not used:
                        self.nuevas += 1
                        if not answered:
                            self.bad.append(repr(exc))
                        answered = False
                    self.again += 1
                except (OSError, http.client.HTTPException) as exc:
                    self.bad.append(repr(exc))


def test_reload_under_load_goes_on_answering(published: Escena) -> None:
    """Five reloads with changed settings while four readers ask; a download that lasts longer than the reload ends."""
    port = urlsplit(url_of(published)).port or 0
    stop = threading.Event()
    readers = [Lector(url_of(published)) for _ in range(4)]
    with supervised(published) as (server, said):
        pid = server.pid
        threads = [threading.Thread(target=reader.run, args=(stop,)) for reader in readers]
        for thread in threads:
            thread.start()
        try:
            for turn in range(5):
                set_port(published, port, f'nombres = ["localhost", "n{turn}.ejemplo.mx", "127.0.0.1"]\n')
                assert server.reload(), said
                before = [reader.good for reader in readers]
                until(lambda b=before: all(r.good > n + 20 for r, n in zip(readers, b, strict=True)), "sin lecturas")  # type: ignore[misc]
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        assert server.pid == pid
    assert [reader.bad for reader in readers] == [[], [], [], []]
    assert sum(reader.good for reader in readers) > 400
    assert sum(reader.again for reader in readers) <= 5 * len(readers)  # at most once for each reload
    assert sum(reader.nuevas for reader in readers) <= 5  # of all of them


def test_slow_download_goes_on_through_a_reload(published: Escena) -> None:
    release = published.workspace.cortes / "0001"
    (release / "base.zip").write_bytes(os.urandom(24 << 20))
    with supervised(published) as (server, said):
        where = urlsplit(server.urls[0])
        connection = http.client.HTTPConnection(where.hostname or "", where.port or 0, timeout=10)
        connection.request("GET", "/base.zip")
        answer = connection.getresponse()
        got = len(answer.read(1 << 20))
        assert server.reload(), said
        time.sleep(3.5)  # longer than the server waits for its old connections before it goes on without them
        got += len(answer.read())
        connection.close()
    assert got == 24 << 20


def watch_until(server: Supervisor, ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not ready():
        assert time.monotonic() < deadline
        server.watch(0.02)


def test_changed_settings_are_taken_by_themselves_and_wrong_ones_leave_the_old(
    published: Escena, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vigilante, "LOOK_S", 0.05)
    toml = published.workspace.folder / "difusor.toml"
    with supervised(published) as (server, said):
        old, first, good = url_of(published), server.pid, toml.read_text()
        caddyfile = published.workspace.servidor / "Caddyfile"
        before = caddyfile.read_bytes()
        for wrong in (good + "clave_que_no_hay = 1\n", good.replace("puerto = ", "puerto = -")):
            said.clear()
            toml.write_text(wrong)
            watch_until(server, lambda: bool(said))
            assert "No se aplicaron" in said[0]
            assert answers(old) == 200
            assert told(published)["suceso"] == "rechazado"
        # What only Caddy can know: a port that is taken.
        with contextlib.closing(busy()) as taken:
            said.clear()
            set_port(published, taken.getsockname()[1])
            watch_until(server, lambda: bool(said))
            assert "no admitió los ajustes" in said[0]
            assert answers(old) == 200
            assert caddyfile.read_bytes() == before
            # And what is started again after that is the old one.
            os.kill(server.pid, signal.SIGKILL)
            watch_until(server, lambda: answers(old) == 200)
            first = server.pid
        set_port(published, free_port("127.0.0.1"))
        new = url_of(published)
        watch_until(server, lambda: server.urls == (new,))
        assert answers(new) == 200
        assert answers(old) == 0
        assert (published.workspace.servidor / "direccion").read_text() == f"{new}\n"
        assert server.pid == first


def busy() -> socket.socket:
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    return taken


def told_pid(process: Process) -> int:
    """The web server that is a child of that ``sirve``."""
    (pid,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
    return int(pid)


def test_sighup_reloads_and_the_list_adds_and_removes_convocatorias(
    published: Escena, escena_factory: EscenaFactory
) -> None:
    second = escena_factory("segunda", identity=other(OFICIAL, convocatoria="otra-2027"))
    second.receiver()
    port = urlsplit(url_of(published)).port or 0
    set_port(second, port, 'base = "/otra/"\n')
    lista = published.folder / "lista.txt"
    lista.write_text("# ninguna más\n")
    with sirve(published, "--lista", lista) as process:
        url = url_of(published)
        assert answers(url, "otra/") == 404
        lista.write_text(f"{second.workspace.folder}\n")
        os.kill(process.pid, signal.SIGHUP)
        until(lambda: answers(url, "otra/") == 200, "no se añadió")
        direccion = second.workspace.servidor / "direccion"
        until(lambda: direccion.exists() and direccion.read_text() == f"{url}otra/\n", "no se anotó dónde")
        lista.write_text("")
        os.kill(process.pid, signal.SIGHUP)
        until(lambda: answers(url, "otra/") == 404, "no se quitó")
        until(lambda: not direccion.exists(), "sigue anotado")
        assert answers(url) == 200


def test_dead_server_comes_back_at_once_and_it_is_told(published: Escena) -> None:
    with sirve(published) as process:
        url = url_of(published)
        for turn in (1, 2):
            pid = told_pid(process)
            os.kill(pid, signal.SIGKILL)
            until(lambda n=turn: told(published)["reinicios"] == n, "no volvió")  # type: ignore[misc]
            until(lambda: answers(url) == 200, "no sirve")
            assert told_pid(process) != pid
        assert told(published)["suceso"] == "reinicio"
        assert "terminó por su cuenta" in process.output.read_text()
    assert answers(url) == 0


def test_server_that_cannot_live_is_given_up_after_some_deaths(
    published: Escena, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vigilante, "FIRST_WAIT_S", 0.01)
    monkeypatch.setattr(vigilante, "LONGEST_WAIT_S", 0.02)
    with supervised(published) as (server, said):
        # Somebody else takes its port while it is down: every start ends at once.
        os.kill(server.pid, signal.SIGKILL)
        server.watch(5)
        where = urlsplit(server.urls[0])
        with contextlib.closing(socket.socket()) as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind((where.hostname, where.port))
            taken.listen()
            with pytest.raises(ComprobacionError, match="veces seguidas"):
                watch_until(server, lambda: False)
        assert len([text for text in said if "terminó por su cuenta" in text]) == vigilante.MAX_DEATHS
    assert (published.workspace.cortes / "0001" / "corte.json").is_file()


def test_server_left_behind_is_adopted_without_a_gap(published: Escena) -> None:
    """``sirve`` is killed with -9; its Caddy goes on, the next one takes it with its process and its connections."""
    with sirve(published) as process:
        pid, url = told_pid(process), url_of(published)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(5)
    with httpx2.Client(trust_env=False) as client:
        assert client.get(url + "corte.json").status_code == 200
        with supervised(published) as (server, said):
            assert server.pid == pid
            assert "adoptó" in said[0]
            assert client.get(url + "corte.json").status_code == 200
            # It is watched like its own: dead, it comes back.
            os.kill(pid, signal.SIGKILL)
            server.watch(5)
            server.watch(0)
            assert server.pid not in (0, pid)
            until(lambda: answers(url) == 200, "no volvió")
    assert answers(url) == 0


def test_second_sirve_is_refused_and_the_first_keeps_its_address(published: Escena) -> None:
    """Without its address the watch would say that nobody serves, and ``estado`` no longer where."""
    with supervised(published) as (server, _):
        with pytest.raises(InstanciaError), supervised(published):
            pass
        assert (published.workspace.servidor / DIRECCION).read_text() == f"{url_of(published)}\n"
        assert server.urls == (url_of(published),)
        assert serves(published.workspace) is True
    assert not (published.workspace.servidor / DIRECCION).exists()


def test_wrong_settings_do_not_take_a_server_left_behind_from_its_place(published: Escena) -> None:
    with sirve(published) as process:
        pid, url = told_pid(process), url_of(published)
        os.kill(process.pid, signal.SIGUSR1)
        assert process.wait(10) == 0
    try:
        assert answers(url) == 200
        assert told(published)["suceso"] == "entregado"
        with contextlib.closing(busy()) as taken:
            set_port(published, taken.getsockname()[1])
            with pytest.raises(ComprobacionError, match="no admitió"), supervised(published):
                pass
        assert answers(url) == 200
        toml = published.workspace.folder / "difusor.toml"
        toml.write_text(toml.read_text() + "tls = 'archivo'\n")
        with pytest.raises(AjustesError), supervised(published):
            pass
        assert answers(url) == 200
        os.kill(pid, 0)
    finally:
        set_port(published, urlsplit(url).port or 0)
        with supervised(published) as (server, _):
            assert server.pid == pid
    assert answers(url) == 0
