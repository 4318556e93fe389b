"""The contract of the data files: their JSON Schemas (draft 2020-12), as published, and as tables for people.

The schemas are ``esquemas/*.json`` of this package, one per kind of file, and travel in every cut under
``esquemas/<VERSION>/``. They are strict: a file with one key more or less is another version, with its own folder.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

VERSION = 1
CARPETA = f"esquemas/{VERSION}/"
"""Where a package keeps the schemas."""
NOMBRES = ("corte", "indice", "entidad", "unidad", "seccion", "cambios", "noche", "estadistica", "manifiesto")
"""The kinds of file, in the order in which a reader meets them."""

_TIPOS = {
    "string": "texto",
    "integer": "entero",
    "boolean": "true o false",
    "null": "null",
    "object": "objeto",
    "array": "lista",
}


@dataclass(frozen=True)
class Clave:
    """A key: its name, its type in words, what it means, and whether it is always there.

    ``objeto`` is the ``id`` of the ``Tabla`` that explains its value or items, empty where they are plain.
    """

    nombre: str
    tipo: str
    texto: str
    siempre: bool
    objeto: str


@dataclass(frozen=True)
class Tabla:
    """The keys of one kind of object. ``id`` is the name of its definition, empty for the file itself."""

    id: str
    titulo: str
    texto: str
    claves: tuple[Clave, ...]


def published() -> Iterator[tuple[str, bytes]]:
    """Route in the package and bytes of each schema."""
    for name in NOMBRES:
        yield f"{CARPETA}{name}.json", _read(name)


def schema(nombre: str) -> dict[str, Any]:
    """The schema of one kind of file of ``NOMBRES``."""
    found: dict[str, Any] = json.loads(_read(nombre))
    return found


def kind_of(ruta: str) -> str | None:
    """Which schema a file of a package follows, by its route; None for what is no data file."""
    if ruta in ("corte.json", "manifiesto.json"):
        return ruta.removesuffix(".json")
    parts = ruta.split("/")
    if parts[0] != "datos" or not ruta.endswith(".json"):
        return None
    if parts[-1] in ("indice.json", "entidad.json", "cambios.json", "noche.json", "estadistica.json"):
        return parts[-1].removesuffix(".json")
    return "seccion" if parts[-2] == "seccion" else "unidad"


def tables(document: Mapping[str, Any]) -> tuple[Tabla, ...]:
    """A schema as tables: the file's own keys first, then those of each object that it defines."""
    objects = [("", document), *((n, d) for n, d in document["$defs"].items() if "properties" in d)]
    return tuple(
        Tabla(
            id=name,
            titulo=item["title"],
            texto=item["description"],
            claves=tuple(
                Clave(
                    nombre=key,
                    tipo=_type(value, document["$defs"]),
                    texto=value["description"],
                    siempre=key in item["required"],
                    objeto=_object(value, document["$defs"]),
                )
                for key, value in item["properties"].items()
            ),
        )
        for name, item in objects
    )


def _object(value: Mapping[str, Any], defs: Mapping[str, Any]) -> str:
    name = str(value.get("items", value).get("$ref", "")).rpartition("/")[2]
    return name if "properties" in defs.get(name, {}) else ""


def _type(value: Mapping[str, Any], defs: Mapping[str, Any]) -> str:
    """A type in words: ``texto o null``, ``lista de Acta``, ``«oficial» o «simulacro»``."""
    if "$ref" in value:
        target = defs[value["$ref"].rpartition("/")[2]]
        return str(target["title"])
    if "const" in value:
        return f"«{value['const']}»"
    if "enum" in value:
        return _either(["null" if item is None else f"«{item}»" for item in value["enum"]])
    if "anyOf" in value:
        return _either([_type(item, defs) for item in value["anyOf"]])
    if value["type"] == "array":
        return f"lista de {_type(value['items'], defs)}"
    kinds = value["type"] if isinstance(value["type"], list) else [value["type"]]
    if "title" in value:
        return _either([value["title"], *(["null"] if "null" in kinds else [])])
    return _either([_TIPOS[kind] for kind in kinds])


def _either(options: list[str]) -> str:
    return options[0] if len(options) == 1 else f"{', '.join(options[:-1])} o {options[-1]}"


def _read(name: str) -> bytes:
    return (files("pregon.instituto") / "esquemas" / f"{name}.json").read_bytes()
