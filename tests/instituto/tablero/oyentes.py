"""Many open pages at once: each holds a stream of the board, and every message is told with when it came."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.web.conftest import Visita

LINEA_MAX = 1 << 23


class Oyentes:
    """So many streams of one session, read in a thread of their own."""

    def __init__(self, visita: Visita, ruta: str, cuantos: int) -> None:
        self._host, _, self._port = visita.url.partition("//")[2].strip("/").partition(":")
        self._cookie = "; ".join(f"{name}={value}" for name, value in visita.client.cookies.items())
        self._path = ruta
        self.cuantos = cuantos
        self._came: dict[int, list[tuple[str, float]]] = {place: [] for place in range(cuantos)}
        self._news = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def empieza(self) -> None:
        """Open them all."""
        self._thread.start()

    def termina(self) -> None:
        """Close them all."""
        self._loop.call_soon_threadsafe(lambda: [task.cancel() for task in asyncio.all_tasks(self._loop)])
        self._thread.join(10)
        self._loop.close()

    def espera(self, n: int, segundos: float) -> list[float]:
        """When each of them got its message number ``n`` (from 0), waiting so long for the last one (monotonic)."""
        with self._news:
            assert self._news.wait_for(lambda: all(len(one) > n for one in self._came.values()), segundos), (
                f"{sum(len(one) > n for one in self._came.values())} de {self.cuantos}"
            )
            return [one[n][1] for one in self._came.values()]

    def ids(self) -> list[list[str]]:
        """The ids that each got, in order."""
        with self._news:
            return [[ident for ident, _ in one] for one in self._came.values()]

    def _run(self) -> None:
        async def everybody() -> None:
            await asyncio.gather(*(self._one(place) for place in range(self.cuantos)), return_exceptions=True)

        with contextlib.suppress(asyncio.CancelledError):
            self._loop.run_until_complete(everybody())

    async def _one(self, place: int) -> None:
        reader, writer = await asyncio.open_connection(self._host, int(self._port), limit=LINEA_MAX)
        try:
            writer.write(
                f"GET {self._path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n"
                f"Accept-Encoding: gzip\r\nCookie: {self._cookie}\r\n\r\n".encode()
            )
            while line := await reader.readline():
                if line.startswith(b"id: "):
                    with self._news:
                        self._came[place].append((line[4:].decode().strip(), time.monotonic()))
                        self._news.notify_all()
        finally:
            writer.close()


@contextlib.contextmanager
def escuchan(visita: Visita, ruta: str, cuantos: int) -> Iterator[Oyentes]:
    """So many pages of the session of ``visita``, open while the block lasts."""
    made = Oyentes(visita, ruta, cuantos)
    made.empieza()
    try:
        yield made
    finally:
        made.termina()
