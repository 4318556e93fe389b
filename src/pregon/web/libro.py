"""What happens at a site's door, in the journal of whoever serves it."""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING

from pregon.base.errors import PregonError

if TYPE_CHECKING:
    from pregon.base.clock import Clock
    from pregon.base.estado import Estado
    from pregon.web.acceso import Suceso

_logger = logging.getLogger(__name__)

MAX_NEGATIVAS = 60
"""Refusals that are written in the journal each hour, of each account and of who has none; the rest are only logged."""
_HORA_S = 3600.0


class Libro:
    """The door's events: kinds ``<sitio>_entrada``, ``_salida``, ``_rechazo`` and ``_ajeno``.

    One that cannot be written must not keep the administrator out.
    """

    def __init__(self, state: Estado, clock: Clock, sitio: str) -> None:
        self._state = state
        self._clock = clock
        self._site = sitio
        self._since = clock.monotonic()
        self._refused: Counter[str | None] = Counter()

    def anota(self, suceso: Suceso) -> None:
        """Write one down."""
        if suceso.tipo in ("rechazo", "ajeno"):
            now = self._clock.monotonic()
            if now - self._since > _HORA_S:
                self._since, self._refused = now, Counter()
            self._refused[suceso.cuenta] += 1
            _logger.warning(
                "%s: %s de %s (%s) %s", self._site, suceso.tipo, suceso.direccion, suceso.motivo, suceso.que or ""
            )
            if self._refused[suceso.cuenta] > MAX_NEGATIVAS:
                return
        data = {"cuenta": suceso.cuenta, "direccion": suceso.direccion, "por": suceso.motivo, "que": suceso.que}
        try:
            self._state.record(f"{self._site}_{suceso.tipo}", **{key: value for key, value in data.items() if value})
        except PregonError as exc:
            _logger.error("%s: %s: %s", self._site, exc.codigo, exc.que_paso)  # noqa: TRY400 - its text says all
