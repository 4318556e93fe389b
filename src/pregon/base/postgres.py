"""A PostgreSQL server that two machines share: transactions with our errors, never with its password.

Each machine keeps a few connections open, one for each thread that asks at once. A commit has reached the server's disk
when it returns, and its synchronous stand-by's where it has one, whatever the account's own settings say.
"""

from __future__ import annotations

import contextlib
import os
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from pregon.base.errors import AjustesError, DiscoError, PregonError, RedError
from pregon.base.estado import INTACTO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from psycopg import Connection, Cursor

T = TypeVar("T")

CONNECT_SECONDS = 10
STATEMENT_SECONDS = 120
LOCK_SECONDS = 30
IDLE_SECONDS = 20
"""A machine that dies in the middle of a transaction holds its locks no longer than this."""
KEPT = 4
"""Connections that stay open when nobody uses them."""
_MAX_DETAIL = 300
_LINK = ("08", "57", "40", "55", "25P")
_ACCOUNT = ("28", "3D", "42501")


@dataclass(frozen=True)
class Direccion:
    """Where the server is: an address as libpq reads it (several hosts too), and the ``esquema`` that holds our tables.

    ``nombre`` is who connects, for the server's own lists.
    """

    url: str = field(repr=False)
    esquema: str
    nombre: str = "pregon"

    @property
    def servidor(self) -> str:
        """Server and database, without user or password, for a person."""
        parts: Mapping[str, Any] = conninfo_to_dict(self.url)
        return f"{parts.get('host', 'localhost')}/{parts.get('dbname', '')}"


class Servidor:
    """Transactions on one server. Safe to use from several threads."""

    def __init__(self, direccion: Direccion) -> None:
        """Nothing is connected yet.

        Raises:
            AjustesError: the address is none.
        """
        try:
            parts: Mapping[str, Any] = conninfo_to_dict(direccion.url)
        except psycopg.ProgrammingError:
            parts = {}
        if not parts.get("dbname"):
            raise AjustesError(
                "La dirección de la base de estado no es como postgresql://usuario:contraseña@servidor:5432/base.",
                intacto=INTACTO,
                que_hacer="Escríbala en una línea; en la contraseña, los signos @ : / % van como %40 %3A %2F %25.",
            )
        self.direccion = direccion
        self._idle: list[Connection[Any]] = []
        self._lock = threading.Lock()
        self._pid = os.getpid()

    @contextlib.contextmanager
    def transaccion(self) -> Iterator[Cursor[Any]]:
        """One transaction: committed when the block ends, rolled back where it raises.

        Raises:
            RedError: the server does not answer, or stopped. Where it stopped at the very end the transaction may have
                been committed: whoever repeats must look.
            AjustesError: it does not take the account, or the account may not do this.
            DiscoError: it refuses for another reason.
        """
        connection = self._taken()
        try:
            with self._ours(), connection.transaction(), connection.cursor() as cursor:
                yield cursor
        finally:
            self._give_back(connection)

    def corre(self, work: Callable[[Cursor[Any]], T]) -> T:
        """``work`` in one transaction. Raises as ``transaccion``, and what ``work`` does."""
        with self.transaccion() as cursor:
            return work(cursor)

    def cierra(self) -> None:
        """Close the connections that nobody is using."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _taken(self) -> Connection[Any]:
        with self._lock:
            if self._pid != os.getpid():  # of the process that this one was forked from
                self._pid, self._idle = os.getpid(), []
            idle = self._idle.pop() if self._idle else None
        if idle is not None:
            # A server that was started again, or that a fail-over replaced, has closed it.
            with contextlib.suppress(psycopg.Error):
                idle.execute("SELECT 1")
                return idle
            idle.close()
        return self._connected()

    def _give_back(self, connection: Connection[Any]) -> None:
        with self._lock:
            if not connection.closed and len(self._idle) < KEPT:
                self._idle.append(connection)
                return
        connection.close()

    def _connected(self) -> Connection[Any]:
        with self._ours(connecting=True):
            connection = psycopg.connect(
                self.direccion.url,
                autocommit=True,
                connect_timeout=CONNECT_SECONDS,
                application_name=self.direccion.nombre,
                keepalives_idle=10,
                keepalives_interval=5,
                keepalives_count=3,
                tcp_user_timeout=LOCK_SECONDS * 1000,
            )
            try:
                for name, value in (
                    ("search_path", self.direccion.esquema),
                    ("statement_timeout", f"{STATEMENT_SECONDS}s"),
                    ("lock_timeout", f"{LOCK_SECONDS}s"),
                    ("idle_in_transaction_session_timeout", f"{IDLE_SECONDS}s"),
                ):
                    connection.execute(sql.SQL("SET {} = {}").format(sql.Identifier(name), sql.Literal(value)))
                # «remote_apply» asks for more than «on», and stays; «off» and «local» would lose a number.
                connection.execute(
                    "SELECT set_config('synchronous_commit', 'on', false) "
                    "WHERE current_setting('synchronous_commit') IN ('off', 'local', 'remote_write')"
                )
            except BaseException:
                connection.close()
                raise
            return connection

    @contextlib.contextmanager
    def _ours(self, *, connecting: bool = False) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as exc:
            raise self._error(exc, connecting=connecting) from exc

    def _error(self, exc: psycopg.Error, *, connecting: bool) -> PregonError:
        state, where = exc.sqlstate or "", self.direccion.servidor
        detail = next((line.strip() for line in str(exc).splitlines() if line.strip()), type(exc).__name__)
        secret = conninfo_to_dict(self.direccion.url).get("password")
        detail = (detail.replace(str(secret), "***") if secret else detail)[:_MAX_DETAIL]
        pgconn = exc.pgconn
        asked = connecting and pgconn is not None and (pgconn.used_password or pgconn.needs_password)
        if state.startswith(_ACCOUNT) or (asked and not state):
            return AjustesError(
                f"La base de estado {where} no aceptó la cuenta, o le falta un permiso: {detail}",
                intacto=INTACTO,
                que_hacer="Revise usuario, contraseña y base en la dirección que nombra «estado.url», y que la cuenta "
                "pueda crear su esquema (docs/operacion/desastre.md).",
            )
        if connecting or state.startswith(_LINK) or isinstance(exc, (psycopg.OperationalError, psycopg.InterfaceError)):
            return RedError(
                f"La base de estado {where} no respondió o dejó de hacerlo: {detail}",
                intacto=INTACTO,
                que_hacer="Revise que el servidor esté en marcha y la red lo alcance, y repita la orden: sin ella no "
                "se firma.",
            )
        return DiscoError(
            f"La base de estado {where} no admitió lo que se le pidió: {detail}",
            intacto=INTACTO,
            que_hacer="Revise el servidor de la base (espacio, permisos, su bitácora) y repita la orden.",
        )
