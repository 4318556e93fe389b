"""``pregon instituto opera``: the institute's night as a service, until it is stopped.

One loop looks at the clock and begins what is due; each thing runs in a thread of its own, so that none waits for
another. A cut in the making does not keep its own delay from being announced (notices are signed meanwhile), a slow
difusor does not keep a notice from the others, and a monitor that hangs keeps nobody from anything.

What it does is decided from what is signed and from the journal: killed at any point and started again, it goes on.
"""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

from pregon.base.clock import SimulatedClock, SystemClock
from pregon.base.errors import PregonError
from pregon.instituto.bitacora import sellos
from pregon.instituto.opera.alarmas import Alarmas
from pregon.instituto.opera.envios import Envios
from pregon.instituto.opera.programa import periodos
from pregon.instituto.opera.trabajos import Trabajos
from pregon.instituto.opera.turno import Turno
from pregon.instituto.opera.vigilancia import Vigilancia
from pregon.instituto.publico.envio import envia
from pregon.instituto.publico.fuente import ultimos_dictamenes
from pregon.instituto.publico.sitio import Publicador
from pregon.instituto.registro import lista

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from threading import Event

    from pregon.base.clock import Clock
    from pregon.instituto.opera.programa import Tareas
    from pregon.instituto.opera.turno import Firmas, Intento
    from pregon.instituto.workspace import Workspace
    from pregon.notifica.mensaje import Mensaje

_logger = logging.getLogger(__name__)

MIRA_S = 0.5
"""Real seconds between two looks, at most."""
MIRA_MIN_S = 0.01
MOSTRADAS = 4
"""Lost cuts that an alarm names; of more, how many."""
SE_HACE_S = 1.0
"""A try that is in hand for longer found its files: what it does is make the cut."""
CORTE_MAX_S = 1800.0
"""A cut that takes longer hangs: no sign of life is given any more, and the supervisor starts the service again."""
CORTE_FIN_S = 240.0
"""Told to end, the cut in hand is finished within this time."""
ENTREGA_FIN_S = 30.0
"""And then it is sent to whom takes it within this one; the others get it from the next start."""
FIN_S = 5.0
"""For each other thing in hand."""


