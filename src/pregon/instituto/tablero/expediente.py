"""What a person reads of one difusor before deciding, and the pages of the journal."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from pregon.base.errors import PregonError
from pregon.instituto.tablero.modelo import Detalle, Hoja
from pregon.instituto.tablero.palabras import PROPIOS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pregon.instituto.monitor.almacen import Almacen
    from pregon.instituto.tablero.cuadro import Pliego
    from pregon.instituto.tablero.modelo import Cuadro, Evento, Renglon, Tono

POR_HOJA: Final = 100
"""Events of one page of the journal."""
SUYOS: Final = 60
"""Events of its own that a difusor's page shows."""
FALLAS: Final = 3
"""Failed slots whose observations are shown, the last ones."""
ALREDEDOR: Final = timedelta(minutes=15)
"""How long before a verdict the observations that it cites were made, at most."""
OBSERVACIONES: Final = 60


def reune(ident: str, renglon: Renglon, pliego: Pliego, bitacora: Sequence[Evento], cuadro: Cuadro) -> Detalle:
    """What the board knows of it; without its observations, which are in files."""
    diary = pliego.diario
    own = [one for one in reversed(bitacora) if one.difusor == ident and one.tipo != "acuse"]
    return Detalle(
        renglon=renglon,
        inscrito=pliego.inscrito(ident),
        acuses=pliego.acuses(ident),
        advertencias=tuple(one for one in reversed(diary.advertencias.values()) if one.difusor == ident),
        ordenes=tuple(one for one in reversed(diary.ordenes.values()) if one.difusor == ident),
        eventos=tuple(own[:SUYOS]),
        citas=pliego.citas(ident, FALLAS),
        faltan=cuadro.faltan,
    )


def con_observaciones(detalle: Detalle, almacen: Almacen, ahora: datetime) -> Detalle:
    """The same with the observations that its verdicts cite, newest first; what cannot be read is told."""
    found = {}
    missing: tuple[str, ...] = detalle.faltan
    for hora, numbers in detalle.citas:
        wanted = [one for one in numbers if one not in found]
        if not wanted:
            continue
        try:
            found.update(almacen.citadas(wanted, hora - ALREDEDOR, min(ahora, hora + ALREDEDOR)))
        except PregonError as exc:
            missing = (*missing, f"Las observaciones: {exc.que_paso}")
    newest = sorted(found.values(), key=lambda one: -one.n)[:OBSERVACIONES]
    return replace(detalle, observaciones=tuple(newest), faltan=tuple(dict.fromkeys(missing)))


def hoja(
    bitacora: Sequence[Evento],
    *,
    antes: int | None = None,
    difusor: str | None = None,
    corte: int | None = None,
    tipo: str | None = None,
    tono: Tono | None = None,
) -> Hoja:
    """One page of the journal, newest first, by that filter. ``tipo`` «acciones»: what was done from the board."""

    def fits(one: Evento) -> bool:
        return (
            (antes is None or one.n < antes)
            and difusor in (None, one.difusor)
            and corte in (None, one.corte)
            and (tipo in (None, one.tipo) or (tipo == "acciones" and one.tipo.startswith(PROPIOS)))
            and tono in (None, one.tono)
        )

    found: list[Evento] = []
    for one in reversed(bitacora):
        if fits(one):
            found.append(one)
            if len(found) > POR_HOJA:
                break
    more = len(found) > POR_HOJA
    return Hoja(
        eventos=tuple(found[:POR_HOJA]),
        antes=found[POR_HOJA - 1].n if more else None,
        difusor=difusor,
        corte=corte,
        tipo=tipo,
        tono=tono,
        tipos=tuple(sorted({one.tipo for one in bitacora})),
    )
