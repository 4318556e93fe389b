"""A file as it was when it was hashed and was right, and the ways of reading one that a stranger may be changing."""

from __future__ import annotations

import hashlib
import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from pregon.base.hashing import CHUNK, open_regular
from pregon.difusor.objects import MODE

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from pregon.difusor.integridad.reposicion import Pieza, Problema


WRITERS = 0o022
"""Permission bits that nothing public may have."""


class Sello(NamedTuple):
    """A file as it was when it was hashed and was right. Its change time cannot be set back without being root."""

    sha256: str
    gemelo: str
    bytes: int
    mtime_ns: int
    ctime_ns: int
    mode: int

    def holds(self, piece: Pieza, status: os.stat_result) -> bool:
        """Whether a file in that state is this piece, untouched since it was sealed."""
        return (
            self.ctime_ns == status.st_ctime_ns
            and self.mtime_ns == status.st_mtime_ns
            and self.bytes == status.st_size
            and self.mode == status.st_mode
            and self.sha256 == piece.sha256
            and self.gemelo == piece.gemelo
        )


def at_sight(piece: Pieza, status: os.stat_result) -> Problema | None:
    """What is wrong with a file before it is read."""
    if stat.S_ISLNK(status.st_mode):
        return "enlace"
    if not stat.S_ISREG(status.st_mode):
        return "especial"
    if not piece.gemelo and status.st_size != piece.bytes:
        return "tamaño"
    return None if stat.S_IMODE(status.st_mode) == MODE else "permisos"


def file_of(status: os.stat_result) -> tuple[int, int]:
    """Which file a state is of: device and number."""
    return status.st_dev, status.st_ino


def seal(piece: Pieza, status: os.stat_result) -> Sello:
    """The state of a file, told as that of a piece."""
    return Sello(piece.sha256, piece.gemelo, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_mode)


def lstat(path: Path) -> os.stat_result | None:
    """The state of a name, never of what a link leads to; None where it is not there."""
    try:
        return path.lstat()
    except OSError:
        return None


def digest_of(path: Path, status: os.stat_result) -> Generator[int, None, tuple[str | None, os.stat_result | None]]:
    """The SHA-256 of a file and its state after reading it, telling piece by piece how much was read.

    None where it cannot be read, or is longer or shorter than ``status`` says.
    """
    digest = hashlib.sha256()
    left = status.st_size
    try:
        with open_regular(path) as file:
            while left >= 0 and (chunk := file.read(CHUNK)):
                left -= len(chunk)
                digest.update(chunk)
                yield len(chunk)
            after = os.fstat(file.fileno())
    except OSError:
        return None, None
    return (digest.hexdigest() if left == 0 else None), after


def sha256_of(path: Path) -> str | None:
    """The SHA-256 of a regular file, or None."""
    try:
        with open_regular(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def holds(path: Path, content: bytes) -> bool:
    """Whether a page of ours is a regular file with exactly that content, which only we may write."""
    try:
        with open_regular(path) as file:
            mode = os.fstat(file.fileno()).st_mode
            return not mode & WRITERS and file.read(len(content) + 1) == content
    except OSError:
        return False
