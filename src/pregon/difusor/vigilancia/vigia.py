"""The thread that looks at this difusor from inside and from outside, and tells people.

It reads, and keeps two small values in the state database; it decides nothing that is published. Whatever fails here is
told here: nothing is raised into who receives.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

from pregon.base.clock import SystemClock
from pregon.base.errors import DiscoError, PregonError
from pregon.base.fechas import instante
from pregon.difusor.historia.history import History
from pregon.difusor.libro import Libro
from pregon.difusor.vigilancia import fuera, metricas, mirado
from pregon.difusor.vigilancia.alarmas import CLAVE, Libreta, Sintoma, vigentes
from pregon.difusor.vigilancia.catalogo import catalogo
from pregon.difusor.vigilancia.observa import Observador
from pregon.difusor.vigilancia.revisiones import de_equipo, de_memoria
from pregon.notifica.ajustes import AjustesCanal
from pregon.notifica.mensaje import Mensaje
from pregon.notifica.mensajero import Mensajero

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pregon.base.clock import Clock
    from pregon.base.durable import Disk
    from pregon.base.state import StateDatabase
    from pregon.difusor.vigilancia.alarmas import Alarma
    from pregon.difusor.workspace import Workspace
    from pregon.notifica.mensaje import Severidad

_logger = logging.getLogger(__name__)

FIN_S = 12.0
"""For the thread to end: a look at the portal under way, and the last messages."""
CANAL_S = 600.0
"""Without a delivery through a channel that has something to deliver."""


class Vigia:
    """One difusor's self-watch. ``clock`` is the workspace's, ``real`` the machine's: people wait in real time."""

    def __init__(
        self,
        workspace: Workspace,
        state: StateDatabase,
        clock: Clock,
        disk: Disk,
        *,
        mensajero: Mensajero,
        real: Clock,
    ) -> None:
        self._workspace = workspace
        self._state = state
        self._clock = clock
        self._disk = disk
        self._mensajero = mensajero
        self._real = real
        self._observador = Observador(workspace, clock, real)
        self._visitante = fuera.Visitante(workspace, History(workspace.historico, disk), real)
        self._libreta: Libreta | None = None
        self._saved: list[object] | None = None
        self._blind: str | None = None
        self._tramos: tuple[mirado.Tramo, ...] | None = None
        self._visit_after = real.monotonic()

    @property
    def vigentes(self) -> tuple[Alarma, ...]:
        """The alarms in force, also where the database cannot be written."""
        return () if self._libreta is None else self._libreta.vigentes

    def mira(self) -> None:
        """One look at this machine and, when its time has come, one from outside. Never raises a ``PregonError``."""
        sintomas, examinados = self._inside()
        self._apply(sintomas, examinados)
        if self._real.monotonic() >= self._visit_after:
            self._visit_after = self._real.monotonic() + self._workspace.settings.vigilancia.portal_cada_s
            self._apply(*self._outside())
        self._write_metrics()

    def _inside(self) -> tuple[list[Sintoma], set[str]]:
        found, examined = self._channels(), {"CANAL", "ESTADO", "VIGILANCIA"}
        if self._blind is not None:
            found.append(Sintoma("VIGILANCIA", self._blind))
        checks = de_equipo()
        try:
            view = self._observador.equipo()
            try:
                view = self._observador.completa(view, Libro(self._state))
                checks += de_memoria()
            except DiscoError as exc:
                found.append(Sintoma("ESTADO", exc.que_paso))
        except (PregonError, OSError) as exc:
            return [*found, Sintoma("VIGILANCIA", f"No se pudo mirar este equipo: {exc}.")], examined
        except Exception as exc:
            # The border of the watch: a bug in one look must not end the night's.
            _logger.exception("difusor %s: falla interna al mirar este equipo", self._workspace.settings.id)
            return [*found, Sintoma("VIGILANCIA", f"Falla interna: {type(exc).__name__}.")], examined
        for codes, check in checks:
            try:
                found += check(view, self._workspace)
                examined.update(codes)
            except Exception as exc:
                # The same border, check by check: the others still say what they see.
                _logger.exception("difusor %s: falla interna en %s", self._workspace.settings.id, codes[0])
                found.append(Sintoma("VIGILANCIA", f"Falló la revisión {codes[0]} ({type(exc).__name__})."))
        return found, examined

    def _outside(self) -> tuple[list[Sintoma], set[str]]:
        limits = self._workspace.settings.vigilancia
        try:
            portal, self._blind = self._visitante.mira(Libro(self._state)), None
            if portal is None:
                return [], set()
            self._looked()
            found = fuera.sintomas(
                portal,
                now=self._real.now(),
                certificado_dias=limits.certificado_dias,
                respuesta_max_s=limits.respuesta_max_s,
            )
            return list(found), fuera.examinados(portal)
        except DiscoError as exc:
            _logger.warning("difusor %s: no se pudo comparar el portal: %s", self._workspace.settings.id, exc.que_paso)
        except PregonError as exc:
            self._blind = f"No se pudo mirar el portal: {exc.que_paso}"
        except Exception as exc:
            # The border of the watch again.
            _logger.exception("difusor %s: falla interna al mirar el portal", self._workspace.settings.id)
            self._blind = f"Falla interna al mirar el portal: {type(exc).__name__}."
        return [], set()

    def _looked(self) -> None:
        """Leave the hour of this look. One that is not kept is time that nobody watched, and no harm to the watch."""
        every = timedelta(seconds=self._workspace.settings.vigilancia.portal_cada_s)
        with contextlib.suppress(PregonError):
            known = mirado.lee(self._state) if self._tramos is None else self._tramos
            self._tramos = mirado.agrega(known, self._clock.now(), cada=every)
            mirado.guarda(self._state, self._tramos)

    def _channels(self) -> list[Sintoma]:
        now = self._real.monotonic()
        return [
            Sintoma("CANAL", f"{each.canal}: {each.que_paso}")
            for each in self._mensajero.fallas
            if now - each.desde >= CANAL_S
        ]

    def _apply(self, sintomas: Iterable[Sintoma], examinados: Iterable[str]) -> None:
        """Begin and end alarms; keep them, note them and tell them. What the disk refuses is told all the same."""
        if self._libreta is None:
            try:
                self._libreta = Libreta(vigentes(self._state))
            except PregonError:
                self._libreta = Libreta(())
        change = self._libreta.observa(sintomas, examinados, self._clock.now())
        for alarma in self._libreta.vigentes:
            self._mensajero.manda(self._mensaje(alarma, alarma.severidad))
        for alarma in change.terminan:
            self._mensajero.manda(self._mensaje(alarma, "resuelta"))
            _logger.info("difusor %s: terminó la alarma %s", self._workspace.settings.id, alarma.codigo)
        for alarma in change.empiezan:
            _logger.warning("difusor %s: %s: %s", self._workspace.settings.id, alarma.codigo, alarma.texto)
        try:
            kept: list[object] = [alarma.to_json() for alarma in self._libreta.vigentes]
            if kept != self._saved:
                self._state.put(**{CLAVE: kept})
                self._saved = kept
            for alarma in change.empiezan:
                self._state.record("alarma", codigo=alarma.codigo, severidad=alarma.severidad, texto=alarma.texto)
            for alarma in change.terminan:
                self._state.record("alarma_resuelta", codigo=alarma.codigo, desde=alarma.desde.isoformat())
        except PregonError as exc:
            self._saved = None
            _logger.warning("difusor %s: no se anotaron las alarmas: %s", self._workspace.settings.id, exc.que_paso)
            self._libreta.observa([Sintoma("ESTADO", exc.que_paso)], (), self._clock.now())

    def _mensaje(self, alarma: Alarma, severidad: Severidad) -> Mensaje:
        rule, settings = catalogo()[alarma.codigo], self._workspace.settings
        ended = severidad == "resuelta"
        since = instante(alarma.desde, self._workspace.convocatoria.zona)
        text = f"Duró desde el {since}. Decía: {alarma.texto}" if ended else alarma.texto
        call = self._workspace.convocatoria.id
        return Mensaje(
            codigo=alarma.codigo,
            severidad=severidad,
            titulo=f"Resuelta: {rule.titulo}" if ended else rule.titulo,
            texto=f"{text}\nDifusor {settings.id}, nodo {settings.nodo}, convocatoria {call} ({settings.ambiente}).",
            hora=self._clock.now(),
            origen=f"{settings.id}.{settings.nodo}",
        )

    def _write_metrics(self) -> None:
        where = self._workspace.settings.vigilancia.metricas_archivo
        if where is None:
            return
        try:
            text = metricas.texto(self._workspace, Libro(self._state), self._clock.now())
            self._disk.write(self._workspace.folder / where, text)
        except (PregonError, OSError) as exc:
            _logger.warning("difusor %s: no se escribieron las métricas: %s", self._workspace.settings.id, exc)


