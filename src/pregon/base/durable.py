"""Every durable change of ours goes through a ``Disk``: files whole or not at all, folders synced, one pointer.

A single file: temporary file beside the target, fsync, ``os.replace``, fsync of the folder. A release: write
everything, one ``syncfs``, then the pointer (design §3). Tests pass a ``Disk`` that records each step and kills the
process before or after it: recovery on start is a normal path.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import functools
import os
import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from pregon.base.errors import DiscoError, EscrituraError
from pregon.base.razones import razon

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PARCIAL = ".parcial"
"""Suffix of a file being written; a file with it is never content and recovery removes it."""


_NO_LINK = (errno.EMLINK, errno.EXDEV, errno.EPERM, errno.ENOTSUP)
_NOTHING = contextlib.nullcontext()
_START_WRITING = 2
"""``SYNC_FILE_RANGE_WRITE`` of Linux: begin, and do not wait."""
_WORTH_STARTING = 1 << 16
"""Bytes of a file from which it is worth while to have it written while others are being made."""
_START_EVERY = 4 << 20
"""The same of a long file while it is being made."""


class Disk:
    """The durable operations of the house. Stateless; every method either did all of it or raises.

    Foreign ``OSError`` becomes ``DiscoError`` (no space) or ``EscrituraError`` (anything else).
    """

    def step(self, name: str, path: Path) -> contextlib.AbstractContextManager[None]:
        """Called around each operation with its name and target: the seam for recording and for killing in tests."""
        del name, path
        return contextlib.nullcontext()

    @property
    def heard(self) -> bool:
        """Whether somebody hears each ``step``: then no other process may do part of the work."""
        return type(self).step is not Disk.step

    def _around(self, name: str, path: str) -> contextlib.AbstractContextManager[None]:
        # Around the many: a Path is not made, some hundred thousand times a cut, for a seam that nobody uses.
        return self.step(name, Path(path)) if self.heard else _NOTHING

    def write(self, path: Path, data: bytes | Iterable[bytes], *, mode: int = 0o644) -> None:
        """Replace ``path`` by ``data``: whole and durable, or as it was before."""
        with self.step("write", path), _mapped(path):
            temporary = path.with_name(path.name + PARCIAL)
            chunks = (data,) if isinstance(data, bytes) else data
            try:
                descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
                with os.fdopen(descriptor, "wb") as file:
                    for chunk in chunks:
                        file.write(chunk)
                    os.fchmod(file.fileno(), mode)
                    file.flush()
                    os.fsync(file.fileno())
                temporary.replace(path)
            except BaseException:
                with contextlib.suppress(OSError):
                    temporary.unlink()
                raise
            _sync_folder(path.parent)

    def create(
        self, path: Path, data: bytes | Iterable[bytes], *, mode: int = 0o644, mtime_ns: int | None = None
    ) -> None:
        """Put ``data`` at ``path`` whole or not at all, durable only after the next ``sync_filesystem``.

        For the many files of one cut: one sync for all of them. ``mtime_ns`` sets the modification time. What an
        iterable raises while it is read leaves nothing behind.
        """
        with self.step("create", path), _mapped(path):
            temporary = path.with_name(path.name + PARCIAL)
            chunks = (data,) if isinstance(data, bytes) else data
            try:
                descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
                waiting = 0
                with os.fdopen(descriptor, "wb") as file:
                    for chunk in chunks:
                        file.write(chunk)
                        waiting += len(chunk)
                        if waiting >= _START_EVERY:
                            # The disk writes while we make what follows: the sync at the end finds it there.
                            _libc().sync_file_range(file.fileno(), 0, 0, _START_WRITING)
                            waiting = 0
                    file.flush()
                    if mtime_ns is not None:
                        os.utime(file.fileno(), ns=(mtime_ns, mtime_ns))
                    os.fchmod(file.fileno(), mode)
                temporary.replace(path)
            except BaseException:
                with contextlib.suppress(OSError):
                    temporary.unlink()
                raise

    def create_new(self, path: str, data: bytes, *, mode: int = 0o644, mtime_ns: int) -> bool:
        """``create`` for what is small, already verified, and in a place where length tells half a file from a whole.

        One write under its own name, without a temporary one; False, and nothing done, where something has that name.
        A process killed meanwhile leaves it shorter than ``data``: who reads the folder must know the length.
        """
        with self._around("create", path):
            try:
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
                descriptor = os.open(path, flags, mode)
            except FileExistsError:
                return False
            except OSError as exc:
                disk_failure(exc, path)
            try:
                written = os.write(descriptor, data)
                while written < len(data):
                    written += os.write(descriptor, memoryview(data)[written:])
                os.utime(descriptor, ns=(mtime_ns, mtime_ns))
                if os.fstat(descriptor).st_mode & 0o777 != mode:  # the umask of who started us
                    os.fchmod(descriptor, mode)
                if len(data) >= _WORTH_STARTING:
                    _libc().sync_file_range(descriptor, 0, 0, _START_WRITING)
            except BaseException as exc:
                with contextlib.suppress(OSError):
                    Path(path).unlink()
                if isinstance(exc, OSError):
                    disk_failure(exc, path)
                raise
            finally:
                os.close(descriptor)
        return True

    def link(self, source: Path | str, target: Path | str) -> None:
        """Make ``target`` another name of the file ``source``, replacing in one step what was there.

        Where the file system refuses (too many links, another device) ``target`` becomes a copy with the same
        bytes, mode and modification time. Durable only after the next ``sync_filesystem``.
        """
        with self._around("link", os.fspath(target)):
            try:
                os.link(source, target, follow_symlinks=False)
            except FileExistsError:
                with _mapped(target):
                    _link_over(Path(source), Path(target))
            except OSError as exc:
                with _mapped(target):
                    if exc.errno not in _NO_LINK:
                        raise
                    _copy(Path(source), Path(target))

    def link_new(self, source: str, target: str) -> bool:
        """``link`` where ``source`` is there and ``target`` is not; whether it was so. Asks nothing beforehand."""
        with self._around("link", target):
            try:
                os.link(source, target, follow_symlinks=False)
            except (FileNotFoundError, FileExistsError):
                return False
            except OSError as exc:
                with _mapped(target):
                    if exc.errno not in _NO_LINK:
                        raise
                    _copy(Path(source), Path(target))
        return True

    def replace(self, source: Path, target: Path) -> None:
        """Rename ``source`` over ``target`` and sync the target's folder. Both on one file system."""
        with self.step("replace", target), _mapped(target):
            source.replace(target)
            _sync_folder(target.parent)

    def symlink(self, path: Path, target: str) -> None:
        """Make ``path`` a symbolic link to ``target``, replacing in one step what was there."""
        with self.step("symlink", path), _mapped(path):
            temporary = path.with_name(path.name + PARCIAL)
            with contextlib.suppress(FileNotFoundError):
                temporary.unlink()
            temporary.symlink_to(target)
            temporary.replace(path)
            _sync_folder(path.parent)

    @contextlib.contextmanager
    def writing(self, path: Path) -> Iterator[None]:
        """Have everything written so far on the file system of ``path`` go to the disk during the block.

        So that a ``sync_filesystem`` soon after finds little left to do; it is that one that makes things durable. What
        fails here is raised at the end of the block: the system tells it once.
        """
        failed: list[DiscoError | EscrituraError] = []

        def run() -> None:
            try:
                self._sync(path)
            except (DiscoError, EscrituraError) as exc:
                failed.append(exc)

        thread = threading.Thread(target=run, name="sync")
        thread.start()
        try:
            yield
        finally:
            thread.join()
        if failed:
            raise failed[0]

    def make_folder(self, path: Path, *, mode: int = 0o755) -> None:
        """Create ``path`` and its parents; existing ones stay as they are."""
        with self.step("make_folder", path), _mapped(path):
            path.mkdir(mode=mode, parents=True, exist_ok=True)

    def remove_tree(self, path: Path) -> None:
        """Remove ``path`` and everything under it; nothing there is fine. Never follows links."""
        with self.step("remove_tree", path), _mapped(path):
            if path.is_symlink() or path.is_file():
                path.unlink(missing_ok=True)
            elif path.exists():
                shutil.rmtree(path)

    def sync_filesystem(self, path: Path) -> None:
        """One ``syncfs`` of the file system that holds ``path``: everything written before is on disk after."""
        with self.step("sync_filesystem", path):
            self._sync(path)

    @staticmethod
    def _sync(path: Path) -> None:
        with _mapped(path):
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
            try:
                if _libc().syncfs(descriptor) != 0:
                    number = ctypes.get_errno()
                    raise OSError(number, os.strerror(number), str(path))
            finally:
                os.close(descriptor)


