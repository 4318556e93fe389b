"""Child processes start and stop only here: own process group, output to a file, ended by their own pid."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from pregon.base.errors import ComprobacionError, EntradaError
from pregon.base.razones import razon

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_KILLED_S = 5.0
_SET_PDEATHSIG = 1
"""``PR_SET_PDEATHSIG`` of Linux."""


class Process:
    """A running child. It dies with ``stop``; ``returncode`` is None while it runs."""

    def __init__(self, popen: subprocess.Popen[bytes], output: Path) -> None:
        self._popen = popen
        self.output = output

    @property
    def pid(self) -> int:
        return self._popen.pid

    def returncode(self) -> int | None:
        """Exit status, or None while the process runs."""
        return self._popen.poll()

    def feed(self, data: bytes) -> None:
        """Give it ``data`` on its standard input, and the end of it; for one started with ``feeds``.

        A child that ended or closed its input before is no error here: its exit status tells.
        """
        if self._popen.stdin is not None and not self._popen.stdin.closed:
            with contextlib.suppress(BrokenPipeError):
                self._popen.stdin.write(data)
            with contextlib.suppress(BrokenPipeError):
                self._popen.stdin.close()

    def ends_within(self, seconds: float) -> bool:
        """Wait up to ``seconds`` for its end, and say whether it came; known at once, not at the next look."""
        if self._popen.poll() is not None:
            return True
        descriptor = os.pidfd_open(self._popen.pid)
        try:
            return ended(descriptor, seconds)
        finally:
            os.close(descriptor)

    def tail(self, size: int = 2000) -> str:
        """The end of what it printed, for an error message."""
        with contextlib.suppress(OSError):
            return self.output.read_bytes()[-size:].decode(errors="replace")
        return ""

    def wait(self, timeout: float | None) -> int:
        """Exit status; ``timeout`` None for a child that has a limit of its own.

        Raises:
            ComprobacionError: it did not end within ``timeout`` seconds; it is still running.
        """
        try:
            return self._popen.wait(timeout)
        except subprocess.TimeoutExpired as exc:
            raise ComprobacionError(
                f"El proceso {self.pid} no terminó en {timeout:g} s.\n{self.tail()}",
                intacto="El proceso sigue corriendo.",
                que_hacer=f"Revise su salida en {self.output}.",
            ) from exc

    def stop(self, *, grace: float = 5.0) -> int:
        """Ask the process to end (SIGTERM); after ``grace`` seconds end its group (SIGKILL). Exit status."""
        self.feed(b"")
        if self._popen.poll() is None:
            self._popen.terminate()
            try:
                self._popen.wait(grace)
            except subprocess.TimeoutExpired:
                self.kill()
        return self._popen.wait()

    def kill(self) -> None:
        """End the process and its group at once (SIGKILL): what a power cut would do to it."""
        self.feed(b"")
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()


def ended(descriptor: int, seconds: float) -> bool:
    """Whether the process of a pid descriptor, ours or another's, ends within ``seconds``."""
    watch = select.poll()
    watch.register(descriptor, select.POLLIN)
    return bool(watch.poll(max(0.0, seconds) * 1000))


