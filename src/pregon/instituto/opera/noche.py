"""The process that holds the institute's night: one for each workspace, told to its supervisor, ended in order."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

from pregon.base.clock import SystemClock
from pregon.base.errors import AjustesError, EntradaError, PregonError
from pregon.base.locks import exclusive
from pregon.base.servicio import Latido
from pregon.instituto.opera.servicio import CORTE_FIN_S, Servicio
from pregon.instituto.relevo.arriendo import arriendo
from pregon.instituto.workspace import open_workspace
from pregon.notifica.mensajero import Mensajero
from pregon.notifica.registro import a_syslog

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from threading import Event

    from pregon.base.servicio import Supervisor
    from pregon.instituto.workspace import Workspace

_logger = logging.getLogger(__name__)

CANDADO = "opera.lock"
FIJOS = ("convocatoria", "ambiente", "reloj_simulado", "estado")
"""Settings of a workspace that do not change while it runs."""


def opera(
    workspace: Workspace,
    *,
    stop: Event,
    relee: Event,
    environment: Mapping[str, str],
    supervisor: Supervisor,
    tell: Callable[[str], None] = lambda _: None,
) -> None:
    """Hold the night of ``workspace`` until ``stop``; at each ``relee`` its settings are read again.

    ``tell`` hears how the night goes each time that it changes.

    Raises:
        InstanciaError: another process holds the night of this workspace, or another machine has it, or took it
            meanwhile; nothing was changed.
        AjustesError: the workspace cannot be what its settings say.
        DiscoError, EscrituraError: it cannot be used.
    """
    real = SystemClock()
    latido = Latido(supervisor, real)
    with exclusive(workspace.folder / CANDADO), arriendo(workspace, stop):
        supervisor.status("Leyendo lo firmado.")
        with latido:
            while not stop.is_set():
                following = _night(workspace, stop, relee, environment, supervisor, latido, tell)
                workspace = following or workspace
        _logger.info("instituto %s: terminado", workspace.convocatoria.instituto)


def _night(
    workspace: Workspace,
    stop: Event,
    relee: Event,
    environment: Mapping[str, str],
    supervisor: Supervisor,
    latido: Latido,
    tell: Callable[[str], None],
) -> Workspace | None:
    """The night with these settings; the workspace with other ones, where they were read again."""
    real, settings = SystemClock(), workspace.settings
    with contextlib.ExitStack() as stack:
        stack.enter_context(a_syslog(settings.notifica, origen=workspace.convocatoria.instituto, clock=real))
        messenger = stack.enter_context(
            Mensajero.de(
                settings.notifica,
                workspace.folder,
                clock=real,
                state=workspace.state(),
                repite_s=settings.opera.repite_min * 60,
            )
        )
        service = Servicio(workspace, environment=environment, stop=stop, manda=messenger.manda, real=real)
        stack.callback(service.cierra)
        told = ""
        while not stop.is_set():
            service.pasada()
            if service.sana:
                latido.late()
            now = service.situacion()
            if not told:
                supervisor.ready(now)
            if now != told:
                supervisor.status(now)
                tell(now)
                told = now
            if relee.is_set():
                relee.clear()
                supervisor.reloading(real)
                following = _read_again(workspace, service)
                supervisor.ready(service.situacion())
                if following is not None:
                    service.quieta(CORTE_FIN_S)
                    return following
            stop.wait(service.descanso())
        supervisor.stopping()
        service.termina()
    return None


def _read_again(workspace: Workspace, service: Servicio) -> Workspace | None:
    """The workspace with the settings that are in the file now; None where they are the same, or wrong."""
    try:
        after = open_workspace(workspace.folder, disk=workspace.disk)
        other = [key for key in FIJOS if getattr(after.settings, key) != getattr(workspace.settings, key)]
        if other:
            raise AjustesError(
                f"No se pueden cambiar con la noche en marcha: {', '.join(other)}.",
                intacto="Siguen los ajustes anteriores.",
                que_hacer="Detenga opera, y vuelva a iniciarlo con los nuevos.",
            )
    except PregonError as exc:
        service.alarmas.pon("AJUSTES", exc.que_paso)
        return None
    service.alarmas.quita("AJUSTES")
    return None if after.settings == workspace.settings else after


def con_fuente(workspace: Workspace) -> None:
    """Check that the night has where its cuts come from.

    Raises:
        EntradaError: neither a folder of arrivals nor a source is named.
    """
    if workspace.settings.opera.actas is None and not workspace.settings.fuente:
        raise EntradaError(
            "instituto.toml no dice de dónde vienen los cortes.",
            intacto="No se inició nada.",
            que_hacer="Escriba «actas» en [opera] (una carpeta), o las tablas [[fuente]] de su base.",
        )
