"""The state database of a workspace (SQLite): small keyed values and an append-only journal of typed events.

A log may be lost; what must not be lost is an event here.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pregon.base.errors import DiscoError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pregon.base.clock import Clock

_PATIENCE_S = 60.0
"""Who closes last holds the file while the disk syncs it, and a busy disk may take many seconds."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS valor (clave TEXT PRIMARY KEY, dato TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS evento (
  n INTEGER PRIMARY KEY AUTOINCREMENT, hora TEXT NOT NULL, tipo TEXT NOT NULL, dato TEXT NOT NULL) STRICT;
"""


@dataclass(frozen=True)
class Event:
    """One line of the journal: consecutive number, instant (UTC), kind and its data."""

    n: int
    hora: datetime
    tipo: str
    dato: dict[str, Any]


class StateDatabase:
    """Values and events of one workspace, durable once a call returns. One writer process (see ``locks``)."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        with self._open() as connection:
            connection.executescript(_SCHEMA)

    def get(self, key: str) -> Any:
        """The value under ``key`` (JSON types), or None."""
        with self._open() as connection:
            row = connection.execute("SELECT dato FROM valor WHERE clave = ?", (key,)).fetchone()
        return None if row is None else json.loads(row[0])

    def put(self, **values: Any) -> None:
        """Store every keyed value in one transaction."""
        with self._open() as connection:
            connection.executemany(
                "INSERT INTO valor VALUES (?, ?) ON CONFLICT (clave) DO UPDATE SET dato = excluded.dato",
                [(key, json.dumps(value, ensure_ascii=False)) for key, value in values.items()],
            )

    def record(self, kind: str, **data: Any) -> None:
        """Append an event, stamped with this workspace's clock."""
        with self._open() as connection:
            connection.execute(
                "INSERT INTO evento (hora, tipo, dato) VALUES (?, ?, ?)",
                (self._clock.now().isoformat(), kind, json.dumps(data, ensure_ascii=False, sort_keys=True)),
            )

    def events(self, *, after: int = 0, limit: int = 1000) -> list[Event]:
        """Events numbered above ``after``, oldest first, at most ``limit``."""
        with self._open() as connection:
            rows = connection.execute(
                "SELECT n, hora, tipo, dato FROM evento WHERE n > ? ORDER BY n LIMIT ?", (after, limit)
            ).fetchall()
        return [Event(n, datetime.fromisoformat(hora), tipo, json.loads(dato)) for n, hora, tipo, dato in rows]

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            connection = sqlite3.connect(self._path, timeout=_PATIENCE_S)
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
                with connection:
                    yield connection
            finally:
                connection.close()
        except sqlite3.Error as exc:
            raise DiscoError(
                f"La base de estado {self._path} no se puede usar: {exc}",
                intacto="Lo publicado sigue como estaba.",
                que_hacer="Revise el disco; si el archivo está dañado, muévalo aparte y repita la orden.",
            ) from exc
