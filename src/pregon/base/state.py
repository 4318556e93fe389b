"""The state database of a workspace (SQLite): small keyed values, rows of numbered series, an append-only journal.

Each event of the journal is linked to all those before it (``cadena``). A log may be lost; what must not be lost is an
event here. A file of an older schema is brought to ours when it is opened, with a copy of it kept beside; one of a
newer schema is refused (``esquema``).
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pregon.base import cadena, esquema
from pregon.base.cadena import Apunte, Cabeza
from pregon.base.durable import PARCIAL, Disk
from pregon.base.errors import DanadoError, DiscoError, UsoError, VersionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from pregon.base.clock import Clock

ANTES = ".antes"
"""Suffix of the copy of the file as it was before the last change of schema."""
LATERALES = ("-wal", "-shm")
"""Suffixes of what SQLite keeps beside a database that is open, or whose process died."""

_PATIENCE_S = 60.0
"""Who closes last holds the file while the disk syncs it, and a busy disk may take many seconds."""
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_PRIMARY = 0xFF
"""SQLite's extended codes have the code that they refine in their last byte."""


@dataclass(frozen=True)
class Event:
    """One line of the journal: consecutive number, instant (UTC), kind and its data."""

    n: int
    hora: datetime
    tipo: str
    dato: dict[str, Any]


class StateDatabase:
    """Values, rows and events of one workspace, durable once a call returns. One writer process (see ``locks``)."""

    def __init__(
        self,
        path: Path,
        clock: Clock,
        *,
        alone: Callable[[], AbstractContextManager[object]] = contextlib.nullcontext,
        volver: str | None = None,
    ) -> None:
        """Open it, or make it. One of an older schema is brought to ours, within ``alone()``.

        ``alone`` holds, or refuses, where another process may be using the file with the older schema. ``volver`` is
        the command of a newer program that makes the file ours, for the refusal.

        Raises:
            VersionError: a newer program wrote it; it was not changed.
            DanadoError: it is not a state database, or is damaged.
            DiscoError: it cannot be used.
        """
        self._path = path
        self._clock = clock
        fresh = not path.exists()
        with _opened(path) as connection:
            version, empty = _checked_version(connection, path, volver), esquema.is_empty(connection)
        if version == esquema.VERSION:
            return
        with contextlib.nullcontext() if empty else alone():
            migrate(path, esquema.VERSION)
        if fresh:
            _give_to_owner(path)

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self._path

    def get(self, key: str) -> Any:
        """The value under ``key`` (JSON types), or None."""
        with self._open() as connection:
            row = connection.execute("SELECT dato FROM valor WHERE clave = ?", (key,)).fetchone()
        return None if row is None else self._parsed(row[0])

    def put(self, **values: Any) -> None:
        """Store every keyed value in one transaction."""
        with self._open() as connection:
            connection.executemany(
                "INSERT INTO valor VALUES (?, ?) ON CONFLICT (clave) DO UPDATE SET dato = excluded.dato",
                [(key, json.dumps(value, ensure_ascii=False)) for key, value in values.items()],
            )

    def rows(self, series: str) -> Iterator[Any]:
        """Every row of a series, in the order of their numbers, read one at a time: that of a whole night is long."""
        with self._open() as connection:
            for (text,) in connection.execute("SELECT dato FROM renglon WHERE serie = ? ORDER BY n", (series,)):
                yield self._parsed(text)

    def last_row(self, series: str) -> Any:
        """The row of a series with the highest number, without reading the others; None where it has none."""
        with self._open() as connection:
            row = connection.execute(
                "SELECT dato FROM renglon WHERE serie = ? ORDER BY n DESC LIMIT 1", (series,)
            ).fetchone()
        return None if row is None else self._parsed(row[0])

    def put_row(self, series: str, n: int, value: Any) -> None:
        """Store one row of a series, in place of the one that has its number; the others are not touched."""
        with self._open() as connection:
            connection.execute(
                "INSERT INTO renglon VALUES (?, ?, ?) ON CONFLICT (serie, n) DO UPDATE SET dato = excluded.dato",
                (series, n, json.dumps(value, ensure_ascii=False)),
            )

    def record(self, kind: str, **data: Any) -> None:
        """Append an event, stamped with this workspace's clock and linked to all those before it."""
        text = json.dumps(data, ensure_ascii=False, sort_keys=True)
        with self._open() as connection:
            # Held from before the last link is read: two writers must not follow the same one.
            connection.execute("BEGIN IMMEDIATE")
            hora, last = self._clock.now().isoformat(), _cabeza(connection)
            n = max(last.n, _given(connection)) + 1
            connection.execute(
                "INSERT INTO evento (n, hora, tipo, dato, eslabon) VALUES (?, ?, ?, ?, ?)",
                (n, hora, kind, text, cadena.eslabon(last.eslabon, n, hora, kind, text)),
            )

    def events(self, *, after: int = 0, limit: int = 1000) -> list[Event]:
        """Events numbered above ``after``, oldest first, at most ``limit``."""
        with self._open() as connection:
            rows = connection.execute(
                "SELECT n, hora, tipo, dato FROM evento WHERE n > ? ORDER BY n LIMIT ?", (after, limit)
            ).fetchall()
        return [Event(n, datetime.fromisoformat(hora), tipo, self._parsed(dato)) for n, hora, tipo, dato in rows]

    def apuntes(self, *, after: int = 0) -> Iterator[Apunte]:
        """The events numbered above ``after`` as they are kept, with their links, read one at a time."""
        with self._open() as connection:
            yield from _apuntes(connection, after)

    def cabeza(self) -> Cabeza:
        """Where the chain of the journal ends."""
        with self._open() as connection:
            return _cabeza(connection)

    def dados(self) -> int:
        """The highest number that any event was ever given, those that are not there any more included."""
        with self._open() as connection:
            return _given(connection)

    def check(self) -> None:
        """Have SQLite look at every page.

        Raises:
            DanadoError: something in the file is not as it was written.
        """
        check_file(self._path)

    def _parsed(self, text: str) -> Any:
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as exc:
            raise damaged(self._path, "un dato no se entiende") from exc

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with _opened(self._path) as connection, connection:
            _durably(connection)
            yield connection


