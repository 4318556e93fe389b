"""The relay on loopback does to a link what the tests of the carriers believe."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from tests.red.enlace import Enlace

if TYPE_CHECKING:
    from collections.abc import Iterator

ANSWER = b"fin"


class Sumidero:
    """A server that reads everything, then answers; knows how each connection ended and what it read."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.puerto: int = self._listener.getsockname()[1]
        self.recibido: list[bytes] = []
        self.fin: list[str] = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            connection = self._listener.accept()[0]
            with connection:
                pieces = []
                try:
                    while piece := connection.recv(1 << 16):
                        pieces.append(piece)
                    if pieces == [b"alto"]:
                        return
                    ended = "fin"
                except OSError as exc:
                    ended = type(exc).__name__
                # Noted before the answer: whoever has it finds what was received.
                self.recibido.append(b"".join(pieces))
                self.fin.append(ended)
                if ended == "fin":
                    with suppress(OSError):
                        connection.sendall(ANSWER)

    def close(self) -> None:
        put(self.puerto, b"alto")
        self._thread.join(10)
        self._listener.close()


def put(puerto: int, data: bytes, *, limit: float = 5.0) -> bytes:
    """Send, say that it is all, read the answer."""
    with socket.create_connection(("127.0.0.1", puerto), timeout=limit) as client:
        client.sendall(data)
        with suppress(OSError):  # Whether the reset came before this or comes after, reading tells.
            client.shutdown(socket.SHUT_WR)
        return client.recv(100)


@contextmanager
def linked() -> Iterator[tuple[Sumidero, Enlace]]:
    server = Sumidero()
    try:
        with Enlace("127.0.0.1", server.puerto) as enlace:
            yield server, enlace
    finally:
        server.close()


def test_passes_and_counts_both_ways_and_leaves_nothing() -> None:
    before = threading.active_count()
    with linked() as (server, enlace):
        data = bytes(range(256)) * 4000
        assert put(enlace.puerto, data) == ANSWER
        assert server.recibido == [data]
        assert (enlace.subidos, enlace.bajados, enlace.conexiones) == (len(data), len(ANSWER), 1)
        puerto = enlace.puerto
    assert threading.active_count() == before
    with pytest.raises(ConnectionRefusedError):
        put(puerto, b"x")


@pytest.mark.parametrize("n", [1, 65_536, 123_457])
def test_cut_after_so_many_bytes_and_down_until_opened(n: int) -> None:
    with linked() as (server, enlace):
        enlace.corta_tras(n)
        with pytest.raises(ConnectionResetError):
            put(enlace.puerto, bytes(1_000_000))
        assert (enlace.subidos, enlace.bajados, enlace.cortes) == (n, 0, 1)
        with pytest.raises(ConnectionRefusedError):
            put(enlace.puerto, b"x")
        enlace.abre()
        assert put(enlace.puerto, b"x") == ANSWER
        assert [len(data) for data in server.recibido] == [n, 1]
        assert server.fin == ["ConnectionResetError", "fin"]


def test_refuses_and_keeps_its_port() -> None:
    with linked() as (server, enlace):
        for _ in range(3):
            enlace.cierra()
            with pytest.raises(ConnectionRefusedError):
                put(enlace.puerto, b"x")
            enlace.abre()
            assert put(enlace.puerto, b"x") == ANSWER
        assert len(server.recibido) == 3


def test_silence_loses_nothing() -> None:
    with linked() as (server, enlace):
        enlace.calla()
        with socket.create_connection(("127.0.0.1", enlace.puerto), timeout=0.2) as client:
            client.sendall(b"uno")
            with pytest.raises(TimeoutError):
                client.recv(1)
            assert enlace.subidos == 0
            enlace.abre()
            client.settimeout(5)
            client.shutdown(socket.SHUT_WR)
            assert client.recv(100) == ANSWER
        enlace.calla_tras(100_000)
        with pytest.raises(TimeoutError):
            put(enlace.puerto, bytes(150_000), limit=0.3)
        assert enlace.subidos == 100_003
        enlace.abre()
        assert put(enlace.puerto, b"x") == ANSWER
        assert [len(data) for data in server.recibido] == [3, 150_000, 1]


def test_one_bit_changes_once() -> None:
    with linked() as (server, enlace):
        data = bytes(200_000)
        enlace.altera(150_000)
        put(enlace.puerto, data)
        put(enlace.puerto, data)
        wrong, good = server.recibido
        assert [at for at in range(len(data)) if wrong[at] != data[at]] == [150_000]
        assert good == data


def test_rate_is_kept() -> None:
    with linked() as (_, enlace):
        enlace.ritmo(1_000_000)
        started = time.monotonic()
        put(enlace.puerto, bytes(400_000))
        assert 0.35 < time.monotonic() - started < 2.0
        enlace.ritmo(None)
        started = time.monotonic()
        put(enlace.puerto, bytes(400_000))
        assert time.monotonic() - started < 0.3
