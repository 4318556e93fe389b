"""``[[fuente]]`` of ``instituto.toml``: where a contest's actas lie in a database and what each column is.

The address, which holds a password, is never here: a file or an environment variable has it. Names of columns are the
official ones (prep.md §2.3), in the order in which they are published; the votes go after TOTAL_VOTOS_SACADOS.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import BeforeValidator, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from pregon.base.settings import Settings
from pregon.instituto.elecciones import token_of
from pregon.prep.columns import ColumnsError, count_roles, read_columns
from pregon.prep.text import fold

MAX_DIGITS = 20
_AFTER_SACADOS = "CODIGOS_"
"""Counts that federal files put between the ballots taken out and the votes."""
_SELECT = re.compile(r"\s*(?:SELECT|WITH)\b", re.IGNORECASE)

Marca: TypeAlias = Literal["ILEGIBLE", "SIN_DATO", "SIN_ACTA", "NO_CONTIENDE", "NO_APLICA", "VACIO"]
NULO = "nulo"
"""The key of ``marcas`` that stands for NULL; without it NULL is an empty cell: not captured yet."""

_Name: TypeAlias = Annotated[str, Field(min_length=1, max_length=200)]
_Official: TypeAlias = Annotated[str, Field(pattern=r'^[^\x00-\x1f",|;=\x27]{1,100}$')]


class Campo(Settings):
    """What a published column holds: a database column, or one fixed text.

    ``digitos``: numbers get zeros on their left up to that many.
    """

    columna: _Name | None = None
    valor: Annotated[str, Field(max_length=200)] | None = None
    digitos: Annotated[int, Field(ge=1, le=MAX_DIGITS)] | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.columna is None) == (self.valor is None):
            raise PydanticCustomError("campo", "debe dar «columna» o «valor», una de las dos")
        return self


class Voto(Settings):
    """A vote column: its official name, the database column, and where markers lie apart, the column that has them."""

    nombre: _Official
    columna: _Name
    marca: _Name | None = None


def _campo(value: Any) -> Any:
    return {"columna": value} if isinstance(value, str) else value


def _voto(value: Any) -> Any:
    if isinstance(value, str):
        return {"nombre": value, "columna": value}
    if isinstance(value, dict) and "nombre" in value:
        return {"columna": value["nombre"], **value}
    return value


_Columns: TypeAlias = dict[_Official, Annotated[Campo, BeforeValidator(_campo)]]


class _Relacion(Settings):
    """A table or view (``tabla``, with its schema before a dot) or one SELECT (``consulta``)."""

    tabla: Annotated[str, Field(pattern=r"^[^\x00-\x1f.]+(\.[^\x00-\x1f.]+)?$", max_length=200)] | None = None
    consulta: Annotated[str, Field(min_length=1, max_length=20_000)] | None = None
    columnas: _Columns
    orden: tuple[_Name, ...] = ()

    @field_validator("consulta")
    @classmethod
    def _one_select(cls, value: str | None) -> str | None:
        return None if value is None else one_select(value)

    @model_validator(mode="after")
    def _table_or_select(self) -> Self:
        if (self.tabla is None) == (self.consulta is None):
            raise PydanticCustomError("relacion", "debe dar «tabla» o «consulta», una de las dos")
        return self

    @property
    def clave_origen(self) -> str:
        """The key that names what is read, for errors."""
        return "tabla" if self.tabla is not None else "consulta"


class FuenteCandidaturas(_Relacion):
    """The catalogue of candidaturas of a contest."""

    @model_validator(mode="after")
    def _catalogue(self) -> Self:
        names = {fold(name) for name in self.columnas}
        for needed in ("PARTIDO_CI", "CANDIDATURA_PROPIETARIA"):
            if needed not in names:
                raise PydanticCustomError("columnas", f"falta la columna {needed} en «columnas»")
        return self


class FuenteSql(_Relacion):
    """One contest in a database.

    ``marcas`` maps a value of a count (``-1``; ``nulo`` for NULL) to the marker that it means; ``marcas_aparte`` maps
    the values of the accompanying columns. ``orden`` are the database columns that give the order of the file; without
    it, actas go by their keys and those fuera de catálogo last. ``esperadas_consulta``: a SELECT of one number for
    ACTAS_ESPERADAS; without it, the rows within the catalogue.
    """

    eleccion: str
    url_archivo: _Name | None = None
    url_variable: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    titulo: Annotated[str, Field(pattern=r'^[^\x00-\x1f",|;]*[^\W\d_][^\x00-\x1f",|;]*$', max_length=200)]
    votos: Annotated[tuple[Annotated[Voto, BeforeValidator(_voto)], ...], Field(min_length=1)]
    marcas: dict[str, Marca] = Field(default_factory=dict)
    marcas_aparte: dict[str, Marca] = Field(default_factory=dict)
    esperadas_consulta: Annotated[str, Field(min_length=1, max_length=20_000)] | None = None
    candidaturas: FuenteCandidaturas | None = None
    permite_escritura: bool = False

    @field_validator("eleccion")
    @classmethod
    def _known_election(cls, value: str) -> str:
        if token_of(value) is None:
            raise PydanticCustomError("eleccion", "no es una elección conocida (GUB, DIP_LOC, AYUN, PRES…)")
        return value

    @field_validator("esperadas_consulta")
    @classmethod
    def _one_select_too(cls, value: str | None) -> str | None:
        return None if value is None else one_select(value)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.url_archivo is None) == (self.url_variable is None):
            raise PydanticCustomError("url", "debe dar «url_archivo» o «url_variable», una de las dos")
        if any(vote.marca is not None for vote in self.votos) and not self.marcas_aparte:
            raise PydanticCustomError("marcas", "hay votos con «marca» y falta «marcas_aparte»")
        names = self.encabezados
        try:
            read = read_columns(names, self.titulo)
        except ColumnsError as exc:
            raise PydanticCustomError("columnas", "{texto}", {"texto": str(exc)}) from exc
        if tuple(names[read.votos]) != tuple(vote.nombre for vote in self.votos):
            raise PydanticCustomError("votos", "la última columna de «votos» debe ser NULOS, y nada más que votos")
        return self

    @property
    def clave_url(self) -> str:
        """The key that says where the address is, for errors."""
        return "url_archivo" if self.url_archivo is not None else "url_variable"

    @property
    def lugar_votos(self) -> int:
        """How many columns go before the votes: up to TOTAL_VOTOS_SACADOS and what federal files put after it."""
        names = list(self.columnas)
        place = next((i for i, role in count_roles(names).items() if role == "sacados"), len(names) - 1) + 1
        while place < len(names) and fold(names[place]).startswith(_AFTER_SACADOS):
            place += 1
        return place

    @property
    def encabezados(self) -> tuple[str, ...]:
        """The published column names, in order."""
        names = list(self.columnas)
        place = self.lugar_votos
        return (*names[:place], *(vote.nombre for vote in self.votos), *names[place:])


def one_select(value: str) -> str:
    """``value`` without a final semicolon, if it is one SELECT; the read-only transaction makes sure of the rest."""
    text = value.strip().rstrip(";").rstrip()
    if _SELECT.match(text) is None or ";" in text:
        raise PydanticCustomError("consulta", "debe ser un solo SELECT, sin punto y coma")
    return text


def repeated(sources: tuple[FuenteSql, ...]) -> str | None:
    """The election that two sources give, or None."""
    seen: set[str | None] = set()
    for source in sources:
        token = token_of(source.eleccion)
        if token in seen:
            return source.eleccion
        seen.add(token)
    return None
