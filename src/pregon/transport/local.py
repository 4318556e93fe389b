"""Folders as carriers: read one as a repository (``FolderSource``), or push one into it (``FolderDestination``).

The folder may be a USB stick, a network mount or a difusor's ``entrada/``, where the sender still holds files open
and may swap any name for a link or a pipe. So reading goes by directory descriptors, follows no link, opens only
regular files, never blocks and never renames, links or changes what is there (design §2).
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import stat
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from pregon.base.clock import SystemClock
from pregon.base.durable import PARCIAL, Disk, disk_failure
from pregon.base.errors import DestinoError, DiscoError, EscrituraError, RedError
from pregon.base.hashing import CHUNK
from pregon.base.razones import razon
from pregon.transport.destino import PART, Entregado, Envio

if TYPE_CHECKING:
    from pregon.base.clock import Clock
    from pregon.transport.caudal import Caudal
    from pregon.transport.lugar import Lugar

MAX_FILE_BYTES = 8 << 30
"""No file of a repository is longer; the verifier's own limits are far below."""

MAX_DEPTH = 8
"""Components that a path of a repository may have."""

MAX_FILES = 200_000
"""Files that one repository may hold when it is delivered."""

LEFTOVER_AGE_S = 86_400.0
"""A half-written file of ours that nobody has touched for so long is removed."""

WHOLE_AGE_S = 600.0
"""The same where the file itself is whole there: only another delivery that is going on now may still want it."""

_TIMESTAMP = PurePosixPath("metadata/timestamp.json")
_KEPT_OUT = frozenset({PART, PARCIAL})
_LEFTOVER = re.compile(r"(?P<name>.+?)(\.[0-9a-f]{8})?\.part(\.parcial)?", re.DOTALL)


class FolderSource:
    """A static repository in a folder of this machine; implements ``trust.origen.RepositorySource``."""

    def __init__(self, folder: Path, *, depth: int = MAX_DEPTH) -> None:
        self._folder = folder
        self._depth = depth

    def stream(self, ruta: str, *, desde: int = 0) -> Iterator[bytes] | None:
        """The file's bytes as they are now, from ``desde`` on, or None where it is not there.

        A file that shrinks or grows while it is read gives what was read: whoever asked checks hash and length.

        Raises:
            RedError: it is not a regular file, a component of the path is a link, or reading failed.
        """
        parts = PurePosixPath(ruta).parts
        if not parts or len(parts) > self._depth or any(part in ("", ".", "..", "/") or "\0" in part for part in parts):
            raise self._refused(ruta, "la ruta no es relativa y simple")
        try:
            descriptor = self._open(parts)
        except FileNotFoundError:
            return None
        except OSError as exc:
            raise self._refused(ruta, _reason(exc)) from exc
        status = os.fstat(descriptor)
        problem = None
        if not stat.S_ISREG(status.st_mode):
            problem = "no es un archivo normal"
        elif status.st_size > MAX_FILE_BYTES:
            problem = f"mide más de {MAX_FILE_BYTES:,} bytes"
        if problem is not None:
            os.close(descriptor)
            raise self._refused(ruta, problem)
        os.lseek(descriptor, desde, os.SEEK_SET)
        return _Chunks(descriptor, self._folder / ruta)

    def _open(self, parts: tuple[str, ...]) -> int:
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for part in parts[:-1]:
                inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
                os.close(folder)
                folder = inner
            # O_NONBLOCK: opening a pipe that nobody writes would wait for ever.
            return os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        finally:
            os.close(folder)

    def _refused(self, ruta: str, reason: str) -> RedError:
        return RedError(
            f"No se pudo leer {ruta!r} en {self._folder}: {reason}.",
            intacto="No se tocó el origen; lo publicado sigue como estaba.",
            que_hacer="Revise la carpeta de origen y quién escribe en ella; se intentará de nuevo en otro ciclo.",
        )


