"""Names of days and months for people, in Spanish: the machine's locale decides nothing of what is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

DIAS = ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo")
"""By ``date.weekday()``."""
MESES = (
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
)
"""By ``date.month - 1``."""


def fecha_larga(day: date) -> str:
    """``6 de junio de 2021``."""
    return f"{day.day} de {MESES[day.month - 1]} de {day.year}"
