"""Spark: the same SQL as ``duck`` runs, over tables that do not fit one machine. The only importer of pyspark.

Tables that a statement makes are kept as Parquet under ``trabajo``, a folder of this machine or of the object store,
and are gone when the engine closes. Where the words of both engines differ, each has a file of its own
(``motor_duckdb.sql``, ``motor_spark.sql``).
"""

from __future__ import annotations

import re
import tempfile
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from pregon.base.errors import AjustesError, ComprobacionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pyspark.sql import DataFrame, SparkSession

    from pregon.motor.duck import Tipo

_TIPOS: Mapping[str, str] = {"bigint": "bigint", "varchar": "string", "boolean": "boolean"}
_CREA = re.compile(r"create table (\w+) as\b", re.IGNORECASE)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


class MotorSpark:
    """A session and its tables. ``rows``, ``run``, ``load_values`` as those of ``duck.Motor``. Made by ``engine``."""

    def __init__(self, session: SparkSession) -> None:
        self._session = session
        self._tables: list[str] = []

    def read_lines(self, view: str, rutas: Sequence[str]) -> None:
        """Create ``view`` with the column ``value``: the lines of files that Spark reads itself, compressed or not.

        Raises:
            ComprobacionError: one cannot be read.
        """
        with _border():
            self._session.read.text(list(rutas), lineSep="\n").createOrReplaceTempView(_plain(view))

    def load_values(self, table: str, columns: Mapping[str, Tipo], rows: Iterable[Sequence[int | str | None]]) -> None:
        """Create ``table`` from values, for what is small. Raises ``ComprobacionError``: one does not fit."""
        schema = ", ".join(f"{name} {_TIPOS[kind]}" for name, kind in columns.items())
        with _border():
            frame = self._session.createDataFrame([tuple(row) for row in rows], schema)
            frame.createOrReplaceTempView(_plain(table))

    def set_text(self, name: str, text: str) -> None:
        """Make the variable ``name`` say ``text``."""
        escaped = text.replace("\\", "\\\\").replace("'", "\\'")
        with _border():
            self._session.sql(f"declare or replace variable {_plain(name)} string default '{escaped}'")

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of the last statement of ``sql``. Raises ``ComprobacionError``: the engine refused it."""
        with _border():
            frame = self._last(sql)
            return [] if frame is None else [tuple(row) for row in frame.collect()]

    def run(self, sql: str) -> list[dict[str, Any]]:
        """The rows of the last statement of ``sql``, each by column name. Raises ``ComprobacionError``."""
        with _border():
            frame = self._last(sql)
            return [] if frame is None else [row.asDict() for row in frame.collect()]

    def drop(self, *tables: str) -> None:
        """Drop tables that are no longer needed."""
        for table in tables:
            with _border():
                self._session.sql(f"drop table if exists {_plain(table)}")

    def _last(self, sql: str) -> DataFrame | None:
        found = None
        for statement in _statements(sql):
            made = _CREA.match(statement)
            if made is not None:
                self._tables.append(made[1])
                statement = _CREA.sub(f"create table {made[1]} using parquet as", statement, count=1)
            found = self._session.sql(statement)
        return found


@contextmanager
def engine(
    maestro: str, *, trabajo: str | None = None, opciones: Mapping[str, str] | None = None
) -> Iterator[MotorSpark]:
    """A session at ``maestro``: ``local[2]``, ``spark://host:7077``, ``yarn``, ``k8s://…``.

    ``trabajo``: where tables are kept, ``s3a://…`` for a cluster; None: a folder of this machine, removed at the end.
    ``opciones``: any of Spark's own (``spark.hadoop.fs.s3a.endpoint``); credentials come from its environment.

    Raises:
        AjustesError: pyspark is not installed, or there is no Java or no such master.
    """
    try:
        from py4j.protocol import Py4JError
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ModuleNotFoundError as exc:
        raise AjustesError(
            "Falta pyspark, que hace la cuenta en varias máquinas.",
            intacto="No se midió nada.",
            que_hacer="Instale Pregón con su extra «spark» y Java 17, o quite [motor] spark de los ajustes.",
        ) from exc
    with ExitStack() as stack:
        folder = trabajo or stack.enter_context(tempfile.TemporaryDirectory(prefix="pregon-spark-"))
        builder = SparkSession.builder.master(maestro).appName("pregon")
        for name, value in {**_ours(folder), **(opciones or {})}.items():
            builder = builder.config(name, value)
        try:
            session = builder.getOrCreate()
        except (PySparkException, Py4JError, RuntimeError, OSError) as exc:
            raise AjustesError(
                f"No se pudo comenzar con Spark en {maestro}: {exc}",
                intacto="No se midió nada.",
                que_hacer="Revise [motor] spark, que haya Java 17 y que el maestro conteste.",
            ) from exc
        motor = MotorSpark(session)
        try:
            yield motor
        finally:
            motor.drop(*motor._tables)  # noqa: SLF001 - its own maker
            session.stop()


def _ours(folder: str) -> dict[str, str]:
    return {
        "spark.sql.warehouse.dir": folder,
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.ansi.enabled": "true",
        "spark.sql.legacy.timeParserPolicy": "CORRECTED",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
    }


@contextmanager
def _border() -> Iterator[None]:
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError) as exc:
        raise ComprobacionError(
            f"Spark no pudo hacer la cuenta: {str(exc)[:2000]}",
            intacto="No se escribió ni se publicó nada.",
            que_hacer="Revise que las rutas existan y se puedan leer desde cada máquina, y repita la orden.",
        ) from exc


def _statements(sql: str) -> list[str]:
    """The statements of some text, without comments. No literal of ours holds a semicolon or two hyphens."""
    plain = re.sub(r"--.*$", "", sql, flags=re.MULTILINE)
    return [one.strip() for one in plain.split(";") if one.strip()]


def _plain(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"not a plain SQL name: {name!r}")
    return name
