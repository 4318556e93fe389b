"""A paper of the institute's evidence: sections of paragraphs and tables, as one HTML file and as a tagged PDF.

HTML carries its style and asks for nothing. Both have the same texts, in the same order.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from jinja2 import Environment, StrictUndefined

import pregon
from pregon.convocatoria.lectura import in_words
from pregon.documentos.pdf import compone

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from pregon.convocatoria.model import Convocatoria

Tono: TypeAlias = Literal["bien", "aviso", "falla", "gris", ""]
MARCAS: dict[Tono, str] = {"bien": "✓", "aviso": "!", "falla": "✕", "gris": "–", "": ""}
"""State without colour: what a grey print and who sees no colours read. Of the PDF, the word alone."""


@dataclass(frozen=True)
class Celda:
    """One cell. ``tono``: it says something good, to be seen, or bad. ``fija``: a digest or a path; breaks anywhere."""

    texto: str
    tono: Tono = ""
    fija: bool = False


@dataclass(frozen=True)
class Columna:
    """One column: its heading and how much of the width it takes among the others (0: what it needs)."""

    titulo: str
    ancho: float = 1.0


@dataclass(frozen=True)
class Tabla:
    """A table. ``vacia``: what is said where it has no rows."""

    columnas: tuple[Columna, ...]
    filas: tuple[tuple[Celda, ...], ...]
    vacia: str = "Ninguno."


@dataclass(frozen=True)
class Bloque:
    """Something with a title of its own within a section: a warning, an order. ``lineas``: its text as it was sent."""

    titulo: str
    tono: Tono = ""
    estado: str = ""
    parrafos: tuple[str, ...] = ()
    lineas: tuple[str, ...] = ()
    tabla: Tabla | None = None


@dataclass(frozen=True)
class Seccion:
    """A section. ``id``: where a link to it goes."""

    id: str
    titulo: str
    parrafos: tuple[str, ...] = ()
    tabla: Tabla | None = None
    bloques: tuple[Bloque, ...] = ()


@dataclass(frozen=True)
class Cifra:
    """One figure of the summary."""

    que: str
    cuanto: str
    tono: Tono = ""


@dataclass(frozen=True, kw_only=True)
class Documento:
    """The paper. ``clase``: what it is, for the line above its title; ``de``: whose, at the head of each page.

    ``datos``: labelled lines of the cover; ``cifras``: its summary. ``hora`` aware.
    """

    clase: str
    titulo: str
    de: str
    convocatoria: Convocatoria
    ambiente: str
    hora: datetime
    datos: tuple[tuple[str, Celda], ...]
    cifras: tuple[Cifra, ...]
    secciones: tuple[Seccion, ...]


def fila(*celdas: Celda | str) -> tuple[Celda, ...]:
    """A row; a text is a plain cell."""
    return tuple(Celda(one) if isinstance(one, str) else one for one in celdas)


def tabla(columnas: Iterable[tuple[str, float]], filas: Iterable[tuple[Celda, ...]], *, vacia: str) -> Tabla:
    """A table of ``(heading, width)`` and rows."""
    return Tabla(tuple(Columna(*one) for one in columnas), tuple(filas), vacia)


def html(documento: Documento) -> bytes:
    """One HTML file, self-contained: every text escaped, no script, nothing fetched."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(_resource("documento.html").decode())
    return template.render(_view(documento), marcas=MARCAS).encode()


def pdf(documento: Documento) -> bytes:
    """A PDF/UA-1 document.

    Raises:
        AjustesError: typst is not installed.
    """
    return compone(
        _resource("documento.typ"),
        _view(documento),
        hora=documento.hora,
        sin_papeles="o repita la orden con --sin-pdf.",
    )


def _resource(name: str) -> bytes:
    return resources.files("pregon.instituto.bitacora").joinpath(name).read_bytes()


def _view(documento: Documento) -> dict[str, Any]:
    call = documento.convocatoria
    made = documento.hora.astimezone(call.zona).replace(microsecond=0)
    return {
        "clase": documento.clase,
        "titulo": documento.titulo,
        "de": documento.de,
        "nombre": call.nombre,
        "convocatoria": call.id,
        "instituto": call.instituto_nombre or call.instituto,
        "ambiente": documento.ambiente,
        "hecho": in_words(made),
        "fecha": [made.year, made.month, made.day],
        "version": pregon.__version__,
        "datos": [{"que": que, **asdict(celda)} for que, celda in documento.datos],
        "cifras": [asdict(one) for one in documento.cifras],
        "secciones": [_listed(asdict(one)) for one in documento.secciones],
    }


def _listed(value: Any) -> Any:
    """Tuples as lists, all the way down: what JSON knows."""
    match value:
        case dict():
            return {key: _listed(each) for key, each in value.items()}
        case tuple() | list():
            return [_listed(each) for each in value]
        case _:
            return value
