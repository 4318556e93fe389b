"""A folder shown through FUSE by a process of its own, whose reads can be held or slowed: a disk of the network.

``python colgado.py SOURCE MOUNT CONTROL``. While the file CONTROL says «cuelga» a read of a file does not return; a
number in it is seconds that each read takes; empty or absent, it is a folder as any other. Only reading.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mfusepy  # type: ignore[import-untyped]

from pregon.base.procesos import capture, start, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

READY_S = 20.0
LOOK_S = 0.02
MOST_S = 15.0
"""No read is held longer: nobody, not even SIGKILL, ends a process that waits for one."""


class Lento(mfusepy.Operations):  # type: ignore[misc]
    """Passes on to ``source``, when ``control`` lets it."""

    use_ns = True

    def __init__(self, source: Path, control: Path) -> None:
        self._source = source
        self._control = control

    def _at(self, path: str) -> str:
        return str(self._source / path.lstrip("/"))

    def _said(self) -> str:
        with contextlib.suppress(FileNotFoundError):
            return self._control.read_text()
        return ""

    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
        del fh
        status = os.lstat(self._at(path))
        names = ("st_atime_ns", "st_ctime_ns", "st_mtime_ns")
        others = ("st_gid", "st_mode", "st_nlink", "st_size", "st_uid", "st_ino")
        return {name.removesuffix("_ns"): getattr(status, name) for name in names} | {
            name: getattr(status, name) for name in others
        }

    def readdir(self, path: str, fh: int) -> list[str]:
        del fh
        return [".", "..", *os.listdir(self._at(path))]  # noqa: PTH208

    def open(self, path: str, flags: int) -> int:
        return os.open(self._at(path), flags)

    def release(self, path: str, fh: int) -> int:
        del path
        os.close(fh)
        return 0

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        del path
        end = time.monotonic() + MOST_S
        while (said := self._said()) == "cuelga" and time.monotonic() < end:
            time.sleep(LOOK_S)
        if said not in ("", "cuelga"):
            time.sleep(float(said))
        return os.pread(fh, size, offset)


@contextlib.contextmanager
def mostrada(source: Path, folder: Path) -> Iterator[tuple[Path, Path]]:
    """Show ``source`` at ``folder/montada``; gives that path and the control's. Ends with the block, held or not."""
    mount, control = folder / "montada", folder / "control"
    mount.mkdir()
    process = start([sys.executable, __file__, source, mount, control], output=folder / "colgado.txt")
    try:
        wait_until(lambda: os.path.ismount(mount), process, timeout=READY_S, what="La carpeta lenta")
        yield mount, control
    finally:
        control.unlink(missing_ok=True)
        process.kill()  # Whoever waits in a read is told that the folder is gone.
        capture(["umount", "-l", mount], timeout=10)


if __name__ == "__main__":
    origin, place, word = (Path(argument) for argument in sys.argv[1:4])
    mfusepy.FUSE(Lento(origin, word), str(place), foreground=True, nothreads=True, ro=True, direct_io=True)
