"""Who is ahead in each sección: the engine adds its votes by those who stand together in its unit.

It reads the sums of the secciones as they are (``fichas.Entendidas``), whether they were added up from every acta or
corrected from the cut before, so there is nothing of it to note between two cuts.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from pregon.motor.duck import engine
from pregon.motor.sql import read_sql

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pregon.prep.columns import Contender
    from pregon.tablas.model import UnitTotals

ANTES_DE_LOS_VOTOS = 5
"""Numbers in the sums of a sección before those of its vote columns (``sql/secciones.sql``)."""
_DELIMITER = "\x1f"
EMPATE, SIN_VOTOS, SIN_ACTAS = -3, -2, -1
"""Instead of a place: several candidaturas have the most votes, nobody has any, or no acta is counted."""
Delantera: TypeAlias = tuple[int, int, str]
"""Of a sección: the most votes of one candidatura, its place among those of the unit (or one of the three above), and
the participation as text with four decimals, truncated."""


@dataclass(frozen=True)
class Contienden:
    """Who contends in a unit: the key of each candidatura, in the order of its first column, and its columns."""

    claves: tuple[str, ...]
    columnas: tuple[tuple[int, ...], ...]


def who_contends(unit: UnitTotals, contendientes: Sequence[Contender]) -> Contienden:
    """The candidaturas of ``unit``, by places in ``contendientes``; votes null and for people not registered apart."""
    found: dict[str, list[int]] = {}
    for place, column in enumerate(contendientes):
        if column.clase not in ("no_registradas", "nulos"):
            found.setdefault(unit.suma_a[column.columna], []).append(place)
    return Contienden(tuple(found), tuple(map(tuple, found.values())))


def ahead(
    secciones: Sequence[tuple[str, str, str]], unidades: Mapping[str, Contienden], *, hilos: int | None = None
) -> list[Delantera]:
    """Who is ahead in each of ``secciones`` (unit, id and sums, of ``Entendidas``), in the order given.

    Args:
        secciones: of units that are all in ``unidades``.
        unidades: who contends in each.
        hilos: threads of the engine, None for as many as fit.

    Raises:
        ComprobacionError: the engine failed.
    """
    if not secciones:
        return []
    numbers: dict[tuple[tuple[int, ...], ...], int] = {}
    of_unit = {unit: numbers.setdefault(who.columnas, len(numbers)) for unit, who in unidades.items()}
    with engine(threads=hilos) as motor:
        motor.load_lines(
            "secciones",
            (f"{of_unit[unit]}{_DELIMITER}{sums}" for unit, _, sums in secciones),
            delimiter=_DELIMITER,
            width=2,
            columns={"grupo": 0, "sumas": 1},
        )
        motor.load_values(
            "grupos",
            {"grupo": "varchar", "candidaturas": "varchar"},
            [(str(number), _in_sums(columns)) for columns, number in numbers.items()],
        )
        motor.load_values(
            "parametros",
            {"empate": "bigint", "sin_votos": "bigint", "sin_actas": "bigint"},
            [(EMPATE, SIN_VOTOS, SIN_ACTAS)],
        )
        return motor.rows(read_sql("pregon.tablas.sql", "delante.sql"))


def _in_sums(columns: Sequence[Sequence[int]]) -> str:
    """The places of the columns of each candidatura among the sums of a sección, from one, as the text of a list."""
    return json.dumps([[place + ANTES_DE_LOS_VOTOS + 1 for place in group] for group in columns])
