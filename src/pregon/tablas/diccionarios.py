"""Dictionaries of the engine: what each distinct text of a column means, read once by the functions of ``prep``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pregon.prep.circunscripciones import circunscripcion_of
from pregon.prep.text import NO_UNIT, clean_key, entity_id

if TYPE_CHECKING:
    from pregon.motor.duck import Motor, Tipo
    from pregon.prep.model import ActaTable

ORDINARIAS = frozenset({"B", "C", "E", ""})
"""Básica, contigua and extraordinaria; every other kind of casilla holds special votes."""
SIN_CIRCUNSCRIPCION = "0"
"""The circunscripción of an entidad that is of none."""


def distinct(motor: Motor, *queries: str) -> list[str]:
    """The texts of several queries, each once."""
    return [text for (text,) in motor.rows(" union ".join(queries))] if queries else []


def load_dictionary(
    motor: Motor, name: str, columns: dict[str, Tipo], meanings: dict[str, tuple[int | str | None, ...]]
) -> None:
    """A table ``name`` of each text (column texto) and what it means."""
    motor.load_values(name, {"texto": "varchar", **columns}, [(text, *values) for text, values in meanings.items()])


def load_places(motor: Motor, table: ActaTable, source: str) -> None:
    """Load tipos, entidades and unidades: what each distinct text of these columns of ``source`` means."""

    def texts(column: str) -> list[str]:
        return distinct(motor, f"select distinct {column} from {source}")  # noqa: S608 - our own names

    load_dictionary(
        motor,
        "tipos",
        {"tipo": "varchar", "clase": "varchar"},
        {text: _kind(text) for text in texts("tipo")},
    )
    several = table.varias_entidades
    load_dictionary(
        motor,
        "entidades",
        {"entidad": "varchar", "circunscripcion": "varchar", "prefijo": "varchar"},
        {text: _entity(text, several=several) for text in texts("entidad_id")},
    )
    load_dictionary(
        motor,
        "unidades",
        {"unidad": "varchar", "sin_unidad": "varchar"},
        {
            text: (clean_key(text) if clean_key(text) not in NO_UNIT else "", f"sin-{table.nivel}")
            for text in texts("unidad_id")
        },
    )


def _kind(text: str) -> tuple[str, str]:
    kind = clean_key(text).upper()
    return kind, "" if kind in ORDINARIAS else kind


def _entity(text: str, *, several: bool) -> tuple[str, str, str]:
    """Its id, its circunscripción and the head of its units' ids; all empty in a local file."""
    entity = entity_id(text) if several else ""
    return (
        entity,
        circunscripcion_of(entity) or (SIN_CIRCUNSCRIPCION if entity else ""),
        f"{entity}-" if several else "",
    )
