"""The sign of life of the machine that has the night, while its service runs."""

from __future__ import annotations

import contextlib
import logging
import threading
from typing import TYPE_CHECKING

from pregon.base.errors import InstanciaError, PregonError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from threading import Event

    from pregon.instituto.workspace import Workspace

_logger = logging.getLogger(__name__)

VECES = 3
"""Signs of life in the time of one lease: two may be lost."""


@contextlib.contextmanager
def arriendo(workspace: Workspace, stop: Event) -> Iterator[None]:
    """While the block lasts the turn of this machine is renewed; ``stop`` is set if another takes it.

    Of a workspace that shares nothing, nothing happens. A server that does not answer stops nobody here: what needs it
    says so, and nobody else can take the turn meanwhile.

    Raises:
        InstanciaError: another machine has the night, at the beginning or, once ``stop`` ended the block, by then.
        RedError, AjustesError: at the beginning, the server.
    """
    settings = workspace.settings.estado
    if settings is None:
        yield
        return
    workspace.numeros()
    ended = threading.Event()
    lost: list[InstanciaError] = []

    def renew() -> None:
        while not ended.wait(settings.arriendo_s / VECES):
            try:
                workspace.numeros()
            except InstanciaError as exc:
                _logger.error("la noche la lleva otra máquina: esta se detiene")  # noqa: TRY400 (nothing to trace)
                lost.append(exc)
                stop.set()
                return
            except PregonError as exc:
                _logger.warning("no se renovó el arriendo de la noche: %s", exc.que_paso)

    thread = threading.Thread(target=renew, name="arriendo", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    if lost:
        raise lost[0]
