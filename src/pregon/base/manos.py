"""The same work over many parts by this process and another one: for work that is calls of the system and little else.

Threads of one interpreter wait for each other at every such call: two of them take as long as one (``hilos`` is for
work that waits, or that computes outside the interpreter). The other process is started early, with what it needs
imported, so it is ready when there is work; it is a new one and not a copy, for who starts it may have threads.

Both take the numbers of the parts from one pipe until it is empty. Whatever goes wrong in the other process, this one
does its parts again and is who tells of it: the hand makes things quicker and decides nothing. It ends with its parent.
"""

from __future__ import annotations

import gc
import importlib
import os
import pickle
import sys
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from pregon.base.errors import EntradaError
from pregon.base.procesos import ends_with_parent, start_python

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Self

PARTES = 2000
"""Most parts of one work: their numbers fit in the smallest pipe that Linux gives, of 4,096 bytes."""
_NUMBER = 2
"""Bytes of the number of a part in the pipe: whole ones are written, and whole ones taken."""


class Mano:
    """Another process that waits for its half. A context manager: it is ended on the way out."""

    def __init__(self, modulo: str) -> None:
        """Start it; ``modulo`` is the one whose function the work will be, imported meanwhile.

        Raises:
            EntradaError: it cannot be started.
            OSError: no descriptors are left.
        """
        self._job = os.memfd_create("mano")
        self._open = [self._job]
        self._take, self._give = os.pipe()
        self._open += (self._take, self._give)
        try:
            self._process = start_python("pregon.base.manos", modulo, os.getpid(), descriptors=(self._job, self._take))
        except BaseException:
            self._close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._close()

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self) -> None:
        """End it at once, whatever it is doing: what it wrote may be taken back when this returns."""
        self._process.kill()

    def _close(self) -> None:
        while self._open:
            os.close(self._open.pop())

    def share(
        self, begin: Callable[[Any], Callable[[int], object]], job: object, parts: int, work: Callable[[int], object]
    ) -> None:
        """Do the parts 0 to ``parts`` - 1, each once; returns when all are done. Once in the life of a hand.

        Args:
            begin: a function of a module, called there once with ``job``: gives what does a part by its number.
            job: travels by pickle.
            parts: at most ``PARTES``.
            work: the same here.

        Raises:
            Exception: what ``work`` raises of the first part that fails: what this process alone would raise.
        """
        with open(self._job, "wb", closefd=False) as file:
            pickle.dump((begin, job), file, pickle.HIGHEST_PROTOCOL)
        os.write(self._give, b"".join(number.to_bytes(_NUMBER, "little") for number in range(parts)))
        os.close(self._open.pop())  # of ``_give``: the pipe is empty once its numbers are taken
        done = set()
        for number in _taken(self._take):
            try:
                work(number)
            except Exception:
                self._process.kill()
                for earlier in range(number):
                    if earlier not in done:
                        work(earlier)
                raise
            done.add(number)
        if self._process.wait(None) != 0:
            for number in range(parts):
                if number not in done:
                    work(number)


@contextmanager
def another(modulo: str, *, wanted: bool) -> Iterator[Mano | None]:
    """A hand while the block lasts; None where it is not wanted or cannot be had: nothing needs it."""
    with ExitStack() as stack:
        mano = None
        if wanted:
            with suppress(OSError, EntradaError):
                mano = stack.enter_context(Mano(modulo))
        yield mano


def in_parts(
    mano: Mano | None,
    begin: Callable[[Any], Callable[[int], object]],
    job: object,
    parts: int,
    work: Callable[[int], object],
) -> None:
    """``Mano.share`` where there is one; else each part here, in order."""
    if mano is not None:
        mano.share(begin, job, parts, work)
        return
    for number in range(parts):
        work(number)


def _taken(descriptor: int) -> Iterator[int]:
    while number := os.read(descriptor, _NUMBER):
        yield int.from_bytes(number, "little")


def main() -> None:
    """The other process: ``python -m pregon.base.manos MODULE PARENT JOB PARTS``, the last two descriptors."""
    modulo, parent, job, parts = sys.argv[1], *map(int, sys.argv[2:])
    ends_with_parent(parent)
    gc.disable()  # a short life, and no cycles worth looking for
    importlib.import_module(modulo)
    work: Callable[[int], object] | None = None
    for number in _taken(parts):
        if work is None:
            with open(job, "rb") as file:  # noqa: PTH123 (a descriptor)
                file.seek(0)
                begin, what = pickle.load(file)  # noqa: S301 (our parent wrote it)
            work = begin(what)
        work(number)


if __name__ == "__main__":
    main()
