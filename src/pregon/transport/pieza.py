"""One file of a repository on its way: what the carriers that write it themselves (SFTP, SCP) know of it."""

from __future__ import annotations

import contextlib
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pregon.base.errors import RedError
from pregon.base.hashing import sha256_bytes
from pregon.base.razones import razon

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pregon.transport.destino import Envio

TIMESTAMP = "metadata/timestamp.json"
"""The only file of a repository whose content changes under the same name (design §2)."""

_MARK = 8


@dataclass(frozen=True)
class Pieza:
    """A file as it was when its delivery began.

    ``largo`` in bytes; ``hora_ns``: modification time, nanoseconds since 1970.
    """

    ruta: str
    path: Path
    largo: int
    hora_ns: int

    @property
    def hora(self) -> int:
        """Modification time in whole seconds, which is what SFTP version 3 and scp carry."""
        return self.hora_ns // 1_000_000_000

    @property
    def marca(self) -> str:
        """Eight hexadecimal digits of this very content: same path, length and time to the nanosecond.

        What is half sent carries it in its name, so that nobody continues one content with the rest of another.
        """
        return sha256_bytes(f"{self.largo} {self.hora_ns} {self.ruta}".encode())[:_MARK]

    @contextlib.contextmanager
    def lector(self) -> Iterator[Callable[[int, int], bytes]]:
        """Open it; ``read(size, offset)`` gives exactly ``size`` bytes.

        Raises:
            RedError: it is not there, cannot be read, or is shorter than it was.
        """
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as exc:
            raise _failed(self.path, razon(exc)) from exc
        try:

            def read(size: int, offset: int) -> bytes:
                try:
                    data = os.pread(descriptor, size, offset)
                except OSError as exc:
                    raise _failed(self.path, razon(exc)) from exc
                if len(data) != size:
                    raise _failed(self.path, "mide menos que al comenzar")
                return data

            yield read
        finally:
            os.close(descriptor)


def pieces(envio: Envio) -> tuple[tuple[Pieza, ...], ...]:
    """The files of each step as they are now; a path that is named twice goes once, the first time.

    Raises:
        RedError: one is not there, or is not a regular file.
    """
    seen: set[str] = set()
    steps: list[tuple[Pieza, ...]] = []
    for rutas in envio.pasos:
        step: list[Pieza] = []
        for ruta in rutas:
            if ruta in seen:
                continue
            seen.add(ruta)
            path = envio.repositorio / ruta
            try:
                status = path.lstat()
            except OSError as exc:
                raise _failed(path, razon(exc)) from exc
            if not stat.S_ISREG(status.st_mode):
                raise _failed(path, "no es un archivo normal")
            step.append(Pieza(ruta, path, status.st_size, status.st_mtime_ns))
        steps.append(tuple(step))
    return tuple(steps)


def _failed(path: Path, reason: str | None) -> RedError:
    return RedError(
        f"No se pudo leer {path} del repositorio: {reason}.",
        intacto="El destino conserva completo lo que ya tenía.",
        que_hacer="Repita la entrega cuando nadie más escriba en el repositorio.",
    )
