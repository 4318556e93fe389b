"""``solicitud.toml``: what a difusor writes once, and every form, letter and list is made of.

It has the keys of the institute's ficha (``convocatoria.solicitud.modelo``) and some of its own, of the papers and not
of the registration. A key that is empty, or is not there, is a blank: it is told with its path, and the paper
leaves room for it. A key with something wrong in it is refused.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from datetime import date  # noqa: TC003 - pydantic reads it
from pathlib import Path  # noqa: TC003 - and it
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, ValidationError

from pregon.base.errors import AjustesError
from pregon.base.settings import Settings, read_toml_bytes, ruta_de, spanish_problems
from pregon.convocatoria.escribe import modelo_a_toml
from pregon.convocatoria.solicitud import formulario
from pregon.convocatoria.solicitud.modelo import LISTA_MAX, Borrador, Ficha, Linea

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pregon.convocatoria.model import Convocatoria

ARCHIVO = "solicitud.toml"


class Firma(Settings):
    """Who signs the letters. Without it, the first legal contact."""

    nombre: Linea | None = None
    cargo: Linea | None = None


class Oficio(Settings):
    """What heads the letters: their number, and where they are signed. ``lugar`` None: as the call says, else the city
    of ``[domicilio]``.
    """

    numero: Linea | None = None
    lugar: Linea | None = None


class Anexo(Settings):
    """The spreadsheet of a call whose text does not bring its columns (DGO-II-f): those of the institute's file, each a
    known question or one of ``[respuestas]``. Empty: everything that is known.
    """

    columnas: Annotated[tuple[Linea, ...], Field(max_length=LISTA_MAX)] = ()


class Solicitud(Borrador):
    """The whole file. ``fecha``: the day that the papers bear, today where it is not said; ``logo``: its path, relative
    to the file.
    """

    fecha: date | None = None
    logo: Path | None = None
    firma: Firma = Firma()
    oficio: Oficio = Oficio()
    anexo: Anexo = Anexo()

    @property
    def firmante(self) -> tuple[str | None, str | None]:
        """Name and office of who signs."""
        legal = formulario.responsable(self, "legal")
        name = self.firma.nombre or (None if legal is None else legal.nombre)
        return name, self.firma.cargo or (None if legal is None or self.firma.nombre else legal.cargo)


@dataclass(frozen=True, kw_only=True)
class Leida:
    """A file read. ``vacias``: paths of the keys that are there and empty, in their order."""

    solicitud: Solicitud
    vacias: tuple[str, ...]
    carpeta: Path


def lee(path: Path) -> Leida:
    """Read a file.

    Raises:
        EntradaError: there is none.
        AjustesError: it is not TOML, or a key is wrong; all of them are told with their paths.
    """
    try:
        table = tomllib.loads(read_toml_bytes(path).decode())
        blanks: list[str] = []
        kept = {key: value for key, value in _pruned(table, "", blanks).items() if value not in ({}, [])}
        made = Solicitud.model_validate(kept)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        problems: tuple[str, ...] = (str(exc),)
        cause: Exception = exc
    except ValidationError as exc:
        problems, cause = spanish_problems(exc), exc
    else:
        return Leida(solicitud=made, vacias=tuple(blanks), carpeta=path.parent)
    raise AjustesError(
        f"El archivo {path} tiene {len(problems)} problema(s):\n  " + "\n  ".join(problems),
        intacto="No se escribió nada.",
        que_hacer="Corrija las claves señaladas y repita la orden.",
    ) from cause


def _pruned(table: dict[str, Any], path: str, blanks: list[str]) -> dict[str, Any]:
    """``table`` without its empty texts, whose paths go to ``blanks``. Items of lists of tables keep their places."""
    kept: dict[str, Any] = {}
    for key, value in table.items():
        bare = all(char.isalnum() or char in "_-" for char in key) and key.isascii()
        where = f"{path}.{key if bare else json.dumps(key, ensure_ascii=False)}".lstrip(".")
        match value:
            case str() if not value.strip():
                blanks.append(where)
            case dict():
                kept[key] = _pruned(value, where, blanks)
            case list():
                kept[key] = list(_items(value, where, blanks))
            case _:
                kept[key] = value
    return kept


def _items(items: list[Any], path: str, blanks: list[str]) -> Iterator[Any]:
    for n, item in enumerate(items):
        if isinstance(item, dict):
            yield _pruned(item, f"{path}[{n}]", blanks)
        elif isinstance(item, str) and not item.strip():
            blanks.append(f"{path}[{n}]")
        else:
            yield item


def ficha(solicitud: Solicitud) -> Ficha | tuple[str, ...]:
    """The form as the institute registers it; or, while it cannot be, the paths of what it lacks.

    Somebody without a name and without a way to be called is no contact yet, and is left out.
    """
    data = solicitud.model_dump(exclude=set(Solicitud.model_fields) - set(Borrador.model_fields), exclude_none=True)
    places = [n for n, one in enumerate(solicitud.contacto) if one.nombre or one.telefono or one.celular or one.correo]
    data["contacto"] = [data["contacto"][n] for n in places]
    try:
        return Ficha.model_validate(data)
    except ValidationError as exc:
        # What is there was checked when it was read: what is left are keys without which nobody is registered.
        return tuple(_in_file(ruta_de(item["loc"]), places) for item in exc.errors(include_url=False))


def _in_file(path: str, places: list[int]) -> str:
    """The path with the place that the contact has in the file."""
    if not path.startswith("contacto["):
        return path
    number, _, rest = path.removeprefix("contacto[").partition("]")
    return f"contacto[{places[int(number)]}]{rest or '.telefono'}"


def ficha_toml(form: Ficha) -> str:
    """The file that ``pregon instituto difusor alta --ficha`` takes."""
    return modelo_a_toml(form, "Ficha de un difusor, como la registra el instituto. Es confidencial.")


def plantilla(convocatoria: Convocatoria) -> str:
    """An empty ``solicitud.toml`` for a call: what its form, its letters and its lists need, and nothing else."""
    # An example is no answer: nobody should hand in another's address.
    form = re.sub(
        r'^(url|sitio|vista_previa) = "(.*)"$',
        r'\1 = ""  # por ejemplo: \2',
        formulario.plantilla(convocatoria, con_documentos=False),
        flags=re.MULTILINE,
    )
    first, _, rest = form.partition("\n")
    lines = [
        first.replace("Ficha de un difusor", "Solicitud de un difusor"),
        "# De aquí salen todos los papeles: pregon formatos --solicitud solicitud.toml --en CARPETA --convocatoria …",
        "# fecha = 2027-05-03  # la que llevan los papeles; sin ella, la de hoy",
        'logo = ""  # ruta del logotipo, junto a este archivo',
        rest.rstrip("\n"),
        "",
        "[[contacto]]  # quien responde legalmente, y firma si no se dice otra persona en [firma]",
        'nombre = ""',
        'papel = "legal"',
        'cargo = ""',
        'telefono = ""',
        'celular = ""',
        'correo = ""',
        "",
        "# [firma]  # si firma otra persona",
        '# nombre = ""',
        '# cargo = ""',
        "",
        "# [oficio]",
        '# numero = ""',
        '# lugar = ""',
    ]
    if convocatoria.formulario.anexo and not convocatoria.formulario.campos:
        lines += ["", f"# [anexo]  # {convocatoria.formulario.anexo}: las columnas del archivo que dé el instituto"]
        lines += ['# columnas = ["Nombre del medio difusor", "Propuesta de enlace (liga de acceso)"]']
    return "\n".join(lines) + "\n"
