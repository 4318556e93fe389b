"""«Consulta tu casilla»: what its script must know of a contest to show a sección (design §7: sección files).

The script reads ``corte.json`` and one file of ten section numbers per contest; here is what those do not say: the
names and colours of the vote columns, the names of the units and the entidades of a federal contest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pregon.prep.text import NO_UNIT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pregon.instituto.portal.partidos import Actores
    from pregon.tablas.model import UnitTotals

ENTIDADES = (
    "Aguascalientes",
    "Baja California",
    "Baja California Sur",
    "Campeche",
    "Coahuila",
    "Colima",
    "Chiapas",
    "Chihuahua",
    "Ciudad de México",
    "Durango",
    "Guanajuato",
    "Guerrero",
    "Hidalgo",
    "Jalisco",
    "México",
    "Michoacán",
    "Morelos",
    "Nayarit",
    "Nuevo León",
    "Oaxaca",
    "Puebla",
    "Querétaro",
    "Quintana Roo",
    "San Luis Potosí",
    "Sinaloa",
    "Sonora",
    "Tabasco",
    "Tamaulipas",
    "Tlaxcala",
    "Veracruz",
    "Yucatán",
    "Zacatecas",
)
"""By their number in the INE's catalogue, from 1: the order in which the voting credential numbers them."""


@dataclass(frozen=True)
class Consulta:
    """What the page of casillas says of a contest.

    ``columnas``: of each vote column its key, its words and its colour classes (none for no registradas and nulos).
    ``unidades``: words of each unit by id. ``entidades``: id and name of those of a federal contest, else empty.
    """

    nivel: str
    columnas: tuple[tuple[str, str, str], ...]
    unidades: Mapping[str, str]
    entidades: tuple[tuple[str, str], ...]

    @property
    def colores(self) -> tuple[str, ...]:
        """Every colour class of its columns."""
        return tuple(sorted({color for _, _, colors in self.columnas for color in colors.split()}))


def consulta(nivel: str, actores: Actores, unidades: Mapping[str, str], entidades: Iterable[UnitTotals]) -> Consulta:
    """What the script must know of a contest; ``unidades`` are the words of its units by id."""
    return Consulta(
        nivel=nivel,
        columnas=tuple(_column(key, actores) for key in actores.columnas),
        unidades=dict(unidades),
        entidades=tuple(
            (entity.id, entity_name(entity.id, entity.nombre)) for entity in entidades if entity.id not in NO_UNIT
        ),
    )


def entity_name(identifier: str, otherwise: str) -> str:
    """The name of an entidad by its id of two digits (``09`` -> ``Ciudad de México``); ``otherwise`` if none has it."""
    number = int(identifier) if identifier.isascii() and identifier.isdecimal() else 0
    return ENTIDADES[number - 1] if 1 <= number <= len(ENTIDADES) else otherwise or identifier


def all_entities(contests: Sequence[Consulta]) -> tuple[tuple[str, str], ...]:
    """The entidades of several contests, each once, by name."""
    found = {identifier: name for contest in contests for identifier, name in contest.entidades}
    return tuple(sorted(found.items(), key=lambda entry: entry[0]))


def _column(key: str, actores: Actores) -> tuple[str, str, str]:
    if actores.nulos(key):
        return key, "Votos nulos", ""
    if actores.no_registradas(key):
        return key, "Candidaturas no registradas", ""
    parties = actores.partidos(key)
    return key, " · ".join(party.siglas for party in parties), " ".join(party.color for party in parties)
