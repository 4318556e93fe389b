"""Servers that never finish: every byte that comes would begin a new wait, so the whole exchange has a limit."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from pregon.base.clock import SystemClock
from pregon.base.errors import RedError
from pregon.paquete.contenido import review_files
from pregon.paquete.manifest import FileEntry
from pregon.sonda.probe import Limits, probe
from pregon.transport.web import WebSource

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMIT_S = 0.4
DRIP_S = 0.02
MOST_S = 5.0
"""Far below what the server would go on for, far above what a loaded machine adds."""

ANSWERS = {
    "cabeceras": (b"HTTP/1.1 200 OK\r\n", b"X"),
    "sin-largo": (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", b"x"),
    "con-largo": (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b"x"),
    "nada": (b"", b""),
}
"""What the server says at once, and the byte that it then drips for ever."""


@pytest.fixture
def dripping() -> Iterator[str]:
    """A real server: one byte every 20 ms, in the headers or in the body, until the client goes away."""
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()
    threads: list[threading.Thread] = []

    def answer(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            first, drop = ANSWERS[connection.recv(4096).split(b" ", 2)[1].decode().strip("/").split("/")[0]]
            connection.sendall(first)
            while not stop.wait(DRIP_S):
                connection.sendall(drop)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threads.append(threading.Thread(target=answer, args=(listener.accept()[0],)))
                threads[-1].start()

    server = threading.Thread(target=accept)
    server.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    stop.set()
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    server.join()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("kind", ["cabeceras", "nada"])
def test_probe_of_headers_that_never_end_is_no_answer(dripping: str, kind: str) -> None:
    clock = SystemClock()
    start = clock.monotonic()
    with pytest.raises(RedError) as refusal:
        probe(dripping + kind, clock=clock, limits=Limits(segundos=LIMIT_S))
    assert clock.monotonic() - start < MOST_S
    assert "no se cambió nada" in refusal.value.intacto


@pytest.mark.parametrize("kind", ["sin-largo", "con-largo"])
def test_probe_of_a_body_that_never_ends_is_not_whole(dripping: str, kind: str) -> None:
    clock = SystemClock()
    start = clock.monotonic()
    answer = probe(dripping + kind, clock=clock, limits=Limits(segundos=LIMIT_S), keep_body=True)
    assert clock.monotonic() - start < MOST_S
    assert (answer.status, answer.completo) == (200, False)
    assert answer.cuerpo is not None
    assert set(answer.cuerpo) <= set(b"x")


@pytest.mark.parametrize("kind", sorted(ANSWERS))
def test_file_of_a_site_that_never_ends_is_the_network(dripping: str, kind: str) -> None:
    clock = SystemClock()
    start = clock.monotonic()
    with WebSource(dripping, clock=clock, archivo_s=LIMIT_S) as source, pytest.raises(RedError) as refusal:
        b"".join(source.stream(kind) or ())
    assert clock.monotonic() - start < MOST_S
    assert "tardó más de 0.4 s" in refusal.value.que_paso
    assert "no prueba que esté alterado" in refusal.value.que_hacer


def test_site_of_many_slow_files_ends_too(dripping: str) -> None:
    """What ``paquete verifica URL`` does with each file of the manifest: none is taken for good, and it ends."""
    clock = SystemClock()
    start = clock.monotonic()
    entries = [FileEntry(f"sin-largo/{n}", 1 << 30, "0" * 64) for n in range(1000)]
    with WebSource(dripping, clock=clock, archivo_s=LIMIT_S / 2, sitio_s=LIMIT_S) as source:
        found = review_files(entries, source.stream)
    assert clock.monotonic() - start < MOST_S
    assert [falla.error.codigo for falla in found.fallas] == ["RED"] * 1000
    assert "anteriores" in found.fallas[-1].error.que_paso
