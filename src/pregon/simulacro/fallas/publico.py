"""Faults on the public's side of one difusor: too many readers at once, and a cache that does not forget.

* ``avalancha``: so many readers ask its portal without a pause. It had an effect if they asked anything.
* ``purga_negada``: the edge before its object store answers 403 to every order to forget. The effect is how many it
  refused.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from pregon.simulacro.fallas.avalancha import Avalancha
from pregon.simulacro.fallas.orilla import Orilla

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pregon.simulacro.fallas.escena import Escena
    from pregon.simulacro.fallas.plan import Falla
    from pregon.simulacro.portadores import Puerta


class FallasDelPublico:
    """The crowds of a night, and the edges of the difusores whose cache will refuse."""

    def __init__(self, escena: Escena, *, url: Callable[[str], str]) -> None:
        """``url``: the portal of a difusor."""
        self._escena = escena
        self._url = url
        self._avalanchas: dict[int, Avalancha] = {}
        self._orillas: dict[str, Orilla] = {}

    @property
    def orillas(self) -> Mapping[str, Orilla]:
        """The edges, by difusor; who has no fault there has none."""
        return self._orillas

    def puerta(self, name: str, puerta: Puerta) -> Puerta:
        """The same door, with a store and its edge behind it where the plan has a fault of that difusor's."""
        scene = self._escena
        if not scene.sufre(name, "purga_negada"):
            return puerta
        edge = self._orillas[name] = scene.stack.enter_context(Orilla(secrets.token_hex(16)))
        folder = scene.carpeta(name)
        scene.disk.make_folder(folder)
        scene.disk.write(folder / "orilla.secreto", edge.secreto.encode(), mode=0o600)
        return replace(puerta, acceso=edge.ajustes())

    def provoca(self, falla: Falla) -> None:
        """As ``Provocador``."""
        if falla.clase == "purga_negada":
            self._orillas[falla.objetivo].niega.set()
            return
        crowd = self._avalanchas[falla.n] = Avalancha(self._url(falla.objetivo), falla.lectores)
        crowd.empieza()

    def termina(self, falla: Falla) -> tuple[int, str]:
        """As ``Provocador``."""
        if falla.clase == "purga_negada":
            edge = self._orillas[falla.objetivo]
            edge.niega.clear()
            return edge.negadas, f"{edge.negadas} purgas negadas"
        crowd = self._avalanchas.pop(falla.n)
        crowd.termina()
        return crowd.preguntas, f"{crowd.preguntas} preguntas, {crowd.sin_respuesta} sin respuesta"
