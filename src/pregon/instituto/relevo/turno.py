"""Which of two machines has the night: one row, with the epoch that fences off the one that had it before.

The hours are the server's, never a machine's. Whoever has the turn renews its lease with everything it does; the lease
only says when the other may take over without being told that the first is dead. What keeps two machines from signing
is the epoch: each transaction that takes a number, or keeps what was signed, holds this row and finds its own epoch in
it, or does nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pregon.base.errors import InstanciaError
from pregon.base.estado import INTACTO

if TYPE_CHECKING:
    from datetime import datetime

    from psycopg import Cursor

    from pregon.base.postgres import Servidor

TABLAS = (
    """
    CREATE TABLE IF NOT EXISTS turno (
      uno boolean PRIMARY KEY DEFAULT true CHECK (uno), maquina text NOT NULL, epoca bigint NOT NULL,
      desde timestamptz NOT NULL, vence timestamptz NOT NULL)
    """,
)
_LEE = "SELECT maquina, epoca, desde, vence, vence > clock_timestamp() FROM turno"


@dataclass(frozen=True)
class Turno:
    """Who has the night: ``epoca`` grows each time that it passes to another machine. ``vivo``: its lease holds."""

    maquina: str
    epoca: int
    desde: datetime
    vence: datetime
    vivo: bool


def actual(cursor: Cursor[Any]) -> Turno | None:
    """Who has the turn now; None before the first."""
    row = cursor.execute(_LEE).fetchone()
    return None if row is None else Turno(*row)


def asegura(cursor: Cursor[Any], maquina: str, arriendo_s: int) -> Turno:
    """That ``maquina`` has the turn, its lease renewed; the first that asks gets it.

    Raises:
        InstanciaError: another has it, alive or not: only ``releva`` takes it away.
    """
    cursor.execute(
        "INSERT INTO turno (maquina, epoca, desde, vence) VALUES (%s, 1, clock_timestamp(), clock_timestamp()) "
        "ON CONFLICT DO NOTHING",
        (maquina,),
    )
    cursor.execute(
        "UPDATE turno SET vence = clock_timestamp() + make_interval(secs => %s) WHERE maquina = %s",
        (arriendo_s, maquina),
    )
    found = actual(cursor)
    if found is None or found.maquina != maquina:
        raise de_otra(found)
    return found


def exige(cursor: Cursor[Any], epoca: int) -> None:
    """Fence: until this transaction ends, nobody takes the turn, and it is that of ``epoca``.

    Raises:
        InstanciaError: it is another machine's by now.
    """
    # FOR KEY SHARE: renewing the lease does not wait for it; taking the turn (FOR UPDATE) does.
    row = cursor.execute(f"{_LEE} FOR KEY SHARE").fetchone()
    found = None if row is None else Turno(*row)
    if found is None or found.epoca != epoca:
        raise de_otra(found)


def pasa(servidor: Servidor, maquina: str, arriendo_s: int, *, aunque_viva: bool) -> tuple[Turno | None, Turno]:
    """Give the turn to ``maquina``: who had it, and the new one. What the other was doing in the server is ended.

    Raises:
        InstanciaError: the one that has it gave signs of life, and ``aunque_viva`` is false.
    """
    with servidor.transaccion() as cursor:
        before = actual(cursor)
        if before is not None and before.maquina != maquina and before.vivo and not aunque_viva:
            raise InstanciaError(
                f"La máquina «{before.maquina}» lleva la noche y dio señales de vida: su arriendo dura hasta las "
                f"{before.vence:%H:%M:%S} UTC.",
                intacto=INTACTO,
                que_hacer="Espere a esa hora y repita la orden; si sabe que esa máquina ya no trabaja, "
                "repítala con --aunque-viva.",
            )
        if before is not None and before.maquina != maquina:
            # What it has open may hold the row for as long as the network takes to say that it is gone.
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE usename = current_user AND datname = current_database() AND application_name = %s "
                "AND pid <> pg_backend_pid()",
                (aplicacion(before.maquina, servidor.direccion.esquema),),
            )
    with servidor.transaccion() as cursor:
        row = cursor.execute(f"{_LEE} FOR UPDATE").fetchone()
        held = None if row is None else Turno(*row)
        if held is not None and held.maquina != maquina:
            if before is None or held.epoca != before.epoca:
                raise de_otra(held)
            cursor.execute(
                "UPDATE turno SET maquina = %s, epoca = epoca + 1, desde = clock_timestamp(), "
                "vence = clock_timestamp()",
                (maquina,),
            )
        return before, asegura(cursor, maquina, arriendo_s)


def aplicacion(maquina: str, esquema: str) -> str:
    """The name by which a machine's connections are known in the server."""
    return f"pregon:{esquema}:{maquina}"[:63]


def de_otra(turno: Turno | None) -> InstanciaError:
    """The refusal of a machine that has not the turn."""
    whose = "otra máquina" if turno is None else f"la máquina «{turno.maquina}»"
    return InstanciaError(
        f"La noche la lleva {whose}: ésta no firma ni entrega.",
        intacto=INTACTO,
        que_hacer="Trabaje en esa máquina. Si ya no puede trabajar, ejecute en ésta «pregon instituto releva».",
    )
