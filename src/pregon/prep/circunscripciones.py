"""The five plurinominal circunscripciones: which entidades each has.

General knowledge, not one of the documents of this house: the territory fixed for the federal redistricting of 2017
(INE/CG329/2017, cited by the help page of a state PREP) and used in the elections of 2018 and 2021. The numbers are
those of the INE's catalogue of entidades. A later agreement may move an entidad: confirm the table before a federal
night, and give another one where it differs.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

CIRCUNSCRIPCIONES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        # Baja California, Baja California Sur, Chihuahua, Durango, Jalisco, Nayarit, Sinaloa, Sonora
        "1": ("02", "03", "08", "10", "14", "18", "25", "26"),
        # Aguascalientes, Coahuila, Guanajuato, Nuevo León, Querétaro, San Luis Potosí, Tamaulipas, Zacatecas
        "2": ("01", "05", "11", "19", "22", "24", "28", "32"),
        # Campeche, Chiapas, Oaxaca, Quintana Roo, Tabasco, Veracruz, Yucatán
        "3": ("04", "07", "20", "23", "27", "30", "31"),
        # Ciudad de México, Guerrero, Morelos, Puebla, Tlaxcala
        "4": ("09", "12", "17", "21", "29"),
        # Colima, Hidalgo, México, Michoacán
        "5": ("06", "13", "15", "16"),
    }
)
"""Entidades of each circunscripción, as two digits."""

NOMBRES: tuple[str, ...] = ("Primera", "Segunda", "Tercera", "Cuarta", "Quinta")


def circunscripcion_of(entidad: str, table: Mapping[str, tuple[str, ...]] = CIRCUNSCRIPCIONES) -> str:
    """The circunscripción (``1`` to ``5``) of an entidad given as two digits; empty when it is of none."""
    return next((number for number, members in table.items() if entidad in members), "")
