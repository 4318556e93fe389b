"""One process at a time per workspace."""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from pregon.base.errors import InstanciaError

if TYPE_CHECKING:
    from collections.abc import Iterator

LOOK_S = 0.01
"""Between two tries of one who waits for its turn; real seconds."""


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
        # For whoever looks at it: on a full disk the lock is held all the same.
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def turn(path: Path, *, seconds: float) -> Iterator[None]:
    """As ``exclusive``, waiting for it ``seconds`` at most: for what every holder keeps for a moment only.

    Raises:
        InstanciaError: another process, or another thread of this one, holds it all that time.
    """
    pause = threading.Event()
    with contextlib.ExitStack() as stack:
        for left in range(max(0, round(seconds / LOOK_S)), -1, -1):
            try:
                stack.enter_context(exclusive(path))
                break
            except InstanciaError:
                if left == 0:
                    raise
                pause.wait(LOOK_S)
        yield


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """As ``exclusive``, also where this very process holds ``path`` already.

    Raises:
        InstanciaError: another process holds it.
    """
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(exclusive(path))
        except InstanciaError:
            if not _open_here(path):
                raise
        yield


def _open_here(path: Path) -> bool:
    """Whether this process has the file open. By descriptor, because process numbers repeat among containers."""
    wanted = path.stat()
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            if os.path.samestat(os.fstat(int(descriptor.name)), wanted):
                return True
    return False