@functools.cache
def _libc() -> ctypes.CDLL:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.sync_file_range.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)
    return libc


def _link_over(source: Path, target: Path) -> None:
    temporary = target.with_name(target.name + PARCIAL)
    try:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
        try:
            os.link(source, temporary, follow_symlinks=False)
        except OSError as exc:
            if exc.errno not in _NO_LINK:
                raise
            _copy(source, temporary)
        temporary.replace(target)
    finally:
        # rename(2) between two names of one file does nothing and leaves both.
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()


def _copy(source: Path, target: Path) -> None:
    shutil.copy2(source, target, follow_symlinks=False)


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _mapped(path: Path | str) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        disk_failure(exc, path)


def disk_failure(exc: OSError, path: Path | str) -> NoReturn:
    """Raise our error for an ``OSError`` met while writing ``path``."""
    if exc.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
        raise DiscoError(
            f"No se pudo escribir en {path}: {razon(exc)}",
            intacto="Lo publicado sigue como estaba; lo que se estaba escribiendo no se tomó en cuenta.",
            que_hacer="Libere espacio (o revise el disco) y repita la orden.",
        ) from exc
    raise EscrituraError(
        f"No se pudo escribir en {path}: {razon(exc)}",
        intacto="Lo publicado sigue como estaba.",
        que_hacer="Revise que la carpeta exista y que este usuario pueda escribir en ella.",
    ) from exc
