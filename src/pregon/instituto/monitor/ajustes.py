"""``[monitor]`` of ``instituto.toml``: what is watched, from where, how often and with what limits."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from pregon.base.settings import Settings
from pregon.instituto.monitor.muestreo import CADA_GRANDE, MUESTRA
from pregon.transport.lugar import Lugar, Secreto

Direccion = Annotated[str, Field(pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*)?$", max_length=2000)]
Nombre = Annotated[str, Field(pattern=r"^[a-z0-9-]{2,32}$")]


class PortalVigilado(Settings):
    """The public addresses of one difusor, where the registry does not say them. ``urls``: each is judged."""

    difusor: Nombre
    urls: Annotated[tuple[Direccion, ...], Field(min_length=1, max_length=8)]


class PuntoRemoto(Lugar):
    """Another vantage point: ``url`` is the place from which its observations are collected, as acuses are.

    ``clave``: the public key (PEM) with which they verify.
    """

    punto: Nombre
    clave: Path


class AjustesMonitor(Settings):
    """How the institute watches.

    ``punto``: the name of this machine as a vantage point. ``testigos``: addresses of others that answer when this
    machine has a network, none of them a difusor's. ``cada_s``: seconds of night time between rounds. ``a_la_vez``:
    portals looked at side by side. ``respuesta_s`` and ``mirada_s``: seconds for one answer and for a whole look.
    ``conexion_s``: until a connection is there. ``muestra`` and ``cada_grande``: files of each round
    (``monitor.muestreo``). ``ca``: PEM authorities that sign the portals' certificates, in place of the system's.
    ``acceso``: where «usuario:contraseña» of a closed rehearsal is. ``guarda_mb``: what the observations may take.
    """

    punto: Nombre = "instituto"
    testigos: Annotated[tuple[Direccion, ...], Field(max_length=8)] = ()
    cada_s: Annotated[float, Field(ge=1, le=3600)] = 60.0
    a_la_vez: Annotated[int, Field(ge=1, le=64)] = 16
    respuesta_s: Annotated[float, Field(gt=0, le=60)] = 12.0
    conexion_s: Annotated[float, Field(gt=0, le=60)] = 5.0
    mirada_s: Annotated[float, Field(gt=0, le=300)] = 30.0
    muestra: Annotated[int, Field(ge=1, le=1000)] = MUESTRA
    cada_grande: Annotated[int, Field(ge=1, le=1000)] = CADA_GRANDE
    ca: Path | None = None
    acceso: Secreto | None = None
    guarda_mb: Annotated[int, Field(ge=10, le=1_000_000)] = 4000
    portal: tuple[PortalVigilado, ...] = ()
    remoto: tuple[PuntoRemoto, ...] = ()

    @model_validator(mode="after")
    def _names_once(self) -> Self:
        names = [self.punto, *(one.punto for one in self.remoto)]
        if len(set(names)) < len(names):
            raise PydanticCustomError("monitor", "hay dos puntos de observación con el mismo nombre")
        watched = [one.difusor for one in self.portal]
        if len(set(watched)) < len(watched):
            raise PydanticCustomError("monitor", "hay dos tablas [[monitor.portal]] del mismo difusor")
        return self
