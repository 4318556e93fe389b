"""The state database on a PostgreSQL server, for an institute of two machines: the same calls as ``StateDatabase``.

The tables are those of ``esquema``, texts letter by letter, so that the journal of a file goes on here with its chain.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING, Any

from psycopg import sql

from pregon.base import cadena
from pregon.base.cadena import Apunte, Cabeza
from pregon.base.errors import AjustesError, DanadoError, VersionError
from pregon.base.state import Event, StateDatabase

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from psycopg import Cursor

    from pregon.base.clock import Clock
    from pregon.base.postgres import Servidor

VERSION = 1
"""The schema that this program reads and writes on a server."""
LOTE = 500
"""Rows that are asked for at once."""
_TABLAS = (
    "CREATE TABLE version (n integer NOT NULL, identidad text NOT NULL)",
    "CREATE TABLE valor (clave text PRIMARY KEY, dato text NOT NULL)",
    "CREATE TABLE renglon (serie text NOT NULL, n bigint NOT NULL, dato text NOT NULL, PRIMARY KEY (serie, n))",
    """
    CREATE TABLE evento (n bigint PRIMARY KEY, hora text NOT NULL, tipo text NOT NULL, dato text NOT NULL, eslabon text)
    """,
    # One row, locked by whoever appends: the highest number ever given.
    "CREATE TABLE dado (n bigint NOT NULL)",
)
_COPIAS = (
    ("SELECT clave, dato FROM valor", "INSERT INTO valor VALUES (%s, %s)"),
    ("SELECT serie, n, dato FROM renglon", "INSERT INTO renglon VALUES (%s, %s, %s)"),
    ("SELECT n, hora, tipo, dato, eslabon FROM evento ORDER BY n", "INSERT INTO evento VALUES (%s, %s, %s, %s, %s)"),
)


class PostgresState:
    """Values, rows and events of one workspace, durable once a call returns, whichever machine calls."""

    def __init__(self, servidor: Servidor, clock: Clock, *, identidad: str, antes: Path | None = None) -> None:
        """Open it, or make it.

        ``identidad`` says whose state it is: another's is refused. ``antes`` is the file of a ``StateDatabase`` that is
        copied, with its journal, where the server has nothing yet; one of an older Pregón is brought to our schema.

        Raises:
            AjustesError: the schema is of another convocatoria or ambiente, or the account is refused.
            VersionError: a newer program made it, or ``antes``; it was not changed.
            DanadoError, DiscoError: ``antes`` is damaged or cannot be read.
            RedError: the server does not answer.
        """
        self._server = servidor
        self._clock = clock
        with servidor.transaccion() as cursor:
            _prepare(cursor, clock, servidor.direccion.esquema, identidad, antes)

    @property
    def servidor(self) -> Servidor:
        """The server."""
        return self._server

    def get(self, key: str) -> Any:
        """The value under ``key`` (JSON types), or None."""
        with self._server.transaccion() as cursor:
            row = cursor.execute("SELECT dato FROM valor WHERE clave = %s", (key,)).fetchone()
        return None if row is None else self._parsed(row[0])

    def put(self, **values: Any) -> None:
        """Store every keyed value in one transaction."""
        with self._server.transaccion() as cursor:
            cursor.executemany(
                "INSERT INTO valor VALUES (%s, %s) ON CONFLICT (clave) DO UPDATE SET dato = excluded.dato",
                [(key, json.dumps(value, ensure_ascii=False)) for key, value in sorted(values.items())],
            )

    def rows(self, series: str) -> Iterator[Any]:
        """Every row of a series, in the order of their numbers, read some hundred at a time."""
        after: int | None = None
        while True:
            with self._server.transaccion() as cursor:
                found = cursor.execute(
                    "SELECT n, dato FROM renglon WHERE serie = %s AND (%s::bigint IS NULL OR n > %s::bigint) "
                    "ORDER BY n LIMIT %s",
                    (series, after, after, LOTE),
                ).fetchall()
            for _, text in found:
                yield self._parsed(text)
            if len(found) < LOTE:
                return
            after = found[-1][0]

    def last_row(self, series: str) -> Any:
        """The row of a series with the highest number, without reading the others; None where it has none."""
        with self._server.transaccion() as cursor:
            row = cursor.execute(
                "SELECT dato FROM renglon WHERE serie = %s ORDER BY n DESC LIMIT 1", (series,)
            ).fetchone()
        return None if row is None else self._parsed(row[0])

    def put_row(self, series: str, n: int, value: Any) -> None:
        """Store one row of a series, in place of the one that has its number; the others are not touched."""
        with self._server.transaccion() as cursor:
            cursor.execute(
                "INSERT INTO renglon VALUES (%s, %s, %s) ON CONFLICT (serie, n) DO UPDATE SET dato = excluded.dato",
                (series, n, json.dumps(value, ensure_ascii=False)),
            )

    def record(self, kind: str, **data: Any) -> None:
        """Append an event, stamped with this machine's clock and linked to all those before it, of either machine."""
        text = json.dumps(data, ensure_ascii=False, sort_keys=True)
        with self._server.transaccion() as cursor:
            given = _given(cursor, lock=True)
            hora, last = self._clock.now().isoformat(), _cabeza(cursor)
            n = max(last.n, given) + 1
            cursor.execute(
                "INSERT INTO evento (n, hora, tipo, dato, eslabon) VALUES (%s, %s, %s, %s, %s)",
                (n, hora, kind, text, cadena.eslabon(last.eslabon, n, hora, kind, text)),
            )
            cursor.execute("UPDATE dado SET n = %s", (n,))

    def events(self, *, after: int = 0, limit: int = 1000) -> list[Event]:
        """Events numbered above ``after``, oldest first, at most ``limit``."""
        with self._server.transaccion() as cursor:
            rows = cursor.execute(
                "SELECT n, hora, tipo, dato FROM evento WHERE n > %s ORDER BY n LIMIT %s", (after, limit)
            ).fetchall()
        return [Event(n, datetime.fromisoformat(hora), tipo, self._parsed(dato)) for n, hora, tipo, dato in rows]

    def apuntes(self, *, after: int = 0) -> Iterator[Apunte]:
        """The events numbered above ``after`` as they are kept, with their links, read some hundred at a time."""
        while True:
            with self._server.transaccion() as cursor:
                found = _apuntes(cursor, after, LOTE)
            yield from found
            if len(found) < LOTE:
                return
            after = found[-1].n

    def cabeza(self) -> Cabeza:
        """Where the chain of the journal ends."""
        with self._server.transaccion() as cursor:
            return _cabeza(cursor)

    def dados(self) -> int:
        """The highest number that any event was ever given, those that are not there any more included."""
        with self._server.transaccion() as cursor:
            return _given(cursor)

    def check(self) -> None:
        """Read all that is kept.

        Raises:
            DanadoError: something cannot be read as it was written.
        """
        with self._server.transaccion() as cursor:
            for table in ("valor", "renglon", "evento"):
                cursor.execute(sql.SQL("SELECT dato FROM {}").format(sql.Identifier(table)))
                for (text,) in cursor:
                    self._parsed(text)

    def _parsed(self, text: str) -> Any:
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as exc:
            raise DanadoError(
                f"La base de estado {self._server.direccion.servidor} está dañada: un dato no se entiende.",
                intacto="Lo publicado sigue como estaba, y la base no se tocó.",
                que_hacer="Recupere la base de su respaldo antes de seguir (docs/operacion/desastre.md).",
            ) from exc


