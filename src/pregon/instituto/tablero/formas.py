"""The board as JSON: ``pregon/tablero/1`` whole, and what changed between two moments of it.

Names never change meaning within the format; new ones may come. Instants are ISO 8601 in UTC; times, whole seconds.
"""

from __future__ import annotations

import json
from datetime import UTC
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pregon.instituto.tablero.diferencia import Cambio
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

FORMATO = "pregon/tablero/1"
CAMBIO = "pregon/tablero-cambio/1"
CURVA_MAX = 16
"""Steps of a propagation curve that are sent; what the others say is in ``segundos``."""


def de_cuadro(one: Cuadro) -> dict[str, Any]:
    """The whole board.

    ``{formato, serie, version, hora, instituto, convocatoria, titulo, ambiente, noche, cortes[], difusores[] (worst
    first), por_decidir[], eventos[] (newest first), puntos[], alarmas[], faltan[]}``.
    """
    return {
        "formato": FORMATO,
        "serie": one.serie,
        "version": one.version,
        "hora": instante(one.hora),
        "instituto": one.instituto,
        "convocatoria": one.convocatoria,
        "titulo": one.titulo,
        "ambiente": one.ambiente,
        "noche": de_noche(one.noche, one.hora),
        "cortes": [de_columna(each) for each in one.cortes],
        "difusores": [de_renglon(each) for each in one.difusores],
        "por_decidir": [de_pendiente(each) for each in one.por_decidir],
        "eventos": [de_evento(each) for each in one.eventos],
        "puntos": [de_punto(each) for each in one.puntos],
        "alarmas": [de_alarma(each) for each in one.alarmas],
        "faltan": list(one.faltan),
    }


def de_cambio(one: Cambio) -> dict[str, Any]:
    """What changed: ``{formato, serie, antes, version, hora, …}`` and of these only what is new or different:

    * ``noche``, ``por_decidir``, ``puntos``, ``alarmas``, ``faltan``: whole, in place of what was.
    * ``cortes``: columns, each in place of the one of its ``i`` (or after the last one).
    * ``difusores``: ``{id, …}``, what the row says of now where that changed; ``nombre`` and ``url`` too;
      ``celdas`` and ``segundos`` as ``{"<index>": letter}`` and ``{"<index>": seconds|null}``, of the cells that did.
    * ``quitados``: ids that are not there any more. ``orden``: every id, worst first.
    * ``eventos``: those that came, newest first: they go before those that were.

    A change whose ``version`` is not above what a page has is to be ignored; one whose ``antes`` is not what it has,
    answered by asking for the whole (``/tablero.json``).
    """
    rows: dict[str, dict[str, Any]] = {
        each.id: {"id": each.id, "nombre": each.nombre, "url": each.url, **de_ahora(each)} for each in one.renglones
    }
    for ident, cells in one.celdas.items():
        row = rows.setdefault(ident, {"id": ident})
        row["celdas"] = {str(index): letter for index, (letter, _) in cells.items()}
        row["segundos"] = {str(index): seconds for index, (_, seconds) in cells.items()}
    made: dict[str, Any] = {
        "formato": CAMBIO,
        "serie": one.serie,
        "antes": one.antes,
        "version": one.version,
        "hora": instante(one.hora),
    }
    if one.noche is not None:
        made["noche"] = de_noche(one.noche, one.hora)
    lists: dict[str, list[Any]] = {
        "cortes": [de_columna(each) for each in one.cortes],
        "difusores": list(rows.values()),
        "quitados": list(one.quitados),
        "orden": list(one.orden or ()),
        "eventos": [de_evento(each) for each in one.eventos],
    }
    made.update({key: value for key, value in lists.items() if value})
    if one.por_decidir is not None:
        made["por_decidir"] = [de_pendiente(each) for each in one.por_decidir]
    if one.puntos is not None:
        made["puntos"] = [de_punto(each) for each in one.puntos]
    if one.alarmas is not None:
        made["alarmas"] = [de_alarma(each) for each in one.alarmas]
    if one.faltan is not None:
        made["faltan"] = list(one.faltan)
    return made


