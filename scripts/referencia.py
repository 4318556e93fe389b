"""The reference pages of the docs, written from the program itself: orders, settings, the profile's keys, errors.

``python scripts/referencia.py FOLDER`` writes them; ``tests/docs/test_sitio.py`` says when those kept are behind.
"""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin

import typer
from pydantic import BaseModel

import pregon.paquete.errors  # noqa: F401 - its leaves of the tree of failures
from pregon.base.errors import PregonError
from pregon.cli.app import app
from pregon.convocatoria.perfiles import template
from pregon.difusor.settings import DifusorSettings
from pregon.instituto.monitor.puesto import AjustesPuesto
from pregon.instituto.settings import AjustesInstituto

if TYPE_CHECKING:
    from collections.abc import Iterator

AVISO = "<!-- La escribe scripts/referencia.py a partir del programa: no se edita a mano. -->\n\n"
ARCHIVOS = (
    ("instituto.toml", "lo escribe `pregon instituto inicia`", AjustesInstituto),
    ("difusor.toml", "lo escribe `pregon difusor inicia`", DifusorSettings),
    ("observa.toml", "lo escribe `pregon instituto observa --inicia`", AjustesPuesto),
)
TIPOS = {
    str: "texto",
    int: "entero",
    float: "número",
    bool: "`true` o `false`",
    Path: "ruta",
    types.NoneType: "nada",
}
COTAS = {"ge": "desde", "gt": "más de", "le": "hasta", "lt": "menos de"}


def paginas() -> dict[str, str]:
    """The text of each page by the name of its file."""
    return {
        "ordenes.md": AVISO + "\n".join(_orders()),
        "ajustes.md": AVISO + "\n".join(_settings()),
        "perfil.md": AVISO + "\n".join(_profile()),
        "errores.md": AVISO + "\n".join(_errors()),
    }


def _orders() -> Iterator[str]:
    yield "# Órdenes\n\nTodas tienen `--help`. Lo que informan lo dan en la salida; lo demás, en la de errores.\n"
    root = typer.main.get_command(app)
    yield from _group(root, "pregon", 2)


def _group(command: Any, path: str, level: int) -> Iterator[str]:
    for name, each in sorted(getattr(command, "commands", {}).items()):
        if each.hidden:
            continue
        whole = f"{path} {name}"
        yield f"{'#' * min(level, 4)} `{whole}`\n"
        yield f"{_flat(each.help)}\n"
        rows = [_parameter(one) for one in each.params if not getattr(one, "hidden", False)]
        if rows:
            yield "| | Qué es | Si no se dice |\n|---|---|---|"
            yield "\n".join(rows) + "\n"
        yield from _group(each, whole, level + 1)


def _parameter(one: Any) -> str:
    names = [one.metavar or one.name.upper()] if one.param_type_name == "argument" else [*one.opts, *one.secondary_opts]
    name = " ".join(f"`{_cell(each)}`" for each in names)
    more = [] if getattr(one, "envvar", None) is None else [f"También en la variable `{one.envvar}`."]
    text = " ".join([_flat(one.help), *more])
    return f"| {name} | {_cell(text)} | {_default(one)} |"


def _default(one: Any) -> str:
    if one.required:
        return "hace falta"
    if isinstance(one.show_default, str):
        return _cell(one.show_default)
    if one.default is None or one.default is False or one.default == () or callable(one.default):
        return ""
    return f"`{_cell(str(one.default))}`" if one.default != "" else ""


def _settings() -> Iterator[str]:
    yield "# Ajustes\n"
    yield "Una clave que no está aquí es un error, y se dicen todos a la vez, cada uno con su ruta. Una tabla con `[]`"
    yield "se repite: `[[destino]]`.\n"
    for name, made, model in ARCHIVOS:
        yield f"## {name}\n\nLo que va ahí {made.replace('lo escribe', 'al principio lo escribe')}.\n"
        yield "| Clave | Qué lleva | Si no se dice |\n|---|---|---|"
        yield "\n".join(_keys(model, "")) + "\n"


