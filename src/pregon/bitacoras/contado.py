"""What may leave of the measures and the sketches of a run; no engine here.

Cells of few people are not told apart. What each thing is: ``docs/memoria/conteo.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pregon.bitacoras.bosquejos import Bosquejo
    from pregon.bitacoras.medidas import Medida, Medidas

Clase: TypeAlias = Literal["ventana", "dia", "contienda"]
CLASES: tuple[Clase, ...] = ("ventana", "dia", "contienda")
K = 10
"""Cells of fewer people than these are not told apart."""
OTROS = "menos de k"
_DE_PERSONAS = ("rutas", "perdidas", "referentes", "navegadores", "sistemas", "lugares")
"""Lists of a measure that say what persons have, where they come from or what they wrote."""


@dataclass(frozen=True, slots=True)
class Contado:
    """The sketch of one site and window: of all of it, of a local day, or of a contest (``cual``)."""

    sitio: str
    ventana: str
    clase: Clase
    cual: str
    bosquejo: Bosquejo

    @property
    def clave(self) -> tuple[str, str, str, str]:
        """What it counts: sketches of one are added up."""
        return self.sitio, self.ventana, self.clase, self.cual


def told_apart(some: Sequence[Contado], k: int = K) -> tuple[Contado, ...]:
    """Of some sketches, those of at least ``k`` visitors."""
    return tuple(one for one in some if one.bosquejo.estimado >= k)


def shared(medidas: Medidas, k: int = K) -> list[dict[str, Any]]:
    """The measures as they may leave: no text that a visitor wrote stands alone, no number of people below ``k``.

    Counts of hits and bytes stay as they are. A number of visitors, visits or pages between 1 and ``k`` - 1 is None;
    in the lists of what people have, where they come from or what they asked for, the rows below ``k`` are one,
    ``OTROS``. File names and examples of lines are left out.
    """
    return [_shared(one, k) for one in medidas.medidas]


def _shared(one: Medida, k: int) -> dict[str, Any]:
    lists: dict[str, list[dict[str, Any]]] = {}
    for name in _DE_PERSONAS:
        rows = [(row.nombre, row.hits, row.bytes) for row in getattr(one, name)]
        few = [row for row in rows if row[1] < k]
        kept = [row for row in rows if row[1] >= k]
        hits = sum(row[1] for row in few)
        if hits >= k:
            kept.append((OTROS, hits, sum(row[2] for row in few)))
        lists[name] = [{"nombre": text, "hits": hits, "bytes": size} for text, hits, size in kept]
    for name in ("estados", "metodos", "protocolos", "tipos", "cache", "robots"):
        lists[name] = [{"nombre": row.nombre, "hits": row.hits, "bytes": row.bytes} for row in getattr(one, name)]
    return {
        "sitio": one.sitio,
        "ventana": one.ventana,
        "desde": one.desde,
        "hasta": one.hasta,
        "hits": one.hits,
        "bytes": one.bytes,
        "hits_robots": one.hits_robots,
        **_people({"paginas": one.paginas, "visitas": one.visitas, "visitantes": one.visitantes}, k),
        **lists,
        "por_minuto": [
            {"desde": row.desde, "hits": row.hits, "bytes": row.bytes, "errores": row.errores,
             **_people({"paginas": row.paginas, "visitas": row.visitas}, k)}
            for row in one.por_minuto
        ],
        "por_dia": [
            {"dia": row.dia, "hits": row.hits, "bytes": row.bytes,
             **_people({"paginas": row.paginas, "visitas": row.visitas, "visitantes": row.visitantes}, k)}
            for row in one.por_dia
        ],
        "por_corte": [
            {"corte": row.corte, "contienda": row.contienda, "hits": row.hits, "bytes": row.bytes}
            for row in one.por_corte
        ],
        "por_contienda": [
            {"contienda": row.contienda, "hits": row.hits, "bytes": row.bytes, **_people({"paginas": row.paginas}, k)}
            for row in one.por_contienda
        ],
    }  # fmt: skip


def _people(values: Mapping[str, int], k: int) -> dict[str, int | None]:
    return {name: value if value == 0 or value >= k else None for name, value in values.items()}
