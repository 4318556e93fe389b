"""One run on Spark: logs that Spark reads itself, as large as they are, to the same measures by the same queries.

As ``cuenta``, but in one piece: the lines are not brought here. What comes here is what ``cuenta`` has too: the
different agents, to know which are programs, and the measures. Only formats that a pattern describes are read so
(Apache, nginx, S3, Fastly): the others name their columns line by line, or are not valid JSON where they should be,
and that is looked at here, not there.
"""

from __future__ import annotations

import hmac
import re
import secrets
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pregon.base.errors import UsoError
from pregon.bitacoras import consultas
from pregon.bitacoras.cuenta import SUMADAS, Corrida, Estado
from pregon.bitacoras.formatos import COMBINADO, Formato
from pregon.bitacoras.lectura import MAX_LINEA, Leida
from pregon.bitacoras.tipos import TIPOS
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
        key = corrida.clave or secrets.token_bytes(32)
        motor.set_text("clave_interna", hmac.digest(key, b"interna", "sha256").hex())
        motor.set_text("clave_externa", hmac.digest(key, b"externa", "sha256").hex())
        motor.rows(consultas.query("motor_spark"))
        motor.load_values("tipos", {"extension": "varchar", "tipo": "varchar"}, TIPOS)
        motor.load_values(
            "ventanas",
            {"numero": "bigint", "sitio": "bigint", "desde": "bigint", "hasta": "bigint"},
            [(place, one.sitio, one.desde, one.hasta) for place, one in enumerate(corrida.ventanas, start=1)],
        )

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
        self._dictionaries(sitio)
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

    def _dictionaries(self, sitio: int) -> None:
        motor = self.motor
        races = consultas.contests(self.corrida.contiendas)
        motor.rows(f"create table pedidos as {consultas.query('pedidos', contiendas=races)}")
        motor.rows(f"create table horas as {consultas.query('horas', sitio=sitio)}")
        texts = [text for (text,) in motor.rows("select distinct agente from crudos")]
        told = self.estado.registro.tell(texts)
        motor.load_values(
            "agentes",
            {"agente": "varchar", "numero": "bigint", "conocido": "bigint", "robot": "boolean", "nombre": "varchar"},
            [
                (text, place, one.numero, one.robot is not None, one.robot)
                for place, (text, one) in enumerate(zip(texts, told, strict=True), start=1)
            ],
        )
        found: list[tuple[str, str]] = []
        if self.corrida.lugar_de is not None:
            addresses = [text for (text,) in motor.rows("select distinct direccion from crudos")]
            found = [pair for pair in zip(addresses, self.corrida.lugar_de(addresses), strict=True) if pair[1]]
        motor.load_values("lugares", {"direccion": "varchar", "lugar": "varchar"}, found)


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
