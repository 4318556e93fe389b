"""The disk of a service that is watched: each write says that the work goes on, and a stop is heard in the middle."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pregon.base.durable import Disk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from threading import Event

    from pregon.base.clock import Clock

Late = Callable[[], None]
"""Called each time that something advanced. It may raise ``Detenida``."""

GRACIA_S = 20.0
"""How long a pass may go on after it was asked to end: most end by themselves, and their end is the cleanest."""


def quieto() -> None:
    """A ``Late`` for whoever has nobody to tell."""


class Detenida(SystemExit):
    """The pass was cut because the service must end now.

    Not a failure of the pass, so it is no ``PregonError``: as for any SystemExit, what was coming over the network is
    kept (``trust.descarga``) and what was half made is taken away.
    """


class Progreso:
    """Tells ``late`` of each step forward; once ``stop`` has been set for ``GRACIA_S``, raises ``Detenida`` there."""

    def __init__(self, late: Late, stop: Event, clock: Clock, *, gracia_s: float = GRACIA_S) -> None:
        self._late = late
        self._stop = stop
        self._clock = clock
        self._grace = gracia_s
        self._asked: float | None = None

    def __call__(self) -> None:
        self._late()
        if not self._stop.is_set():
            return
        now = self._clock.monotonic()
        if self._asked is None:
            self._asked = now
        elif now - self._asked > self._grace:
            raise Detenida


class DiscoAtento(Disk):
    """A disk that calls ``late`` at each operation, and with each piece of what is written in pieces."""

    def __init__(self, late: Late) -> None:
        self._late = late

    def write(self, path: Path, data: bytes | Iterable[bytes], *, mode: int = 0o644) -> None:
        super().write(path, self._heard(data), mode=mode)

    def create(
        self, path: Path, data: bytes | Iterable[bytes], *, mode: int = 0o644, mtime_ns: int | None = None
    ) -> None:
        super().create(path, self._heard(data), mode=mode, mtime_ns=mtime_ns)

    def create_new(self, path: str, data: bytes, *, mode: int = 0o644, mtime_ns: int) -> bool:
        self._late()
        return super().create_new(path, data, mode=mode, mtime_ns=mtime_ns)

    def link(self, source: Path | str, target: Path | str) -> None:
        self._late()
        super().link(source, target)

    def link_new(self, source: str, target: str) -> bool:
        self._late()
        return super().link_new(source, target)

    def sync_filesystem(self, path: Path) -> None:
        self._late()
        super().sync_filesystem(path)

    def remove_tree(self, path: Path) -> None:
        self._late()
        super().remove_tree(path)

    def _heard(self, data: bytes | Iterable[bytes]) -> bytes | Iterable[bytes]:
        self._late()
        return data if isinstance(data, bytes) else self._pieces(data)

    def _pieces(self, data: Iterable[bytes]) -> Iterator[bytes]:
        for piece in data:
            self._late()
            yield piece
