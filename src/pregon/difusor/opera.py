"""``pregon difusor opera``: the night as a service. The receive loop, the self-watch and the panel, one workspace.

What it adds to ``night``: it tells its supervisor when it is ready, what is public and that it advances; it reads
``difusor.toml`` again between two passes; it ends in order within the time that the unit gives it. The web server is
another process on purpose (``sirve``): stopping or upgrading this one leaves the public with the last cut.

One process for one convocatoria: what goes wrong with one does not touch the others, and each has its limits.
"""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, TypeVar

from pregon.base.durable import Disk
from pregon.base.errors import AjustesError, PregonError
from pregon.base.locks import exclusive
from pregon.base.servicio import Latido
from pregon.difusor import pointer
from pregon.difusor.atento import Detenida, DiscoAtento, Progreso
from pregon.difusor.historia.rescate import open_sound_state
from pregon.difusor.night import Noche
from pregon.difusor.workspace import open_workspace
from pregon.notifica.registro import a_syslog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from threading import Event

    from pregon.base.clock import Clock
    from pregon.base.servicio import Supervisor
    from pregon.base.state import StateDatabase
    from pregon.difusor.libro import Libro
    from pregon.difusor.receive import Outcome
    from pregon.difusor.workspace import Workspace

_logger = logging.getLogger(__name__)

FIJOS = ("convocatoria", "ambiente", "id", "nodo")
"""Keys that say which difusor this is: a running one does not become another."""

T = TypeVar("T")


def opera(
    workspace: Workspace,
    *,
    stop: Event,
    relee: Event,
    supervisor: Supervisor,
    tell: Callable[[Outcome], None],
    mira: Callable[[], None] = lambda: None,
) -> None:
    """Hold the night of ``workspace`` until ``stop``; at each ``relee`` its settings are read again.

    ``tell`` hears each outcome and ``mira`` is called after each pass.

    Raises:
        InstanciaError: another process receives for this workspace; nothing was changed.
        AjustesError: the workspace cannot be what its settings say.
        DiscoError, EscrituraError: it cannot be used.
    """
    with exclusive(workspace.candado):
        _hold(workspace, stop, relee, supervisor, tell, mira)


def _hold(
    workspace: Workspace,
    stop: Event,
    relee: Event,
    supervisor: Supervisor,
    tell: Callable[[Outcome], None],
    mira: Callable[[], None],
) -> None:
    clock = workspace.open_clock()
    latido = Latido(supervisor, clock)
    late = Progreso(latido.late, stop, clock)
    supervisor.status("Recuperando: se comprueba lo publicado.")
    disk = DiscoAtento(late)
    try:
        state = open_sound_state(workspace, clock, disk)
        night = Noche(workspace, clock=clock, state=state, disk=disk, late=late)
        with latido:
            while not stop.is_set():
                with _company(night.workspace, state, clock):
                    supervisor.ready(_told_of(night))
                    _until_other_settings(night, state, clock, stop, relee, supervisor, tell, mira)
            supervisor.stopping()
        night.termina()
    except Detenida:
        # Asked to end in the middle of a long pass: the next start puts in order what this leaves, as after a cut.
        supervisor.stopping()
        _logger.warning("difusor %s: se detuvo a media pasada; lo publicado sigue igual", workspace.settings.id)
    _logger.info("difusor %s: terminado", workspace.settings.id)


def _until_other_settings(
    night: Noche,
    state: StateDatabase,
    clock: Clock,
    stop: Event,
    relee: Event,
    supervisor: Supervisor,
    tell: Callable[[Outcome], None],
    mira: Callable[[], None],
) -> None:
    problem = told = ""
    while not stop.is_set():
        night.pasada(tell)
        mira()
        now = _told_of(night) + problem
        if now != told:
            supervisor.status(now)
            told = now
        night.descansa(stop, basta=relee.is_set)
        if not relee.is_set():
            continue
        relee.clear()
        supervisor.reloading(clock)
        try:
            changed = _read_again(night)
        except PregonError as exc:
            _logger.error("difusor %s: %s: %s", night.workspace.settings.id, exc.codigo, exc.que_paso)  # noqa: TRY400
            with contextlib.suppress(PregonError):  # On a full disk the log has it.
                state.record("ajustes_rechazados", codigo=exc.codigo, que_paso=exc.que_paso)
            problem = " Los ajustes nuevos no valen; siguen los anteriores."
        else:
            problem = ""
            _logger.info("difusor %s: ajustes leídos de nuevo", night.workspace.settings.id)
            if changed:
                with contextlib.suppress(PregonError):
                    state.record("ajustes")
                return  # Whoever kept us company was started with the old ones; the caller says that it is ready.
        supervisor.ready(_told_of(night) + problem)


