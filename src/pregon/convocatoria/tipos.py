"""Small types of a profile: ids, instants and days as they are written, elections and their contest ids."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, get_args

from pydantic import Field, PlainSerializer, PlainValidator
from pydantic_core import PydanticCustomError

if TYPE_CHECKING:
    from collections.abc import Iterable

Codigo = Literal["GUB", "DIP", "AYU", "ALC", "JUNTAS", "PRES", "SEN", "DIP_FED"]
"""The elections as a profile names them."""

CONTIENDAS: tuple[tuple[str, str, str], ...] = (
    ("GUB", "gub", "Gubernatura"),
    ("DIP", "dip", "Diputaciones locales"),
    ("AYU", "ayun", "Ayuntamientos"),
    ("ALC", "alc", "Alcaldías"),
    ("JUNTAS", "juntas", "Juntas municipales"),
    ("PRES", "pres", "Presidencia"),
    ("SEN", "sen", "Senadurías"),
    ("DIP_FED", "dip", "Diputaciones federales"),
)
"""Code of the profile, contest id (design §7), words for people.

``AYU`` is how ``clauses.md`` abbreviates it; the contest's folder is ``ayun``. Local and federal diputaciones share
``dip``: no institute counts both in one PREP, and a profile that names both is refused.
"""

_ALIASES = {"AYUN": "AYU", "AYTO": "AYU", "GOB": "GUB", "JG": "GUB", "DIP_LOC": "DIP", "JUN": "JUNTAS"}

Vista = Literal[
    "mosaico",
    "partidos",
    "columnas",
    "especiales",
    "estadistica",
    "secciones",
    "casilla",
    "cambios",
    "noche",
    "base-de-datos",
    "preguntas-frecuentes",
    "glosario",
    "para-programadores",
    "incrusta",
]
"""The views of the portal that a council may leave out. What is left without any: who leads and the votes of each
candidatura, of the entity and of each unit, with the cut and how much is counted."""

VISTAS: tuple[Vista, ...] = get_args(Vista)
"""All of them."""

Exigencia = Literal["requerido", "recomendado", "opcional"]
"""How strongly a text asks for something."""

Id = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", min_length=2, max_length=32)]
Texto = Annotated[str, Field(min_length=1, max_length=2000)]
Puerto = Annotated[int, Field(ge=1, le=65535)]
Positivo = Annotated[int, Field(ge=1)]

T = TypeVar("T")
Lista = Annotated[tuple[T, ...], Field(strict=False)]
"""A TOML array, kept as a tuple; its elements stay strict."""


def _day(value: Any) -> date:
    if not isinstance(value, date):
        raise PydanticCustomError("dia", "debe ser una fecha sin comillas, como 2021-05-03, con o sin hora")
    return value


Plazo = Annotated[date, PlainValidator(_day), PlainSerializer(lambda day: day.isoformat(), when_used="json")]
"""A TOML local date (the whole day counts) or date-time (that instant; the profile makes it aware)."""


def contest_id(codigo: str) -> str:
    """The contest id of an election code: ``AYU`` -> ``ayun``.

    Raises:
        KeyError: it is not a code of ``CONTIENDAS``.
    """
    return {code: contest for code, contest, _ in CONTIENDAS}[codigo]


def contest_ids(codigos: Iterable[str]) -> tuple[str, ...]:
    """The contest ids of several codes, in their order."""
    return tuple(contest_id(codigo) for codigo in codigos)


def election_name(codigo: str) -> str:
    """The words for people: ``AYU`` -> ``Ayuntamientos``. Raises as ``contest_id``."""
    return {code: words for code, _, words in CONTIENDAS}[codigo]


def canonical_code(word: str) -> str:
    """The profile's code for a spelling seen in file names (``GOB``, ``AYUN``, ``DIP_LOC``) or a contest id (``ayun``).

    What is not known comes back in upper case, for the profile to refuse by name.
    """
    upper = word.upper()
    return _ALIASES.get(upper, upper)
