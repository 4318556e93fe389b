"""What Prometheus reads of a difusor: its own registry, nothing global, gathered when it is asked for."""

from __future__ import annotations

import contextlib
import logging
import threading
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, generate_latest, start_wsgi_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from pregon.base.errors import PregonError
from pregon.base.space import free_bytes
from pregon.difusor import pointer
from pregon.difusor.decide import Estado, decide
from pregon.difusor.libro import Libro
from pregon.difusor.nube.estado import estados
from pregon.difusor.situacion import situation_of
from pregon.difusor.vigilancia.alarmas import leidas
from pregon.difusor.vigilancia.catalogo import catalogo
from pregon.difusor.vigilancia.observa import expiries, history_size, log_sizes, memory, unsent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from prometheus_client import Metric

    from pregon.base.clock import Clock
    from pregon.base.state import StateDatabase
    from pregon.difusor.workspace import Workspace

_logger = logging.getLogger(__name__)

FIN_S = 2.0
"""For the server of the metrics to end."""
_RESULTADOS = ("aceptado", "sin_novedad", "rechazado", "fallo")


class _Difusor(Collector):
    """The measures of one workspace, at one moment."""

    def __init__(self, workspace: Workspace, libro: Libro, now: datetime) -> None:
        self._workspace = workspace
        self._libro = libro
        self._now = now

    def collect(self) -> Iterator[Metric]:
        yield from self._cuts()
        yield from self._attempts()
        yield from self._clouds()
        yield from self._alarms()
        yield from self._machine()

    def _cuts(self) -> Iterator[Metric]:
        libro, workspace, now = self._libro, self._workspace, self._now
        settings = workspace.settings
        yield _labelled(
            "pregon_info",
            "El difusor, su nodo y su convocatoria.",
            ("difusor", "nodo", "convocatoria", "ambiente"),
            {(settings.id, settings.nodo, workspace.convocatoria.id, settings.ambiente): 1},
        )
        state = decide(situation_of(workspace, libro, now)).estado
        yield _labelled(
            "pregon_estado", "1 en el estado de ahora.", ("estado",), {(each.value,): each is state for each in Estado}
        )
        shown = pointer.release_number(pointer.read(workspace) or "")
        yield _one("pregon_corte", "Corte que se muestra; 0 si ninguno.", shown or 0)
        cut = next((each for each in libro.cortes() if each.corte == shown), None)
        if cut is not None:
            age = (now - cut.hora_corte).total_seconds()
            yield _one("pregon_corte_edad_segundos", "Desde la hora del corte que se muestra.", age)
        if libro.testigo is not None:
            age = (now - libro.testigo).total_seconds()
            yield _one("pregon_verificado_edad_segundos", "Desde la última firma del instituto comprobada.", age)

    def _attempts(self) -> Iterator[Metric]:
        attempt = self._libro.intento
        if attempt is not None:
            found = {(each,): each == attempt["resultado"] for each in _RESULTADOS}
            yield _labelled("pregon_intento", "1 en el resultado del último intento.", ("resultado",), found)
        yield _one(
            "pregon_acuses_pendientes",
            "Acuses que el instituto no ha tomado.",
            len(unsent(self._workspace, self._libro)),
        )
        swept = self._libro.barrido
        if swept is not None:
            age = (self._now - swept).total_seconds()
            yield _one("pregon_barrido_edad_segundos", "Desde el último barrido completo.", age)
        altered = self._libro.alterado
        yield _one("pregon_alteraciones", "Hallazgos del barrido en total.", 0 if altered is None else altered["total"])
        yield _one("pregon_retirados", "Direcciones que no se sirven.", len(self._libro.retirados))
        for_role = {(role,): (until - self._now).total_seconds() for role, until in expiries(self._workspace).items()}
        if for_role:
            yield _labelled("pregon_firma_vence_segundos", "Hasta que venza la firma de cada rol.", ("rol",), for_role)

    def _clouds(self) -> Iterator[Metric]:
        clouds = estados(self._workspace, self._libro)
        if clouds:
            shown = {(each.nombre,): each.corte or 0 for each in clouds}
            yield _labelled("pregon_nube_corte", "Corte que muestra cada nube; 0 si ninguno.", ("nube",), shown)
            waits = {
                (each.nombre,): 0 if each.pedido_desde is None else (self._now - each.pedido_desde).total_seconds()
                for each in clouds
            }
            yield _labelled("pregon_nube_atraso_segundos", "Desde que se le pidió otra cosa.", ("nube",), waits)
            wrong = {(each.nombre,): each.error is not None for each in clouds}
            yield _labelled("pregon_nube_falla", "1 si lo último que se intentó falló.", ("nube",), wrong)

    def _alarms(self) -> Iterator[Metric]:
        in_force = {each.codigo for each in leidas(self._libro.alarmas)}
        found = {(code, rule.gravedad): code in in_force for code, rule in catalogo().items()}
        yield _labelled("pregon_alarma", "1 en cada alarma vigente.", ("codigo", "gravedad"), found)

    def _machine(self) -> Iterator[Metric]:
        workspace, reading = self._workspace, self._libro.reloj
        yield _one("pregon_disco_libre_bytes", "Libres en el disco del difusor.", free_bytes(workspace.folder))
        yield _one("pregon_historico_bytes", "Originales guardados.", history_size(workspace))
        yield _one("pregon_bitacora_bytes", "Bitácoras de accesos.", log_sizes(workspace))
        _, own = memory()
        if own is not None:
            yield _one("pregon_memoria_bytes", "Memoria de este proceso.", own)
        if reading is not None and reading.desfase_s is not None:
            yield _one("pregon_reloj_desfase_segundos", "Del reloj, según su fuente.", reading.desfase_s)


