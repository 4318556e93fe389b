"""Settings: one TOML file per role, read once into a frozen model, every problem reported at once with its path."""

from __future__ import annotations

import tomllib
from datetime import date, time
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from pregon.base.errors import AjustesError, EntradaError
from pregon.base.razones import razon

if TYPE_CHECKING:
    from pathlib import Path

ModelT = TypeVar("ModelT", bound=BaseModel)


class Settings(BaseModel):
    """Base of every model read from TOML: unknown keys are errors, values do not change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def load_toml(path: Path, model: type[ModelT]) -> ModelT:
    """Read ``path`` as ``model``.

    Raises:
        EntradaError: there is no such file.
        AjustesError: it is not TOML, or some key is wrong; the text lists all of them with their paths.
    """
    return parse_toml(read_toml_bytes(path), model, where=str(path))


def read_toml_bytes(path: Path) -> bytes:
    """The file's bytes.

    Raises:
        EntradaError: it is not there or cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as exc:
        raise EntradaError(
            f"No se encontró el archivo de ajustes {path}: {razon(exc)}",
            intacto="No se cambió nada.",
            que_hacer="Revise la ruta, o cree el espacio de trabajo con la orden «inicia».",
        ) from exc


def parse_toml(data: bytes, model: type[ModelT], *, where: str) -> ModelT:
    """Read TOML ``data`` as ``model``; ``where`` names it in the error. Raises as ``load_toml``."""
    try:
        table: dict[str, Any] = tomllib.loads(data.decode())
        return model.model_validate(table)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        problems = [str(exc)]
        cause: Exception = exc
    except ValidationError as exc:
        problems = list(spanish_problems(exc))
        cause = exc
    raise AjustesError(
        f"El archivo {where} tiene {len(problems)} problema(s):\n  " + "\n  ".join(problems),
        intacto="No se cambió nada.",
        que_hacer="Corrija las claves señaladas y repita la orden.",
    ) from cause


def spanish_problems(error: ValidationError) -> tuple[str, ...]:
    """Every problem of ``error``, one text each: the path of the key and what is wrong with it, in Spanish."""
    return tuple(f"{ruta_de(item['loc'])}: {_spanish(item)}" for item in error.errors(include_url=False))


def ruta_de(location: tuple[int | str, ...]) -> str:
    """The path of a key as a person reads it: ``contacto[0].telefono``."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text or "(archivo)"


def _spanish(error: Any) -> str:
    kind = error["type"]
    if kind == "extra_forbidden":
        return "clave desconocida"
    if kind == "missing":
        return "falta esta clave"
    limits = error.get("ctx", {})
    texts = {
        "value_error": str(limits.get("error")),  # our own words, without pydantic's before them
        "bool_type": "debe ser true o false",
        "int_type": "debe ser un número entero",
        "int_from_float": "debe ser un número entero",
        "float_type": "debe ser un número",
        "string_type": "debe ser un texto entre comillas",
        "string_too_short": "el texto está vacío o es demasiado corto",
        "string_too_long": f"el texto pasa de {limits.get('max_length')} caracteres",
        "string_pattern_mismatch": f"no tiene la forma {limits.get('pattern')}",
        "literal_error": f"debe ser {limits.get('expected', '').replace(' or ', ' o ')}",
        "greater_than": f"debe ser mayor que {limits.get('gt')}",
        "greater_than_equal": f"debe ser al menos {limits.get('ge')}",
        "less_than": f"debe ser menor que {limits.get('lt')}",
        "less_than_equal": f"debe ser a lo sumo {limits.get('le')}",
        "too_short": "la lista no puede estar vacía",
        "tuple_type": "debe ser una lista entre corchetes",
        "list_type": "debe ser una lista entre corchetes",
        "model_type": "debe ser una tabla de claves",
        "model_attributes_type": "debe ser una tabla de claves",
        "dict_type": "debe ser una tabla de claves",
        "date_type": "debe ser una fecha sin comillas, como 2021-05-03",
        "time_type": "debe ser una hora sin comillas, como 09:00:00",
        "datetime_type": "debe ser una fecha con hora, sin comillas",
    }
    text: str = texts.get(kind, error["msg"])
    value = error.get("input")
    if value is None or limits.get("reservado"):  # What may be a password is not repeated.
        return text
    shown = value.isoformat() if isinstance(value, (date, time)) else repr(value)
    return f"{text} (valor: {shown})"
