"""The fleet over real sockets, watched by the institute's own vantage points (``monitor.observa.Punto``)."""

from __future__ import annotations

import contextlib
import ssl
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from pregon.base.clock import ManualClock
from pregon.instituto.monitor.ajustes import AjustesMonitor, PortalVigilado
from pregon.instituto.monitor.catalogo import Fijo, clave_de
from pregon.instituto.monitor.muestreo import MUESTRA, ReglasMuestreo
from pregon.instituto.monitor.observa import Punto
from pregon.instituto.monitor.referencia import Firmada
from pregon.simulacro.flota import credenciales
from pregon.simulacro.flota.contenido import Contenido
from pregon.simulacro.flota.servidor import Flota, direcciones

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from pregon.base.clock import Clock
    from pregon.base.durable import Disk
    from pregon.convocatoria.model import Convocatoria
    from pregon.instituto.monitor.modelo import Observacion, Vista
    from pregon.simulacro.flota.fallas import Guion

RESPUESTA_S = 1.0
"""What is waited for an answer, real seconds: a night is compressed, and a silent difusor is not waited for long."""
LENTO_S = 0.6
"""What the cover of a slow one takes."""
ADMITIDO_S = 0.5
"""What a page may take here: the ten seconds of GRO-2.4h, compressed."""
A_LA_VEZ = 8
SECRETO = b"flota simulada"


class OjoReal:
    """Serves the night of a record and looks at it, while the context lasts. Not shared among threads."""

    def __init__(
        self, guion: Guion, convocatoria: Convocatoria, folder: Path, *, real: Clock, disk: Disk, muestra: int = MUESTRA
    ) -> None:
        """``folder``: for the certificates. ``real``: the machine's own clock. ``muestra``: as ``[monitor]`` says."""
        self._night = guion
        self._content = Contenido(guion, convocatoria)
        self._keys = credenciales.crea(folder, direcciones(len(guion.puntos)), clock=real, disk=disk)
        self._fleet = Flota(guion, self._content, self._keys, real=real, lento_s=LENTO_S)
        self._clock = ManualClock(guion.reloj.rondas[0])
        self._real = real
        self._sample = muestra
        self._points: list[Punto] = []
        self._lists: list[Fijo] = []
        self._signed = 0
        self._round = 0
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self._open.enter_context(self._fleet)
        for punto in self._night.puntos:
            cuts = Fijo(clave=clave_de(SECRETO, punto), reglas=ReglasMuestreo(muestra=self._sample))
            self._lists.append(cuts)
            made = Punto(
                punto,
                self._portals(punto, self._night.difusores),
                Firmada(cuts),
                ajustes=self._settings(punto),
                clock=self._clock,
                real=self._real,
                tls=ssl.create_default_context(cafile=self._keys.autoridad),
            )
            self._open.callback(made.close)
            self._points.append(made)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    @property
    def pedidos(self) -> int:
        """How many requests the fleet answered."""
        return self._fleet.pedidos

    def firma(self, corte: int) -> str:
        """The hash of the manifest of a cut."""
        return self._content.paquete(corte).sha256

    def ronda(
        self, hora: datetime, difusores: Sequence[str]
    ) -> tuple[Mapping[str, Sequence[Observacion]], Sequence[Vista]]:
        """A round of every vantage point at ``hora``, side by side."""
        self._clock.instant = hora
        self._fleet.pon(hora)
        self._sign(hora)
        for punto in self._points:
            punto.vigila(self._portals(punto.nombre, difusores))
        with ThreadPoolExecutor(len(self._points)) as pool:
            seen = list(pool.map(lambda punto: punto.ronda(self._round), self._points))
        self._round += 1
        of: dict[str, list[Observacion]] = {name: [] for name in difusores}
        for swept in seen:
            for one in swept.observaciones:
                of[one.difusor].append(one)
        return of, [swept.vista for swept in seen]

    def _sign(self, hora: datetime) -> None:
        for cut in self._night.cortes[self._signed :]:
            if cut.firmado > hora:
                break
            for cuts in self._lists:
                cuts.firma(self._content.paquete(cut.numero).manifiesto_bytes, cut.firmado)
            self._signed += 1

    def _portals(self, punto: str, difusores: Sequence[str]) -> list[PortalVigilado]:
        return [PortalVigilado(difusor=name, urls=(self._fleet.url(name, punto),)) for name in difusores]

    def _settings(self, punto: str) -> AjustesMonitor:
        return AjustesMonitor(
            punto=punto,
            testigos=(self._fleet.testigo(punto),),
            a_la_vez=A_LA_VEZ,
            respuesta_s=RESPUESTA_S,
            conexion_s=RESPUESTA_S,
            mirada_s=RESPUESTA_S * 10,
            muestra=self._sample,
        )
