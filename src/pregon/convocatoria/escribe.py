"""Writing a profile as the TOML that ``perfiles.load`` reads back equal."""

from __future__ import annotations

import json
from datetime import date, datetime, time
from typing import TYPE_CHECKING

from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pregon.convocatoria.model import Convocatoria


def to_toml_text(convocatoria: Convocatoria) -> str:
    """The profile as TOML text: plain keys, then tables, then arrays of tables; instants as local time.

    Guarantees that ``load`` of the text gives a value equal to ``convocatoria``. Defaults are written out, so that the
    file keeps its meaning if a later version changes one. Keys without a value are left out.
    """
    return modelo_a_toml(convocatoria, "Perfil escrito por Pregón.")


def modelo_a_toml(model: BaseModel, comentario: str) -> str:
    """Any model of one level of tables, as ``to_toml_text`` writes a profile; ``comentario`` is its first line."""
    return f"# {comentario}\n" + "\n".join(_lines(model)) + "\n"


def _lines(model: BaseModel) -> Iterator[str]:
    tables: list[tuple[str, BaseModel | dict[str, object]]] = []
    for key, value in _stated(model):
        if isinstance(value, BaseModel | dict):
            tables.append((f"[{key}]", value))
        elif rows := _rows(value):
            tables.extend((f"[[{key}]]", row) for row in rows)
        else:
            yield f"{key} = {_toml(value)}"
    for header, table in tables:
        yield ""
        yield header
        yield from (f"{key} = {_toml(value)}" for key, value in _stated_in(table))


def _stated_in(table: BaseModel | dict[str, object]) -> Iterator[tuple[str, object]]:
    if isinstance(table, dict):  # its keys are somebody's words
        return ((_toml(key), value) for key, value in table.items())
    return _stated(table)


def _stated(model: BaseModel) -> Iterator[tuple[str, object]]:
    for key, value in model:
        field = type(model).model_fields[key]
        # An empty list says the same as no list, unless something else is the default.
        if value is not None and (value != () or field.is_required() or field.default != ()):
            yield key, value


def _rows(value: object) -> list[BaseModel]:
    """The items of an array of tables; empty for anything else."""
    return [item for item in value if isinstance(item, BaseModel)] if isinstance(value, tuple) else []


def _toml(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            # JSON's escapes are TOML's, but for DEL, which TOML does not admit bare.
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
        case int() | float():
            return repr(value)
        case datetime():
            return value.replace(tzinfo=None).isoformat()
        case date() | time():
            return value.isoformat()
        case tuple():
            return "[" + ", ".join(_toml(item) for item in value) + "]"
        case _:
            raise TypeError(f"no TOML form for {type(value).__name__}")