def migrate(path: Path, target: int) -> tuple[int, int]:
    """Take the state database at ``path`` to schema ``target``; from which and to which it went.

    Before, a copy as it is goes beside it (suffix ``ANTES``, one: the last). The change is one transaction, so a
    process that dies leaves the file in one schema or in the other. The caller sees to it that nobody else uses it.

    Raises:
        UsoError: there is no such schema.
        VersionError: a newer program wrote it; it was not changed.
        DanadoError, DiscoError: it cannot be used.
    """
    if not 0 <= target <= esquema.VERSION:
        raise UsoError(
            f"No hay versión {target} de la base de estado; este programa conoce de la 0 a la {esquema.VERSION}.",
            intacto="No se cambió nada.",
            que_hacer=f"Repita la orden con un número de 0 a {esquema.VERSION}.",
        )
    with _opened(path) as connection:
        before = _checked_version(connection, path, None)
        if before == target:
            return before, target
        if not esquema.is_empty(connection):
            _copy(connection, path, path.with_name(path.name + ANTES))
        _durably(connection)
        connection.isolation_level = None
        esquema.move(connection, target)
    return before, target


def version(path: Path) -> int:
    """The schema of the state database at ``path``, which is not changed. Raises as ``migrate``."""
    with _opened(path) as connection:
        return esquema.version_of(connection)


def _give_to_owner(path: Path) -> None:
    """A new file is of whoever owns its folder: root may ask first, and the service must be able to write it.

    SQLite itself gives what it keeps beside the file to the owner of the file.
    """
    if os.geteuid() != 0:
        return
    ours, folder = path.stat(), path.parent.stat()
    if (ours.st_uid, ours.st_gid) != (folder.st_uid, folder.st_gid):
        os.chown(path, folder.st_uid, folder.st_gid)


