"""Settings: one TOML file per role, read once into a frozen model, every problem reported at once with its path."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from pregon.base.errors import AjustesError, EntradaError

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
            f"No se encontró el archivo de ajustes {path}: {exc.strerror}",
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
        problems = [f"{_dotted(error['loc'])}: {_spanish(error)}" for error in exc.errors()]
        cause = exc
    raise AjustesError(
        f"El archivo {where} tiene {len(problems)} problema(s):\n  " + "\n  ".join(problems),
        intacto="No se cambió nada.",
        que_hacer="Corrija las claves señaladas y repita la orden.",
    ) from cause


def _dotted(location: tuple[int | str, ...]) -> str:
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
    return f"{error['msg']} (valor: {error.get('input')!r})"
