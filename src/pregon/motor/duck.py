"""DuckDB in process: one closed, short-lived database with bounded memory and threads."""

from __future__ import annotations

import itertools
import os
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

try:
    # The engine itself. Its package adds readers of other libraries' objects, unused here, and as long again to start.
    import _duckdb as duckdb
except ModuleNotFoundError:  # another build of it
    import duckdb  # type: ignore[no-redef]

from pregon.base.errors import ComprobacionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

Tipo: TypeAlias = Literal["bigint", "varchar", "boolean"]

MEMORY_LIMIT = "768MiB"
MAX_THREADS = 4
_BATCH = 20_000
_NEVER = "\x01\x02\x01"
"""Text that stands for null when a file is read: no admitted text holds it, so that every cell stays text."""


@dataclass(frozen=True, slots=True)
class Volcado:
    """Lines of text as bytes in UTF-8, each ended by a line feed; and how many there are."""

    piezas: Iterable[bytes]
    renglones: int


Lineas: TypeAlias = "Iterable[str] | Volcado"


class Motor:
    """A private database in memory, spilling to its own temporary folder. Made by ``engine``."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
        self._connection = connection
        self._folder = folder

    def load_lines(
        self, table: str, lines: Lineas, *, delimiter: str, width: int, columns: Mapping[str, int | None]
    ) -> None:
        """Create ``table`` from lines of text of ``width`` fields that ``delimiter`` parts, without quoting.

        ``columns``: name and place of each field wanted (None: there is no such field, its text is empty). All are
        VARCHAR, exactly as written; ``rowid`` counts the rows from zero in the order given.

        Raises:
            ComprobacionError: a line has another number of fields, or holds a line end.
        """
        given = self._write_lines(table, lines)
        try:
            self._connection.execute(f"create table {table} as {self._read(table, delimiter, width, columns)}")
        except duckdb.Error as exc:
            raise _failed(exc) from exc
        finally:
            self._file(table).unlink()
        self.expect(table, given)

    def open_lines(
        self, view: str, lines: Lineas, *, delimiter: str, width: int, columns: Mapping[str, int | None]
    ) -> int:
        """As ``load_lines``, but nothing is read yet: each time, ``view`` reads only the columns that are asked of it.

        Gives how many lines there are, for ``expect``: what is wrong with one shows when it is read.
        """
        given = self._write_lines(view, lines)
        try:
            self._connection.execute(f"create view {view} as {self._read(view, delimiter, width, columns)}")
        except duckdb.Error as exc:
            raise _failed(exc) from exc
        return given

    def forget_lines(self, view: str) -> None:
        """Drop what ``open_lines`` made, and its file: the name is free for the next lines."""
        self._connection.execute(f"drop view {view}")
        self._file(view).unlink()

    def expect(self, table: str, given: int) -> None:
        """Check that ``table`` has as many rows as lines were given: the engine skips blank lines in silence.

        Raises:
            ComprobacionError: it has not.
        """
        taken = self.rows(f"select count(*) from {table}")[0][0]  # noqa: S608 - our own name
        if taken != given:
            raise _failed(f"tomó {taken} de {given} renglones")

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.csv"

    def _write_lines(self, name: str, lines: Lineas) -> int:
        if isinstance(lines, Volcado):
            with self._file(name).open("wb") as raw:
                raw.writelines(lines.piezas)
            return lines.renglones
        given = 0
        with self._file(name).open("w", encoding="utf-8", newline="\n") as file:
            iterator = iter(lines)
            while batch := list(itertools.islice(iterator, _BATCH)):
                given += len(batch)
                file.write("\n".join(batch))
                file.write("\n")
        return given

    def _read(self, name: str, delimiter: str, width: int, columns: Mapping[str, int | None]) -> str:
        wanted = ", ".join(
            f"'' as {name}" if place is None else f"c{place:04d} as {name}" for name, place in columns.items()
        )
        types = ", ".join(f"'c{place:04d}': 'VARCHAR'" for place in range(width))
        escaped, parted = (str(text).replace("'", "''") for text in (self._file(name), delimiter))
        return (
            f"select {wanted} from read_csv('{escaped}',"  # noqa: S608
            f" header=false, auto_detect=false, delim='{parted}', quote='', escape='', comment='',"
            f" new_line='\\n', nullstr='{_NEVER}', strict_mode=true, columns={{{types}}})"
        )

    def load_values(self, table: str, columns: Mapping[str, Tipo], rows: Iterable[Sequence[int | str | None]]) -> None:
        """Create ``table`` from values, for what is small: dictionaries of texts and what they mean.

        Raises:
            ComprobacionError: a value does not fit its column.
        """
        given = list(rows)
        names = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        lists = ", ".join(f"unnest(cast(${place} as {kind}[]))" for place, kind in enumerate(columns.values(), start=1))
        try:
            self._connection.execute(f"create table {table} ({names})")
            if given:
                self._connection.execute(
                    f"insert into {table} select {lists}",
                    [list(column) for column in zip(*given, strict=True)],
                )
        except duckdb.Error as exc:
            raise _failed(exc) from exc

    def set_text(self, name: str, text: str) -> None:
        """Make ``getvariable('name')`` give ``text``: what a statement needs from outside never enters its own text."""
        self._connection.execute(f"set variable {name} = $1", [text])

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of the last statement of ``sql``.

        Raises:
            ComprobacionError: the engine refused it.
        """
        try:
            return self._connection.execute(sql).fetchall()
        except duckdb.Error as exc:
            raise _failed(exc) from exc

    def run(self, sql: str) -> list[dict[str, Any]]:
        """The rows of the last statement of ``sql``, each by column name.

        Raises:
            ComprobacionError: the engine refused it.
        """
        try:
            cursor = self._connection.execute(sql)
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        except duckdb.Error as exc:
            raise _failed(exc) from exc


@contextmanager
def engine(*, memory_limit: str = MEMORY_LIMIT, threads: int | None = None) -> Iterator[Motor]:
    """An empty engine that leaves nothing behind: no extension, no download, no file outside its own folder."""
    with tempfile.TemporaryDirectory(prefix="pregon-motor-") as folder:
        connection = duckdb.connect(
            ":memory:",
            config={
                "threads": threads or min(MAX_THREADS, os.cpu_count() or 1),
                "memory_limit": memory_limit,
                "temp_directory": str(Path(folder) / "derrame"),
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            },
        )
        try:
            # A bar on the terminal, or in the middle of a command's JSON, of whatever takes two seconds.
            connection.execute("set enable_progress_bar = false")
            # In this order: the folder first, then the door is shut, then the settings are locked.
            connection.execute("set allowed_directories = [?]", [folder])
            connection.execute("set enable_external_access = false")
            connection.execute("set lock_configuration = true")
            yield Motor(connection, Path(folder))
        finally:
            connection.close()


def _failed(exc: duckdb.Error | str) -> ComprobacionError:
    return ComprobacionError(
        f"El motor de datos no pudo hacer la cuenta: {exc}",
        intacto="No se escribió ni se publicó nada.",
        que_hacer="Repita la orden; si vuelve a fallar, guarde los archivos de entrada y avise al soporte de Pregón.",
    )
