"""Takes this node's acuses to the institute: posted to its receiver, or copied where it collects them.

Nothing that is public waits for it: it comes last in a pass, with few seconds each time, and after a failure it waits
longer and longer. Acuses are sent in their order, because each names the one before; the number of the last that was
taken is in the state database, and one that was sent twice changes nothing there.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any

from pregon.base.errors import PregonError, RedError
from pregon.base.hashing import sha256_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from pregon.base.clock import Clock
    from pregon.difusor.acuse import Acuses
    from pregon.difusor.publish import Publisher
    from pregon.transport.cartero import Cartero, Contestacion

_logger = logging.getLogger(__name__)

PASADA_S = 3.0
"""Seconds that one pass may spend with the receiver."""
POR_PASADA = 60
"""Acuses that one pass may send."""
ESPERA_S = 5.0
"""After a failure; twice as much after each one more."""
ESPERA_MAX_S = 300.0

_TAKEN = (200, 201)
_NOT_NEXT = 409
_LATER = frozenset({408, 425, 429})
"""Refusals of the moment, not of the acuse."""


class Remesa:
    """The acuses of one workspace on their way out. ``despacha`` is called once a pass, after publishing."""

    def __init__(self, publisher: Publisher, acuses: Acuses, clock: Clock) -> None:
        """
        Raises:
            AjustesError: what opens the receiver (certificates, token) cannot be used.
        """
        workspace = publisher.workspace
        settings = workspace.settings
        self._disk = publisher.disk
        self._libro = publisher.libro
        self._acuses = acuses
        self._clock = clock
        self._ruta = f"/acuses/{settings.id}/{settings.nodo}"
        self._copia = None if settings.acuses.copia is None else workspace.folder / settings.acuses.copia
        self._cartero: Cartero | None = None
        self._failures = 0
        self._next = clock.monotonic()
        destino = settings.acuses.destino
        if destino is not None:
            from pregon.transport.cartero import Cartero

            self._cartero = Cartero(destino, folder=workspace.folder, clock=clock, environment=os.environ)

    def despacha(self, due: datetime | None = None) -> None:
        """Copy and send what is missing. Never raises for the other side's sake; ``due``: when time itself opens.

        Raises:
            DiscoError: the state database cannot be used.
        """
        files = self._acuses.files()
        if self._copia is not None:
            self._copy(files, self._copia)
        if self._cartero is None or self._clock.monotonic() < self._next:
            return
        if due is not None and (due - self._clock.now()).total_seconds() < 2 * PASADA_S:
            return
        try:
            self._send(files, self._cartero)
        except RedError as exc:
            self._wait(0.0)
            self._tell(None, "RED", exc.que_paso)

    def close(self) -> None:
        """Close the connection."""
        if self._cartero is not None:
            self._cartero.close()

    def _copy(self, files: Sequence[Path], folder: Path) -> None:
        try:
            self._disk.make_folder(folder)
            there = {path.name for path in folder.iterdir()}
            for path in files:
                if path.name not in there:
                    # A copy, not a link: whoever may write there must not reach ours.
                    self._disk.write(folder / path.name, path.read_bytes())
        except (PregonError, OSError) as exc:
            if self._libro.recuerda_copia(str(exc)):
                _logger.warning("acuses: no se copiaron a %s: %s", folder, exc)
                self._libro.evento("acuses_sin_copia", que_paso=str(exc))
            return
        self._libro.recuerda_copia(None)

    def _send(self, files: Sequence[Path], cartero: Cartero) -> None:
        end = self._clock.monotonic() + PASADA_S
        went_back = False
        left = POR_PASADA
        while left and (pending := [path for path in files if _number(path) > self._libro.acuses_enviados]):
            seconds = end - self._clock.monotonic()
            if seconds <= 0:
                return
            left -= 1
            path = pending[0]
            answer = cartero.post(self._ruta, path.read_bytes(), seconds=seconds)
            if answer.estado in _TAKEN:
                self._failures = 0
                self._libro.enviar_acuse(_number(path))
                continue
            last = _known_there(answer, files) if answer.estado == _NOT_NEXT and not went_back else None
            if last is not None:
                # Theirs was restored from a copy, or ours was: they say after which one they stand.
                went_back = True
                self._libro.enviar_acuse(last)
                continue
            self._refused(path, answer)
            return

    def _refused(self, path: Path, answer: Contestacion) -> None:
        if 400 <= answer.estado < 500 and answer.estado not in _LATER:
            self._failures += 3  # It will hardly be otherwise in some seconds.
        self._wait(answer.espera_s)
        said = answer.cuerpo.get("que_paso")
        self._tell(path.name, str(answer.estado), said[:500] if isinstance(said, str) else f"estado {answer.estado}")

    def _wait(self, asked: float) -> None:
        self._failures = min(self._failures + 1, 12)
        wait = min(ESPERA_MAX_S, ESPERA_S * 2 ** (self._failures - 1))
        self._next = self._clock.monotonic() + min(ESPERA_MAX_S, max(wait, asked))

    def _tell(self, name: str | None, codigo: str, que_paso: str) -> None:
        """The same trouble is one fact, told once."""
        trouble: dict[str, Any] = {"acuse": name, "codigo": codigo}
        if self._libro.recuerda_envio(trouble):
            _logger.warning("acuses: %s: %s", codigo, que_paso)
            self._libro.evento("acuse_sin_entregar", **trouble, que_paso=que_paso)


def _number(path: Path) -> int:
    return int(path.name[:6])


def _known_there(answer: Contestacion, files: Sequence[Path]) -> int | None:
    """Number of the last acuse that the receiver says it has; 0 for none; None where it names one that is not ours."""
    last = answer.cuerpo.get("ultimo", "")
    if last is None:
        return 0
    return next((_number(path) for path in reversed(files) if sha256_file(path) == last), None)
