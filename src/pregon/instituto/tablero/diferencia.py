"""What changed between two moments of the board. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pregon.instituto.tablero.modelo import (
        AlarmaVigente,
        Columna,
        Cuadro,
        Evento,
        Noche,
        Pendiente,
        Punto,
        Renglon,
    )


@dataclass(frozen=True, kw_only=True)
class Cambio:
    """From the version ``antes`` to ``version``, at ``hora``. What is None or empty did not change.

    ``cortes``: the columns that are new or different. ``renglones``: the rows of which something is new besides their
    cells; ``nuevos`` and ``quitados``: the ids that came and went. ``celdas``: by id, ``{index: (letter, seconds)}``
    of the cells that are new or different. ``orden``: the ids, worst first, where it changed. ``eventos``: those that
    came, newest first. The others come whole.
    """

    serie: str
    antes: int
    version: int
    hora: datetime
    noche: Noche | None = None
    cortes: tuple[Columna, ...] = ()
    renglones: tuple[Renglon, ...] = ()
    nuevos: tuple[str, ...] = ()
    quitados: tuple[str, ...] = ()
    celdas: Mapping[str, Mapping[int, tuple[str, int | None]]] = field(default_factory=dict)
    orden: tuple[str, ...] | None = None
    eventos: tuple[Evento, ...] = ()
    por_decidir: tuple[Pendiente, ...] | None = None
    puntos: tuple[Punto, ...] | None = None
    alarmas: tuple[AlarmaVigente, ...] | None = None
    faltan: tuple[str, ...] | None = None


def diferencia(antes: Cuadro, despues: Cuadro) -> Cambio | None:
    """What is different in ``despues``; None where only its hour and its number are."""
    columns = {one.indice: one for one in antes.cortes}
    before = {one.id: one for one in antes.difusores}
    after = {one.id: one for one in despues.difusores}
    last = max((one.n for one in antes.eventos), default=0)
    order = tuple(after)
    made = Cambio(
        serie=despues.serie,
        antes=antes.version,
        version=despues.version,
        hora=despues.hora,
        noche=despues.noche if despues.noche != antes.noche else None,
        cortes=tuple(one for one in despues.cortes if columns.get(one.indice) != one),
        renglones=tuple(one for ident, one in after.items() if _bare(one) != _bare(before.get(ident))),
        nuevos=tuple(ident for ident in after if ident not in before),
        quitados=tuple(ident for ident in before if ident not in after),
        celdas={ident: cells for ident, one in after.items() if (cells := _cells(before.get(ident), one))},
        orden=order if order != tuple(before) else None,
        eventos=tuple(one for one in despues.eventos if one.n > last),
        por_decidir=despues.por_decidir if despues.por_decidir != antes.por_decidir else None,
        puntos=despues.puntos if despues.puntos != antes.puntos else None,
        alarmas=despues.alarmas if despues.alarmas != antes.alarmas else None,
        faltan=despues.faltan if despues.faltan != antes.faltan else None,
    )
    empty = Cambio(serie=made.serie, antes=made.antes, version=made.version, hora=made.hora)
    return None if made == empty else made


def _bare(one: Renglon | None) -> Renglon | None:
    return None if one is None else replace(one, celdas="", segundos=())


def _cells(before: Renglon | None, after: Renglon) -> dict[int, tuple[str, int | None]]:
    if before is not None and before.celdas == after.celdas and before.segundos == after.segundos:
        return {}
    known = () if before is None else tuple(zip(before.celdas, before.segundos, strict=True))
    now = zip(after.celdas, after.segundos, strict=True)
    return {index: cell for index, cell in enumerate(now) if index >= len(known) or known[index] != cell}