class _Chunks:
    """The chunks of one open file; closes it at the end, on ``close``, and when forgotten."""

    def __init__(self, descriptor: int, path: Path) -> None:
        self._descriptor = descriptor
        self._path = path
        self._left = MAX_FILE_BYTES

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._descriptor < 0:
            raise StopIteration
        try:
            chunk = os.read(self._descriptor, CHUNK)
        except OSError as exc:
            self.close()
            raise RedError(
                f"Se interrumpió la lectura de {self._path}: {razon(exc)}.",
                intacto="Lo publicado sigue como estaba.",
                que_hacer="Revise el disco o el montaje de origen; se intentará de nuevo en el siguiente ciclo.",
            ) from exc
        self._left -= len(chunk)
        if not chunk or self._left < 0:
            self.close()
            raise StopIteration
        return chunk

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    __del__ = close


def _reason(exc: OSError) -> str:
    if exc.errno in (errno.ELOOP, errno.ENOTDIR):
        return "hay un enlace donde debería haber una carpeta o un archivo normal"
    return razon(exc)


class FolderDestination:
    """A folder into which we push; implements ``destino.Destination``.

    Each file is written under a name of its own and then renamed, so that two deliveries at once never write into the
    same file. Sent whole or not at all: what a copy cut half way left is removed by a later delivery.
    """

    def __init__(self, lugar: Lugar, *, folder: Path, clock: Clock, disk: Disk | None = None) -> None:
        """``lugar`` of scheme ``file``; its path is relative to the workspace ``folder``."""
        self._destino = folder / lugar.ruta
        self._clock = clock
        self._disk = disk or Disk()

    def deliver(self, envio: Envio, caudal: Caudal) -> Entregado:
        """As ``Destination``.

        Raises:
            DestinoError: the folder is not there or cannot be written; what it had is whole, without the new timestamp.
            RedError: the repository itself cannot be read.
        """
        if not self._destino.is_dir():
            # A stick that is not there: making its folder would fill our own disk and deliver nothing.
            raise DestinoError(
                f"La carpeta de destino {self._destino} no está.",
                intacto="No se escribió nada.",
                que_hacer="Conecte la memoria o monte la carpeta (o créela, si es nueva) y repita la entrega.",
            )
        return _push(envio, self._destino, self._disk, _paced(caudal, self._clock))


def whole_repository(repositorio: Path) -> Envio:
    """Everything of a repository, in the three steps of design §2: targets, metadata, timestamp.

    Raises:
        RedError: it holds more files than a repository may.
    """
    files = sorted(_files(repositorio, PurePosixPath()))
    targets = tuple(str(ruta) for ruta in files if ruta.parts[0] == "targets")
    metadata = tuple(str(ruta) for ruta in files if ruta.parts[0] == "metadata" and ruta != _TIMESTAMP)
    last = tuple(str(ruta) for ruta in files if ruta == _TIMESTAMP)
    return Envio(repositorio, (targets, metadata, last))


def deliver(repositorio: Path, destino: Path, disk: Disk) -> int:
    """Copy what is missing or changed from ``repositorio`` to the folder ``destino``, and say how many files.

    Raises: as ``FolderDestination.deliver``.
    """
    return _push(whole_repository(repositorio), destino, disk, lambda chunks: chunks).archivos


_Pace = Callable[[Iterator[bytes]], Iterator[bytes]]


