"""The stretches of time that are measured apart: ordinary days and those of the election, local and whole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from pregon.base.errors import UsoError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

TODO = "todo"
SIEMPRE = 1 << 37
"""An instant that no log reaches, in seconds since 1970 (the year 6325): a calendar still has its day in any zone."""


@dataclass(frozen=True, slots=True)
class Ventana:
    """A stretch of time that is measured apart, in seconds since 1970: ``desde`` included, ``hasta`` not."""

    sitio: int
    nombre: str
    desde: int
    hasta: int


def windows(sitios: int, dias: Mapping[str, tuple[date, date] | None], zona: ZoneInfo) -> tuple[Ventana, ...]:
    """The windows of each of so many sites: local days, the first and the last included; without any, all of time.

    Raises:
        UsoError: two of them share a day: a hit would count in both.
    """
    given = sorted(
        (_begin(first, zona), _begin(last + timedelta(days=1), zona), name)
        for name, days in dias.items()
        if days is not None
        for first, last in (days,)
    )
    for (_, end, name), (begin, _, other) in pairwise(given):
        if begin < end:
            raise UsoError(
                f"Los días de «{name}» y los de «{other}» se enciman.",
                intacto="No se midió nada.",
                que_hacer="Deje los días comunes en una sola de las dos.",
            )
    spans = given or [(0, SIEMPRE, TODO)]
    return tuple(Ventana(site, name, begin, end) for site in range(sitios) for begin, end, name in spans)


def _begin(day: date, zona: ZoneInfo) -> int:
    return int(datetime.combine(day, time(), zona).astimezone(UTC).timestamp())
