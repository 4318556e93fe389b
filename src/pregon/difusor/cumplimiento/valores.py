"""The values of a profile as people read them: what a clause carried by a key of the profile shows as its evidence."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from pregon.convocatoria.lectura import in_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pregon.convocatoria.model import Convocatoria


def en_palabras(call: Convocatoria, key: str) -> str:
    """What a key of the profile says, as people read it, with its unit."""
    if key == "elecciones":
        return ", ".join(call.nombres_elecciones)
    value: Any = call
    for name in key.split("."):
        value = getattr(value, name)
    unit = next((unit for ending, unit in _UNIDADES.items() if key.endswith(ending)), "")
    return (", ".join(_words(value)) or "(nada)") + unit


_UNIDADES = {
    "intervalo_min": " minutos",
    "piso_min": " minutos",
    "_s": " segundos",
    "_mb": " MB",
    ".gb": " GB",
    "_pct": " %",
    "mbps": " Mbps",
    "kva_por_servidor": " kVA",
    "kva_comunicaciones": " kVA",
}
"""By the end of the key."""
_PALABRAS = {
    "pull": "el difusor lo recoge",
    "push": "el instituto lo entrega",
    "no_dicho": "el texto no lo dice",
    "solo_instituto": "sólo en el sitio del instituto",
    "autorizada": "sólo con autorización previa del instituto",
    "academia": "instituciones académicas",
    "osc": "organizaciones de la sociedad civil",
    "si": "sí",
    "medios": "medios de comunicación",
    "interrumpir": "se interrumpe la transmisión",
    "bloquear": "se bloquea la comunicación",
    "baja": "se da de baja al difusor",
    "completo": "todos los paquetes completos",
    "recibido": "lo recibido",
    "requerido": "se requiere",
    "requerida": "se requiere",
    "recomendado": "se recomienda",
    "permitida": "se permite",
}
"""Values that are words of the profile and not of people."""


def _words(value: Any) -> Iterator[str]:
    match value:
        case bool():
            yield "sí" if value else "no"
        case datetime() | date():
            yield in_words(value)
        case time():
            yield f"{value:%H:%M} h"
        case tuple() if value and isinstance(value[0], BaseModel):
            yield "; ".join(", ".join(_stated(row)) for row in value)
        case tuple():
            for each in value:
                yield from _words(each)
        case BaseModel():
            yield from _stated(value)
        case None:
            return
        case _:
            yield _PALABRAS.get(str(value), str(value))


def _stated(row: BaseModel) -> Iterator[str]:
    """The values of a table; what is only yes or no would say nothing without its key."""
    for _, each in row:
        if not isinstance(each, bool):
            yield from _words(each)
