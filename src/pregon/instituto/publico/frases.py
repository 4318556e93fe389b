"""The sentences of the public pages: one on the institute, one on the difusores, one for each delay. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pregon.instituto.portal import formato

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from pregon.instituto.publico.modelo import Difusor, Noche, Retraso, Situacion

MARCAS: dict[Situacion, str] = {
    "al_dia": "✓",
    "atrasado": "◔",
    "parcial": "◑",
    "sin_respuesta": "✕",
    "en_revision": "?",
    "sin_dato": "·",
    "antes": "·",
    "interrumpido": "‖",
    "no_valido": "✕",
    "concluido": "·",
}
"""A shape beside the words, so that a column is read at a glance without colours."""
_MINUTO, _HORA = 60, 3600


def lapso(seconds: int) -> str:
    """``45 s``, ``12 min``, ``1 h 05 min``: what a delay took, whole units, truncated."""
    if seconds < _MINUTO:
        return f"{seconds}{formato.NBSP}s"
    if seconds < _HORA:
        return f"{seconds // _MINUTO}{formato.NBSP}min"
    hours, rest = divmod(seconds // _MINUTO, 60)
    return f"{hours}{formato.NBSP}h {rest:02d}{formato.NBSP}min"


def frase(noche: Noche, ahora: datetime, zona: ZoneInfo) -> str:
    """How the institute itself goes: its newest cut, the next one, and its own lateness told as its own."""
    last, owed = noche.ultimo, noche.pendiente
    if noche.fase == "antes":
        return (
            f"Los resultados comienzan el {formato.fecha(noche.inicio, zona)} a las {formato.hora(noche.inicio, zona)}."
        )
    seen = "" if last is None else _cuando(last.hora_corte, ahora, zona)
    if noche.fase == "cerrada" and last is not None:
        return f"Terminó la captura: el corte {last.corte}, {seen}, es el último."
    if owed is not None:
        late = "" if owed.segundos is None else f": lleva {lapso(owed.segundos)} de retraso"
        said = f"El instituto no ha publicado el corte {_cuando(owed.vence, ahora, zona)}{late}."
        return said if last is None else f"{said} El último es el {last.corte}, {seen}."
    if last is None:
        return "El instituto prepara el primer corte."
    following = "" if noche.proximo is None else f" El siguiente se espera a las {formato.hora(noche.proximo, zona)}."
    return f"El último corte es el {last.corte}, {seen}.{following}"


def resumen(difusores: Sequence[Difusor]) -> str:
    """How many are how, in one sentence; those that publish only."""
    counted = Counter(one.situacion for one in difusores if one.renglon.como == "enlazado")
    total = sum(counted.values())
    if total == 0:
        return "Ningún difusor publica por ahora."
    if counted["antes"]:
        return f"{formato.cantidad(total, 'difusor listo', 'difusores listos')} para la publicación."
    return f"Al día: {formato.entero(counted['al_dia'])} de {formato.cantidad(total, 'difusor', 'difusores')}."


def retraso(one: Retraso, zona: ZoneInfo) -> str:
    """What became of a late cut, without why."""
    head = f"El corte de las {formato.hora(one.vence, zona)}"
    match one.desenlace:
        case "perdido":
            return f"{head} no se hizo: el siguiente ya incluye sus actas."
        case "pendiente":
            return f"{head} no ha salido" + ("." if one.segundos is None else f": lleva {lapso(one.segundos)}.")
        case _:
            return f"{head} salió {lapso(one.segundos or 0)} tarde."


def _cuando(instant: datetime, ahora: datetime, zona: ZoneInfo) -> str:
    """``de las 22:40 h``, with its day where it is not today's."""
    words = f"de las {formato.hora(instant, zona)}"
    same = instant.astimezone(zona).date() == ahora.astimezone(zona).date()
    return words if same else f"{words} del {formato.fecha(instant, zona)}"
