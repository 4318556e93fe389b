"""What was last delivered to each node, in the state database: hints for the next round, never proof of what it has."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from pregon.base.estado import Estado
    from pregon.instituto.entrega.plan import Plan

ENTREGADO = "ENTREGADO"
PENDIENTES_MAX = 2
"""Cuts sent as changes that a node may leave without an acuse of any before it gets a whole archive again."""


@dataclass(frozen=True)
class Ultima:
    """The last delivery to a node. ``corte``: the last that went well; ``codigo``: how the last ended, None before any.

    ``entero``: it went as a whole archive. ``pendientes``: cuts sent as changes on ``base`` without its acuses having
    moved from there.
    """

    corte: int | None = None
    codigo: str | None = None
    entero: bool = False
    base: int | None = None
    pendientes: int = 0


class Memoria:
    """The last delivery of each node of one workspace, by «difusor/nodo»."""

    def __init__(self, state: Estado) -> None:
        self._state = state

    def last(self, nombre: str) -> Ultima:
        """What is remembered; of a node never delivered to, nothing."""
        value = self._state.get(_key(nombre)) or {}
        return Ultima(**{name: value[name] for name in Ultima.__dataclass_fields__ if name in value})

    def stuck(self, nombre: str, *, tiene: int | None, corte: int | None) -> bool:
        """Whether cut ``corte`` should go whole to who has ``tiene``: too many went as changes without an acuse.

        A difusor whose store lost something cannot say so while the source has only changes.
        """
        last = self.last(nombre)
        if tiene in (None, corte):
            return False
        if corte == last.corte:
            return last.entero  # It is there already.
        return last.base == tiene and last.pendientes >= PENDIENTES_MAX

    def note(self, nombre: str, *, codigo: str, plan: Plan | None, now: datetime) -> None:
        """Remember how a delivery ended; ``plan`` None where it failed."""
        last = self.last(nombre)
        made = replace(last, codigo=codigo)
        if plan is not None:
            made = replace(made, corte=plan.corte, entero=plan.forma == "completo")
            if plan.forma == "cambios":
                before = last.pendientes if plan.base == last.base else 0
                made = replace(made, base=plan.base, pendientes=before + (plan.corte != last.corte))
            elif plan.forma != "nada":
                made = replace(made, base=None, pendientes=0)
        self._state.put(**{_key(nombre): {**asdict(made), "hora": now.isoformat()}})


def _key(nombre: str) -> str:
    return f"entrega/{nombre}"
