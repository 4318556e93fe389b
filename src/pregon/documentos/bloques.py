"""What a paper says, as values, before anybody decides whether it is a PDF, a text document or a spreadsheet."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from datetime import date

Celda: TypeAlias = str | int | Decimal | None
"""None: nothing was written there. Text is text in every form, whatever it looks like; only numbers are numbers."""
TipoImagen: TypeAlias = Literal["svg", "png", "webp"]


@dataclass(frozen=True, kw_only=True)
class Titulo:
    """The heading of a part. ``nivel`` 1 is a part of the document, 2 of that part, 3 of that one; none is skipped."""

    texto: str
    nivel: Literal[1, 2, 3] = 1


@dataclass(frozen=True, kw_only=True)
class Parrafo:
    """A paragraph. A line break in ``texto`` is one in the paper. One in the middle stays with what follows."""

    texto: str
    alinea: Literal["izquierda", "derecha", "centro"] = "izquierda"
    negrita: bool = False


@dataclass(frozen=True, kw_only=True)
class Lista:
    """Items, with a mark or with a number before each."""

    elementos: tuple[str, ...]
    numerada: bool = False


@dataclass(frozen=True, kw_only=True)
class Nota:
    """Something apart from the text: an explanation, or what the reader must not overlook (``aviso``)."""

    texto: str
    tono: Literal["nota", "aviso"] = "nota"


@dataclass(frozen=True, kw_only=True)
class Columna:
    """A column of a table. ``clase`` «numero» is set right; ``ancho`` is its share of the width."""

    nombre: str
    clase: Literal["texto", "numero"] = "texto"
    ancho: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Tabla:
    """A table with a heading row, repeated on each page. ``titulo`` names it; in a spreadsheet it is one sheet,
    ``hoja`` its name (the title where it is None). ``nota`` stands below: what is counted, and where it comes from.

    Raises:
        ValueError: a row has other than one cell for each column.
    """

    titulo: str
    columnas: tuple[Columna, ...]
    filas: tuple[tuple[Celda, ...], ...]
    nota: str | None = None
    hoja: str | None = None

    def __post_init__(self) -> None:
        if any(len(fila) != len(self.columnas) for fila in self.filas):
            raise ValueError(f"a row of «{self.titulo}» has not {len(self.columnas)} cells")


@dataclass(frozen=True, kw_only=True)
class Campo:
    """One box of a form. ``valor`` None leaves ``renglones`` lines of room to write by hand."""

    rotulo: str
    valor: str | None
    renglones: int = 1


@dataclass(frozen=True, kw_only=True)
class Campos:
    """Boxes of a form, row by row, as many side by side as each row has. ``titulo`` is over all of them."""

    filas: tuple[tuple[Campo, ...], ...]
    titulo: str | None = None


@dataclass(frozen=True, kw_only=True)
class Figura:
    """A picture or plot. ``alt`` says in words what it shows, for who does not see it; what a plot draws also stands
    in a table. ``ancho_mm`` None: as wide as the text. Letters of an SVG: ``font-family="Libertinus Serif"``.
    """

    imagen: bytes
    tipo: TipoImagen
    alt: str
    titulo: str | None = None
    ancho_mm: float | None = None


@dataclass(frozen=True, kw_only=True)
class Firmante:
    """Who signs, and as what; None leaves only the line."""

    nombre: str | None
    cargo: str | None = None


@dataclass(frozen=True, kw_only=True)
class Firmas:
    """Room to sign by hand, one line for each person, side by side."""

    firmantes: tuple[Firmante, ...]


@dataclass(frozen=True, kw_only=True)
class Salto:
    """What follows begins on a new page."""


Bloque: TypeAlias = Titulo | Parrafo | Lista | Nota | Tabla | Campos | Figura | Firmas | Salto


@dataclass(frozen=True, kw_only=True)
class Documento:
    """A whole paper. ``fecha``: the day that it bears; no form of it has another one inside, so that the same document
    is the same bytes. ``titulo_visible`` False: a letter, whose title only names the file's content. ``encabezado`` is
    above each page after the first, ``pie`` below every one. ``simulacro``: every page says that it is of a rehearsal.

    Raises:
        ValueError: a heading skips a level, which readers of tagged files stumble over.
    """

    titulo: str
    autor: str
    fecha: date
    bloques: tuple[Bloque, ...]
    titulo_visible: bool = True
    encabezado: str = ""
    pie: str = ""
    horizontal: bool = False
    simulacro: bool = False

    def __post_init__(self) -> None:
        level = 0
        for one in self.bloques:
            if isinstance(one, Titulo):
                if one.nivel > level + 1:
                    raise ValueError(f"heading «{one.texto}» skips a level")
                level = one.nivel
