"""Processes of Python without their start: one holds what they import in memory, and a fork of it is each one.

Nothing of it starts a thread, so that a fork is whole. Each has its own number, group, folder, environment and exit
status, as if it had been started; what is proved of the start itself asks for ``python -m``.
"""

from __future__ import annotations

import atexit
import functools
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DE_ANTEMANO = (
    "pregon.cli.app",
    "pregon.difusor.receive",
    "pregon.instituto.build",
    "pregon.motor.duck",
    "tests.instituto.ceremonias",
    "tests.instituto.muerte",
)
"""Imported before the first of them; each goes on to import what it needs."""


class Vivero:
    """Where they come from. It ends when whoever started it does: its standard input ends then."""

    def __init__(self) -> None:
        paths = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.red.vivero"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": paths},
            start_new_session=True,
        )

    def corre(self, modulo: str, *palabras: str | Path | int, salida: Path, limite: float) -> int:
        """Run ``main`` of a module (``pregon``: the program) to its end; its exit status, negative for a signal.

        What it prints is added to the file ``salida``. Longer than ``limite`` seconds fails.
        """
        order = [modulo, str(salida), str(Path.cwd()), dict(os.environ), [str(word) for word in palabras]]
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()
        if not select.select([self._process.stdout], [], [], limite)[0]:
            self.cierra()
            raise TimeoutError(f"{modulo} {palabras}: {limite:g} s")
        return int(self._process.stdout.readline())

    def cierra(self) -> None:
        """End it, and whatever it is running."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()
        compartido.cache_clear()


@functools.cache
def compartido() -> Vivero:
    """One for every test of this process."""
    made = Vivero()
    atexit.register(lambda: made._process.communicate() if made._process.poll() is None else None)
    return made


def main() -> None:
    """Do one order after the other."""
    for name in DE_ANTEMANO:
        importlib.import_module(name)
    for line in sys.stdin.buffer:
        child = os.fork()
        if child == 0:
            _hija(*json.loads(line))
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _hija(modulo: str, salida: str, carpeta: str, entorno: dict[str, str], palabras: list[str]) -> None:
    status = 1
    try:
        for place, (path, flags) in enumerate(
            ((os.devnull, os.O_RDONLY), *2 * ((salida, os.O_CREAT | os.O_WRONLY | os.O_APPEND),))
        ):
            os.dup2(os.open(path, flags, 0o644), place)
        os.chdir(carpeta)
        os.environ.clear()
        os.environ.update(entorno)
        program = importlib.import_module("pregon.cli.app" if modulo == "pregon" else modulo)
        sys.argv = [modulo, *palabras]
        program.main(*([] if modulo == "pregon" else palabras))
        status = 0
    except SystemExit as exc:
        status = exc.code if isinstance(exc.code, int) else int(exc.code is not None)
    except BaseException:  # noqa: BLE001 - what Python itself does at its end: it tells, and the status is 1
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main()