def _keys(model: type[BaseModel], path: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        key = f"{path}{field.alias or name}"
        inner, many = _tables(field.annotation)
        if inner:
            for table in inner:
                which = f" ({_which(table)})" if len(inner) > 1 else ""
                yield f"| **`{key}{'[]' if many else ''}`**{which} | una tabla{' por cada uno' if many else ''} | |"
                yield from _keys(table, f"{key}{'[]' if many else ''}.")
            continue
        limits = "; ".join(_limits(field.metadata))
        what = _kind(field.annotation) + (f", {limits}" if limits else "")
        yield f"| `{key}` | {_cell(what)} | {_field_default(field)} |"


def _tables(annotation: Any) -> tuple[list[type[BaseModel]], bool]:
    """The models within an annotation, and whether there may be several of them."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation], False
    origin = get_origin(annotation)
    found: list[type[BaseModel]] = []
    many = origin in (tuple, list, frozenset)
    for one in get_args(annotation):
        inner, several = _tables(one)
        found += inner
        many = many or several
    return found, many and bool(found)


def _which(table: type[BaseModel]) -> str:
    """What tells a table from the others that may stand there: its one fixed word."""
    for name, field in table.model_fields.items():
        if get_origin(field.annotation) is Literal and len(get_args(field.annotation)) == 1:
            return f'{name} = "{get_args(field.annotation)[0]}"'
    return (
        ", ".join(name for name, field in table.model_fields.items() if field.is_required()) or "sin claves obligadas"
    )


def _kind(annotation: Any) -> str:
    origin = get_origin(annotation)
    if origin is Literal:
        return " o ".join(f"`{one}`" for one in get_args(annotation))
    if origin in (Union, types.UnionType):
        kinds = dict.fromkeys(_kind(one) for one in get_args(annotation) if one is not types.NoneType)
        return " o ".join(kinds)
    if origin in (tuple, list, frozenset):
        return f"lista: {_kind(get_args(annotation)[0])}"
    if origin is dict:
        return f"tabla: {_kind(get_args(annotation)[1])}"
    if hasattr(annotation, "__metadata__"):
        return _kind(get_args(annotation)[0])
    return TIPOS.get(
        annotation, {"datetime": "fecha y hora", "date": "fecha", "time": "hora"}.get(_name(annotation), "texto")
    )


def _name(annotation: Any) -> str:
    return str(getattr(annotation, "__name__", annotation))


def _limits(metadata: list[Any]) -> Iterator[str]:
    for one in metadata:
        for key, word in COTAS.items():
            value = getattr(one, key, None)
            if value is not None:
                yield f"{word} {value}"


def _field_default(field: Any) -> str:
    if field.is_required():
        return "hace falta"
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is None or value in ((), "", {}):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, dict):
        return f"`{_cell(', '.join(f'{key}: {one}' for key, one in value.items()))}`"
    if isinstance(value, tuple | frozenset | list):
        return f"`{_cell(', '.join(str(one) for one in value))}`"
    return f"`{_cell(str(value))}`"


def _profile() -> Iterator[str]:
    yield "# El perfil de una convocatoria\n"
    yield "Una convocatoria es un archivo TOML. Éste es el modelo que da `pregon convocatoria plantilla`; los cinco que"
    yield "trae Pregón se leen con `pregon convocatoria muestra ID`, y qué dice cada cláusula,"
    yield "en [convocatorias](../convocatorias.md).\n"
    yield f"```toml\n{template().rstrip()}\n```\n"


def _errors() -> Iterator[str]:
    yield "# Errores y estados de salida\n"
    yield "Cada rechazo dice qué pasó, qué quedó intacto y qué hacer. Con `--json` son las claves `codigo`, `que_paso`,"
    yield "`intacto` y `que_hacer`, y `clase` donde el INE pide una (INE-VI-a-i). `0` es que se hizo, y también que no"
    yield "había novedad.\n"
    yield "| Código | Estado de salida | Clase |\n|---|---|---|"
    found = {(one.salida, one.codigo, one.clase or "") for one in _leaves(PregonError)}
    yield "\n".join(f"| `{code}` | {status} | {kind} |" for status, code, kind in sorted(found)) + "\n"


def _leaves(kind: type[PregonError]) -> Iterator[type[PregonError]]:
    for each in kind.__subclasses__():
        yield each
        yield from _leaves(each)


def _flat(text: str | None) -> str:
    return " ".join((text or "").replace("\b", "").split())


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def main() -> None:
    """Write the pages into the folder named."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in paginas().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