def check_file(path: Path) -> None:
    """``StateDatabase.check`` of the one at ``path``, of whatever schema; it is not changed. Raises as that does."""
    with _opened(path) as connection:
        found = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found is None or found[0] != "ok":
        raise damaged(path, "su revisión interna no pasa")


def snapshot(path: Path, copy: Path) -> None:
    """Put at ``copy`` the state database as it is at one moment, whoever writes to it meanwhile.

    Raises:
        DanadoError, DiscoError: it cannot be read, or the copy not written.
    """
    with _opened(path) as connection:
        _copy(connection, path, copy)


def damaged(path: Path, problem: str) -> DanadoError:
    """The refusal of a state database that is not as it was written."""
    return DanadoError(
        f"La base de estado {path} está dañada: {problem}.",
        intacto="Lo publicado sigue como estaba, y el archivo no se tocó.",
        que_hacer="Revise el disco. Si es de un difusor, vuelva a arrancar su servicio: la pone aparte y la rehace con "
        "lo que hay en la carpeta. Si no, muévala aparte y repita la orden.",
    )


def _apuntes(connection: sqlite3.Connection, after: int) -> Iterator[Apunte]:
    for row in connection.execute("SELECT n, hora, tipo, dato, eslabon FROM evento WHERE n > ? ORDER BY n", (after,)):
        yield Apunte(*row)


def _cabeza(connection: sqlite3.Connection) -> Cabeza:
    last = connection.execute("SELECT n, eslabon FROM evento ORDER BY n DESC LIMIT 1").fetchone()
    if last is None:
        return Cabeza()
    if last[1] is not None:
        return Cabeza(*last)
    # Only once, after the program that made the chain came: those of before have no link.
    linked = connection.execute(
        "SELECT n, eslabon FROM evento WHERE eslabon IS NOT NULL ORDER BY n DESC LIMIT 1"
    ).fetchone()
    start = Cabeza() if linked is None else Cabeza(*linked)
    return cadena.sigue(start, _apuntes(connection, start.n))


def _given(connection: sqlite3.Connection) -> int:
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'evento'").fetchone()
    return 0 if row is None else int(row[0])


def _checked_version(connection: sqlite3.Connection, path: Path, volver: str | None) -> int:
    found = esquema.version_of(connection)
    if found > esquema.VERSION:
        back = "" if volver is None else f" Si quiere quedarse con este programa, antes ejecute con aquél: {volver}"
        raise VersionError(
            f"La base de estado {path} es de la versión {found} y este programa conoce hasta la {esquema.VERSION}: "
            "la escribió un Pregón más nuevo.",
            intacto="No se cambió nada; lo publicado sigue como estaba.",
            que_hacer=f"Instale otra vez la versión de Pregón que la escribió.{back}",
        )
    return found


def _copy(connection: sqlite3.Connection, path: Path, copy: Path) -> None:
    disk, temporary = Disk(), copy.with_name(copy.name + PARCIAL)
    disk.remove_tree(temporary)
    with contextlib.closing(sqlite3.connect(temporary)) as target:
        connection.backup(target)
        # Alone in one file, to be moved and read anywhere.
        target.execute("PRAGMA journal_mode = DELETE")
    shutil.copymode(path, temporary)
    disk.replace(temporary, copy)


def _durably(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection, our errors for SQLite's, closed at the end."""
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=_PATIENCE_S)) as connection:
            yield connection
    except sqlite3.Error as exc:
        if (getattr(exc, "sqlite_errorcode", 0) or 0) & _PRIMARY in _DAMAGED:
            raise damaged(path, str(exc)) from exc
        raise DiscoError(
            f"La base de estado {path} no se puede usar: {exc}",
            intacto="Lo publicado sigue como estaba.",
            que_hacer="Revise el disco y los permisos de la carpeta, y repita la orden.",
        ) from exc
