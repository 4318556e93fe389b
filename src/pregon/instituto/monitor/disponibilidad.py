"""How much of a month each portal answered, from registration to permanence (INE-IV-a). Pure, save who adds a round.

Each round stands for the time since the one before, up to two intervals between rounds: longer, nobody watched and the
time is pending. A portal answers where some point reached it, whatever it shows; it does not where that is its own
failure. Where only the network or a point failed the time is pending too: nobody knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal, TypeAlias

from pregon.base.errors import UsoError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from decimal import Decimal
    from zoneinfo import ZoneInfo

    from pregon.base.estado import Estado
    from pregon.instituto.monitor.modelo import Dictamen

SERIE = "disponibilidad"
"""Of the state database: one row for each hour since 1970, ``{difusor: [arriba, abajo, sin, al_dia]}`` in seconds."""
Juicio: TypeAlias = Literal["cumple", "no_cumple", "pendiente", "no_pide"]


@dataclass(frozen=True, kw_only=True)
class Segundos:
    """Seconds that a portal answered, did not, and of which nothing is known; and those that it was ``al_dia``."""

    arriba: int = 0
    abajo: int = 0
    sin: int = 0
    al_dia: int = 0

    def mas(self, other: Segundos) -> Segundos:
        """The sum."""
        return Segundos(
            arriba=self.arriba + other.arriba,
            abajo=self.abajo + other.abajo,
            sin=self.sin + other.sin,
            al_dia=self.al_dia + other.al_dia,
        )


@dataclass(frozen=True, kw_only=True)
class Mes:
    """A month of one difusor. ``total``: seconds of the month that count; ``pendiente``: those nobody knows of.

    ``diezmilesimas``: of what is known, how much it answered, in ten-thousandths of one per cent, truncated; None
    where nothing is known.
    """

    difusor: str
    desde: datetime
    hasta: datetime
    total: int
    segundos: Segundos
    juicio: Juicio

    @property
    def pendiente(self) -> int:
        """Seconds that count and of which nothing is known, those to come included."""
        return max(0, self.total - self.segundos.arriba - self.segundos.abajo)

    @property
    def porcentaje(self) -> str | None:
        """Of what is known, with four decimals, truncated."""
        known = self.segundos.arriba + self.segundos.abajo
        if known == 0:
            return None
        part = self.segundos.arriba * 1_000_000 // known
        return f"{part // 10_000}.{part % 10_000:04d}"


def de_dictamen(one: Dictamen, seconds: int) -> Segundos:
    """What a verdict says of the ``seconds`` for which it stands."""
    if one.veredicto == "sin_determinar" or (one.veredicto == "inaccesible" and one.causa != "difusor"):
        return Segundos(sin=seconds)
    if one.veredicto == "inaccesible":
        return Segundos(abajo=seconds)
    return Segundos(arriba=seconds, al_dia=seconds if one.veredicto == "al_dia" else 0)


def suma(state: Estado, hora: datetime, dictamenes: Iterable[Dictamen], seconds: int) -> None:
    """Add one round to its hour."""
    number = _hour(hora)
    last = state.last_row(SERIE)
    row: dict[str, list[int]] = last["difusores"] if last is not None and last["hora"] == number else {}
    for one in dictamenes:
        made = _read(row.get(one.difusor, [0, 0, 0, 0])).mas(de_dictamen(one, seconds))
        row[one.difusor] = [made.arriba, made.abajo, made.sin, made.al_dia]
    state.put_row(SERIE, number, {"hora": number, "difusores": row})


def limites(mes: str, zona: ZoneInfo) -> tuple[datetime, datetime]:
    """First and last instant of a month written ``AAAA-MM``, the second excluded.

    Raises:
        UsoError: it is none.
    """
    try:
        first = datetime.strptime(mes, "%Y-%m").replace(tzinfo=zona)
    except ValueError as exc:
        raise UsoError(
            f"«{mes}» no es un mes.", intacto="No se cambió nada.", que_hacer="Escríbalo así: 2021-06."
        ) from exc
    following = (first + timedelta(days=32)).replace(day=1)
    return first, following


def mes(
    rows: Iterable[Mapping[str, object]],
    altas: Mapping[str, datetime | None],
    *,
    mes: tuple[datetime, datetime],
    hasta: datetime | None,
    exigida: Decimal | None,
) -> tuple[Mes, ...]:
    """The month of each difusor of ``altas`` (when it was registered; None: from the first round that saw it).

    Args:
        rows: the hours (``SERIE``).
        hasta: the end of permanence.
        exigida: per cent that the call asks for; None: none (only INE-IV-a does).
    """
    first, last = _hour(mes[0]), _hour(mes[1])
    sums = dict.fromkeys(altas, Segundos())
    seen: dict[str, datetime] = {}
    for row in rows:
        number, cells = row["hora"], row["difusores"]
        if not isinstance(number, int) or not isinstance(cells, dict):
            continue
        for difusor, cell in cells.items():
            seen.setdefault(difusor, datetime.fromtimestamp(number * 3600, UTC))
            if difusor in sums and first <= number < last:
                sums[difusor] = sums[difusor].mas(_read(cell))
    made = []
    for difusor, since in altas.items():
        begin = max(mes[0], since or seen.get(difusor, mes[1]))
        end = mes[1] if hasta is None else min(mes[1], hasta)
        total = max(0, int((end - begin).total_seconds()))
        made.append(
            Mes(
                difusor=difusor,
                desde=begin,
                hasta=end,
                total=total,
                segundos=sums[difusor],
                juicio=_juicio(sums[difusor], total, exigida),
            )
        )
    return tuple(made)


def _juicio(known: Segundos, total: int, exigida: Decimal | None) -> Juicio:
    """What nobody knows may have been either: only what no ending can change is said."""
    if exigida is None:
        return "no_pide"
    if total == 0:
        return "pendiente"
    if known.abajo * 100 > total * (100 - exigida):
        return "no_cumple"
    return "cumple" if known.arriba * 100 >= total * exigida else "pendiente"


def _read(cell: Sequence[int]) -> Segundos:
    return Segundos(arriba=cell[0], abajo=cell[1], sin=cell[2], al_dia=cell[3])


def _hour(instant: datetime) -> int:
    return int(instant.timestamp()) // 3600
