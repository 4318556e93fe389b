"""How often a disk answers: real reads of 4 KiB, at random, of a file that the system's memory does not hold.

GRO-2.3j asks for 400 a second. One reader at a time, as a turning disk is measured: what several would get is more.
"""

from __future__ import annotations

import mmap
import os
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.base.clock import Clock
    from pregon.base.durable import Disk

BLOQUE = 4096
ARCHIVO = 64 << 20
"""Bytes of the file that is read: more than a disk's own memory holds of it, and little to write."""
SEGUNDOS = 2.0
LECTURAS = 20_000
"""So many tell the rate as well as the whole time would: a disk that gives them before it is up is 25 times faster than
the 400 a second of GRO-2.3j."""
NOMBRE = ".revisa-disco"


@dataclass(frozen=True)
class Lectura:
    """``directo``: whether each read came from the disk; if not, the file system allows none, and memory counts."""

    por_segundo: float
    directo: bool


def mide(folder: Path, *, clock: Clock, disk: Disk, segundos: float = SEGUNDOS) -> Lectura:
    """Write a file there, read it at random for so long, and remove it.

    Raises:
        DiscoError, EscrituraError: it does not fit, or cannot be written.
    """
    path = folder / NOMBRE
    try:
        disk.write(path, random.randbytes(ARCHIVO))  # noqa: S311 (filler, so that no layer compresses it)
        return _read(path, clock, segundos)
    finally:
        disk.remove_tree(path)


def _read(path: Path, clock: Clock, segundos: float) -> Lectura:
    direct = True
    try:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECT)
    except OSError:  # tmpfs and some network file systems
        direct, handle = False, os.open(path, os.O_RDONLY)
    try:
        with mmap.mmap(-1, BLOQUE) as page:  # aligned, as a direct read asks for
            places = random.Random(0)  # noqa: S311 (places to read, not secrets)
            done, start = 0, clock.monotonic()
            while (spent := clock.monotonic() - start) < segundos and done < LECTURAS:
                os.preadv(handle, [page], places.randrange(ARCHIVO // BLOQUE) * BLOQUE)
                done += 1
    finally:
        os.close(handle)
    return Lectura(done / spent, direct)
