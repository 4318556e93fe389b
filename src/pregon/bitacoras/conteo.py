"""The sketches of a run, made by the engine.

``Conteo`` goes with a run from its beginning (``Corrida.al_paso``), because who saw each contest is known only while
a piece is there. Sketches are made for each site and window, each of its days and each contest.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pregon.bitacoras import consultas
from pregon.bitacoras.bosquejos import Bosquejo, of_values
from pregon.bitacoras.contado import CLASES, Contado

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pregon.bitacoras.cuenta import EnCurso
    from pregon.motor.cualquiera import Cualquiera

_DE_CONTIENDA = "registros_contienda"
_CUAL = re.compile(r"[a-z0-9_-]{0,40}")
_LLENA = 2_000_000
"""Rows of registers before they are put together again."""


class Conteo:
    """Gathers registers while a run takes its pieces: ``paso`` is its ``al_paso``; ``sketches`` comes at its end."""

    def __init__(self) -> None:
        self._made = False
        self._size = 0

    def paso(self, motor: Cualquiera) -> None:
        """Add what one piece says of who saw each contest."""
        text = consultas.query("registros", tabla=f"({consultas.query('vistas_contienda')}) as vistas")
        motor.rows(f"insert into {_DE_CONTIENDA} {text}" if self._made else f"create table {_DE_CONTIENDA} as {text}")
        self._made = True
        if self._rows(motor) > 2 * self._size + _LLENA:
            motor.rows(
                f"create table juntos as {self._together()};"
                f" drop table {_DE_CONTIENDA}; alter table juntos rename to {_DE_CONTIENDA}"
            )
            self._size = self._rows(motor)

    def sketches(self, cuenta: EnCurso, sitios: Sequence[str]) -> tuple[Contado, ...]:
        """Every sketch, in order; after ``resumen.summarise``, which makes the visits and the days.

        Raises:
            ComprobacionError: the engine failed.
        """
        if not cuenta.contada:
            return ()
        motor, names = cuenta.motor, [one.nombre for one in cuenta.corrida.ventanas]
        for name in ("ventana", "dia"):
            table = f"({consultas.query(f'vistas_{name}')}) as vistas"
            motor.rows(f"create table registros_{name} as {consultas.query('registros', tabla=table)}")
        motor.rows(f"create table registros_final as {self._together()}")
        found: list[Contado] = []
        for clase, table in zip(CLASES, ("registros_ventana", "registros_dia", "registros_final"), strict=True):
            which = motor.rows(f"select distinct sitio, ventana, clase from {table} order by all")  # noqa: S608
            for site, window, cual in which:
                registers = _registers(motor, table, site, window, cual)
                found.append(Contado(sitios[site], names[window - 1], clase, cual, registers))
        return tuple(found)

    @staticmethod
    def _together() -> str:
        return (
            "select sitio, ventana, clase, registro, max(rango) as rango"  # noqa: S608 - our own names
            f" from {_DE_CONTIENDA} group by sitio, ventana, clase, registro"
        )

    @staticmethod
    def _rows(motor: Cualquiera) -> int:
        return int(motor.rows(f"select count(*) from {_DE_CONTIENDA}")[0][0])  # noqa: S608 - our own names


def _registers(motor: Cualquiera, table: str, sitio: int, ventana: int, cual: str) -> Bosquejo:
    if not _CUAL.fullmatch(cual):
        raise ValueError(f"not a day nor a contest: {cual!r}")
    return of_values(
        motor.rows(
            f"select registro, rango from {table}"  # noqa: S608 - our own names; the class was just looked at
            f" where sitio = {sitio} and ventana = {ventana} and clase = '{cual}'"
        )
    )
