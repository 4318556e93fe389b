"""The monitor's round and the due process, as the night's service calls them: who is watched, and what comes of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pregon.base.errors import PregonError
from pregon.instituto import avisos
from pregon.instituto.entrega.recibidos import Recibidos
from pregon.instituto.monitor.almacen import Almacen
from pregon.instituto.monitor.ronda import Vigia, Vigilado, huellas, vigilados
from pregon.instituto.opera.programa import periodos
from pregon.instituto.proceso.avisa import Proceso
from pregon.instituto.registro.almacen import Registro

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from pregon.base.clock import Clock
    from pregon.instituto.monitor.modelo import Dictamen, Periodo
    from pregon.instituto.monitor.ronda import Ronda
    from pregon.instituto.opera.turno import Firmas
    from pregon.instituto.proceso.modelo import Paso
    from pregon.instituto.workspace import Workspace
    from pregon.notifica.mensaje import Mensaje

LIMITE_S = 300.0
"""Real seconds after which a round that did not end is told: five at the default pace."""
CALLA = 5
"""Rounds after which a vantage point that sends nothing is told of."""
GUARDA = 3
"""Intervals whose verdicts are kept at hand: the slot that ends, the one before it, and one more."""


class Vigilancia:
    """One workspace's watch. For one thread at a time; ``close`` at the end."""

    limite_s = LIMITE_S

    def __init__(
        self,
        workspace: Workspace,
        manda: Callable[[Mensaje], None],
        *,
        environment: Mapping[str, str],
        real: Clock,
    ) -> None:
        """``manda`` tells the operators.

        Raises:
            AjustesError: the certificates or the access that the settings name cannot be read.
        """
        self._workspace = workspace
        self._vigia = Vigia(workspace, real=real, environment=environment)
        self._proceso = Proceso(workspace, alarma=manda, huellas=self._vigia.huellas)
        self._registro = Registro(workspace, entorno=environment)
        self._received = Recibidos(workspace)
        now = workspace.clock.now()
        # What was seen before this process began is evidence of the slot that has not ended.
        kept = Almacen(workspace).lee(now - GUARDA * workspace.intervalo, now)
        self._dictamenes: list[Dictamen] = [told for one in kept for told in one.dictamenes]
        self._next = now
        self._heard: dict[str, datetime] = {}
        self.faltan: tuple[str, ...] = ()
        """The vantage points that the last round missed, each with why."""

    @property
    def ultimos(self) -> tuple[Dictamen, ...]:
        """The verdicts of the last round."""
        last = max((one.hora for one in self._dictamenes), default=None)
        return tuple(one for one in self._dictamenes if one.hora == last)

    def close(self) -> None:
        """Close every connection."""
        self._vigia.close()

    def toca(self) -> bool:
        """Whether a round is due."""
        return self._workspace.clock.now() >= self._next

    def ronda(self, firmas: Firmas) -> None:
        """Look at everybody once, if there is somebody. Raises as ``Vigia.ronda``."""
        clock = self._workspace.clock
        now = clock.now()
        self._next = now + timedelta(seconds=self._workspace.settings.monitor.cada_s)
        watched = vigilados_de(self._workspace, self._registro, self._received, firmas)
        if not watched:
            return
        made = self._vigia.ronda(watched)
        since = now - GUARDA * self._workspace.intervalo
        self._dictamenes = [one for one in self._dictamenes if one.hora >= since] + list(made.dictamenes)
        self.faltan = self._heard_of(made)

    def proceso(self, huecos: Sequence[Periodo]) -> None:
        """Close what ended, warn, propose, and carry out what was confirmed. Raises as ``Proceso``."""
        self._proceso.cierra(huecos, self._dictamenes)
        self._proceso.atiende()

    def _heard_of(self, made: Ronda) -> tuple[str, ...]:
        """Which points did not see, did not come or are not heard from any more, and why."""
        settings = self._workspace.settings.monitor
        quiet = timedelta(seconds=CALLA * settings.cada_s)
        self._heard.update((view.punto, made.hora) for view in made.vistas)
        lost = [f"«{view.punto}» está sin red" for view in made.vistas if not view.con_red]
        for one in settings.remoto:
            error, last = made.errores.get(one.punto), self._heard.setdefault(one.punto, made.hora)
            if error is not None:
                lost.append(f"«{one.punto}»: {error.que_paso.rstrip('.')}")
            elif made.hora - last > quiet:
                lost.append(f"«{one.punto}» calla desde las {last.astimezone(self._workspace.convocatoria.zona):%H:%M}")
        return tuple(lost)


def vigilados_de(workspace: Workspace, registro: Registro, recibidos: Recibidos, firmas: Firmas) -> list[Vigilado]:
    """Who is watched: the registry's, and those of ``[[monitor.portal]]`` without a form there, whose notices order."""
    shown = _shown(workspace, recibidos, firmas)
    found = vigilados(registro.vigilables(), shown)
    known = {one.id for one in registro.todos()}
    for portal in workspace.settings.monitor.portal:
        if portal.difusor in known:
            continue
        order = avisos.last_order(firmas.avisos, portal.difusor)
        away = order is not None and order.tipo != "reinstalacion"
        found.append(
            Vigilado(
                difusor=portal.difusor,
                urls=portal.urls,
                mando="aviso" if away else "publica",
                mando_desde=None if order is None else order.desde,
                visible=shown.get(portal.difusor),
            )
        )
    return found


def _shown(workspace: Workspace, recibidos: Recibidos, firmas: Firmas) -> dict[str, int | None]:
    """The cut that each difusor says it shows: the oldest among its nodes, None where one says nothing."""
    cuts = {one.corte: one.manifiesto_sha256 for one in firmas.cortes}
    said: dict[str, list[int | None]] = {}
    for destino in workspace.settings.destino:
        if destino.clave_acuses is None or destino.pausado:
            continue
        corte = None
        try:
            acuse = recibidos.situation(destino, cuts).eventos.get("visible")
            corte = None if acuse is None else acuse.corte
        except PregonError:
            pass  # What we keep was changed: «acuses estado» tells it; here nothing is believed.
        said.setdefault(destino.difusor, []).append(corte)
    return {
        ident: None if any(one is None for one in shown) else min(one for one in shown if one is not None)
        for ident, shown in said.items()
    }


def cierra_lo_guardado(workspace: Workspace, firmas: Firmas) -> tuple[Paso, ...]:
    """Close, with the rounds that are kept, the slots that ended: for an institute that watches without the service.

    Safe beside the service: what either of them closed is closed. Raises as ``Proceso.cierra``, and DanadoError where
    a kept round is not as it was written.
    """
    store, now = Almacen(workspace), workspace.clock.now()
    process = Proceso(workspace, huellas=lambda numbers: huellas(store, numbers, now))
    closed = [one.hora for one in process.diario.ultimos.values()]
    since = min(closed, default=workspace.convocatoria.inicio) - GUARDA * workspace.intervalo
    seen = [told for one in store.lee(since, now) for told in one.dictamenes]
    return process.cierra(periodos(workspace.convocatoria, firmas.cortes), seen)
