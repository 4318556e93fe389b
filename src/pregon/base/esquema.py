"""The schemas that a state database has had, in order: each knows how to go forward from the one before, and back.

The number is SQLite's ``user_version``. 0 is what every Pregón wrote before there were numbers: ``valor`` and
``evento`` alone. A step is a few statements of SQL and nothing else, so that an old file moves without the program
that wrote it; once published, it never changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

CERO = (
    "CREATE TABLE IF NOT EXISTS valor (clave TEXT PRIMARY KEY, dato TEXT NOT NULL) STRICT",
    """
    CREATE TABLE IF NOT EXISTS evento (
      n INTEGER PRIMARY KEY AUTOINCREMENT, hora TEXT NOT NULL, tipo TEXT NOT NULL, dato TEXT NOT NULL) STRICT
    """,
)
"""The first schema: keyed values and the journal."""


@dataclass(frozen=True)
class Paso:
    """One step: the ``version`` that it leads to, what it does (``que``, Spanish), its statements in each direction."""

    version: int
    que: str
    adelante: tuple[str, ...]
    atras: tuple[str, ...]


PASOS = (
    Paso(
        1,
        "Cada corte aceptado en un renglón propio, en lugar de todos en uno que se reescribe a cada corte.",
        adelante=(
            """
            CREATE TABLE renglon (
              serie TEXT NOT NULL, n INTEGER NOT NULL, dato TEXT NOT NULL, PRIMARY KEY (serie, n)) STRICT, WITHOUT ROWID
            """,
            """
            INSERT INTO renglon SELECT 'cortes', json_extract(corte.value, '$.corte'), corte.value
            FROM valor, json_each(valor.dato) AS corte WHERE valor.clave = 'cortes'
            """,
            "DELETE FROM valor WHERE clave = 'cortes'",
        ),
        atras=(
            # An older program may have written there meanwhile: what it wrote it will find again in the history.
            "DELETE FROM valor WHERE clave = 'cortes'",
            """
            INSERT INTO valor SELECT 'cortes', json_group_array(json(dato))
            FROM (SELECT dato FROM renglon WHERE serie = 'cortes' ORDER BY n) HAVING count(*) > 0
            """,
            "DROP TABLE renglon",
        ),
    ),
    Paso(
        2,
        "Cada suceso de la bitácora lleva el eslabón que lo ata a los anteriores; los que ya estaban quedan sin él.",
        adelante=("ALTER TABLE evento ADD COLUMN eslabon TEXT",),
        # Nothing is lost: a link can be worked out again from the events alone (``cadena``).
        atras=("ALTER TABLE evento DROP COLUMN eslabon",),
    ),
)
VERSION = PASOS[-1].version
"""The schema that this program reads and writes."""


def version_of(connection: sqlite3.Connection) -> int:
    """The schema of an open database; 0 also for an empty file."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def is_empty(connection: sqlite3.Connection) -> bool:
    """Whether nothing was ever written there."""
    return connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone() is None


def move(connection: sqlite3.Connection, target: int) -> None:
    """Take the database to schema ``target`` in one transaction; it is there already, or as it was, where this raises.

    ``connection`` must have no transaction open and ``isolation_level`` None. ``target`` is in 0..VERSION.

    Raises:
        sqlite3.Error: the database cannot be used.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        now = version_of(connection)
        for statement in CERO:
            connection.execute(statement)
        for step in PASOS:
            if now < step.version <= target:
                _run(connection, step.adelante)
        for step in reversed(PASOS):
            if target < step.version <= now:
                _run(connection, step.atras)
        connection.execute(f"PRAGMA user_version = {target:d}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _run(connection: sqlite3.Connection, statements: tuple[str, ...]) -> None:
    for statement in statements:
        connection.execute(statement)
