"""The words of the due process: how one slot of the clock ended for one difusor, the count, and what follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from datetime import datetime

    from pregon.instituto.monitor.modelo import Motivo, Veredicto

Resultado: TypeAlias = Literal["cumplio", "fallo", "no_cuenta"]
Accion: TypeAlias = Literal["advertir", "proponer", "ordenar", "proponer_regreso", "nada"]


@dataclass(frozen=True, kw_only=True)
class Cierre:
    """How one slot (``periodo``: its index) ended for a difusor. ``porque``: Spanish; ``evidencia`` as a dictamen's.

    ``veredicto``, ``motivos`` and ``corte_visto`` are of the dictamen that decided it; none where nothing did.
    """

    difusor: str
    periodo: int
    corte: int | None
    hora: datetime
    resultado: Resultado
    porque: str
    evidencia: tuple[int, ...] = ()
    veredicto: Veredicto | None = None
    motivos: tuple[Motivo, ...] = ()
    corte_visto: int | None = None


@dataclass(frozen=True, kw_only=True)
class Cuenta:
    """Where the count of a difusor is: ``seguidas`` failed slots one after another, those that count for nobody aside.

    ``cierres``: the failed ones that make the count, oldest first.
    """

    difusor: str
    seguidas: int = 0
    cierres: tuple[Cierre, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Paso:
    """What the rule of the call asks for after a slot: the ``accion``, the count that led to it, and why (Spanish)."""

    difusor: str
    accion: Accion
    cuenta: int
    porque: str
    clausula: str
