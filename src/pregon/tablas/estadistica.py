"""Statistics of one contest: its actas by kind of casilla, by place and by observation (prep.md §5.1, «Estadística»).

The engine groups (``sql/estadistica.sql``); what each text means is decided here, once for each.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from pregon.prep.text import clean_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Grupo: TypeAlias = tuple[str, str, str, str, int, int, int]
"""Kind of casilla, UBICACION_CASILLA, situation, OBSERVACIONES; actas, lista nominal and votes of the counted ones."""
Ubicacion: TypeAlias = Literal["urbana", "no_urbana", "otra"]

UBICACIONES: Mapping[str, Ubicacion] = {"1": "urbana", "2": "no_urbana"}
"""UBICACION_CASILLA (prep.md §2.3, column 11)."""
ORDEN_TIPOS = "BCESMAPVU"
"""The kinds of casilla in the order in which people expect them; others follow, by their letter."""
_BLANK = frozenset({"", "-", "--", "N/A", "n/a", "[]"})


@dataclass(frozen=True, slots=True)
class Cuenta:
    """Actas of one kind: expected, captured, counted; and the lista nominal and votes of the counted ones."""

    esperadas: int = 0
    capturadas: int = 0
    contabilizadas: int = 0
    lista_nominal: int = 0
    total_votos: int = 0


@dataclass(frozen=True, slots=True)
class Observadas:
    """How many actas have an observation: counted, captured and not counted, and fuera de catálogo."""

    contabilizadas: int = 0
    no_contabilizadas: int = 0
    fuera_catalogo: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.contabilizadas + self.no_contabilizadas + self.fuera_catalogo

    def __add__(self, other: Observadas) -> Observadas:
        """Both together."""
        return Observadas(
            self.contabilizadas + other.contabilizadas,
            self.no_contabilizadas + other.no_contabilizadas,
            self.fuera_catalogo + other.fuera_catalogo,
        )


@dataclass(frozen=True, slots=True)
class Estadistica:
    """The statistics of a contest. ``tipos`` in their order; ``observaciones``, the most frequent first.

    ``ubicaciones`` is empty where the file says nothing of it. Actas fuera de catálogo are in ``fuera_catalogo`` and in
    ``observaciones`` only. ``sin_observaciones``: captured actas without any.
    """

    fuera_catalogo: int
    no_contabilizadas: int
    tipos: tuple[tuple[str, Cuenta], ...]
    ubicaciones: tuple[tuple[Ubicacion, Cuenta], ...]
    observaciones: tuple[tuple[str, Observadas], ...]
    sin_observaciones: Observadas


def corrected(before: Iterable[Grupo], change: Iterable[Grupo]) -> tuple[Grupo, ...]:
    """The groups of a table from those of the one before it and what its rows change; in order, none empty."""
    sums: dict[tuple[str, str, str, str], tuple[int, int, int]] = {}
    for kind, place, state, text, actas, lista, votes in (*before, *change):
        key = (kind, place, state, text)
        known = sums.get(key, (0, 0, 0))
        sums[key] = (known[0] + actas, known[1] + lista, known[2] + votes)
    return tuple((*key, *values) for key, values in sorted(sums.items()) if values[0])


def statistics(groups: Iterable[Grupo]) -> Estadistica:
    """The statistics that the groups add up to."""
    kinds: dict[str, Counter[str]] = {}
    places: dict[str, Counter[str]] = {}
    told: dict[str, Counter[str]] = {}
    states: Counter[str] = Counter()
    for kind, place, state, text, actas, lista, votes in groups:
        states[state] += actas
        if state != "pendiente":
            told.setdefault("" if text in _BLANK else text, Counter())[state] += actas
        if state == "fuera_catalogo":
            continue
        where = UBICACIONES.get(clean_key(place), "otra")
        for table, key in ((kinds, kind), (places, where)):
            sums = table.setdefault(key, Counter())
            sums["esperadas"] += actas
            sums["capturadas"] += actas * (state != "pendiente")
            sums["contabilizadas"] += actas * (state == "contabilizada")
            sums["lista_nominal"] += lista
            sums["total_votos"] += votes
    seen = {
        text: Observadas(n["contabilizada"], n["no_contabilizada"], n["fuera_catalogo"]) for text, n in told.items()
    }
    plain = seen.pop("", Observadas())
    wheres: tuple[Ubicacion, ...] = ("urbana", "no_urbana", "otra")
    return Estadistica(
        fuera_catalogo=states["fuera_catalogo"],
        no_contabilizadas=states["no_contabilizada"],
        tipos=tuple((kind, Cuenta(**kinds[kind])) for kind in sorted(kinds, key=_order)),
        ubicaciones=tuple((where, Cuenta(**places[where])) for where in wheres if where in places)
        if set(places) - {"otra"}
        else (),
        observaciones=tuple(sorted(seen.items(), key=lambda item: (-item[1].total, item[0]))),
        sin_observaciones=plain,
    )


def _order(kind: str) -> tuple[int, str]:
    place = ORDEN_TIPOS.find(kind) if kind else -1
    return (place if place >= 0 else len(ORDEN_TIPOS), kind)
