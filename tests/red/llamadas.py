"""What a real process asks of the system, by strace: recorded call by call, or refused. No pytest here."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pregon.base import procesos

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

CAMBIAN = (
    "openat", "open", "creat", "write", "pwrite64", "writev", "pwritev", "pwritev2", "rename", "renameat", "renameat2",
    "link", "linkat", "symlink", "symlinkat", "unlink", "unlinkat", "mkdir", "mkdirat", "rmdir", "ftruncate",
    "truncate", "fallocate", "fchmod", "fchmodat", "chmod", "utimensat", "sendfile", "copy_file_range", "splice",
)  # fmt: skip
SINCRONIZAN = ("fsync", "fdatasync", "syncfs", "sync")
NACEN = ("clone", "clone3", "fork", "vfork")
ESCRIBEN = (
    "write", "pwrite64", "mkdir", "rename", "link", "linkat", "symlink", "unlink", "fsync", "fdatasync", "syncfs",
    "ftruncate", "fchmod", "utimensat",
)  # fmt: skip
"""The calls by which Pregón and SQLite change a disk; ``openat`` apart, which also reads."""

_LINE = re.compile(r"(\d+) +(\w+)\((.*)\) += (-?\d+)(?:<[^>]*>)?(?: .*)?$")
_BEGUN = re.compile(r"(\d+) +(\w+)\((.*?),? *<unfinished \.\.\.>$")
_ENDED = re.compile(r"(\d+) +<\.\.\. (\w+) resumed>,? ?(.*)\) += (-?\d+)(?:<[^>]*>)?(?: .*)?$")
INSTANTE = re.compile(r"tv_sec=(-?\d+), tv_nsec=(\d+)")
_MOST_BYTES = 1 << 26
_ATTACH_S = 20.0


def orden_grabada(command: Sequence[str | Path], traza: Path) -> list[str]:
    """The command line that runs ``command`` and records in ``traza`` what it asks of the disk."""
    calls = ",".join((*CAMBIAN, *SINCRONIZAN, *NACEN, "lseek"))
    return [
        "strace", "-f", "-qq", "-y", "-xx", "-s", str(_MOST_BYTES), "--seccomp-bpf", "-e", "signal=none",
        "-e", f"trace={calls}", "-o", str(traza), *map(str, command),
    ]  # fmt: skip


def orden_con_falla(
    command: Sequence[str | Path], traza: Path, *, llamada: str, error: str, desde: int, hasta: int | None = None
) -> list[str]:
    """The command line that runs ``command`` with its calls ``llamada`` failing, from number ``desde`` to ``hasta``.

    They are counted from 1 in each thread; None: never again well. ``traza`` says what was refused.
    """
    when = f"{desde}" if hasta == desde else f"{desde}+" if hasta is None else f"{desde}..{hasta}"
    return [
        "strace", "-f", "-qq", "--seccomp-bpf", "-e", "signal=none", "-e", f"trace={llamada}",
        "-e", f"inject={llamada}:error={error}:when={when}", "-o", str(traza), *map(str, command),
    ]  # fmt: skip


@contextlib.contextmanager
def negado(pid: int, error: str, traza: Path) -> Iterator[None]:
    """While the block lasts, every call by which the process ``pid`` would change a disk fails with ``error``.

    What it writes elsewhere, its messages, fails too. At the end ``traza`` has what was refused; all is as before.
    """
    calls = ",".join(ESCRIBEN)
    command = ["strace", "-f", "-p", str(pid), "-e", "signal=none", "-e", f"trace={calls}"]
    command += ["-e", f"inject={calls}:error={error}", "-o", str(traza)]
    tracer = procesos.start(command, output=traza.with_suffix(".salida"))
    try:
        procesos.wait_until(lambda: "attached" in tracer.tail(), tracer, timeout=_ATTACH_S, what="strace")
        yield
    finally:
        tracer.stop()


@dataclass(frozen=True)
class Llamada:
    """One call that ended well: where in the trace it began and ended, of which process, and what it said."""

    empieza: int
    acaba: int
    proceso: int
    nombre: str
    argumentos: tuple[str, ...]
    resultado: int


def leidas(lines: Sequence[str]) -> Iterator[Llamada]:
    begun: dict[str, tuple[int, str]] = {}
    for number, line in enumerate(lines):
        if found := _BEGUN.match(line):
            begun[found[1]] = (number, found[3])
            continue
        first = number
        if found := _ENDED.match(line):
            first, before = begun.pop(found[1])
            arguments = f"{before}, {found[3]}" if before and found[3] else before + found[3]
        elif found := _LINE.match(line):
            arguments = found[3]
        else:
            continue
        if int(found[4]) >= 0:
            yield Llamada(first, number, int(found[1]), found[2], tuple(_split(arguments)), int(found[4]))


def _split(text: str) -> Iterator[str]:
    """The arguments: strings are all in hexadecimal, so a comma inside of one is never seen."""
    depth = start = 0
    for at, char in enumerate(text):
        depth += (char in "[{") - (char in "]}")
        if char == "," and depth == 0:
            yield text[start:at].strip()
            start = at + 1
    yield text[start:].strip()


def texto(argument: str) -> bytes:
    if not argument.startswith('"') or not argument.endswith('"'):
        raise ValueError(f"not a whole string: {argument[:80]}")
    return bytes.fromhex(argument[1:-1].replace("\\x", ""))


def descriptor(argument: str) -> tuple[int | None, bytes]:
    """``5</a/b>``: the number (None for AT_FDCWD) and the path that strace saw behind it."""
    number, _, path = argument.partition("<")
    return (None if number == "AT_FDCWD" else int(number)), bytes.fromhex(path.partition(">")[0].replace("\\x", ""))
