"""What a start does where the state database is damaged or gone: sets it aside, never away, and begins another.

What is in the new one comes from what is on disk besides: the accepted cuts and the witness from ``historico/``, what
is public from the pointer (``recover``); the verifier's memory is elsewhere. So nothing public is blanked, and nothing
is published before its hour: without the witness the clock must be trusted, as on the first day.
"""

from __future__ import annotations

import io
import logging
from typing import TYPE_CHECKING

from pregon.base.errors import DanadoError, InstanciaError
from pregon.base.state import LATERALES, damaged
from pregon.difusor import pointer
from pregon.difusor.historia.history import History
from pregon.difusor.libro import Libro
from pregon.difusor.workspace import REHACIENDO

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from pregon.base.clock import Clock
    from pregon.base.durable import Disk
    from pregon.base.state import StateDatabase
    from pregon.difusor.workspace import Workspace

_logger = logging.getLogger(__name__)

APARTADO = ".danado-"
"""Between the name of the database that was set aside and its hour (UTC)."""
_MAGIC = b"SQLite format 3\0"


def open_sound_state(workspace: Workspace, clock: Clock, disk: Disk) -> StateDatabase:
    """The state database, looked at whole; where it is damaged or lost, another. The caller holds ``opera.lock``.

    The damaged one stays beside with its hour in its name, and what SQLite had beside it too; an event and
    ``Libro.apartado`` say so.

    Raises:
        InstanciaError: ``rehace`` has not ended here.
        VersionError: a newer program wrote it; it was not changed.
        DiscoError, EscrituraError: it cannot be used, and not because of what is in it.
    """
    if (workspace.folder / REHACIENDO).exists():
        raise InstanciaError(
            f"En {workspace.folder} quedó a medias «pregon difusor rehace».",
            intacto="No se publicó ni se cambió nada.",
            que_hacer="Repita esa orden hasta que termine: sigue donde quedó.",
        )
    try:
        if not _lost(workspace, disk):
            return _sound(workspace, clock)
        problem = f"{workspace.estado.name} no está, o está vacío, y hay cortes aceptados."
    except DanadoError as exc:
        problem = exc.que_paso
    aside = _set_aside(workspace.estado, clock.now(), disk)
    state = workspace.open_state(clock)
    libro = Libro(state)
    libro.marcar_limpio(limpio=False)  # Whatever did this may have done more: recovery hashes what is public again.
    libro.apartar(clock.now(), aside, problem)
    libro.evento("estado_apartado", archivo=aside, motivo=problem)
    _logger.error("difusor %s: %s Se apartó como %s y se rehace", workspace.settings.id, problem, aside)
    return state


def _sound(workspace: Workspace, clock: Clock) -> StateDatabase:
    with workspace.estado.open("rb") if workspace.estado.exists() else io.BytesIO(_MAGIC) as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            # Before SQLite looks at it: when it gives up it may remove what lies beside.
            raise damaged(workspace.estado, "no es una base de SQLite")
    state = workspace.open_state(clock)
    state.check()
    libro = Libro(state)
    libro.cortes()
    libro.avisos()
    return state


def _lost(workspace: Workspace, disk: Disk) -> bool:
    """Whether there should be one and there is none: SQLite would make an empty one and say nothing."""
    try:
        if workspace.estado.stat().st_size > 0:
            return False
    except FileNotFoundError:
        pass
    public = pointer.release_number(pointer.read(workspace) or "")
    return public is not None or bool(History(workspace.historico, disk).accepted())


def _set_aside(path: Path, now: datetime, disk: Disk) -> str | None:
    """Rename the database, then what lies beside it; its new name, None where it was not there.

    The database first: one that is left without its ``-wal`` might pass for whole.
    """
    stamp = f"{path.name}{APARTADO}{now:%Y%m%dT%H%M%SZ}"
    name, again = stamp, 1
    while any(path.with_name(name + side).exists() for side in ("", *LATERALES)):
        again += 1
        name = f"{stamp}-{again}"
    moved = None
    for side in ("", *LATERALES):
        source = path.with_name(path.name + side)
        if source.exists():
            disk.replace(source, path.with_name(name + side))
            moved = moved or name + side
    return moved
