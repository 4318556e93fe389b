"""One process at a time per workspace."""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import TYPE_CHECKING

from pregon.base.errors import InstanciaError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold ``path`` as an advisory lock until the block ends; the kernel frees it if the process dies.

    Raises:
        InstanciaError: another process holds it.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise InstanciaError(
                f"Otro proceso de Pregón está usando {path.parent} (candado {path.name}).",
                intacto="No se cambió nada.",
                que_hacer="Espere a que termine, o deténgalo antes de repetir la orden.",
            ) from exc
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(descriptor)
