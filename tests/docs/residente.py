"""``pregon`` without its start: one process holds the program in memory and a fork of it does each order.

Run as ``python -m tests.docs.residente FOLDER``. An order is a folder whose path is written to ``FOLDER/cola``: its
file ``orden`` has the working folder and the arguments, ended by NUL; the answer is in ``salida``, ``error`` and, last,
in the fifo ``fin``, the exit status. ``PREGON`` is the program that hands one over: guides call it as ``pregon``.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PREGON = """#!/bin/bash
aqui={folder}
d=$(mktemp -d "$aqui/o.XXXXXX")
mkfifo "$d/fin"
printf '%s\\0' "$PWD" "$@" > "$d/orden"
echo "$d" > "$aqui/cola"
read -r estado < "$d/fin"
cat "$d/salida"
cat "$d/error" >&2
exit "$estado"
"""
ROOT = Path(__file__).resolve().parents[2]
DE_ANTEMANO = (
    "pregon.cli.app",
    "pregon.instituto.build",
    "pregon.instituto.entrega",
    "pregon.difusor.inicia",
    "pregon.difusor.receive",
    "pregon.difusor.report",
    "pregon.prep.synthetic.noche",
    "asyncssh",
    "duckdb",
)
"""What most orders import; none of it starts a thread, so that a fork is whole."""


@contextlib.contextmanager
def residiendo(folder: Path) -> Iterator[dict[str, str]]:
    """The resident of a new folder while the block lasts: the environment in which ``pregon`` is handed to it."""
    from pregon.base.procesos import running, wait_until

    folder.mkdir()
    program = folder / "pregon"
    program.write_text(PREGON.format(folder=folder), encoding="utf-8")
    program.chmod(0o755)
    order = [sys.executable, "-m", "tests.docs.residente", str(folder)]
    with running(order, output=folder / "residente.txt", folder=ROOT) as holder:
        wait_until((folder / "cola").exists, holder, timeout=60, what="el residente no empezó")
        yield {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}


def main() -> None:
    """Do orders until it is ended."""
    for name in DE_ANTEMANO:
        importlib.import_module(name)
    folder = Path(sys.argv[1])
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    queue = folder / "cola"
    os.mkfifo(queue)
    with os.fdopen(os.open(queue, os.O_RDWR), encoding="utf-8") as orders:  # also a writer, so that it never ends
        for line in orders:
            if os.fork() == 0:
                _do(Path(line.strip()))


def _do(folder: Path) -> None:
    """One order, in its own process."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    place, *words = (folder / "orden").read_text(encoding="utf-8").rstrip("\0").split("\0")
    os.chdir(place)
    for number, name in ((1, "salida"), (2, "error")):
        file = os.open(folder / name, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o644)
        os.dup2(file, number)
    sys.argv = ["pregon", *words]
    status = 0
    try:
        from pregon.cli.app import main as pregon

        pregon()
    except SystemExit as exc:
        status = exc.code if isinstance(exc.code, int) else 1
    except BaseException:  # noqa: BLE001 - what Python itself does at its end: it tells, and the status is 1
        traceback.print_exc()
        status = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        (folder / "fin").write_text(f"{status}\n", encoding="utf-8")
        os._exit(0)


if __name__ == "__main__":
    main()
