"""The panel's server around the night: begun and ended with it, and never a reason for it to fail."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

from pregon.base.errors import PregonError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pregon.base.clock import Clock
    from pregon.base.durable import Disk
    from pregon.base.state import StateDatabase
    from pregon.difusor.workspace import Workspace
    from pregon.web.claves import Costo
    from pregon.web.sesiones import Plazos

_logger = logging.getLogger(__name__)


@contextlib.contextmanager
def atendiendo(
    workspace: Workspace,
    state: StateDatabase,
    clock: Clock,
    disk: Disk,
    *,
    costo: Costo | None = None,
    plazos: Plazos | None = None,
) -> Iterator[str | None]:
    """Attend the panel until the block ends; gives its address, None where it is not configured or cannot be opened.

    What goes wrong is logged and written in the journal; the block runs in any case.
    """
    del disk  # it writes nothing but the journal
    with contextlib.ExitStack() as stack:
        url: str | None = None
        if workspace.settings.panel.puerto is not None:
            try:
                url = stack.enter_context(_open(workspace, state, clock, costo, plazos))
            except Exception as exc:
                # The border of a companion: whatever it is, the night goes on without a panel.
                _logger.exception("difusor %s: el panel no se pudo abrir", workspace.settings.id)
                said = exc.que_paso if isinstance(exc, PregonError) else f"falla interna ({type(exc).__name__})"
                with contextlib.suppress(PregonError):
                    state.record("falla", donde="el panel", que_paso=said)
        yield url


@contextlib.contextmanager
def _open(
    workspace: Workspace, state: StateDatabase, clock: Clock, costo: Costo | None, plazos: Plazos | None
) -> Iterator[str]:
    # Only here: who has no panel does not need what attends it.
    from pregon.difusor.panel.sitio import Panel
    from pregon.web.servidor import corriendo

    settings = workspace.settings.panel
    panel = Panel(workspace, state, clock, costo=costo, plazos=plazos)
    panel.empieza()
    try:
        with corriendo(
            panel.app,
            direccion=settings.direccion,
            puerto=settings.puerto or 0,
            certificado=None if settings.certificado is None else workspace.folder / settings.certificado,
            clave=None if settings.clave is None else workspace.folder / settings.clave,
            al_cerrar=panel.termina,
        ) as port:
            host = f"[{settings.direccion}]" if ":" in settings.direccion else settings.direccion
            scheme = "http" if settings.certificado is None else "https"
            yield settings.url or f"{scheme}://{host}:{port}/"
    finally:
        panel.termina()
