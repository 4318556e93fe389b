"""Reading profiles: the ones shipped here by id, any other by the path of its TOML."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from pydantic import ValidationError

from pregon.base.errors import AjustesError, EntradaError
from pregon.base.settings import parse_toml, read_toml_bytes, spanish_problems
from pregon.convocatoria.escribe import to_toml_text
from pregon.convocatoria.model import Convocatoria
from pregon.convocatoria.noche import profile_for_night

__all__ = ["ids", "load", "problems", "profile_for_night", "read", "template", "to_toml_text"]


def ids() -> tuple[str, ...]:
    """The ids of the profiles shipped, in alphabetical order."""
    names = (item.name for item in files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


def load(id_or_path: str | Path) -> Convocatoria:
    """The profile with that id, or the one in that TOML file (a ``Path``, or a text that ends in ``.toml``).

    Raises:
        EntradaError: no profile has that id, or there is no such file.
        AjustesError: the profile is wrong; the text lists every problem with the path of its key.
    """
    data, where = read(id_or_path)
    return parse_toml(data, Convocatoria, where=where)


def read(id_or_path: str | Path) -> tuple[bytes, str]:
    """The bytes of a profile and the name by which errors call it. Raises ``EntradaError`` as ``load``."""
    if isinstance(id_or_path, Path) or id_or_path.endswith(".toml"):
        return read_toml_bytes(Path(id_or_path)), str(id_or_path)
    if id_or_path not in ids():
        raise EntradaError(
            f"No hay ninguna convocatoria con el id «{id_or_path}».",
            intacto="No se cambió nada.",
            que_hacer=f"Use una de estas: {', '.join(ids())}; o dé la ruta de un perfil .toml.",
        )
    return files(__name__).joinpath(f"{id_or_path}.toml").read_bytes(), f"{id_or_path}.toml"


def template() -> str:
    """The text from which a new profile is made: every key of the model, with what it means and what its absence does.

    What is active is a whole profile that ``load`` accepts; the other keys are in lines that begin with ``#: ``.
    """
    return files("pregon.convocatoria").joinpath("plantilla.toml").read_text(encoding="utf-8")


def problems(id_or_path: str | Path) -> tuple[str, ...]:
    """What is wrong with a profile, one text each with the path of its key; empty when it is right.

    A text that does not end in ``.toml`` and is no id counts as a path. Raises ``EntradaError`` when it is not there.
    """
    source = id_or_path if id_or_path in ids() else Path(id_or_path)
    data, where = read(source)
    try:
        parse_toml(data, Convocatoria, where=where)
    except AjustesError as exc:
        if isinstance(exc.__cause__, ValidationError):
            return spanish_problems(exc.__cause__)
        return (f"no es TOML: {exc.__cause__}",)
    return ()