class Servicio:
    """The night of one workspace. ``pasada`` begins what is due and never blocks for longer than a signature takes."""

    def __init__(
        self,
        workspace: Workspace,
        *,
        environment: Mapping[str, str],
        stop: Event,
        manda: Callable[[Mensaje], None],
        real: Clock | None = None,
    ) -> None:
        """``manda`` takes each message to people (``Mensajero.manda``). ``real``: the machine's clock, for durations.

        Raises:
            AjustesError, EntradaError, DiscoError: the workspace cannot be what its settings say.
        """
        self.workspace = workspace
        self._environment = environment
        self._stop = stop
        self._manda = manda
        self._real = real or SystemClock()
        self.alarmas = Alarmas(workspace, manda)
        self.turno = Turno(workspace, environment, stop)
        self._vigilancia = None
        if workspace.settings.opera.vigila:
            self._vigilancia = Vigilancia(workspace, manda, environment=environment, real=self._real)
        self._publicador = None
        if workspace.settings.publico.carpeta is not None:
            self._publicador = Publicador(workspace, real=self._real)
        self._jobs = Trabajos(self._real, self._job_ended)
        self._envios = Envios(
            workspace, environment=environment, stop=stop, alarmas=self.alarmas, trabajos=self._jobs, real=self._real
        )
        self._tried: Intento | None = None
        self._tried_at = float("-inf")
        self._failed: dict[str, str] = {}
        self._slot: int | None = None
        self._last: Tareas | None = None

    # One pass.

    def pasada(self) -> None:
        """Look at the clock once and begin what is due. What fails is an alarm, never raised."""
        try:
            signed, due = self.turno.firmas(), self.turno.toca()
        except PregonError as exc:
            self.alarmas.pon("REPOSITORIO", exc.que_paso)
            return
        self.alarmas.quita("REPOSITORIO")
        self._last = due
        self._note(due)
        self._make(due)
        self._announce(due)
        self._stamp(due)
        self._envios.pasada(signed)
        if self._vigilancia is not None:
            self._watch(signed)
        if self._publicador is not None and self._publicador.toca(signed) and not self._stop.is_set():
            self._publish(self._publicador, signed)

    def _note(self, due: Tareas) -> None:
        try:
            lost = self.turno.anota(due.terminados)
        except PregonError as exc:
            _logger.warning("no se anotó lo que terminó: %s", exc.que_paso)
            return
        if lost:
            hours = [f"{one.vence.astimezone(self.workspace.convocatoria.zona):%H:%M}" for one in lost]
            others = f", ni otros {len(hours) - MOSTRADAS} anteriores" if len(hours) > MOSTRADAS else ""
            self.alarmas.pon("CORTE_PERDIDO", f"No se hizo el corte de las {', '.join(hours[-MOSTRADAS:])} h{others}.")
        elif due.corta is None:
            self.alarmas.quita("CORTE_PERDIDO")

    def _make(self, due: Tareas) -> None:
        slot = due.corta
        if slot is None:
            for code in ("CORTE_BLOQUEADO", "CIERRE_SIN_CONFIRMAR", "CORTE_RETRASADO"):
                self.alarmas.quita(code)
            return
        fresh = slot.indice != self._slot
        waited = self._real.monotonic() - self._tried_at
        if (fresh or waited >= self.workspace.settings.opera.reintenta_s) and not self._stop.is_set():
            ultimo = due.ultimo
            if self._jobs.lanza("corte", lambda: self._try(due, ultimo=ultimo)):
                self._slot = slot.indice

    def _try(self, due: Tareas, *, ultimo: bool) -> None:
        slot = due.corta
        if slot is None:
            return
        try:
            outcome = self.turno.corta(slot, ultimo=ultimo)
        finally:
            self._tried_at = self._real.monotonic()
        self._tried = outcome
        said = f"Corte {outcome.corte:04d} de las {slot.vence.astimezone(self.workspace.convocatoria.zona):%H:%M} h: "
        for result, code in (("bloqueado", "CORTE_BLOQUEADO"), ("sin_confirmar", "CIERRE_SIN_CONFIRMAR")):
            if outcome.resultado == result:
                self.alarmas.pon(code, said + outcome.que_paso)
            else:
                self.alarmas.quita(code)
        if outcome.hecho is not None:
            built = outcome.hecho
            _logger.info("corte %04d firmado en %.1f s", built.corte, built.segundos)
            self._seal(built.corte)

    def _seal(self, corte: int) -> None:
        try:
            self._manda(sellos.mensaje(self.workspace, sellos.sella(self.workspace, corte=corte)))
        except PregonError as exc:
            self.alarmas.pon("BITACORA", exc.que_paso)
        else:
            self.alarmas.quita("BITACORA")

    def _announce(self, due: Tareas) -> None:
        if not due.tarde or due.corta is None:
            return
        why = self._why(due)
        hour = f"{due.corta.vence.astimezone(self.workspace.convocatoria.zona):%H:%M}"
        self.alarmas.pon("CORTE_RETRASADO", f"El corte de las {hour} h no está firmado: {why}.")
        if due.anuncia is None:
            return
        try:
            if self.turno.anuncia(due, why) is None:
                return
        except PregonError as exc:
            self.alarmas.pon("AVISO_SIN_FIRMAR", exc.que_paso)
        else:
            self.alarmas.quita("AVISO_SIN_FIRMAR")

    def _why(self, due: Tareas) -> str:
        known, spent = self._tried, self._jobs.en_mano("corte")
        mine = known is not None and due.corta is not None and known.periodo.indice == due.corta.indice
        if known is None or not mine or (spent is not None and spent > SE_HACE_S):
            return "no se ha podido comenzar" if spent is None else "se está haciendo"
        text = " ".join(known.que_paso.split()).rstrip(".")
        return f"{known.codigo}: {text}"[:200]

    def _stamp(self, due: Tareas) -> None:
        if not due.sella:
            return
        try:
            self.turno.sella()
        except PregonError as exc:
            self.alarmas.pon("VIDA", exc.que_paso)
        else:
            self.alarmas.quita("VIDA")

    # The watch.

    def _watch(self, signed: Firmas) -> None:
        watch = self._vigilancia
        if watch is None or self._stop.is_set():
            return
        if watch.toca():
            self._jobs.lanza("ronda", lambda: self._look(watch, signed))
        stuck = self._jobs.en_mano("ronda")
        if stuck is not None and stuck > watch.limite_s:
            self.alarmas.pon("VIGILANCIA", f"La ronda lleva {stuck:.0f} s sin terminar.")

    def _look(self, watch: Vigilancia, signed: Firmas) -> None:
        try:
            watch.ronda(signed)
        except PregonError as exc:
            self.alarmas.pon("VIGILANCIA", exc.que_paso)
        else:
            self.alarmas.quita("VIGILANCIA")
            if watch.faltan:
                self.alarmas.pon("PUNTOS", "; ".join(watch.faltan) + ".")
            else:
                self.alarmas.quita("PUNTOS")
        try:
            signed = self.turno.firmas()  # A cut may have been signed while we looked.
            watch.proceso(periodos(self.workspace.convocatoria, signed.cortes))
        except PregonError as exc:
            self.alarmas.pon("PROCESO", exc.que_paso)
        else:
            self.alarmas.quita("PROCESO")
        self._write_list()

    def _write_list(self) -> None:
        where = self.workspace.settings.opera.lista
        if where is None or not lista.abierta(self.workspace.convocatoria, self.workspace.clock.now()):
            return
        try:
            lista.escribe(self.workspace, self.workspace.folder / where)
        except PregonError as exc:
            self.alarmas.pon("LISTA", exc.que_paso)
        else:
            self.alarmas.quita("LISTA")

    def _publish(self, publisher: Publicador, signed: Firmas) -> None:
        def write() -> None:
            # Another process may watch («vigila»): what is kept tells it.
            told = ultimos_dictamenes(self.workspace) if self._vigilancia is None else self._vigilancia.ultimos
            publisher.publica(signed, told)

        def carry() -> None:
            envia(self.workspace, publisher.carpeta, self._environment)

        def work() -> None:
            self._told_of("PUBLICO", write)
            if self.workspace.settings.publico.destino:
                # Apart: a slow link keeps nobody from reading the folder.
                self._jobs.lanza("envia", lambda: self._told_of("PUBLICO_ENVIO", carry))

        self._jobs.lanza("publica", work)

    def _told_of(self, codigo: str, work: Callable[[], None]) -> None:
        try:
            work()
        except PregonError as exc:
            self.alarmas.pon(codigo, exc.que_paso)
        else:
            self.alarmas.quita(codigo)

    # What the loop asks.

    def _job_ended(self, nombre: str, exc: Exception | None) -> None:
        if exc is None:
            self._failed.pop(nombre, None)
        else:
            said = exc.que_paso if isinstance(exc, PregonError) else f"{type(exc).__name__}: {exc}"
            self._failed[nombre] = f"{nombre}: {said}"
        if self._failed:
            self.alarmas.pon("FALLA", "; ".join(self._failed.values()))
        else:
            self.alarmas.quita("FALLA")

    @property
    def sana(self) -> bool:
        """Whether it advances: false where a cut has been in hand for longer than any takes."""
        spent = self._jobs.en_mano("corte")
        return spent is None or spent < CORTE_MAX_S

    def situacion(self) -> str:
        """How the night goes, in one line: the ``STATUS`` of the unit."""
        zone = self.workspace.convocatoria.zona
        try:
            signed = self.turno.firmas()
        except PregonError as exc:
            return f"No se puede leer lo firmado ({exc.codigo})."
        last, due = signed.ultimo, self._last
        text = "Sin cortes todavía."
        if last is not None:
            text = f"Corte {last.corte:04d} de las {last.hora_corte.astimezone(zone):%H:%M}"
            text += ", de cierre." if last.ultimo else "."
        if due is not None and due.corta is not None:
            text += f" Falta el de las {due.corta.vence.astimezone(zone):%H:%M}."
        codes = [one.codigo for one in self.alarmas.vigentes]
        return text + (f" Alarmas: {', '.join(codes)}." if codes else " Sin alarmas.")

    def descanso(self) -> float:
        """Real seconds until the next pass."""
        if self._last is None:
            return MIRA_S
        clock = self.workspace.clock
        left = self._last.despierta - clock.now()
        if isinstance(clock, SimulatedClock):
            left = clock.until(self._last.despierta)
        return max(MIRA_MIN_S, min(MIRA_S, left.total_seconds()))

    def quieta(self, segundos: float) -> bool:
        """Wait until nothing is in hand; whether that came in time."""
        end = self._real.monotonic() + segundos
        names = ("corte", *Envios.NOMBRES, "ronda", "publica", "envia")
        ended = [self._jobs.espera(name, end - self._real.monotonic()) for name in names]
        return all(ended)

    def termina(self) -> None:
        """The end in order: the cut in hand is finished and begins to travel; the rest ends where it is.

        To be called once ``stop`` is set: nothing new begins.
        """
        if not self._jobs.espera("corte", CORTE_FIN_S):
            _logger.error("se termina con un corte a medias: el siguiente arranque lo pone en orden")
        with contextlib.suppress(PregonError):
            self._envios.ultimo(self.turno.firmas(), ENTREGA_FIN_S)

    def cierra(self) -> None:
        """Let go of what it holds open, once what is in hand ended or its time is over."""
        self.quieta(FIN_S)
        if self._vigilancia is not None:
            self._vigilancia.close()