def texto(workspace: Workspace, libro: Libro, now: datetime) -> bytes:
    """The measures as text for Prometheus.

    Raises:
        DiscoError: the state database cannot be read.
        OSError: the workspace cannot be read.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Difusor(workspace, libro, now))
    return generate_latest(registry)


class _Vivo(Collector):
    """The same, as they are at each question; where they cannot be read, only that."""

    def __init__(self, workspace: Workspace, state: StateDatabase, clock: Clock) -> None:
        self._workspace = workspace
        self._state = state
        self._clock = clock

    def collect(self) -> Iterator[Metric]:
        try:
            found = list(_Difusor(self._workspace, Libro(self._state), self._clock.now()).collect())
        except (PregonError, OSError) as exc:
            _logger.warning("difusor %s: no se midió: %s", self._workspace.settings.id, exc)
            found = []
        yield from found
        yield _one("pregon_medido", "1 si lo demás se pudo leer.", bool(found))

    def describe(self) -> list[Metric]:
        return []  # Or the registry would measure everything once to learn the names.


@contextlib.contextmanager
def sirviendo(workspace: Workspace, state: StateDatabase, clock: Clock) -> Iterator[int | None]:
    """Answer Prometheus where ``metricas`` says, while the block lasts; the port, or None where nobody is answered.

    An address that is taken is told in the log, and the watch goes on without it.
    """
    place = workspace.settings.vigilancia.escucha
    if place is None:
        yield None
        return
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Vivo(workspace, state, clock))
    try:
        server, thread = start_wsgi_server(place[1], place[0], registry)
    except OSError as exc:
        _logger.warning("difusor %s: no se sirven las métricas en %s: %s", workspace.settings.id, place, exc)
        yield None
        return
    try:
        yield int(server.server_port)
    finally:
        # In a thread: its end waits for the question that is being answered.
        ending = threading.Thread(target=server.shutdown, daemon=True)
        ending.start()
        ending.join(FIN_S)
        thread.join(FIN_S)
        server.socket.close()


def _one(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=float(value))


def _labelled(name: str, text: str, labels: tuple[str, ...], values: Mapping[Any, float]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=labels)
    for key, value in values.items():
        family.add_metric(key, float(value))
    return family
