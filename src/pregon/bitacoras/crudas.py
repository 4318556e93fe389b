"""The lines of access logs that fall within some days, as they are, for who must be given them (GRO-6.2, DGO-IV-2).

What was clean stays byte for byte; bytes that are not UTF-8 and the control characters that ``lectura`` takes out are
as it leaves them. Lines of other days stay out, and those that are no hit too: nobody knows of which day they are.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from pregon.bitacoras import consultas
from pregon.bitacoras.cuenta import Corrida, open_run
from pregon.bitacoras.lectura import SEPARA, read
from pregon.motor.duck import Volcado

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pregon.bitacoras.lectura import Fuente, Pieza
    from pregon.bitacoras.ventanas import Ventana
    from pregon.motor.duck import Motor

_EPOCA = (1980, 1, 1, 0, 0, 0)
"""The same logs make the same zip."""


@dataclass(frozen=True)
class Puestas:
    """What went into a zip: of so many lines read, those within the days."""

    archivos: int
    leidas: int
    renglones: int


def pack(fuentes: Sequence[Fuente], ventanas: Sequence[Ventana], file: IO[bytes]) -> Puestas:
    """Write into ``file``, which need not be able to go back, a zip with a text for each log. Any size, bounded memory.

    ``ventanas``: one for each site of ``fuentes``.

    Raises:
        EntradaError, FormatoError: as ``lectura.read``. ComprobacionError: the engine failed.
    """
    kept = seen = 0
    with (
        open_run(Corrida(ventanas)) as run,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive,
    ):
        for place, fuente in enumerate(fuentes, start=1):
            info = zipfile.ZipInfo(f"{place:03d}-{fuente.ruta.name}.txt", _EPOCA)
            info.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(info, "w", force_zip64=True) as member:
                for pieza in read([fuente], []):
                    seen += sum(tramo.lineas for tramo in pieza.tramos)
                    for lines in _within(run.motor, pieza):
                        member.write("".join(line + "\n" for line in lines).encode())
                        kept += len(lines)
    return Puestas(len(fuentes), seen, kept)


def _within(motor: Motor, pieza: Pieza) -> Iterator[list[str]]:
    """The lines of a piece that are of the window of its site, in their order, some at a time."""
    motor.open_lines("lineas", Volcado(pieza.partes, 0), delimiter=SEPARA, width=1, columns={"linea": 0})
    try:
        if pieza.formato.patron:
            motor.set_text("patron", pieza.formato.patron)
        motor.rows("create table renglones as select linea from lineas")
        motor.rows(f"create table crudos as {consultas.fields(pieza.formato, reenvio=False)}")
    finally:
        motor.forget_lines("lineas")
    motor.rows(f"create table horas as {consultas.query('horas', sitio=pieza.sitio)}")
    motor.rows(
        "create table dentro as select renglones.rowid as n, renglones.linea from renglones"
        " inner join crudos on renglones.rowid = crudos.rowid inner join horas on crudos.hora = horas.hora"
        " where horas.ventana > 0"
    )
    for begin in range(0, motor.rows("select count(*) from renglones")[0][0], _SOME):
        part = f"select linea from dentro where n >= {begin} and n < {begin + _SOME} order by n"  # noqa: S608
        yield [line for (line,) in motor.rows(part)]
    for name in ("renglones", "crudos", "horas", "dentro"):
        motor.rows(f"drop table {name}")


_SOME = 50_000
"""Lines that are held at a time."""