class Adopted:
    """A process that another one started, of which only the number is known. It never is a later one of that number."""

    def __init__(self, pid: int) -> None:
        """Watch ``pid``.

        Raises:
            ProcessLookupError: there is no such process.
        """
        self._pid = pid
        self._descriptor = os.pidfd_open(pid)
        self._ended = False

    @property
    def pid(self) -> int:
        return self._pid

    def returncode(self) -> int | None:
        """None while the process runs; then 0, for only its parent is told its status."""
        return 0 if self.ends_within(0) else None

    def ends_within(self, seconds: float) -> bool:
        """Wait up to ``seconds`` for its end, and say whether it came."""
        if not self._ended:
            watch = select.poll()
            watch.register(self._descriptor, select.POLLIN)
            self._ended = bool(watch.poll(max(0.0, seconds) * 1000))
            if self._ended:
                self.release()
        return self._ended

    def stop(self, *, grace: float = 5.0) -> int:
        """Ask the process to end (SIGTERM); after ``grace`` seconds end it (SIGKILL). Always 0."""
        for number, seconds in ((signal.SIGTERM, grace), (signal.SIGKILL, grace)):
            if self.returncode() is None:
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(self._descriptor, number)
                self.ends_within(seconds)
        return 0

    def kill(self) -> None:
        """End it at once (SIGKILL)."""
        if self.returncode() is None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._descriptor, signal.SIGKILL)
            self.ends_within(_KILLED_S)

    def release(self) -> None:
        """Stop watching it; it goes on."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def start(
    command: Sequence[str | Path],
    *,
    output: Path,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    inherits: bool = True,
    feeds: bool = False,
    file_limit: int | None = None,
) -> Process:
    """Start ``command`` in a process group of its own, both outputs appended to the file ``output``.

    ``environment`` is added to ours, or is all there is where not ``inherits``. With ``feeds`` it waits for
    ``Process.feed``. No file that it writes, its output among them, grows over ``file_limit`` bytes.

    Raises:
        EntradaError: the program is not there.
    """
    with output.open("ab") as file:
        try:
            popen = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.PIPE if feeds else subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env={**(os.environ if inherits else {}), **(environment or {})},
                cwd=folder,
                start_new_session=True,
            )
        except OSError as exc:
            raise EntradaError(
                f"No se pudo iniciar {command[0]}: {razon(exc)}",
                intacto="No se cambió nada.",
                que_hacer="Instale el programa (scripts/instala-debian.sh) o revise la ruta.",
            ) from exc
    if file_limit is not None:
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(popen.pid, resource.RLIMIT_FSIZE, (file_limit, file_limit))
    return Process(popen, output)


def start_python(module: str, *arguments: str | int, descriptors: Sequence[int]) -> Process:
    """Start ``python -m module`` with ``arguments`` and then ``descriptors``, which it has open under those numbers.

    For a helper of ours, that prints nothing.

    Raises:
        EntradaError: this Python cannot be started again.
    """
    try:
        popen = subprocess.Popen(
            # -P: what lies in the current folder is never imported.
            [sys.executable, "-P", "-m", module, *map(str, (*arguments, *descriptors))],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=descriptors,
            start_new_session=True,
        )
    except OSError as exc:
        raise EntradaError(
            f"No se pudo iniciar {sys.executable}: {razon(exc)}",
            intacto="No se cambió nada.",
            que_hacer="Revise la instalación de Python.",
        ) from exc
    return Process(popen, Path(os.devnull))


def ends_with_parent(parent: int) -> None:
    """Have the system end this process (SIGKILL) when its parent, ``parent``, ends, in whatever way.

    Raises:
        ProcessLookupError: it ended already.
    """
    ctypes.CDLL(None).prctl(_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        raise ProcessLookupError(parent)


@contextlib.contextmanager
def running(
    command: Sequence[str | Path],
    *,
    output: Path,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Iterator[Process]:
    """``start`` whose process is stopped when the block ends."""
    process = start(command, output=output, environment=environment, folder=folder)
    try:
        yield process
    finally:
        process.stop()


def capture(command: Sequence[str | Path], *, timeout: float, limit: int = 1 << 16, todo: bool = False) -> str | None:
    """What a short-lived program prints, at most ``limit`` bytes; None where it is absent, fails or takes too long.

    ``todo``: its errors too, and also where it fails: for a program that tells its version so, as ``sshd -V``.
    """
    try:
        done = subprocess.run(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if todo else subprocess.DEVNULL,
            timeout=timeout,
            check=not todo,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout[:limit].decode(errors="replace")


def wait_until(ready: Callable[[], bool], process: Process, *, timeout: float, what: str) -> None:
    """Poll ``ready`` until it holds.

    Raises:
        ComprobacionError: the process ended first, or ``timeout`` seconds passed; ``what`` names it.
    """
    deadline = time.monotonic() + timeout
    while not ready():
        status = process.returncode()
        if status is not None or time.monotonic() > deadline:
            reason = f"terminó con estado {status}" if status is not None else f"no respondió en {timeout:g} s"
            raise ComprobacionError(
                f"{what}: {reason}.\n{process.tail()}",
                intacto="Lo publicado sigue como estaba.",
                que_hacer=f"Revise la salida en {process.output}.",
            )
        time.sleep(0.05)


def wait_gone(path: Path, *, timeout: float) -> bool:
    """Wait until ``path`` is no longer there (a socket whose server ends); whether it went within ``timeout``."""
    deadline = time.monotonic() + timeout
    while path.exists():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
