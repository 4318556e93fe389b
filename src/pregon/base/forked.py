"""An object that lives in a forked process: its methods are called here and run there (``procesos`` runs programs).

For work that holds the interpreter: several of them at once use several cores, and each starts with everything that is
imported already. What goes in and out is pickled; errors of our own tree arrive as they were raised.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pregon.base.errors import ComprobacionError, PregonError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkProcess

T = TypeVar("T")
_GRACE_S = 5.0


class Forked(Generic[T]):
    """One object in its own process. ``send`` asks for a call and ``receive`` waits for what it gives, in order."""

    def __init__(self, make: Callable[[], T]) -> None:
        context = multiprocessing.get_context("fork")
        self._pipe, theirs = context.Pipe()
        self._process: ForkProcess = context.Process(target=_serve, args=(theirs, self._pipe, make), daemon=True)
        self._process.start()
        theirs.close()

    def send(self, method: str, *arguments: Any, **named: Any) -> None:
        """Ask for ``method`` of the object; several may wait their turn."""
        try:
            self._pipe.send((method, arguments, named))
        except OSError as exc:
            raise _gone(self._process.exitcode) from exc

    def receive(self) -> Any:
        """What the oldest call not yet received gives.

        Raises:
            PregonError: what the call raised.
            ComprobacionError: the process ended before it answered.
        """
        try:
            outcome, value = self._pipe.recv()
        except (EOFError, OSError) as exc:
            self._process.join(_GRACE_S)
            raise _gone(self._process.exitcode) from exc
        if outcome:
            return value
        raise value

    def stop(self) -> None:
        """End the process, whatever it is doing."""
        self._pipe.close()
        self._process.join(0 if self._process.is_alive() else _GRACE_S)
        if self._process.is_alive():
            self._process.terminate()
            self._process.join(_GRACE_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._process.close()


@contextmanager
def forked(makers: Sequence[Callable[[], T]]) -> Iterator[tuple[Forked[T], ...]]:
    """One process for each maker, all ended on the way out."""
    started: list[Forked[T]] = []
    try:
        started.extend(Forked(make) for make in makers)
        yield tuple(started)
    finally:
        for one in started:
            one.stop()


def _serve(pipe: Connection, parents: Connection, make: Callable[[], Any]) -> None:
    """The other process: answers until the pipe closes, which is also how it learns that its parent is gone."""
    parents.close()
    gc.disable()  # a short life that makes millions of small objects and no cycles worth looking for
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides; Ctrl-C reaches both
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    subject: Any = None
    while True:
        try:
            method, arguments, named = pipe.recv()
        except (EOFError, OSError):
            os._exit(0)  # nothing of the parent's (locks, open files) is to be closed twice
        try:
            if subject is None:
                subject = make()
            answer: tuple[bool, Any] = (True, getattr(subject, method)(*arguments, **named))
        except Exception as exc:  # noqa: BLE001 - a border: whatever it is, it is told to who asked
            answer = (False, _portable(exc))
        try:
            pipe.send(answer)
        except OSError:
            os._exit(0)


def _portable(exc: Exception) -> Exception:
    if isinstance(exc, PregonError):
        return exc
    return ComprobacionError(
        f"El proceso de apoyo falló: {type(exc).__name__}: {exc}",
        intacto="No se firmó ni se publicó nada.",
        que_hacer="Repita la orden; si vuelve a fallar, guarde los archivos de entrada y avise al soporte de Pregón.",
    )


def _gone(status: int | None) -> ComprobacionError:
    return ComprobacionError(
        f"Un proceso de apoyo terminó antes de tiempo (estado {status}): quizá faltó memoria.",
        intacto="No se firmó ni se publicó nada.",
        que_hacer="Revise la memoria de la máquina y repita la orden.",
    )
