"""Bench of the folder: a USB stick or a mount, which has no link; its cut is the stick pulled out."""

from __future__ import annotations

import errno
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pregon.base.clock import SystemClock
from pregon.base.durable import Disk
from pregon.transport.destino import PART
from pregon.transport.local import FolderDestination
from pregon.transport.lugar import Lugar
from tests.red.bancos import BancoBase

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from pregon.transport.destino import Destination

SLICE = 1 << 16
"""Bytes of one piece, or fewer: the stick is pulled out in the middle of a file, wherever it is asked."""


@dataclass
class Ranura:
    """The socket where the stick is. Counts what is written on it."""

    carpeta: Path
    subidos: int = 0
    bajados: int = 0
    _budget: int | None = None
    _bytes_s: int | None = None
    _clock: SystemClock = field(default_factory=SystemClock)

    def corta_tras(self, n: int) -> None:
        self._budget = n

    def cierra(self) -> None:
        """Nothing is mounted there any more."""
        self._out.parent.mkdir(exist_ok=True)
        shutil.move(self.carpeta, self._out)

    def abre(self) -> None:
        self._budget = None
        if self._out.exists():
            shutil.rmtree(self.carpeta, ignore_errors=True)
            shutil.move(self._out, self.carpeta)

    def calla(self) -> None:
        raise NotImplementedError

    def calla_tras(self, n: int) -> None:
        raise NotImplementedError

    def ritmo(self, bytes_s: int | None) -> None:
        self._bytes_s = bytes_s

    @property
    def _out(self) -> Path:
        return self.carpeta.parent / "fuera" / self.carpeta.name

    def passing(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The pieces, counted; fails as a disk that is gone when the stick is pulled out."""
        for chunk in chunks:
            for start in range(0, len(chunk), SLICE):
                piece = chunk[start : start + SLICE]
                if self._budget is not None:
                    piece = piece[: self._budget]
                    self._budget -= len(piece)
                self.subidos += len(piece)
                yield piece
                if self._budget == 0:
                    raise OSError(errno.EIO, "la memoria ya no está")
                if self._bytes_s is not None:
                    self._clock.sleep(len(piece) / self._bytes_s)


class _Stick(Disk):
    def __init__(self, ranura: Ranura) -> None:
        self._ranura = ranura

    def write(self, path: Path, data: bytes | Iterable[bytes], *, mode: int = 0o644) -> None:
        super().write(path, self._ranura.passing((data,) if isinstance(data, bytes) else data), mode=mode)


class Banco(BancoBase):
    """A folder of this machine."""

    nombre = "carpeta"
    reanuda = False
    calla_de_red = False

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.carpeta = folder / "usb"
        self.carpeta.mkdir()
        self.enlace = self._ranura = Ranura(self.carpeta)

    def destino(self, **changes: Any) -> Destination:
        changes.pop("stall_s", None)
        changes.pop("connect_s", None)
        disk = _Stick(self._ranura)
        return FolderDestination(
            Lugar(url=str(self.carpeta)), folder=self.folder, clock=SystemClock(), disk=disk, **changes
        )

    def sobra(self, ruta: str) -> str:
        return f"{ruta}.0a1b2c3d{PART}"