def canales(workspace: Workspace) -> tuple[AjustesCanal, ...]:
    """Every channel: those of ``difusor.toml``, and those that the profile names, which need no secret.

    A mail address of the profile is written to through the first mail server of ``difusor.toml``.
    """
    own = workspace.settings.notifica
    mail = next((each for each in own if each.canal == "correo"), None)
    found = list(own)
    for each in workspace.convocatoria.notifica:
        destino = each.destino.removeprefix("mailto:")
        try:
            if each.canal != "correo":
                found.append(AjustesCanal(canal=each.canal, destino=destino))
            elif mail is not None:
                found.append(AjustesCanal.model_validate({**mail.model_dump(), "para": (destino,)}))
            else:
                _logger.warning("el perfil pide avisar a %s y [[notifica]] no tiene ningún correo", destino)
        except ValueError as exc:
            _logger.warning("no se usa el canal %s del perfil: %s", each.canal, exc)
    return tuple(dict.fromkeys(found))


@contextlib.contextmanager
def vigilando(workspace: Workspace, state: StateDatabase, clock: Clock, disk: Disk) -> Iterator[None]:
    """Watch this difusor in a thread while the block lasts; the first look at once.

    Raises nothing into the block, neither at its beginning nor at its end, which takes ``FIN_S`` at most.
    """
    if not workspace.settings.vigilancia.activa:
        yield
        return
    stop = threading.Event()
    thread = threading.Thread(target=_watch, args=(workspace, state, clock, disk, stop), name="vigilancia", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(FIN_S)


def _watch(workspace: Workspace, state: StateDatabase, clock: Clock, disk: Disk, stop: threading.Event) -> None:
    settings, real = workspace.settings.vigilancia, SystemClock()
    try:
        with contextlib.ExitStack() as stack:
            messenger = Mensajero.de(
                canales(workspace), workspace.folder, clock=real, state=state, repite_s=settings.repite_min * 60
            )
            stack.enter_context(messenger)
            stack.enter_context(metricas.sirviendo(workspace, state, clock))
            vigia = Vigia(workspace, state, clock, disk, mensajero=messenger, real=real)
            while not stop.is_set():
                try:
                    vigia.mira()
                except Exception:
                    # The border of one look: the next begins anew.
                    _logger.exception("difusor %s: falla interna en la vigilancia", workspace.settings.id)
                stop.wait(settings.cada_s)
    except Exception:
        # The border of the thread: the night goes on without its watch, and the log says so.
        _logger.exception("difusor %s: la vigilancia terminó por una falla", workspace.settings.id)