def _paced(caudal: Caudal, clock: Clock) -> _Pace:
    def paced(chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            clock.sleep(caudal.reserve(len(chunk)))
            yield chunk

    return paced


def _push(envio: Envio, destino: Path, disk: Disk, pace: _Pace) -> Entregado:
    sent = size = 0
    try:
        _remove_leftovers(envio, destino, disk)
        for step in envio.pasos:
            for ruta in map(PurePosixPath, step):
                if not _same(envio.repositorio / ruta, destino / ruta, by_content=ruta.parts[0] == "metadata"):
                    size += _push_one(envio.repositorio, destino, ruta, disk, pace)
                    sent += 1
    except (EscrituraError, DiscoError) as exc:
        raise DestinoError(
            f"El destino {destino} no recibe los archivos: {exc.que_paso}",
            intacto="El destino conserva el corte anterior completo: la marca de terminado va al final.",
            que_hacer="Revise espacio y permisos del destino y repita la entrega.",
        ) from exc
    except FileNotFoundError as exc:
        raise _vanished(Path(exc.filename)) from exc
    return Entregado(sent, size)


def _push_one(repositorio: Path, destino: Path, ruta: PurePosixPath, disk: Disk, pace: _Pace) -> int:
    source, target = repositorio / ruta, destino / ruta
    chunks = FolderSource(repositorio).stream(str(ruta))
    if chunks is None:
        raise _vanished(source)
    status = source.stat()
    disk.make_folder(target.parent)
    part = target.with_name(f"{target.name}.{secrets.token_hex(4)}{PART}")
    try:
        disk.write(part, pace(chunks))
        try:
            os.utime(part, ns=(status.st_mtime_ns, status.st_mtime_ns))
        except OSError as exc:
            disk_failure(exc, part)
        disk.replace(part, target)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
    return status.st_size


def _vanished(source: Path) -> RedError:
    return RedError(
        f"El archivo {source} desapareció durante la entrega.",
        intacto="El destino conserva el corte anterior completo.",
        que_hacer="Repita la entrega cuando nadie más escriba en el repositorio.",
    )


def _remove_leftovers(envio: Envio, destino: Path, disk: Disk) -> None:
    """Remove what deliveries of these files left half done there, once nobody can still be writing it."""
    named: dict[PurePosixPath, set[str]] = {}
    for ruta in (PurePosixPath(text) for step in envio.pasos for text in step):
        named.setdefault(ruta.parent, set()).add(ruta.name)
    now = SystemClock().now().timestamp()  # What the system stamps on files is its own time, whatever ours is.
    for folder, names in named.items():
        try:
            entries = list(os.scandir(destino / folder))
        except OSError:
            continue
        for entry in entries:
            left = _LEFTOVER.fullmatch(entry.name)
            if left is None or left["name"] not in names or not entry.is_file(follow_symlinks=False):
                continue
            whole = (destino / folder / left["name"]).is_file()
            with contextlib.suppress(FileNotFoundError):  # The other delivery has just finished it.
                if now - entry.stat(follow_symlinks=False).st_mtime > (WHOLE_AGE_S if whole else LEFTOVER_AGE_S):
                    disk.remove_tree(destino / folder / entry.name)


def _same(source: Path, target: Path, *, by_content: bool) -> bool:
    """Whether the target needs no copy. Targets never change once signed: size and time say it, as rsync does."""
    try:
        theirs = target.lstat()
    except OSError:
        return False
    ours = source.stat()
    if not stat.S_ISREG(theirs.st_mode) or ours.st_size != theirs.st_size:
        return False
    return source.read_bytes() == target.read_bytes() if by_content else ours.st_mtime_ns == theirs.st_mtime_ns


def _files(folder: Path, prefix: PurePosixPath) -> Iterator[PurePosixPath]:
    pending = [prefix / name for name in ("targets", "metadata")]
    seen = 0
    while pending:
        here = pending.pop()
        try:
            entries = list(os.scandir(folder / here))
        except FileNotFoundError:
            continue
        for entry in entries:
            ruta = here / entry.name
            if entry.is_dir(follow_symlinks=False):
                pending.append(ruta)
            elif entry.is_file(follow_symlinks=False) and ruta.suffix not in _KEPT_OUT:
                seen += 1
                if seen > MAX_FILES:
                    raise RedError(
                        f"El repositorio {folder} tiene más de {MAX_FILES:,} archivos.",
                        intacto="No se entregó nada.",
                        que_hacer="Revise que la ruta sea la del repositorio y no otra carpeta.",
                    )
                yield ruta
