"""SHA-256 of bytes and files, in the one spelling used everywhere: 64 lower-case hexadecimal digits."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from io import FileIO
    from pathlib import Path

CHUNK = 1 << 20
"""Bytes read at a time from a file or a stream."""


def sha256_bytes(data: bytes) -> str:
    """SHA-256 of ``data``."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """SHA-256 of the file's content, read in chunks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def open_regular(path: Path) -> FileIO:
    """Open a file that a stranger may have swapped: never through a link, never waiting for a pipe.

    Raises:
        OSError: it is not there, it is a link, or it is not a regular file.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    file = os.fdopen(descriptor, "rb", buffering=0)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "no es un archivo normal", str(path))
    return file


def grupos(digest: str) -> str:
    """A digest in groups of four digits, as people read and compare it: 16 groups for a SHA-256."""
    return " ".join(digest[n : n + 4] for n in range(0, len(digest), 4))
