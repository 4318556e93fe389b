"""Faults by seed: what to spoil, when and for how long; applied to real things, written down and undone.

Six kinds: ``mata`` (a process dies), ``altera`` (a bit of a file, or of what passes, changes), ``retrasa`` (what
passes waits), ``pierde`` (what passes is lost), ``llena`` (a disk has no room), ``corre`` (a clock is wrong).
``plan`` derives a list of ``Falla`` from a seed; ``Arnes`` applies it to the named targets. No pytest here.

::

    arnes = Arnes(folder / "fallas.jsonl", {"difusor": Programa(start), "enlace": DeEnlace(enlace)})
    with arnes.durante(plan(7, arnes.blancos, duracion_s=60, cuantas=12)):
        ...

Targets are in ``tests.red.blancos``. A process that must die at one durable step instead of at one moment is given a
``DiscoMortal`` of there; disks that forget or refuse are in ``tests.red.discos``.
"""

from __future__ import annotations

import contextlib
import heapq
import json
import random
import threading
import time
from dataclasses import asdict, dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Literal, Protocol, get_args

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path


Clase = Literal["mata", "altera", "retrasa", "pierde", "llena", "corre"]
CLASES: tuple[Clase, ...] = get_args(Clase)

JOIN_S = 60.0


@dataclass(frozen=True)
class Falla:
    """One fault. ``cuando_s`` and ``dura_s``: seconds from the start, and until it is undone.

    ``parte``, from 0 to 1, is read by each kind in its way: which byte of the file, how far the clock goes.
    """

    clase: Clase
    blanco: str
    cuando_s: float
    dura_s: float
    parte: float


class Blanco(Protocol):
    """Something that can be spoiled in some ways."""

    @property
    def clases(self) -> frozenset[Clase]:
        """The kinds of fault that it admits."""

    def aplica(self, falla: Falla) -> Callable[[], None]:
        """Spoil it now; gives what undoes it.

        Raises:
            OSError, PregonError: it could not be done; nothing is spoiled.
        """


def plan(
    semilla: int, blancos: Mapping[str, frozenset[Clase]], *, duracion_s: float, cuantas: int, dura_s: float = 1.0
) -> tuple[Falla, ...]:
    """``cuantas`` faults over the targets, in order of time. The same arguments give the same plan, on any machine.

    Each lasts from half of ``dura_s`` to one and a half. They begin within ``duracion_s``, but two on one target never
    overlap, so that undoing one does not undo the other: the later waits for the end of the earlier.
    """
    dice = random.Random(f"fallas/{semilla}")
    choices = [(blanco, clase) for blanco in sorted(blancos) for clase in sorted(blancos[blanco])]
    drawn = []
    for _ in range(cuantas):
        blanco, clase = dice.choice(choices)
        drawn.append(Falla(clase, blanco, dice.uniform(0, duracion_s), dura_s * dice.uniform(0.5, 1.5), dice.random()))
    free: dict[str, float] = {}
    apart = []
    for falla in sorted(drawn, key=lambda falla: falla.cuando_s):
        when = max(falla.cuando_s, free.get(falla.blanco, 0.0))
        free[falla.blanco] = when + falla.dura_s
        apart.append(replace(falla, cuando_s=when))
    return tuple(sorted(apart, key=lambda falla: falla.cuando_s))


class Arnes:
    """Applies faults and undoes them; writes each act as a line of JSON in ``diario`` when it is done."""

    def __init__(self, diario: Path, blancos: Mapping[str, Blanco]) -> None:
        self._diario = diario
        self._targets = dict(blancos)
        self._lock = threading.Lock()
        self._start = time.monotonic()

    @property
    def blancos(self) -> dict[str, frozenset[Clase]]:
        """What ``plan`` needs to know."""
        return {name: target.clases for name, target in self._targets.items()}

    @contextlib.contextmanager
    def aplica(self, falla: Falla) -> Iterator[None]:
        """One fault, now, while the block lasts."""
        undo = self._apply(falla)
        try:
            yield
        finally:
            self._undo(falla, undo)

    @contextlib.contextmanager
    def durante(self, fallas: tuple[Falla, ...]) -> Iterator[None]:
        """Each fault at its moment, in a thread, while the block lasts; at its end those still on are undone.

        Raises: at the end, what undoing raised.
        """
        stop = threading.Event()
        errors: list[Exception] = []
        self._start = time.monotonic()
        thread = threading.Thread(target=self._follow, args=(fallas, stop, errors), name="fallas")
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(JOIN_S)
        if errors:
            raise ExceptionGroup("faults that could not be undone", errors)

    def hecho(self) -> list[dict[str, object]]:
        """The journal: ``t`` (seconds), ``acto`` (aplica, deshace, no se pudo) and the fault."""
        with contextlib.suppress(FileNotFoundError):
            return [json.loads(line) for line in self._diario.read_text().splitlines()]
        return []

    def _follow(self, fallas: tuple[Falla, ...], stop: threading.Event, errors: list[Exception]) -> None:
        order = count()
        acts: list[tuple[float, int, Falla, Callable[[], None] | None]] = [
            (falla.cuando_s, next(order), falla, None) for falla in fallas
        ]
        heapq.heapify(acts)
        while acts:
            when, _, falla, undo = heapq.heappop(acts)
            stop.wait(max(0.0, self._start + when - time.monotonic()))
            try:
                if undo is not None:
                    self._undo(falla, undo)
                elif not stop.is_set():
                    heapq.heappush(acts, (when + falla.dura_s, next(order), falla, self._apply(falla)))
            except Exception as exc:  # noqa: BLE001 # the border of the thread: the other faults are still to be undone
                self._note("no se pudo", falla, error=str(exc))
                if undo is not None:
                    errors.append(exc)

    def _apply(self, falla: Falla) -> Callable[[], None]:
        undo = self._targets[falla.blanco].aplica(falla)
        self._note("aplica", falla)
        return undo

    def _undo(self, falla: Falla, undo: Callable[[], None]) -> None:
        undo()
        self._note("deshace", falla)

    def _note(self, acto: str, falla: Falla, **more: str) -> None:
        line = {"t": round(time.monotonic() - self._start, 3), "acto": acto, **asdict(falla), **more}
        with self._lock, self._diario.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