def _prepare(cursor: Cursor[Any], clock: Clock, esquema: str, identidad: str, antes: Path | None) -> None:
    # The two machines may be started at once.
    cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"pregon/{esquema}",))
    there = cursor.execute("SELECT to_regclass('version') IS NOT NULL").fetchone()
    if there is None or not there[0]:
        if cursor.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (esquema,)).fetchone() is None:
            cursor.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(esquema)))
        for statement in _TABLAS:
            cursor.execute(statement)
        cursor.execute("INSERT INTO version VALUES (%s, %s)", (VERSION, identidad))
        given = 0 if antes is None or not antes.exists() else _copied(cursor, clock, antes)
        cursor.execute("INSERT INTO dado VALUES (%s)", (given,))
        return
    found = cursor.execute("SELECT n, identidad FROM version").fetchone()
    if found is None or found[0] > VERSION:
        raise VersionError(
            f"La base de estado (esquema «{esquema}») la hizo un Pregón más nuevo.",
            intacto="No se cambió nada; lo publicado sigue como estaba.",
            que_hacer="Instale en esta máquina la misma versión de Pregón que tiene la otra.",
        )
    if found[1] != identidad:
        raise AjustesError(
            f"El esquema «{esquema}» de la base de estado es de {found[1]}, y aquí se trabaja en {identidad}.",
            intacto="No se cambió nada; lo publicado sigue como estaba.",
            que_hacer="Dé a cada convocatoria y a cada ambiente su propio «esquema» en [estado].",
        )


def _copied(cursor: Cursor[Any], clock: Clock, antes: Path) -> int:
    """Copy what a ``StateDatabase`` has, letter by letter; the highest number that it ever gave to an event."""
    StateDatabase(antes, clock)  # Of our schema from here on, or refused.
    with closing(sqlite3.connect(f"{antes.absolute().as_uri()}?mode=ro", uri=True)) as source:
        for read, write in _COPIAS:
            cursor.executemany(write, source.execute(read))
        row = source.execute("SELECT seq FROM sqlite_sequence WHERE name = 'evento'").fetchone()
    return 0 if row is None else int(row[0])


def _given(cursor: Cursor[Any], *, lock: bool = False) -> int:
    row = cursor.execute(f"SELECT n FROM dado{' FOR UPDATE' if lock else ''}").fetchone()  # noqa: S608 (no text of others)
    return 0 if row is None else int(row[0])


def _apuntes(cursor: Cursor[Any], after: int, limit: int | None) -> list[Apunte]:
    found = cursor.execute(
        "SELECT n, hora, tipo, dato, eslabon FROM evento WHERE n > %s ORDER BY n LIMIT %s", (after, limit)
    ).fetchall()
    return [Apunte(*row) for row in found]


def _cabeza(cursor: Cursor[Any]) -> Cabeza:
    last = cursor.execute("SELECT n, eslabon FROM evento ORDER BY n DESC LIMIT 1").fetchone()
    if last is None:
        return Cabeza()
    if last[1] is not None:
        return Cabeza(*last)
    # Only once, where what was copied is of before the chain: those have no link.
    linked = cursor.execute(
        "SELECT n, eslabon FROM evento WHERE eslabon IS NOT NULL ORDER BY n DESC LIMIT 1"
    ).fetchone()
    start = Cabeza() if linked is None else Cabeza(*linked)
    return cadena.sigue(start, _apuntes(cursor, start.n, None))
