"""What all difusores had, added up: ``pregon/memorias/1``. Pure: from deliveries to one document.

Hits, bytes, pages and visits are sums. Visitors are not: who looked at two portals is one person, and the union of the
sketches counts him once. A number that a difusor does not tell because it is of few people counts as nothing, and how
many were not told stands beside (``callados``).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pregon.bitacoras import bosquejos

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from pregon.bitacoras.contado import Contado
    from pregon.bitacoras.entrega import Entrega

FORMATO = "pregon/memorias/1"
_DE_PERSONAS = ("paginas", "visitas")
_LISTAS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "por_minuto": (("desde",), ("hits", "bytes", "errores", "paginas")),
    "por_dia": (("dia",), ("hits", "bytes", "paginas", "visitas")),
    "por_corte": (("corte", "contienda"), ("hits", "bytes")),
    "por_contienda": (("contienda",), ("hits", "bytes", "paginas")),
    "estados": (("nombre",), ("hits", "bytes")),
    "tipos": (("nombre",), ("hits", "bytes")),
}
"""Lists of a measure: what says which row it is, and what is added up."""


@dataclass(frozen=True)
class Visitantes:
    """The different visitors of one thing over all who delivered: about ``estimado``, between ``desde`` and ``hasta``
    with two standard errors. ``sumados``: what adding up the estimate of each would say, who came to two counted twice.
    """

    clase: str
    cual: str
    difusores: int
    estimado: int
    desde: int
    hasta: int
    sumados: int


def add_up(
    entregas: Mapping[str, Entrega], esperados: Sequence[str], *, convocatoria: str, ambiente: str, now: datetime
) -> dict[str, Any]:
    """All deliveries as one document. ``esperados``: the nodes that must deliver."""
    sitios = sorted({(one["sitio"], one["ventana"]) for each in entregas.values() for one in each.medidas})
    return {
        "formato": FORMATO,
        "convocatoria": convocatoria,
        "ambiente": ambiente,
        "generado": now.isoformat(),
        "error": round(bosquejos.ERROR, 6),
        "entregaron": sorted(entregas),
        "faltan": [name for name in esperados if name not in entregas],
        "k": max((one.k for one in entregas.values()), default=0),
        "medidas": [_measure(entregas, sitio, ventana) for sitio, ventana in sitios],
    }


def visitors(contados: Iterable[Contado]) -> list[Visitantes]:
    """The union of the sketches of each thing, in order. They are of one site and window."""
    groups: dict[tuple[str, str, str, str], list[Contado]] = defaultdict(list)
    for one in contados:
        groups[one.clave].append(one)
    found = []
    for key, some in sorted(groups.items()):
        estimate = bosquejos.union(one.bosquejo for one in some).estimado
        margin = round(2 * bosquejos.ERROR * estimate)
        added = sum(one.bosquejo.estimado for one in some)
        found.append(
            Visitantes(key[2], key[3], len(some), estimate, max(0, estimate - margin), estimate + margin, added)
        )
    return found


def _measure(entregas: Mapping[str, Entrega], sitio: str, ventana: str) -> dict[str, Any]:
    some = [
        one for each in entregas.values() for one in each.medidas if (one["sitio"], one["ventana"]) == (sitio, ventana)
    ]
    contados = [
        one for each in entregas.values() for one in each.contados if (one.sitio, one.ventana) == (sitio, ventana)
    ]
    silent: Counter[str] = Counter()
    return {
        "sitio": sitio,
        "ventana": ventana,
        "difusores": len(some),
        **{name: sum(one[name] for one in some) for name in ("hits", "bytes", "hits_robots")},
        **{name: _sum(name, [one[name] for one in some], silent) for name in _DE_PERSONAS},
        "visitantes": [vars(one) for one in visitors(contados)],
        **{name: _rows(some, name, *columns, silent) for name, columns in _LISTAS.items()},
        "callados": dict(sorted(silent.items())),
    }


def _rows(
    some: Sequence[Mapping[str, Any]], name: str, which: tuple[str, ...], sums: tuple[str, ...], silent: Counter[str]
) -> list[dict[str, Any]]:
    rows: dict[tuple[Any, ...], list[Mapping[str, Any]]] = defaultdict(list)
    for one in some:
        for row in one[name]:
            rows[tuple(row[column] for column in which)].append(row)
    return [
        {
            **dict(zip(which, key, strict=True)),
            **{column: _sum(f"{name}.{column}", [row[column] for row in group], silent) for column in sums},
        }
        for key, group in sorted(rows.items(), key=lambda one: [str(part or "").rjust(20) for part in one[0]])
    ]


def _sum(name: str, values: Sequence[int | None], silent: Counter[str]) -> int:
    told = [value for value in values if value is not None]
    if len(told) != len(values):
        silent[name] += len(values) - len(told)
    return sum(told)
