"""One deadline for a whole HTTP exchange, whatever it is busy with.

The client's own timeouts are for each wait, and every byte that comes begins a new one: a server that sends a byte a
second, in the headers too, would keep us for ever. Here the connection itself is closed when the time is over.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Plazo:
    """The deadline of the exchanges of one client. Ask with ``extensions=plazo.extensions``, inside ``limit``."""

    def __init__(self) -> None:
        self.vencido = False
        """Whether the last exchange was cut: what ended then is not a whole answer, however it looks."""
        self._stream: Any = None
        self._timer: threading.Timer | None = None

    @property
    def extensions(self) -> dict[str, Any]:
        """What the request must carry, so that its connection is known here."""
        return {"trace": self._trace}

    @contextlib.contextmanager
    def limit(self, segundos: float) -> Iterator[None]:
        """Cut the exchange that happens inside, ``segundos`` of real time from now."""
        self.vencido = False
        if self._timer is not None:
            self._timer.cancel()  # Of an answer that nobody read to its end.
        self._timer = timer = threading.Timer(segundos, self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _trace(self, name: str, info: Mapping[str, Any]) -> None:
        if name in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._stream = info["return_value"]
            if self.vencido:
                self._cut()

    def _cut(self) -> None:
        self.vencido = True
        connection = None if self._stream is None else self._stream.get_extra_info("socket")
        if connection is not None:
            # The plain operation also of a TLS socket, whose own would change it under whoever is reading.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
