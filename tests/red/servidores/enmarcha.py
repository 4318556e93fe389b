"""A server of the tests while a ``with`` block lasts: started, waited for until it listens, ended by its own pid."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Self

from pregon.base.errors import ComprobacionError
from pregon.base.procesos import start, wait_until
from pregon.base.red import answers_tcp

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType

    from pregon.base.procesos import Process

HOST = "127.0.0.1"
READY_S = 15.0


class EnMarcha:
    """``orden`` is what runs it, ``puertos`` where it listens, ``salida`` the file of what it prints."""

    def __init__(self, orden: Sequence[str | Path], *, puertos: Sequence[int], salida: Path) -> None:
        self._command = tuple(orden)
        self._ports = tuple(puertos)
        self._output = salida
        self._process: Process | None = None

    def __enter__(self) -> Self:
        self._process = start(self._command, output=self._output)
        try:
            wait_until(self._ready, self._process, timeout=READY_S, what=str(self._command[0]))
        except ComprobacionError:
            self._process.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.stop()

    @property
    def pid(self) -> int:
        """Its process id, while it runs."""
        assert self._process is not None
        return self._process.pid

    def _ready(self) -> bool:
        return all(answers_tcp(HOST, port) for port in self._ports)


def programa(nombre: str) -> str:
    """Where a server is: Debian keeps them out of an ordinary user's PATH."""
    return shutil.which(nombre, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin") or nombre
