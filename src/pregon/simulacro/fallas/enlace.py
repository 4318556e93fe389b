"""Faults of the link between the institute and one difusor: what each messenger spoils of what it carries.

``corrompido`` ``truncado`` ``corte_viejo`` ``llave_ajena`` ``enlace_cortado`` ``enlace_lento``
``enlace_con_perdidas``: the messenger of that difusor (``mensajero``) is told which, and counts the deliveries that it
spoiled, held back, slowed down or saw break off. That count is the effect: a fault during which nothing was due to be
delivered has none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pregon.simulacro.fallas.mensajero import Mensajero
from pregon.simulacro.fallas.plan import previo_a

if TYPE_CHECKING:
    from pregon.simulacro.fallas.escena import Escena
    from pregon.simulacro.fallas.plan import Falla


class FallasDelEnlace:
    """The messengers of a night, one for each difusor; they deliver until the night ends."""

    def __init__(self, escena: Escena, *, semilla: int) -> None:
        self._escena = escena
        self._semilla = semilla
        self._mensajeros: dict[str, Mensajero] = {}

    def agrega(self, name: str) -> None:
        """Begin to deliver to that difusor."""
        scene = self._escena
        messenger = Mensajero(
            name,
            scene.post.instituto / "repositorio",
            scene.carpeta(name) / "entrada",
            scene.post.folder / "averias" / name,
            semilla=self._semilla,
            disk=scene.disk,
        )
        self._mensajeros[name] = messenger
        scene.stack.callback(messenger.termina)
        messenger.start()

    def recuerda(self, indice: int) -> None:
        """At the end of that period: keep the repository for whoever will be offered it when it is old."""
        for fault in self._escena.fallas:
            if fault.clase == "corte_viejo" and previo_a(fault, self._escena.fallas) == indice:
                self._mensajeros[fault.objetivo].recuerda(fault)

    def provoca(self, falla: Falla) -> None:
        """As ``Provocador``: what is carried from now on is spoiled so."""
        self._mensajeros[falla.objetivo].aplica(falla)

    def termina(self, falla: Falla) -> tuple[int, str]:
        """As ``Provocador``: the effects are the deliveries that were affected."""
        effects = self._mensajeros[falla.objetivo].quita()
        return effects, f"{effects} entregas afectadas"
