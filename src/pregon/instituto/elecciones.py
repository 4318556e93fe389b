"""Which election an acta database is about: from its file name, else from its title.

Codes, contest ids and words are those of ``convocatoria.tipos``; here are the spellings seen in published names
(``real-data.md`` §3: ``GOB``/``GUB``, ``DIP_LOC``, ``AYUN``, ``JUNTAS``, ``PRES``, ``SEN``) and what a portal needs to
know of each: the words for its units and whether the whole entity votes for the same people.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from pregon.base.errors import EntradaError
from pregon.convocatoria.tipos import CONTIENDAS, canonical_code, contest_id, election_name
from pregon.prep.text import fold

if TYPE_CHECKING:
    from pregon.prep.model import Nivel

_TOKENS = (
    "DIP_LOC",
    "DIP_FED",
    "JUNTAS",
    "AYUN",
    "AYTO",
    "PRES",
    "AYU",
    "ALC",
    "DIP",
    "GOB",
    "GUB",
    "JUN",
    "SEN",
    "JG",
)
"""Longest first: ``DIP_LOC`` before ``DIP``."""
_TITLES = (
    ("GUBERNATURA", "GUB"),
    ("JEFATURA DE GOBIERNO", "GUB"),
    ("DIPUTACIONES FEDERALES", "DIP_FED"),
    ("DIPUTACIONES", "DIP"),
    ("DIPUTADOS", "DIP"),
    ("AYUNTAMIENTO", "AYU"),
    ("PRESIDENCIAS MUNICIPALES", "AYU"),
    ("ALCALDIAS", "ALC"),
    ("JUNTAS", "JUNTAS"),
    ("PRESIDENCIA", "PRES"),
    ("SENADURIAS", "SEN"),
    ("SENADORES", "SEN"),
)
_ONE_OFFICE = frozenset({"GUB", "PRES"})


@dataclass(frozen=True)
class Unidad:
    """How a unit of a contest is called, for people, with its grammatical gender."""

    singular: str
    plural: str
    femenino: bool


_DISTRITO = Unidad("Distrito", "Distritos", femenino=False)
_MUNICIPIO = Unidad("Municipio", "Municipios", femenino=False)
_JUNTA = Unidad("Junta municipal", "Juntas municipales", femenino=True)
_ALCALDIA = Unidad("Alcaldía", "Alcaldías", femenino=True)
ENTIDAD = Unidad("Entidad", "Entidades", femenino=True)
"""The word for the parts of the country."""


@dataclass(frozen=True)
class Eleccion:
    """An election of the profile: its code there, its contest id (design §7) and its words."""

    codigo: str
    id: str
    titulo: str

    @property
    def orden(self) -> int:
        """Its place on a cover and in ``corte.json``, whatever the order in which the files were given."""
        return next(place for place, (code, _, _) in enumerate(CONTIENDAS) if code == self.codigo)

    @property
    def por_entidad(self) -> bool:
        """True where each entidad of the country elects its own people: the senate."""
        return self.codigo == "SEN"

    @property
    def unico_cargo(self) -> bool:
        """True where the whole entity votes for the same people; else each unit elects its own."""
        return self.codigo in _ONE_OFFICE

    def unidad(self, nivel: Nivel) -> Unidad:
        """The words for its units, given their level in the file."""
        if self.codigo == "JUNTAS":
            return _JUNTA
        if self.codigo == "ALC":
            return _ALCALDIA
        return _MUNICIPIO if nivel == "municipio" else _DISTRITO


@dataclass(frozen=True)
class Identificada:
    """What a file told: the election and how its name spells it (``GOB``, ``DIP_LOC``), for the name of the zip."""

    eleccion: Eleccion
    token: str


def from_code(code: str) -> Eleccion:
    """The election of a code, contest id or spelling.

    Raises:
        EntradaError: no election is called so.
    """
    canonical = canonical_code(code)
    if canonical not in {known for known, _, _ in CONTIENDAS}:
        raise _unknown(f"«{code}» no es una elección conocida.")
    return Eleccion(canonical, contest_id(canonical), election_name(canonical))


def token_of(name: str) -> str | None:
    """The election's spelling inside a file or folder name, or None: ``CAMP_DIP_LOC_2021.csv`` -> ``DIP_LOC``."""
    plain = re.sub(r"[ .\-]", "_", fold(PurePath(name).stem))
    return next((token for token in _TOKENS if re.search(rf"(^|_){token}(_|$)", plain)), None)


def identify(name: str, titulo: str) -> Identificada:
    """The election of an acta database, from its file name (``CAMP_DIP_LOC_2021.csv``) or its title line.

    Raises:
        EntradaError: neither says which election it is.
    """
    token = token_of(name)
    if token is not None:
        return Identificada(from_code(token), token)
    plain = fold(titulo)
    for start, code in _TITLES:
        if plain.startswith(start):
            return Identificada(from_code(code), code)
    raise _unknown(f"No se reconoce de qué elección es {name} (título: «{titulo}»).")


def _unknown(que_paso: str) -> EntradaError:
    return EntradaError(
        que_paso,
        intacto="No se hizo ningún corte; el repositorio sigue como estaba.",
        que_hacer=f"Nombre el archivo ENTIDAD_ELECCION_AÑO.csv, con ELECCION una de: {', '.join(sorted(_TOKENS))}.",
    )
