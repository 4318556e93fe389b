"""The words of the room: the states of a clause, what proves one, and what a record of the night says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

Estado = Literal["no_cumple", "pendiente", "dispensado", "declarado", "cumple", "fuera_de_alcance", "no_aplica"]
ESTADOS: dict[Estado, str] = {
    "no_cumple": "No cumple",
    "pendiente": "Pendiente",
    "dispensado": "Dispensado",
    "declarado": "Declarado",
    "cumple": "Cumple",
    "fuera_de_alcance": "Fuera de alcance",
    "no_aplica": "No aplica",
}
"""Worst first, each as people read it."""
_ORDEN = tuple(ESTADOS)


@dataclass(frozen=True)
class Evidencia:
    """One thing that proves something: in words and, where it is a file, its path in the workspace and its SHA-256.

    ``fecha``: when the thing was made; aware.
    """

    que: str
    archivo: str | None = None
    sha256: str | None = None
    fecha: datetime | None = None

    def as_dict(self) -> dict[str, Any]:
        """The object of ``--json``."""
        return {
            "que": self.que,
            "archivo": self.archivo,
            "sha256": self.sha256,
            "fecha": None if self.fecha is None else self.fecha.isoformat(),
        }


@dataclass(frozen=True)
class Medicion:
    """What the records say of one ``medicion:`` code: a state, a sentence, a figure where there is one, and proofs."""

    estado: Estado
    dicho: str
    cifra: str | None = None
    evidencia: tuple[Evidencia, ...] = ()


def peor(states: Iterable[Estado]) -> Estado:
    """The worst of several; ``no_aplica`` of none."""
    return min(states, key=_ORDEN.index, default="no_aplica")
