"""``instituto.toml``: what a workspace is for. Written by ``inicia``; unknown keys are errors (design §5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from pregon.base.clock import SimulatedClock, SystemClock
from pregon.base.settings import Settings, load_toml
from pregon.instituto.bitacora.ajustes import AjustesBitacora
from pregon.instituto.entrega import destinos
from pregon.instituto.entrega.destinos import AjustesEntrega, Destino
from pregon.instituto.monitor.ajustes import AjustesMonitor
from pregon.instituto.opera.ajustes import AjustesOpera
from pregon.instituto.proceso.ajustes import AjustesProceso
from pregon.instituto.publico.ajustes import AjustesPublico
from pregon.instituto.relevo.ajustes import AjustesEstado
from pregon.instituto.sql.modelo import FuenteSql, repeated
from pregon.instituto.tablero.ajustes import AjustesTablero
from pregon.notifica.ajustes import AjustesCanal
from pregon.transport.lugar import Secreto

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.base.clock import Clock

ARCHIVO = "instituto.toml"


class AjustesInstituto(Settings):
    """Settings of an institute's workspace.

    ``convocatoria`` is the path of the profile, relative to the workspace (``inicia`` copies it there, so that a later
    change of the shipped one does not change a night). ``reloj_simulado`` is the file of a ``SimulatedClock``, allowed
    only in the ambiente «simulacro». ``fuente``: the contests that are read from a database when no file is given.
    ``destino``: the nodes to which each cut is delivered; ``entrega``: how. ``bitacora``: where its seals are copied.
    ``notifica``: who is told, as a difusor's; ``proceso``: how a difusor is warned.
    ``monitor``: what is watched and from where.
    ``opera``: where the cuts of the night come from, and its pace. ``tablero``: where the board listens.
    ``publico``: where the pages for everybody are written.
    ``clave_registro``: where the key of the registry's confidential data is (``registro.sello``); best out of here.
    ``estado``: the server that holds the state of an institute of two machines; without it, a file of this one.
    """

    convocatoria: Annotated[str, Field(min_length=1)]
    ambiente: Literal["oficial", "simulacro"] = "oficial"
    reloj_simulado: str | None = None
    fuente: tuple[FuenteSql, ...] = ()
    destino: tuple[Destino, ...] = ()
    entrega: AjustesEntrega = AjustesEntrega()
    bitacora: AjustesBitacora = AjustesBitacora()
    monitor: AjustesMonitor = AjustesMonitor()
    notifica: tuple[AjustesCanal, ...] = ()
    proceso: AjustesProceso = AjustesProceso()
    opera: AjustesOpera = AjustesOpera()
    tablero: AjustesTablero = AjustesTablero()
    publico: AjustesPublico = AjustesPublico()
    clave_registro: Secreto | None = None
    estado: AjustesEstado | None = None

    @field_validator("destino")
    @classmethod
    def _one_table_each(cls, value: tuple[Destino, ...]) -> tuple[Destino, ...]:
        twice = destinos.repeated(value)
        if twice is not None:
            raise PydanticCustomError("destino", "hay dos tablas de {cual}", {"cual": twice})
        return value

    @field_validator("fuente")
    @classmethod
    def _one_source_each(cls, value: tuple[FuenteSql, ...]) -> tuple[FuenteSql, ...]:
        twice = repeated(value)
        if twice is not None:
            raise PydanticCustomError("fuente", "hay dos fuentes de la elección {cual}", {"cual": twice})
        return value

    @model_validator(mode="after")
    def _clock_of_the_world(self) -> Self:
        if self.reloj_simulado is not None and self.ambiente != "simulacro":
            raise ValueError("«reloj_simulado» sólo existe en el ambiente simulacro")
        return self

    def clock(self, folder: Path) -> Clock:
        """The clock of this workspace. Raises ``AjustesError`` when the simulated one cannot be read."""
        return SystemClock() if self.reloj_simulado is None else SimulatedClock.load(folder / self.reloj_simulado)


def load(folder: Path) -> AjustesInstituto:
    """The settings in ``folder``. Raises ``EntradaError`` when it is no workspace, ``AjustesError`` for wrong keys."""
    return load_toml(folder / ARCHIVO, AjustesInstituto)


def to_toml(settings: AjustesInstituto) -> bytes:
    """The text of ``instituto.toml``."""
    lines = [
        "# Espacio de trabajo del instituto. Lo escribió «pregon instituto inicia».",
        f"convocatoria = {_quoted(settings.convocatoria)}",
        f"ambiente = {_quoted(settings.ambiente)}",
    ]
    if settings.reloj_simulado is not None:
        lines.append(f"reloj_simulado = {_quoted(settings.reloj_simulado)}")
    return ("\n".join(lines) + "\n").encode()


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
