"""What those who provoke the faults of a night share: its folder and files, its disk, and what ends with the night."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pregon.base.clock import SimulatedClock

if TYPE_CHECKING:
    import contextlib
    from pathlib import Path

    from pregon.base.durable import Disk
    from pregon.simulacro.fallas.plan import Clase, Falla
    from pregon.simulacro.institute import Post


class Provocador(Protocol):
    """Whoever does faults of some kinds. It notes nothing: the journal is the leader's."""

    def provoca(self, falla: Falla) -> None:
        """Do it to its target; it is under way when this ends."""

    def termina(self, falla: Falla) -> tuple[int, str]:
        """Undo it. How many times it had an effect (0: it proved nothing), and what it did, in words for people."""


@dataclass(frozen=True)
class Escena:
    """One night. What is entered in ``stack`` ends with it."""

    post: Post
    disk: Disk
    stack: contextlib.ExitStack
    fallas: tuple[Falla, ...]

    def carpeta(self, difusor: str) -> Path:
        """The workspace of a difusor."""
        return self.post.folder / difusor

    def sufre(self, difusor: str, clase: Clase) -> bool:
        """Whether the plan has a fault of that kind for it."""
        return any(one.objetivo == difusor and one.clase == clase for one in self.fallas)

    def reloj(self) -> SimulatedClock:
        """The clock of the night, as it is now."""
        return SimulatedClock.load(self.post.reloj)
