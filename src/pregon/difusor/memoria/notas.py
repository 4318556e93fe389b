"""``memoria.toml``: what only the people of the difusor know of their night. Theirs: Pregón only adds at its end.

Each incident of the journal is added to it once, with its key, for somebody to explain; what was written stays, byte by
byte, however often the memoria is made again.
"""

from __future__ import annotations

import json
import tomllib
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from pregon.base.errors import AjustesError
from pregon.base.settings import Settings, parse_toml, read_toml_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from pregon.difusor.memoria.incidencias import Incidencia

ARCHIVO = "memoria.toml"
"""Its name in a difusor's folder."""
Parte = Literal[
    "bitacoras", "incidencias", "comparativo", "estadisticas", "sugerencias", "cortes", "consultas", "definiciones"
]
"""What a memoria is made of. The first five are those that a call may ask for (``memoria.secciones``)."""
_Linea = Annotated[str, Field(max_length=300)]
_Texto = Annotated[str, Field(max_length=20_000)]
_Textos = Annotated[tuple[_Texto, ...], Field(max_length=200)]

PLANTILLA = """\
# Lo que sólo usted sabe de la noche. Pregón no cambia nada de lo que está escrito aquí: cada vez que hace la memoria
# agrega al final las incidencias nuevas de su diario, para que usted las explique. Borrar una la devuelve sin explicar.

difusor = ""        # el nombre con el que participa
elabora = ""        # quién hace esta memoria, y su cargo
# fecha = 2027-06-15   # la que lleva el papel; si no se dice, el día en que se hace

comentarios = []    # un texto cada uno
sugerencias = []    # para las próximas convocatorias
propuestas = true   # agregar lo que se desprende de las medidas
notas = []          # lo que deba decirse al principio

# El formato que da el instituto: sus apartados, en su orden. Lo que ninguno lleve va al final, como anexo.
# [formato]
# titulo = "Memoria técnica del difusor"
# [[formato.apartado]]
# titulo = "I. Reporte de incidencias"
# texto = ""
# partes = ["incidencias"]   # bitacoras incidencias comparativo estadisticas sugerencias cortes consultas definiciones

# Lo que pasó y el diario de Pregón no puede saber: la luz, el enlace, un equipo.
# [[otra]]
# desde = 2027-06-06T22:10:00
# hasta = 2027-06-06T22:25:00
# que = "Se fue la luz en la sala de servidores"
# explicacion = "Entró la planta de emergencia a los 15 minutos."
# afecto = true
"""


class Explicada(Settings):
    """An incident of the journal, by its key. ``afecto``: whether it reached the publication; None: as by its kind."""

    clave: Annotated[str, Field(min_length=1, max_length=300)]
    explicacion: _Texto = ""
    afecto: bool | None = None


class Otra(Settings):
    """One that no journal has. Hours without an offset are the call's."""

    desde: datetime
    hasta: datetime | None = None
    que: Annotated[str, Field(min_length=1, max_length=2000)]
    explicacion: _Texto = ""
    afecto: bool = True

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Otra:
        if self.hasta is not None:
            if (self.hasta.tzinfo is None) != (self.desde.tzinfo is None):
                raise PydanticCustomError("horas", "«desde» y «hasta» llevan zona las dos, o ninguna")
            if self.hasta < self.desde:
                raise PydanticCustomError("horas", "«hasta» es anterior a «desde»")
        return self


class Apartado(Settings):
    """One heading of the institute's own format, with what goes under it."""

    titulo: Annotated[str, Field(min_length=1, max_length=300)]
    texto: _Texto = ""
    partes: tuple[Parte, ...] = ()


class Formato(Settings):
    """The format that the institute gives (GRO-6.6, INE-VII-a)."""

    titulo: _Linea = ""
    apartado: Annotated[tuple[Apartado, ...], Field(max_length=100)] = ()

    @model_validator(mode="after")
    def _each_part_once(self) -> Formato:
        named = [one for each in self.apartado for one in each.partes]
        twice = sorted({one for one in named if named.count(one) > 1})
        if twice:
            raise PydanticCustomError("partes", "está dos veces: {cual}", {"cual": ", ".join(twice)})
        return self


class Notas(Settings):
    """The whole file."""

    difusor: _Linea = ""
    elabora: _Linea = ""
    fecha: date | None = None
    comentarios: _Textos = ()
    sugerencias: _Textos = ()
    propuestas: bool = True
    notas: _Textos = ()
    formato: Formato = Formato()
    otra: Annotated[tuple[Otra, ...], Field(max_length=1000)] = ()
    incidencia: Annotated[tuple[Explicada, ...], Field(max_length=100_000)] = ()

    def de(self, clave: str) -> Explicada:
        """What was written of an incident; of one written twice, the last."""
        return next((one for one in reversed(self.incidencia) if one.clave == clave), Explicada(clave=clave))


def lee(path: Path) -> tuple[Notas, bytes]:
    """The notes and the file's bytes; without a file, empty notes and no bytes.

    Raises:
        AjustesError: a key is wrong; all of them are told with their paths.
        EntradaError: it cannot be read.
    """
    if not path.exists():
        return Notas(), b""
    data = read_toml_bytes(path)
    return parse_toml(data, Notas, where=str(path)), data


def con_nuevas(data: bytes, notas: Notas, incidencias: Iterable[Incidencia], zona: ZoneInfo) -> bytes:
    """The file with the incidents that it does not have yet, at its end; what it had is its beginning, as it was.

    Raises:
        AjustesError: the file has its incidents in a way that cannot be added to; nothing may be written.
    """
    known = {one.clave for one in notas.incidencia}
    fresh = [one for one in incidencias if one.clave not in known]
    if data and not fresh:
        return data
    head = data or PLANTILLA.encode()
    if not head.endswith(b"\n"):
        head += b"\n"
    parts = []
    for one in fresh:
        end = "" if one.hasta is None else f" a {one.hasta.astimezone(zona):%d/%m %H:%M:%S}"
        told = " ".join("".join(c if c.isprintable() else " " for c in f"{one.que}{end}").split())
        parts.append(f'\n[[incidencia]]\nclave = {json.dumps(one.clave)}\n# {told}\nexplicacion = ""\n')
    made = head + "".join(parts).encode()
    try:
        kept = not data or tomllib.loads(made.decode()) == _plus(tomllib.loads(data.decode()), fresh)
    except tomllib.TOMLDecodeError:
        kept = False
    if not kept:
        raise AjustesError(
            f"A {ARCHIVO} no se le puede agregar ninguna incidencia: «incidencia» no está como tablas.",
            intacto=f"No se cambió {ARCHIVO} ni se escribió ninguna memoria.",
            que_hacer="Escriba cada una como [[incidencia]], con su clave y su explicacion, y repita la orden.",
        )
    return made


def _plus(table: dict[str, object], fresh: Iterable[Incidencia]) -> dict[str, object]:
    before = table.get("incidencia", [])
    more = [{"clave": one.clave, "explicacion": ""} for one in fresh]
    return table | {"incidencia": [*(before if isinstance(before, list) else []), *more]}
