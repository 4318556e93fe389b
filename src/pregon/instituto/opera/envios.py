"""Deliveries and acuses of the night: what is signed goes to everybody at once, and who fails is tried again."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from pregon.base.errors import InstanciaError, PregonError
from pregon.instituto.entrega.corrida import Corrida
from pregon.instituto.entrega.memoria import ENTREGADO
from pregon.instituto.entrega.recoleccion import collect_all, status
from pregon.transport.caudal import Caudal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from threading import Event

    from pregon.base.clock import Clock
    from pregon.instituto.entrega.corrida import Linea
    from pregon.instituto.opera.alarmas import Alarmas
    from pregon.instituto.opera.trabajos import Trabajos
    from pregon.instituto.opera.turno import Firmas
    from pregon.instituto.workspace import Workspace

_logger = logging.getLogger(__name__)

ENTREGAS_MAX = 3
"""Deliveries at once: a notice does not wait for a node that is still at the cut before."""
CONFIRMA_TRAS = timedelta(minutes=30)
"""How long after the closing cut a difusor that does not confirm it is told of."""
CONFIRMADO = "opera_cierre_confirmado"
"""Key of the state: the closing cut that everybody is known to show."""
ACUSES = "acuses"
FIN = "entrega-fin"


class Envios:
    """The deliveries of one night. ``pasada`` begins what is due; what fails is an alarm."""

    NOMBRES: ClassVar[tuple[str, ...]] = (*(f"entrega-{n}" for n in range(ENTREGAS_MAX)), ACUSES)
    """The names of its threads."""

    def __init__(
        self,
        workspace: Workspace,
        *,
        environment: Mapping[str, str],
        stop: Event,
        alarmas: Alarmas,
        trabajos: Trabajos,
        real: Clock,
    ) -> None:
        self._workspace = workspace
        self._environment = environment
        self._stop = stop
        self._alarms = alarmas
        self._jobs = trabajos
        self._real = real
        ours = workspace.settings.entrega
        # One for all the deliveries of the night: the cap is of all of them together.
        self._caudal = Caudal(workspace.clock, ours.bytes_s, a_la_vez=ours.a_la_vez)
        self._lock = threading.Lock()
        self._failed: dict[str, str] = {}
        self._sent: str | None = None
        self._sent_at = self._collected_at = float("-inf")
        self._confirmed = False

    def pasada(self, firmas: Firmas) -> None:
        """Begin a delivery where something new is signed or somebody failed, and a collection of acuses in its time."""
        if not self._stop.is_set():
            self._deliver(firmas)
            self._collect(firmas)

    def ultimo(self, firmas: Firmas, segundos: float) -> None:
        """Send what was signed since the last delivery to whom takes it within ``segundos``: the end of the service."""
        if self._pushes and firmas.huella != self._sent:
            self._jobs.lanza(FIN, self._send)
            self._jobs.espera(FIN, segundos)

    @property
    def _pushes(self) -> bool:
        return any(one.empuja and not one.pausado for one in self._workspace.settings.destino)

    def _deliver(self, firmas: Firmas) -> None:
        if not self._pushes:
            return
        new = firmas.huella != self._sent
        waited = self._real.monotonic() - self._sent_at
        with self._lock:
            retry = bool(self._failed) and waited >= self._workspace.settings.opera.reentrega_s
        busy = [n for n in range(ENTREGAS_MAX) if self._jobs.en_mano(f"entrega-{n}") is not None]
        # Those under way take the newest state when the turn of a node comes; with all of them busy the rest waits.
        if len(busy) == ENTREGAS_MAX or not (new or (retry and not busy)):
            return
        self._sent, self._sent_at = firmas.huella, self._real.monotonic()
        free = next(n for n in range(ENTREGAS_MAX) if n not in busy)
        self._jobs.lanza(f"entrega-{free}", self._send)

    def _send(self) -> None:
        try:
            Corrida(self._workspace, self._environment, caudal=self._caudal).run(al_terminar=self._ended)
        except PregonError as exc:
            self._alarms.pon("ENTREGA", exc.que_paso)
            return
        with self._lock:
            failed = dict(sorted(self._failed.items()))
        if failed:
            self._alarms.pon("ENTREGA", "; ".join(f"{name}: {code}" for name, code in failed.items()) + ".")
        else:
            self._alarms.quita("ENTREGA")

    def _ended(self, line: Linea) -> None:
        name = f"{line.difusor}/{line.nodo}"
        with self._lock:
            if line.codigo == ENTREGADO:
                self._failed.pop(name, None)
            elif line.codigo != InstanciaError.codigo:  # Another delivery was at it all the time: that one tells.
                self._failed[name] = line.codigo

    def _collect(self, firmas: Firmas) -> None:
        settings = self._workspace.settings
        if self._real.monotonic() - self._collected_at < settings.opera.acuses_s:
            return
        last = firmas.ultimo
        closing = last is not None and last.ultimo and not self._confirmed
        if closing or any(one.acuses is not None for one in settings.destino):
            self._collected_at = self._real.monotonic()
            self._jobs.lanza(ACUSES, lambda: self._gather(firmas))

    def _gather(self, firmas: Firmas) -> None:
        if any(one.acuses is not None for one in self._workspace.settings.destino):
            for one in collect_all(self._workspace, self._environment):
                if one.error is not None:
                    _logger.info("acuses de %s/%s: %s", one.difusor, one.nodo, one.error.que_paso)
        last = firmas.ultimo
        if last is not None and last.ultimo and not self._confirmed:
            self._confirm(firmas)

    def _confirm(self, firmas: Firmas) -> None:
        """Who shows the closing cut, by its own acuses: told once it is everybody, and after a while who is missing."""
        last = firmas.ultimo
        if last is None:
            return
        asked = [
            (one["difusor"], node["visible"])
            for one in status(self._workspace)["difusores"]
            for node in one["nodos"]
            if not node["pausado"]
        ]
        missing = sorted({name for name, shown in asked if shown != last.corte})
        if not asked:
            self._confirmed = True  # Nobody to ask: nothing to tell, and above all not that all have it.
            self._alarms.quita("CIERRE_INCOMPLETO")
        elif not missing:
            self._confirmed = True
            self._alarms.quita("CIERRE_INCOMPLETO")
            state = self._workspace.state()
            if state.get(CONFIRMADO) == last.corte:
                return
            state.put(**{CONFIRMADO: last.corte})
            state.record("nota", que="cierre_confirmado", corte=last.corte)
            text = f"Todos los difusores acusan que muestran el corte de cierre {last.corte:04d}."
            self._alarms.informa("CIERRE", "Cierre confirmado", text)
        elif self._workspace.clock.now() >= last.firmado + CONFIRMA_TRAS:
            self._alarms.pon("CIERRE_INCOMPLETO", f"Faltan: {', '.join(missing)}.")
