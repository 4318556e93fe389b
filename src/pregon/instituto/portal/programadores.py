"""The page for programmers: each kind of data file as its schema describes it, with a sample of this very cut."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pregon.instituto import contrato

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pregon.instituto.contrato import Tabla

_RUTAS = {
    "corte": "corte.json",
    "indice": "datos/NNNN/contienda/indice.json",
    "entidad": "datos/NNNN/contienda/entidad.json",
    "unidad": "datos/NNNN/contienda/distrito/NNN.json",
    "seccion": "datos/NNNN/contienda/seccion/0100.json",
    "cambios": "datos/NNNN/contienda/cambios.json",
    "noche": "datos/NNNN/contienda/noche.json",
    "estadistica": "datos/NNNN/contienda/estadistica.json",
    "manifiesto": "manifiesto.json",
}
_ITEMS = 1
_SCALARS = 6
_VOTES = 3
"""How much of a list of objects, a list of plain values and an object of votes a sample shows."""


@dataclass(frozen=True)
class Documento:
    """One kind of file. ``ruta`` is the form of its route; ``anclas``, where on the page each object is explained.

    ``muestra`` is the file of this cut that ``ejemplo`` cuts short; None for the manifest, written after the pages.
    """

    nombre: str
    ruta: str
    esquema: str
    titulo: str
    texto: str
    tablas: tuple[Tabla, ...]
    muestra: str | None
    ejemplo: str | None
    anclas: Mapping[str, str]


def documents(samples: Mapping[str, tuple[str, bytes]]) -> tuple[Documento, ...]:
    """What the page shows. ``samples``: route and bytes of one file of each kind.

    An object that several files hold is explained where it comes first; so are two with the same keys.
    """
    shown: dict[tuple[str, ...], str] = {}
    anchors: dict[str, str] = {}
    found: list[Documento] = []
    for name in contrato.NOMBRES:
        own, *others = contrato.tables(contrato.schema(name))
        new: list[Tabla] = []
        for table in others:
            keys = tuple(key.nombre for key in table.claves)
            if keys not in shown:
                shown[keys] = f"objeto-{table.id}"
                new.append(table)
            anchors[table.id] = shown[keys]
        route, data = samples.get(name, (None, b"null"))
        found.append(
            Documento(
                nombre=name,
                ruta=_RUTAS[name],
                esquema=f"{contrato.CARPETA}{name}.json",
                titulo=own.titulo,
                texto=own.texto,
                tablas=(own, *new),
                muestra=route,
                ejemplo=None if route is None else sample(json.loads(data)),
                anclas=anchors,
            )
        )
    return tuple(found)


def sample(value: Any, indent: int = 0) -> str:
    """A value as indented JSON cut short: ``…`` stands for what is left out."""
    inner, outer = "  " * (indent + 1), "  " * indent
    if isinstance(value, dict) and value:
        items = list(value.items())
        short = items[:_VOTES] if all(isinstance(item, int) for item in value.values()) else items
        lines = [f"{json.dumps(key, ensure_ascii=False)}: {sample(item, indent + 1)}" for key, item in short]
        cut = len(items) > len(short)
        return "{\n" + ",\n".join(inner + line for line in (*lines, *(["…"] if cut else []))) + f"\n{outer}}}"
    if isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        lines = [sample(item, indent + 1) for item in value[:_ITEMS]] + (["…"] if len(value) > _ITEMS else [])
        return "[\n" + ",\n".join(inner + line for line in lines) + f"\n{outer}]"
    if isinstance(value, list):
        shown = [json.dumps(item, ensure_ascii=False) for item in value[:_SCALARS]]
        return f"[{', '.join(shown + (['…'] if len(value) > _SCALARS else []))}]"
    return json.dumps(value, ensure_ascii=False)