def _told_of(night: Noche) -> str:
    """``situacion``, or why it cannot be told: a full disk must not end the night for a line of status."""
    try:
        return situacion(night.workspace, night.libro)
    except PregonError as exc:
        return f"Lo publicado sigue igual; ahora no se puede anotar nada ({exc.codigo})."


def _read_again(night: Noche) -> bool:
    """Take the settings that are in the file now; whether they are others.

    Raises:
        PregonError: they are wrong; those of before go on.
    """
    before = night.workspace
    after = open_workspace(before.folder)
    if after == before:
        return False
    other = [key for key in FIJOS if getattr(after.settings, key) != getattr(before.settings, key)]
    if after.settings.reloj.simulado != before.settings.reloj.simulado:
        other.append("reloj.simulado")
    if other:
        raise AjustesError(
            f"No se pueden cambiar con el difusor en marcha: {', '.join(other)}.",
            intacto="Siguen los ajustes anteriores.",
            que_hacer="Detenga opera, y vuelva a iniciarlo con los nuevos.",
        )
    night.adopta(after)
    return True


@contextlib.contextmanager
def _company(workspace: Workspace, state: StateDatabase, clock: Clock) -> Iterator[None]:
    """The log's syslog, the self-watch and the panel. What fails in them is told, and reception goes on."""

    def syslog() -> AbstractContextManager[None]:
        settings = workspace.settings
        return a_syslog(settings.notifica, origen=settings.id, clock=clock)

    def watch() -> AbstractContextManager[None]:
        from pregon.difusor.vigilancia.vigia import vigilando

        return vigilando(workspace, state, clock, Disk())

    def panel() -> AbstractContextManager[str | None]:
        from pregon.difusor.panel.servicio import atendiendo

        return atendiendo(workspace, state, clock, Disk())

    with (
        _safely("el registro por syslog", workspace, state, syslog),
        _safely("la vigilancia", workspace, state, watch),
        _safely("el panel", workspace, state, panel) as url,
    ):
        if url is not None:
            _logger.info("difusor %s: panel en %s", workspace.settings.id, url)
        yield


@contextlib.contextmanager
def _safely(
    what: str, workspace: Workspace, state: StateDatabase, make: Callable[[], AbstractContextManager[T]]
) -> Iterator[T | None]:
    """``make()`` entered and left; whatever it raises, a bug too, is told and held here."""
    entered: AbstractContextManager[T] | None = None
    value: T | None = None
    try:
        entered = make()
        value = entered.__enter__()
    except Exception as exc:  # noqa: BLE001 (a border: a bug in a companion must not reach the loop)
        entered = None
        _told(what, workspace, state, exc)
    try:
        yield value
    finally:
        if entered is not None:
            try:
                entered.__exit__(None, None, None)
            except Exception as exc:  # noqa: BLE001 (the same border)
                _told(what, workspace, state, exc)


def _told(what: str, workspace: Workspace, state: StateDatabase, exc: Exception) -> None:
    _logger.error("difusor %s: falló %s", workspace.settings.id, what, exc_info=exc)
    text = exc.que_paso if isinstance(exc, PregonError) else f"{type(exc).__name__}: {exc}"
    with contextlib.suppress(PregonError):
        state.record("falla", donde=what, que_paso=text)


def situacion(workspace: Workspace, libro: Libro) -> str:
    """What is public, in one line: the ``STATUS`` of the unit."""
    name = pointer.read(workspace)
    number = pointer.release_number(name or "")
    cut = next((one for one in reversed(libro.cortes()) if one.corte == number), None)
    zone = workspace.convocatoria.zona
    if cut is not None:
        text = f"Público: corte {cut.corte} de las {cut.hora_corte.astimezone(zone):%H:%M}."
    else:
        text = f"Público: página de {name}." if name else "Nada público todavía."
    last = libro.intento
    if last is not None and last["codigo"] is not None:
        text += f" Último intento: {last['resultado']} ({last['codigo']})."
    return text
