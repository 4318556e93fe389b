"""Writes a catalogue of candidates: as its source byte for byte, or in the frame of a named dialect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pregon.prep.marco import encoded, line_text
from pregon.prep.text import fold

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pregon.prep.candidaturas import Catalogo
    from pregon.prep.estilos import Estilo

_IDS = frozenset({"ID_ESTADO", "ID_ENTIDAD"})


def write_candidaturas(catalogo: Catalogo, *, estilo: Estilo | None = None) -> Iterator[bytes]:
    """The bytes of ``catalogo``, in pieces; ``estilo`` None: as its source, the same bytes.

    In a named dialect the frame changes, and the name of the entity's column with it; names, ids and people do not.

    Raises:
        FormatoError: a letter that the dialect's encoding does not have; with line and column.
    """
    if estilo is None:
        lines = enumerate((*catalogo.cabeza, *catalogo.renglones, catalogo.cola), start=1)
        return encoded(lines, catalogo.origen, catalogo.encoding, bom=catalogo.bom)
    frame = estilo.catalogo
    return encoded(_lines(catalogo, estilo), catalogo.origen, frame.encoding, bom=frame.bom)


def _lines(catalogo: Catalogo, estilo: Estilo) -> Iterator[tuple[int, str]]:
    frame = estilo.catalogo
    number = 0
    if frame.sep_hint:
        number += 1
        yield number, f"sep={frame.delimiter}{frame.line_end}"
    names = list(catalogo.columnas)
    place = catalogo.lugar_entidad
    if place is not None and fold(names[place]) in _IDS:
        names[place] = estilo.nombres.get("entidad_id", names[place])
    for cells in (names, *catalogo.celdas):
        number += 1
        # One field too many at the end of every row is a fault of its source (Puebla 2019).
        yield number, line_text(cells[: len(names)], frame.delimiter) + frame.line_end
