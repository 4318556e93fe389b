"""The states of a difusor in the registry, and the one table of what leads from each to another.

``docs/estados.md`` draws the table and a test holds them together. Pure: who orders, why and on what evidence is given,
and the answer is the transition or a refusal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from pregon.base.errors import UsoError

if TYPE_CHECKING:
    from collections.abc import Sequence

Estado: TypeAlias = Literal[
    "solicitado", "admitido", "activo", "suspendido", "bloqueado", "baja", "rechazado", "concluido"
]
Quien: TypeAlias = Literal["operador", "programa"]
Firma: TypeAlias = Literal["suspension", "reinstalacion", "ataque"]

ESTADOS: tuple[Estado, ...] = get_args(Estado)
INICIAL: Estado = "solicitado"
VIGILADOS: frozenset[Estado] = frozenset({"admitido", "activo", "suspendido", "bloqueado"})
"""Those whose portal is looked at: also who was suspended, since it comes back by what is seen of it."""
_AMBOS: tuple[Quien, ...] = ("operador", "programa")
_OPERADOR: tuple[Quien, ...] = ("operador",)
INTACTO = "El estado de ese difusor sigue como estaba y no se firmó nada."


@dataclass(frozen=True, kw_only=True)
class Mandato:
    """Who orders a change and why: ``operador`` is the person's name, ``evidencia`` what shows it (Spanish or ids)."""

    quien: Quien
    operador: str = ""
    motivo: str = ""
    evidencia: tuple[str, ...] = ()


@dataclass(frozen=True)
class Transicion:
    """One arrow: ``orden`` is the command that walks it, ``firma`` the notice that is signed with it.

    ``clausula``: where it comes from, or why it is there.
    """

    de: Estado
    a: Estado
    orden: str
    quien: tuple[Quien, ...]
    motivo: bool
    evidencia: bool
    firma: Firma | None
    clausula: str


def _arrow(
    de: Estado,
    a: Estado,
    orden: str,
    clausula: str,
    *,
    quien: tuple[Quien, ...] = _OPERADOR,
    motivo: bool = True,
    evidencia: bool = False,
    firma: Firma | None = None,
) -> Transicion:
    return Transicion(de, a, orden, quien, motivo, evidencia, firma, clausula)


TRANSICIONES: tuple[Transicion, ...] = (
    _arrow("solicitado", "admitido", "admite", "INE-I-g-1", motivo=False),
    _arrow("solicitado", "rechazado", "rechaza", "GRO-2.6"),
    _arrow("rechazado", "solicitado", "reabre", "GRO-2.6"),
    _arrow("admitido", "activo", "activa", "INE-IV-d", quien=_AMBOS, motivo=False),
    # Whoever publishes before the hour need not have been active (MOR-I-5b, MEX-I-1c).
    _arrow("admitido", "suspendido", "suspende", "MOR-I-5b", evidencia=True, firma="suspension"),
    _arrow("activo", "suspendido", "suspende", "GRO-3.3", quien=_AMBOS, evidencia=True, firma="suspension"),
    _arrow("suspendido", "activo", "reactiva", "GRO-3.3", quien=_AMBOS, firma="reinstalacion"),
    _arrow("admitido", "bloqueado", "bloquea", "MEX-I-13", firma="ataque"),
    _arrow("activo", "bloqueado", "bloquea", "MEX-I-13", firma="ataque"),
    _arrow("suspendido", "bloqueado", "bloquea", "MEX-I-13", firma="ataque"),
    _arrow("bloqueado", "activo", "reactiva", "MEX-I-13", evidencia=True, firma="reinstalacion"),
    _arrow("admitido", "baja", "baja", "INE-III-c", firma="suspension"),
    _arrow("activo", "baja", "baja", "INE-I-d-3", firma="suspension"),
    _arrow("suspendido", "baja", "baja", "INE-I-d-3"),
    _arrow("bloqueado", "baja", "baja", "INE-I-d-3"),
    _arrow("baja", "admitido", "exceptua", "INE-I-d-3", evidencia=True, firma="reinstalacion"),
    _arrow("admitido", "concluido", "concluye", "GRO-1.1c", quien=_AMBOS, motivo=False),
    _arrow("activo", "concluido", "concluye", "GRO-1.1c", quien=_AMBOS, motivo=False),
    _arrow("suspendido", "concluido", "concluye", "GRO-1.1c", quien=_AMBOS, motivo=False),
    _arrow("bloqueado", "concluido", "concluye", "GRO-1.1c", quien=_AMBOS, motivo=False),
)
"""Every change that there is; what is not here cannot be ordered by anybody."""


def transicion(de: Estado, a: Estado) -> Transicion | None:
    """The arrow from one state to another, None where there is none."""
    return next((one for one in TRANSICIONES if (one.de, one.a) == (de, a)), None)


def exige(ident: str, de: Estado, a: Estado, mandato: Mandato, *, orden: str | None = None) -> Transicion:
    """The transition that ``mandato`` may order for the difusor ``ident``; ``orden``, where given, must be its own.

    Raises:
        UsoError: there is none, that is not for who orders it, or it lacks a reason, evidence or the operator's name.
    """
    found = transicion(de, a)
    if found is None or orden not in (None, found.orden):
        others = [f"{one.a} («difusor {one.orden}»)" for one in TRANSICIONES if one.de == de]
        raise UsoError(
            f"El difusor «{ident}» está «{de}» y de ahí no pasa a «{a}» con esta orden.",
            intacto=INTACTO,
            que_hacer=f"De «{de}» se pasa a: {', '.join(others)}." if others else f"«{de}» es definitivo.",
        )
    lacks = _lacks(found, mandato)
    if lacks:
        raise UsoError(
            f"Para pasar al difusor «{ident}» de «{de}» a «{a}» {' y '.join(lacks)} ({found.clausula}).",
            intacto=INTACTO,
            que_hacer="Repita la orden con lo que falta; queda en la bitácora.",
        )
    return found


def _lacks(found: Transicion, mandato: Mandato) -> Sequence[str]:
    lacks = []
    if mandato.quien not in found.quien:
        lacks.append("hace falta la orden de una persona")
    elif mandato.quien == "operador" and not mandato.operador.strip():
        lacks.append("falta quién lo ordena")
    if found.motivo and not mandato.motivo.strip():
        lacks.append("falta el motivo")
    if found.evidencia and not any(one.strip() for one in mandato.evidencia):
        lacks.append("falta la evidencia")
    return lacks
