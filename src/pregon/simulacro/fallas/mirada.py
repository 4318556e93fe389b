"""What is seen of the difusores of a night: the cut that each portal shows, and what each says of itself.

Asked over HTTP as a reader would, and read from the state database that the difusor itself writes. Nothing here knows
the plan of faults, and nothing is changed.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pregon.difusor.libro import Libro
from pregon.difusor.nube.estado import estados
from pregon.simulacro import checks
from pregon.simulacro.night import CUT_TIMEOUT_S, POLL_S
from pregon.simulacro.portal import Portal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pregon.base.state import StateDatabase
    from pregon.simulacro.fallas.orilla import Orilla
    from pregon.simulacro.institute import Post
    from pregon.simulacro.night import _Difusor
    from pregon.simulacro.portal import Answer
    from pregon.simulacro.result import SignedCut

CODIGO_TIMEOUT_S = 60.0
"""Real seconds that a difusor may take to say why it refuses."""


class Mirada:
    """Looks at the difusores that were added, by name. One thread."""

    def __init__(self, post: Post, orillas: Mapping[str, Orilla]) -> None:
        """``orillas``: the edges of those that have one."""
        self._post = post
        self._orillas = orillas
        self._difusores: dict[str, _Difusor] = {}
        self._estados: dict[str, StateDatabase] = {}
        self._leidos: dict[str, int] = {}
        self._codigos: dict[str, set[str]] = {}

    def agrega(self, difusor: _Difusor) -> None:
        """Look at this one too."""
        self._difusores[difusor.id] = difusor
        self._estados[difusor.id] = difusor.workspace.open_state(difusor.workspace.open_clock())
        self._leidos[difusor.id] = 0
        self._codigos[difusor.id] = set()

    def muestra(self, name: str) -> int | None:
        """The number of the signed cut whose manifest is public; 0 the page before any; None neither."""
        return self._number(self._difusores[name].portal.get("manifiesto.json"))

    def muestra_la_orilla(self, name: str) -> int | None:
        """The same, as its edge answers."""
        edge = Portal(self._orillas[name].publica)
        try:
            return self._number(edge.get("manifiesto.json"))
        finally:
            edge.close()

    def espera_corte(self, names: Collection[str], firmado: SignedCut) -> dict[str, float | None]:
        """Real seconds from the signing until each shows that cut; None for who did not in ``CUT_TIMEOUT_S``."""
        seconds: dict[str, float | None] = dict.fromkeys(names)
        coming = set(names)
        deadline = time.monotonic() + CUT_TIMEOUT_S
        while coming and time.monotonic() < deadline:
            for name in sorted(coming):
                if self.muestra(name) == firmado.numero:
                    seconds[name] = (datetime.now(UTC) - firmado.firmado).total_seconds()
                    coming.discard(name)
            time.sleep(POLL_S)
        return seconds

    def espera_codigos(self, wanted: Mapping[str, frozenset[str]]) -> None:
        """Wait until each of those has told one of its codes, ``CODIGO_TIMEOUT_S`` at most."""
        deadline = time.monotonic() + CODIGO_TIMEOUT_S
        while time.monotonic() < deadline:
            for name in wanted:
                self._read_codes(name)
            if all(codes & self._codigos[name] for name, codes in wanted.items()):
                return
            time.sleep(POLL_S * 2)

    def codigos(self, name: str) -> tuple[str, ...]:
        """The codes of what it refused or failed since they were asked for last."""
        self._read_codes(name)
        told = tuple(sorted(self._codigos[name]))
        self._codigos[name].clear()
        return told

    def _read_codes(self, name: str) -> None:
        events = self._estados[name].events(after=self._leidos[name])
        for event in events:
            self._leidos[name] = event.n
            if event.tipo in ("rechazado", "fallo") and event.dato.get("codigo"):
                self._codigos[name].add(str(event.dato["codigo"]))
        # The same refusal again is no event; that it still refuses is what it says of its last attempt.
        attempt = Libro(self._estados[name], solo=False).intento
        if attempt is not None and attempt["codigo"]:
            self._codigos[name].add(str(attempt["codigo"]))
        if name in self._orillas:
            told = estados(self._difusores[name].workspace, Libro(self._estados[name], solo=False))
            self._codigos[name].update(one.error.codigo for one in told if one.error is not None)

    def _number(self, answer: Answer | None) -> int | None:
        if answer is None:
            return None
        if answer.status != checks.OK:
            return 0
        return next((one.numero for one in self._post.signed() if one.manifiesto_sha256 == answer.sha256), None)
