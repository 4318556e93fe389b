"""What the fault harness can spoil: programs, files, links, disks and clocks. No pytest here."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pregon.base.clock import SimulatedClock
from pregon.base.durable import Disk
from pregon.base.state import StateDatabase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from pregon.base.clock import Clock
    from pregon.base.procesos import Process
    from tests.red.enlace import Enlace
    from tests.red.fallas import Clase, Falla
    from tests.red.mundo import EnlaceDeMundo

FILLING = "relleno-de-prueba.bin"
FILL_MAX_BYTES = 1 << 30
"""No disk longer than this is ever filled: it is not one made for a test."""


class Programa:
    """A program: ``mata`` ends it and its group at once (SIGKILL), and undoing starts it again."""

    clases: frozenset[Clase] = frozenset({"mata"})

    def __init__(self, start: Callable[[], Process]) -> None:
        self._start = start
        self.process = start()

    def aplica(self, falla: Falla) -> Callable[[], None]:
        del falla
        self.process.kill()
        return self._again

    def _again(self) -> None:
        # Another fault may have killed and revived it meanwhile.
        if self.process.returncode() is not None:
            self.process = self._start()


class Archivo:
    """A file: ``altera`` flips one bit of the byte at ``parte`` of it; undoing flips it back."""

    clases: frozenset[Clase] = frozenset({"altera"})

    def __init__(self, path: Path) -> None:
        self._path = path

    def aplica(self, falla: Falla) -> Callable[[], None]:
        with self._path.open("r+b") as file:
            size = file.seek(0, os.SEEK_END)
            if size == 0:
                raise OSError(f"{self._path} has no byte to change")
            at = min(size - 1, int(falla.parte * size))
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes([byte ^ 0x01]))
        inode = self._path.stat().st_ino

        def back() -> None:
            # Whoever put a good file in its place meanwhile keeps it.
            with contextlib.suppress(FileNotFoundError), self._path.open("r+b") as file:
                file.seek(at)
                if os.fstat(file.fileno()).st_ino == inode and file.read(1) == bytes([byte ^ 0x01]):
                    file.seek(at)
                    file.write(bytes([byte]))

        return back


class DeEnlace:
    """An ``Enlace``: ``altera`` a bit of what goes up, ``retrasa`` (all waits), ``pierde`` (reset, then refused)."""

    clases: frozenset[Clase] = frozenset({"altera", "retrasa", "pierde"})

    def __init__(self, enlace: Enlace, *, dentro_de: int = 1 << 16) -> None:
        """``dentro_de``: the altered byte is one of the next so many."""
        self._enlace = enlace
        self._within = dentro_de

    def aplica(self, falla: Falla) -> Callable[[], None]:
        if falla.clase == "altera":
            self._enlace.altera(int(falla.parte * self._within))
            return lambda: self._enlace.altera(None)
        if falla.clase == "retrasa":
            self._enlace.calla()
        else:
            self._enlace.corta_tras(0)
        return self._enlace.abre


class DeMundo:
    """A link of a ``Mundo``: ``retrasa`` adds up to two seconds there and back, ``pierde`` lets nothing through."""

    clases: frozenset[Clase] = frozenset({"retrasa", "pierde"})

    def __init__(self, enlace: EnlaceDeMundo) -> None:
        self._enlace = enlace

    def aplica(self, falla: Falla) -> Callable[[], None]:
        if falla.clase == "pierde":
            self._enlace.corta()
            return self._enlace.abre
        before = self._enlace.liga.ms
        self._enlace.cambia(ms=before + 2000 * falla.parte)
        return lambda: self._enlace.cambia(ms=before)


class Carpeta:
    """A folder on a small disk: ``llena`` leaves no room at all; undoing gives it back."""

    clases: frozenset[Clase] = frozenset({"llena"})

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def aplica(self, falla: Falla) -> Callable[[], None]:
        del falla
        total = shutil.disk_usage(self._folder).total
        if total > FILL_MAX_BYTES:
            raise OSError(f"{self._folder} is on a disk of {total:,} bytes: it is not one made for a test")
        filling = self._folder / FILLING
        # Without a buffer: what did not fit would be written again when the file is closed.
        with filling.open("ab", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(bytes(1 << 16)):  # until there is no room for one byte more
                pass
        return filling.unlink


class RelojCorrido:
    """A ``Clock`` that may be wrong: ``corre`` moves its instants by up to a day, before or after; never durations."""

    clases: frozenset[Clase] = frozenset({"corre"})

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.corrido = timedelta()

    @property
    def simulado(self) -> bool:
        return self._clock.simulado

    def now(self) -> datetime:
        return self._clock.now() + self.corrido

    def monotonic(self) -> float:
        return self._clock.monotonic()

    def sleep(self, seconds: float) -> None:
        self._clock.sleep(seconds)

    def aplica(self, falla: Falla) -> Callable[[], None]:
        moved = timedelta(days=2 * falla.parte - 1)
        self.corrido += moved

        def back() -> None:
            self.corrido -= moved

        return back


class RelojDeSimulacro:
    """The clock file that all processes of a simulacro read: ``corre`` moves it for every one of them, as above.

    Other programs' idea of the hour is the machine's, and no test changes that.
    """

    clases: frozenset[Clase] = frozenset({"corre"})

    def __init__(self, path: Path) -> None:
        self._path = path

    def aplica(self, falla: Falla) -> Callable[[], None]:
        moved = timedelta(days=2 * falla.parte - 1)
        self._move(moved)
        return lambda: self._move(-moved)

    def _move(self, by: timedelta) -> None:
        clock = SimulatedClock.load(self._path)
        Disk().write(self._path, replace(clock, origin=clock.origin + by).dump())


class Pasos:
    """Counts what changes a disk in this process, and kills it (SIGKILL) around one of them; None kills nobody.

    ``nombres`` has each, as «operation name»; ``anota`` hears «number operation path» before it begins.
    """

    def __init__(
        self, en: int | None = None, *, despues: bool = False, anota: Callable[[str], None] = lambda _: None
    ) -> None:
        self.nombres: list[str] = []
        self._at = en
        self._after = despues
        self._tell = anota

    @contextlib.contextmanager
    def paso(self, name: str, what: Path | str) -> Iterator[None]:
        """One of them."""
        number = len(self.nombres)
        mine = number == self._at
        self._tell(f"{number} {name} {what}")
        self.nombres.append(f"{name} {what if isinstance(what, str) else what.name}")
        if mine and not self._after:
            os.kill(os.getpid(), signal.SIGKILL)
        yield
        if mine:
            os.kill(os.getpid(), signal.SIGKILL)


class DiscoMortal(Disk):
    """A real disk whose durable steps are counted: a process dies around one of them."""

    def __init__(self, pasos: Pasos) -> None:
        self._steps = pasos

    def step(self, name: str, path: Path) -> contextlib.AbstractContextManager[None]:
        return self._steps.paso(name, path)


class EstadoMortal(StateDatabase):
    """A real state database whose writes are steps too."""

    def __init__(self, path: Path, clock: Clock, pasos: Pasos) -> None:
        super().__init__(path, clock)
        self._steps = pasos

    def put(self, **values: Any) -> None:
        with self._steps.paso("put", ",".join(values)):
            super().put(**values)

    def put_row(self, series: str, n: int, value: Any) -> None:
        with self._steps.paso("put", f"{series},{n}"):
            super().put_row(series, n, value)

    def record(self, kind: str, **data: Any) -> None:
        with self._steps.paso("record", kind):
            super().record(kind, **data)


def killed(work: Callable[[Pasos], None], steps: Pasos) -> bool:
    """Do ``work`` in a child process; whether it was killed there."""
    child = os.fork()
    if child == 0:
        try:
            work(steps)
        except BaseException:  # noqa: BLE001 (a child must never go on as a second pytest)
            os._exit(70)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the work itself failed"
    return os.WIFSIGNALED(status)


MUERTO = -signal.SIGKILL
"""Exit status, as Python tells it, of a process killed so."""
