"""Names of days and months for people, in Spanish: the machine's locale decides nothing of what is read."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date
    from zoneinfo import ZoneInfo

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


def instante(moment: datetime | str, zona: ZoneInfo) -> str:
    """An instant, or its ISO text, as people there say it: ``6 de junio de 2021 a las 23:59:00``."""
    local = (datetime.fromisoformat(moment) if isinstance(moment, str) else moment).astimezone(zona)
    return f"{fecha_larga(local)} a las {local:%H:%M:%S}"
