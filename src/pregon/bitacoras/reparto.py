"""One run on Spark: logs that Spark reads itself, as large as they are, to the same measures by the same queries.

As ``cuenta``, but in one piece: the lines are not brought here. What comes here is what ``cuenta`` has too: the
different agents, to know which are programs, and the measures. Only formats that a pattern describes are read so
(Apache, nginx, S3, Fastly): the others name their columns line by line, or are not valid JSON where they should be,
and that is looked at here, not there.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pregon.base.errors import UsoError
from pregon.bitacoras import consultas, preparativos
from pregon.bitacoras.cuenta import SUMADAS, Corrida, Estado
from pregon.bitacoras.formatos import COMBINADO, Formato
from pregon.bitacoras.lectura import MAX_LINEA, Leida
from pregon.motor.spark import engine

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pregon.bitacoras.maestro import Maestro
    from pregon.motor.spark import MotorSpark

_FIELDS = ("direccion", "hora", "pedido", "estado", "bytes", "referente", "agente", "duracion", "cache")


class Reparto:
    """The tables of a run on Spark, open until its measures are read: what ``cuenta.Cuenta`` is of DuckDB."""

    def __init__(self, motor: MotorSpark, corrida: Corrida) -> None:
        self.motor = motor
        self.corrida = corrida
        self.estado = Estado()
        self.contada = False
        preparativos.begin(motor, corrida, palabras="motor_spark")

    def take(self, rutas: Sequence[str], formato: Formato = COMBINADO, *, sitio: int = 0) -> None:
        """Read and count ``rutas`` (files, folders, patterns, ``s3a://``), of one format and site; more may follow.

        Raises:
            UsoError: the format is none that a pattern describes.
            ComprobacionError: Spark could not read them, or failed.
        """
        if formato.clase not in ("comillas", "patron"):
            raise UsoError(
                f"Las bitácoras «{formato.nombre}» no se miden con Spark.",
                intacto="No se midió nada.",
                que_hacer="Mídalas sin --spark: el motor de este equipo lee archivos de cualquier tamaño.",
            )
        motor = self.motor
        motor.read_lines("leidos", rutas)
        long = motor.rows(f"select count(*) from leidos where octet_length(value) >= {MAX_LINEA}")[0][0]  # noqa: S608
        motor.rows(f"create table lineas as {consultas.query('renglones_spark')}")
        given = motor.rows("select count(*) from lineas")[0][0]
        self._fields(formato)
        preparativos.dictionaries(motor, self.corrida, self.estado.registro, sitio=sitio)
        preparativos.places(motor, self.corrida, de="crudos")
        numbers = {"sitio": sitio, "milisegundos": formato.milisegundos}
        motor.rows(f"create table golpes as {consultas.query('golpes', **numbers)}")
        for name in ("tramos", "extremos", *SUMADAS):
            verb = f"insert into {name}" if self.contada else f"create table {name} as"
            motor.rows(f"{verb} {consultas.query(name)}")
        if self.corrida.al_paso is not None:
            self.corrida.al_paso(motor)
        self.contada = True
        taken = motor.rows("select count(*) from golpes")[0][0]
        motor.drop("lineas", "crudos", "pedidos", "horas", "golpes")
        told = Leida(Path(rutas[0]), formato, lineas=given + long, largas=long, malas=given - taken)
        self.estado.leidas.append(told)

    def _fields(self, formato: Formato) -> None:
        motor = self.motor
        # Java's own way of writing the same pattern; its «.» too takes all but a line feed.
        motor.set_text("patron", "(?d)" + formato.patron.replace("(?P<", "(?<"))
        if formato.clase == "patron":
            motor.rows(f"create table crudos as {_by_pattern(formato, 'lineas')}")
            return
        motor.rows(f"create table partidas as {consultas.query('partidas')}")
        motor.rows(f"create table combinadas as {consultas.query('combinado')}")
        motor.rows(
            "create table sobrantes as select linea from partidas where not llana"
            " union all select linea from combinadas where linea is not null"
        )
        whole = f"select {', '.join(_FIELDS)} from combinadas where linea is null"  # noqa: S608 - our own names
        motor.rows(f"create table crudos as {whole} union all {_by_pattern(formato, 'sobrantes')}")
        motor.drop("partidas", "combinadas", "sobrantes")


@contextmanager
def open_run(maestro: Maestro, corrida: Corrida) -> Iterator[Reparto]:
    """The tables of a run on Spark.

    Raises:
        AjustesError: pyspark is not installed, or there is no such master.
    """
    with engine(maestro.maestro, trabajo=maestro.trabajo, opciones=maestro.opciones) as motor:
        yield Reparto(motor, corrida)


def _by_pattern(formato: Formato, table: str) -> str:
    """The SELECT that takes the fields of a line of ``table``; nothing where the line is of another form."""
    groups = re.compile(formato.patron).groupindex
    parts = ", ".join(
        f"regexp_extract(linea, patron, {groups[name]}) as {name}" if name in groups else f"{_absent(name)} as {name}"
        for name in _FIELDS
    )
    return f"select {parts} from {table}"  # noqa: S608 - our own names


def _absent(name: str) -> str:
    from pregon.bitacoras.robots import SIN_DECIR

    return f"'{SIN_DECIR}'" if name == "agente" else "''"