def texto(data: Any) -> str:
    """As it is sent: short, and safe within a ``<script type="application/json">``."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def de_noche(one: Noche, hora: datetime) -> dict[str, Any]:
    """``{inicio, fin, estado (antes, noche, cerrada), corte, proximo, debe_desde, atraso_s}``."""
    late = one.atraso_s(hora)
    return {
        "inicio": instante(one.inicio),
        "fin": instante(one.fin),
        "estado": one.fase,
        "corte": one.corte,
        "proximo": instante(one.proximo),
        "debe_desde": instante(one.debe_desde),
        "atraso_s": None if late is None else round(late),
    }


def de_columna(one: Columna) -> dict[str, Any]:
    """``{i, n, hora_corte, vence, hasta, firmado, perdido, ultimo, visibles, de, p50_s, p95_s, retraso_s, curva}``."""
    return {
        "i": one.indice,
        "n": one.n,
        "hora_corte": instante(one.hora_corte),
        "vence": instante(one.vence),
        "hasta": instante(one.hasta),
        "firmado": instante(one.firmado),
        "perdido": one.perdido,
        "ultimo": one.ultimo,
        "visibles": one.visibles,
        "de": one.de,
        "p50_s": _whole(one.p50_s),
        "p95_s": _whole(one.p95_s),
        "retraso_s": _whole(one.retraso_s),
        "curva": [list(step) for step in adelgaza(one.curva, CURVA_MAX)],
    }


def de_renglon(one: Renglon) -> dict[str, Any]:
    """``{id, nombre, url, estado, veredicto, causa, porque, motivos, corte, atraso_s, visto, desde, fallas,
    advertencias, orden, tono, celdas: one letter a column, segundos: [int|null, …]}``."""
    return {
        "id": one.id,
        "nombre": one.nombre,
        "url": one.url,
        **de_ahora(one),
        "celdas": one.celdas,
        "segundos": list(one.segundos),
    }


def de_ahora(one: Renglon) -> dict[str, Any]:
    """What a row says of now."""
    return {
        "estado": one.estado,
        "veredicto": one.veredicto,
        "causa": one.causa,
        "porque": one.porque,
        "motivos": list(one.motivos),
        "corte": one.corte,
        "atraso_s": _whole(one.atraso_s),
        "visto": instante(one.visto),
        "desde": instante(one.desde),
        "fallas": one.fallas,
        "advertencias": one.advertencias,
        "orden": one.orden,
        "tono": one.tono,
    }


def de_pendiente(one: Pendiente) -> dict[str, Any]:
    """``{id, clase, ref, texto, que_hacer, desde, tono, difusor, corte}``."""
    return {
        "id": one.id,
        "clase": one.clase,
        "ref": one.ref,
        "texto": one.texto,
        "que_hacer": one.que_hacer,
        "desde": instante(one.desde),
        "tono": one.tono,
        "difusor": one.difusor,
        "corte": one.corte,
    }


def de_evento(one: Evento) -> dict[str, Any]:
    """``{n, hora, tipo, texto, tono, difusor, corte}``."""
    return {
        "n": one.n,
        "hora": instante(one.hora),
        "tipo": one.tipo,
        "texto": one.texto,
        "tono": one.tono,
        "difusor": one.difusor,
        "corte": one.corte,
    }


def de_punto(one: Punto) -> dict[str, Any]:
    """``{nombre, visto, con_red, calla, tono}``."""
    return {
        "nombre": one.nombre,
        "visto": instante(one.visto),
        "con_red": one.con_red,
        "calla": one.calla,
        "tono": one.tono,
    }


def de_alarma(one: AlarmaVigente) -> dict[str, Any]:
    """``{codigo, titulo, texto, que_hacer, desde, grave}``."""
    return {
        "codigo": one.codigo,
        "titulo": one.titulo,
        "texto": one.texto,
        "que_hacer": one.que_hacer,
        "desde": instante(one.desde),
        "grave": one.grave,
    }


def adelgaza(curva: Sequence[tuple[int, int]], maximo: int) -> tuple[tuple[int, int], ...]:
    """The same rising steps in at most ``maximo``: the first, the last and those between them at even places."""
    if len(curva) <= maximo:
        return tuple(curva)
    last = len(curva) - 1
    return tuple(curva[place * last // (maximo - 1)] for place in range(maximo))


def instante(instant: datetime | None) -> str | None:
    """An instant as it is sent; None where there is none."""
    return None if instant is None else instant.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _whole(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds)
