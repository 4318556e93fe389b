"""One read-only transaction over the institute's database: everything read in it is of one instant.

PostgreSQL: REPEATABLE READ, READ ONLY. MariaDB and MySQL: START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY, over
tables that have transactions. SQLite: BEGIN on a connection opened read-only. Rows stream in batches from the server.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

from sqlalchemy import URL, column, create_engine, make_url, select, table, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import NullPool
from sqlalchemy.sql.elements import quoted_name

from pregon.base.razones import razon
from pregon.instituto.sql.errores import Direccion, mapped, settings_error

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence
    from pathlib import Path

    from sqlalchemy import Connection, Engine, FromClause, Label, TextClause

    from pregon.instituto.sql.modelo import FuenteSql

CONNECT_SECONDS = 10
STATEMENT_SECONDS = 120
BATCH_ROWS = 1_000
MAX_URL_BYTES = 4_096
_OTHERS_READ = 0o007
_DRIVERS = {
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "mariadb": "mysql+pymysql",
    "mysql": "mysql+pymysql",
    "sqlite": "sqlite+pysqlite",
}
_SECRET_OPTION = re.compile(r"pass|secret|token|key", re.IGNORECASE)

_PG_WRITES = """
SELECT current_setting('is_superuser') = 'on' OR EXISTS (
  SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
    AND pg_catalog.has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE'))
"""
_MY_READS = frozenset({"USAGE", "SELECT", "SHOW VIEW", "SHOW DATABASES", "PROXY", "PROCESS", "BINLOG MONITOR"})
_MY_NOT_TRANSACTIONAL = """
SELECT TABLE_NAME, ENGINE FROM information_schema.TABLES
WHERE TABLE_TYPE = 'BASE TABLE' AND TABLE_SCHEMA NOT IN ('mysql', 'sys', 'performance_schema', 'information_schema')
  AND ENGINE NOT IN (SELECT ENGINE FROM information_schema.ENGINES WHERE TRANSACTIONS = 'YES')
"""


def address(source: FuenteSql, lugar: str, folder: Path, environment: Mapping[str, str]) -> Direccion:
    """Where ``source`` is read from. ``lugar`` is its path in the settings; ``folder``, the workspace.

    Raises:
        AjustesError: the file or the variable is not there, others can read the file, or it holds no such address.
    """
    key = f"{lugar}.{source.clave_url}"
    if source.url_archivo is not None:
        raw = _secret_file(folder / source.url_archivo, key)
    else:
        raw = environment.get(source.url_variable or "", "")
        if not raw.strip():
            raise settings_error(key, f"la variable de entorno {source.url_variable} no está puesta o está vacía.")
    try:
        url = make_url(raw.strip())
    except (ArgumentError, ValueError):
        url = None  # never shown, not even as a cause: it has the password
    if url is None or url.drivername not in _DRIVERS or "@" in (url.host or ""):
        raise settings_error(
            key,
            "no contiene una dirección como postgresql://usuario:contraseña@servidor:5432/base "
            "(o mariadb://…, o sqlite:///archivo).",
            hacer="Escriba la dirección en una línea; en la contraseña, los signos @ : / % van como %40 %3A %2F %25.",
        )
    url = url.set(drivername=_DRIVERS[url.drivername])
    if url.get_backend_name() == "sqlite":
        path = folder / (url.database or "")
        if not path.is_file():
            raise settings_error(key, f"no existe la base SQLite {path}.")
        url = URL.create(url.drivername, database=str(path))
    return Direccion(key, url, _secrets(url))


@contextlib.contextmanager
def snapshot(where: Direccion, *, may_write: bool = False) -> Iterator[Foto]:
    """Connect, begin the one transaction of the cut, and give what reads in it. Nothing is ever written.

    Raises:
        AjustesError: the account is refused, or it can write and ``may_write`` is false, or a table of MariaDB has no
            transactions.
        RedError: the server cannot be reached.
    """
    with mapped(where, where.clave, connecting=True):
        engine = _engine(where.url)
    try:
        with mapped(where, where.clave, connecting=True):
            connection = engine.connect()
        with connection:
            with mapped(where, where.clave):
                _begin(connection)
            photo = Foto(connection, where)
            photo.check_engines()
            if not may_write:
                photo.check_account()
            yield photo
    finally:
        engine.dispose()


class Foto:
    """What can be read inside the transaction."""

    def __init__(self, connection: Connection, where: Direccion) -> None:
        self._connection = connection
        self._where = where
        self._backend = where.url.get_backend_name()

    def columns(self, relation: FromClause | TextClause, donde: str) -> tuple[str, ...]:
        """The columns of a relation. Raises AjustesError (it is not there, or may not be read), RedError."""
        with mapped(self._where, donde):
            result = self._connection.execute(select(text("*")).select_from(relation).where(text("1 = 0")))
            names = tuple(result.keys())
            result.close()
        return names

    def rows(
        self, relation: FromClause | TextClause, columns: Sequence[str], orden: Sequence[str], donde: str
    ) -> Generator[Sequence[Any], None, None]:
        """Every row as the values of ``columns``, in batches from the server. Raises as ``columns``; FormatoError."""
        fields: list[Label[Any]] = [column(quoted_name(name, True)).label(f"c{i}") for i, name in enumerate(columns)]  # noqa: FBT003
        statement = select(*fields).select_from(relation)
        statement = statement.order_by(*(column(quoted_name(name, True)) for name in orden))  # noqa: FBT003
        with mapped(self._where, donde):
            options = {"yield_per": BATCH_ROWS, "stream_results": True}
            result = self._connection.execute(statement, execution_options=options)
            partitions = result.partitions()
        # Only the reading is inside ``mapped``: what the caller does with a row is not the database's failure.
        try:
            while True:
                with mapped(self._where, donde):
                    batch = next(partitions, None)
                if batch is None:
                    return
                yield from batch
        finally:
            with contextlib.suppress(SQLAlchemyError):  # of a connection that is gone
                result.close()

    def number(self, consulta: str, donde: str) -> int:
        """The one number that a SELECT gives. Raises AjustesError when it gives anything else."""
        with mapped(self._where, donde):
            found = self._connection.execute(text(_plain(consulta))).fetchmany(2)
        if len(found) != 1 or len(found[0]) != 1 or not isinstance(found[0][0], int) or found[0][0] < 0:
            raise settings_error(donde, "la consulta debe dar un solo renglón con un solo número entero.")
        value: int = found[0][0]
        return value

    def check_account(self) -> None:
        """Refuse an account that can write: the cut needs SELECT and nothing else."""
        extra: list[str] = []
        with mapped(self._where, self._where.clave):
            if self._backend == "postgresql" and self._connection.execute(text(_plain(_PG_WRITES))).scalar():
                extra = ["escribir en alguna tabla"]
            elif self._backend == "mysql":
                extra = _writes([str(row[0]) for row in self._connection.execute(text("SHOW GRANTS"))])
        if extra:
            raise settings_error(
                self._where.clave,
                f"la cuenta puede más que leer ({', '.join(extra)}); para los cortes basta SELECT.",
                hacer="Use una cuenta que sólo tenga SELECT (docs/operacion/fuentes-sql.md), "
                "o ponga «permite_escritura = true» en esa fuente si el instituto lo acepta.",
            )

    def check_engines(self) -> None:
        """Refuse tables of MariaDB that have no transactions: a snapshot does not cover them."""
        if self._backend != "mysql":
            return
        with mapped(self._where, self._where.clave):
            found = self._connection.execute(text(_MY_NOT_TRANSACTIONAL)).fetchmany(5)
        if found:
            names = ", ".join(f"{row[0]} ({row[1]})" for row in found)
            raise settings_error(
                self._where.clave,
                f"estas tablas no tienen transacciones y no se pueden leer en un mismo instante: {names}.",
                hacer="Páselas a InnoDB (ALTER TABLE … ENGINE = InnoDB), o quite a la cuenta el permiso sobre ellas.",
            )


def relation_of(tabla: str | None, consulta: str | None) -> FromClause | TextClause:
    """What is read: a table by its name, or a SELECT as a derived table."""
    if consulta is not None:
        return text(f"(\n{_plain(consulta)}\n) AS fuente")  # a comment at its end ends with the line
    schema, _, name = (tabla or "").rpartition(".")
    quoted = quoted_name(name, True)  # noqa: FBT003
    return table(quoted, schema=quoted_name(schema, True) if schema else None)  # noqa: FBT003


def _plain(sql: str) -> str:
    """``sql`` with nothing in it read as a parameter: ``::int`` and ``'10:30'`` stay as they are."""
    return sql.replace(":", "\\:")


def _secret_file(path: Path, key: str) -> str:
    try:
        if path.stat().st_mode & _OTHERS_READ:
            raise settings_error(key, f"cualquiera puede leer {path}: quite los permisos a otros (chmod o=).")
        with path.open("rb") as file:
            raw = file.read(MAX_URL_BYTES + 1)
        if not raw.strip() or len(raw) > MAX_URL_BYTES:
            raise settings_error(key, f"{path} está vacío o pasa de {MAX_URL_BYTES:,} bytes.")
        return raw.decode()
    except OSError as exc:
        raise settings_error(key, f"no se pudo leer {path}: {razon(exc)}.") from exc
    except UnicodeDecodeError as exc:
        raise settings_error(key, f"{path} no es texto UTF-8.") from exc


def _secrets(url: URL) -> tuple[str, ...]:
    found: list[str] = [] if not url.password else [str(url.password)]
    for name, value in url.query.items():
        if _SECRET_OPTION.search(name):
            found.extend([value] if isinstance(value, str) else value)
    spellings = {spelling for secret in found for spelling in (secret, quote(secret, safe=""), quote_plus(secret))}
    return tuple(sorted(spellings, key=len, reverse=True))


def _engine(url: URL) -> Engine:
    backend = url.get_backend_name()
    if backend == "sqlite":
        path = f"file:{quote(url.database or '')}?mode=ro"

        def connect() -> sqlite3.Connection:
            return sqlite3.connect(path, uri=True, isolation_level=None, timeout=CONNECT_SECONDS)

        return create_engine("sqlite+pysqlite://", creator=connect, poolclass=NullPool)
    options: dict[str, Any] = {"connect_timeout": CONNECT_SECONDS}
    if backend == "mysql":
        options |= {"read_timeout": STATEMENT_SECONDS, "write_timeout": CONNECT_SECONDS, "charset": "utf8mb4"}
        if url.password is not None:
            options["password"] = str(url.password).encode()  # as text the driver sends it in Latin-1
    return create_engine(
        url, connect_args=options, poolclass=NullPool, isolation_level="REPEATABLE READ", hide_parameters=True
    )


def _begin(connection: Connection) -> None:
    backend = connection.dialect.name
    if backend == "postgresql":
        connection.execution_options(postgresql_readonly=True)
        connection.execute(text(f"SET LOCAL statement_timeout = {STATEMENT_SECONDS * 1000}"))
        connection.execute(text("SELECT 1"))  # the first query takes the snapshot
    elif backend == "sqlite":
        connection.exec_driver_sql("PRAGMA query_only = ON")
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")  # the first read takes the snapshot
    else:
        if getattr(connection.dialect, "is_mariadb", False):
            connection.exec_driver_sql(f"SET SESSION max_statement_time = {STATEMENT_SECONDS}")
        else:
            connection.exec_driver_sql(f"SET SESSION max_execution_time = {STATEMENT_SECONDS * 1000}")
        connection.exec_driver_sql("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")


def _writes(grants: Sequence[str]) -> list[str]:
    """The privileges in SHOW GRANTS that are not for reading."""
    found: set[str] = set()
    for grant in grants:
        match = re.match(r"GRANT (?P<what>.+?) ON ", re.sub(r"\([^)]*\)", "", grant))
        if match is not None:
            found.update(part.strip() for part in match["what"].split(","))
        if grant.endswith("WITH GRANT OPTION"):
            found.add("GRANT OPTION")
    return sorted(found - _MY_READS)
