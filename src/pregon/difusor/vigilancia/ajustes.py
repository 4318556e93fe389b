"""``[vigilancia]`` of ``difusor.toml``: what counts as wrong, and where the metrics are read."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from pregon.base.settings import Settings

Positivo = Annotated[float, Field(gt=0, le=1e6)]


class AjustesVigilancia(Settings):
    """Limits of the self-watch. Paths are relative to the workspace.

    ``cada_s`` and ``portal_cada_s``: real seconds between two looks at this machine, and at our own public address.
    ``respuesta_max_s``: for one page (GRO-2.4h, INE-II-a-iii-3a). ``muestra``: files of the cut asked for at random,
    each time. ``ca``: PEM certificates that sign the portal's, instead of the system's. ``repite_min``: minutes after
    which what still lasts is told again. ``metricas``: ``address:port`` where Prometheus reads; on an address that is
    not this machine's own, only with ``metricas_fuera``. ``metricas_archivo``: the same, for node_exporter's textfile.
    """

    activa: bool = True
    cada_s: Annotated[float, Field(ge=0.1, le=3600)] = 30.0
    portal_cada_s: Annotated[float, Field(ge=0.1, le=3600)] = 60.0
    respuesta_max_s: Annotated[float, Field(gt=0, le=60)] = 10.0
    muestra: Annotated[int, Field(ge=0, le=50)] = 2
    ca: Path | None = None
    repite_min: Positivo = 30.0

    certificado_dias: Positivo = 14.0
    disco_reserva_mb: Positivo = 1024.0
    inodos_reserva: Annotated[int, Field(ge=0)] = 20_000
    memoria_min_mb: Positivo = 128.0
    memoria_propia_max_mb: Positivo = 1024.0
    salto_s: Positivo = 2.0
    bitacora_max_mb: Positivo = 1024.0
    bitacora_horas: Positivo = 24.0
    acuses_min: Positivo = 10.0
    nube_min: Positivo = 3.0
    vigencia_dias: Positivo = 14.0
    permanencia_dias: Positivo = 3.0

    metricas: Annotated[str, Field(max_length=64)] | None = None
    metricas_fuera: bool = False
    metricas_archivo: Path | None = None

    @model_validator(mode="after")
    def _kept_inside(self) -> AjustesVigilancia:
        if self.metricas is None:
            return self
        address, _, port = self.metricas.rpartition(":")
        try:
            place = ipaddress.ip_address(address.strip("[]"))
            number = int(port)
        except ValueError as exc:
            raise ValueError("metricas: escriba una dirección IP y un puerto, como 127.0.0.1:9464") from exc
        if not 0 <= number <= 65535:
            raise ValueError("metricas: el puerto va de 0 a 65535")
        if not place.is_loopback and not self.metricas_fuera:
            raise ValueError(
                "metricas: fuera de este equipo las leería cualquiera; use 127.0.0.1 o, si las protege un firewall, "
                "escriba metricas_fuera = true"
            )
        return self

    @property
    def escucha(self) -> tuple[str, int] | None:
        """Address (without brackets) and port where Prometheus reads; 0 takes a free port."""
        if self.metricas is None:
            return None
        address, _, port = self.metricas.rpartition(":")
        return address.strip("[]"), int(port)
