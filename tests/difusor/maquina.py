"""A machine of our own in namespaces: its own accounts, ``/etc``, ``/srv``, ``/run``, network and processes.

What ``configura`` prints is run there as it is, as root, on the real paths; nothing of it reaches the machine that runs
the tests, and everything ends with it. Needs root and util-linux; without them it fails, it does not skip.
"""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pregon.base.procesos import capture, start, wait_until
from tests.red import relevo

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from types import TracebackType

    from pregon.base.procesos import Process

READY_S = 20.0
ORDER_S = 30.0
SRC = Path(__file__).resolve().parents[2] / "src"

_BOOT = """
set -eu
mount -t tmpfs -o mode=755 prueba /mnt
cp -a /etc /mnt/etc
rm -rf /mnt/etc/update-motd.d  # what Debian says at each entry takes longer than the entry
mount --bind /mnt/etc /etc
mount -t tmpfs -o mode=755 prueba /srv
mount -t tmpfs -o mode=755 prueba /run
mkdir -p /run/sshd
ip link set lo up
useradd --system --user-group --no-create-home pregon
touch "$1"
exec sleep infinity
"""


class Maquina:
    """One machine; ``with Maquina(folder) as machine``. Only its outputs are in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ready = folder / "lista"
        self._process: Process | None = None
        self._pid = 0
        self._others: list[Process] = []

    def __enter__(self) -> Self:
        command = ["unshare", "--fork", "--kill-child", "--pid", "--mount-proc", "--mount", "--net"]
        process = start(
            [*command, "--propagation", "private", "sh", "-c", _BOOT, "sh", self._ready],
            output=self._folder / "maquina.txt",
        )
        self._process = process
        try:
            wait_until(self._ready.exists, process, timeout=READY_S, what="La máquina de prueba no empezó")
        except BaseException:
            process.kill()
            raise
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii")
        self._pid = int(children.split()[0])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.kill()
        for process in self._others:
            process.stop()

    def sigue(self, command: Sequence[str | Path], *, espera: str) -> None:
        """Start a server on the machine and wait until it answers to the order ``espera``; it ends with the machine."""
        process = start(self.dentro(command), output=self._folder / f"servidor-{len(self._others)}.txt")
        self._others.append(process)
        probe = self.dentro(["sh", "-c", espera])
        wait_until(lambda: capture(probe, timeout=5) is not None, process, timeout=READY_S, what=str(command[0]))

    @property
    def raiz(self) -> Path:
        """Its root folder as seen from here."""
        return Path(f"/proc/{self._pid}/root")

    def ruta(self, path: str) -> Path:
        """A path of the machine as seen from here."""
        return self.raiz / path.lstrip("/")

    def red(self) -> AbstractContextManager[None]:
        """This thread on the machine's network, while the block lasts."""
        return relevo.inside(Path(f"/proc/{self._pid}/ns/net"))

    def dentro(self, command: Sequence[str | Path]) -> list[str]:
        """The command line that runs ``command`` on the machine."""
        return ["nsenter", "-t", str(self._pid), "-m", "-p", "-n", "--", *map(str, command)]

    def junto(self, command: Sequence[str | Path]) -> list[str]:
        """The command line that runs ``command`` with our files and the machine's network: its clients."""
        return ["nsenter", "-t", str(self._pid), "-n", "--", *map(str, command)]

    def ejecuta(self, *command: str | Path, folder: str = "/", text: str | None = None) -> str:
        """Run a program on the machine to its end and give what it printed; fails where it fails."""
        done = subprocess.run(
            self.dentro(["sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", folder, *command]),
            input=text,
            stdin=subprocess.DEVNULL if text is None else None,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=ORDER_S,
            text=True,
            check=False,
            env=os.environ | {"PYTHONPATH": str(SRC)},
        )
        assert done.returncode == 0, f"{command}: {done.stdout}"
        return done.stdout

    def pregon(self, *arguments: str | Path) -> str:
        """What ``pregon`` prints there; fails where it fails."""
        return self.ejecuta(sys.executable, "-m", "pregon", *arguments)

    def huella(self, *tops: str, sin: Sequence[str] = ()) -> dict[str, str]:
        """Every path below ``tops`` with its kind, owner, mode, time and content; ``sin``: trees left out."""
        found: dict[str, str] = {}
        for top in tops:
            found |= huella(self.ruta(top), raiz=self.raiz, sin=sin)
        return found


def huella(top: Path, *, raiz: Path = Path("/"), sin: Sequence[str] = ()) -> dict[str, str]:
    """``Maquina.huella`` of one folder; names count from ``raiz``."""
    found: dict[str, str] = {}
    for folder, folders, files in os.walk(top):
        shown = "/" + str(Path(folder).relative_to(raiz))
        folders[:] = [name for name in folders if f"{shown}/{name}" not in sin]
        for name in [".", *folders, *files]:
            found[f"{shown}/{name}"] = _told(Path(folder, name))
    return found


def _told(path: Path) -> str:
    status = path.lstat()
    content = ""
    if stat.S_ISREG(status.st_mode):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
    elif stat.S_ISLNK(status.st_mode):
        content = str(path.readlink())
    return f"{status.st_mode:o} {status.st_uid}:{status.st_gid} {status.st_mtime_ns} {content}"
