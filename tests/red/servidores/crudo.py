"""A TLS server that says exactly the bytes it is told: the answers that no honest server gives."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

HOST = "127.0.0.1"
DRIP_S = 0.02


class Crudo:
    """Answers each path, whatever its query, with ``respuestas[path]`` and closes.

    Where ``gotea`` has the path too, it drips that after it until the client goes away. ``preguntas`` are the heads of
    the requests, in order. A path that is not there is a 404.
    """

    def __init__(
        self,
        certificado: tuple[Path, Path],
        respuestas: Mapping[str, bytes],
        *,
        gotea: Mapping[str, bytes] | None = None,
    ) -> None:
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(*certificado)
        self.respuestas = dict(respuestas)
        self._drops = dict(gotea or {})
        self.preguntas: list[bytes] = []
        self._listener = socket.create_server((HOST, 0))
        self.puerto: int = self._listener.getsockname()[1]
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    @property
    def url(self) -> str:
        return f"https://{HOST}:{self.puerto}"

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._threads.append(threading.Thread(target=self._answer, args=(self._listener.accept()[0],)))
                self._threads[-1].start()

    def _answer(self, plain: socket.socket) -> None:
        with contextlib.suppress(OSError), self._tls.wrap_socket(plain, server_side=True) as link:
            head = link.recv(8192)
            self.preguntas.append(head)
            path = head.split(b" ", 2)[1].decode().partition("?")[0]
            link.sendall(self.respuestas.get(path, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"))
            while path in self._drops and not self._stop.wait(DRIP_S):
                link.sendall(self._drops[path])
