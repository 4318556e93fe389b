"""SHA-256 of bytes and files, in the one spelling used everywhere: 64 lower-case hexadecimal digits."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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


def grupos(digest: str) -> str:
    """A digest in groups of four digits, as people read and compare it: 16 groups for a SHA-256."""
    return " ".join(digest[n : n + 4] for n in range(0, len(digest), 4))
