"""What the due process tells the operators: an order that waits, a warning that reaches nobody, a portal that lies."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal

from pregon.instituto.proceso import textos
from pregon.instituto.proceso.regla import GRAVES
from pregon.notifica.mensaje import Mensaje

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from pregon.instituto.monitor.modelo import Dictamen
    from pregon.instituto.proceso.diario import Advertencia, Diario, OrdenDifusor
    from pregon.instituto.workspace import Workspace

SIN_ENTREGA: Final = timedelta(minutes=5)
"""A warning that nobody of the difusor took in so long is told to the operators, who have the telephone (GRO-3.2)."""


class Dichos:
    """Tells by ``alarma`` (``Mensajero.manda``, which knows when to repeat what lasts); None tells nobody."""

    def __init__(self, workspace: Workspace, alarma: Callable[[Mensaje], None] | None) -> None:
        self._workspace = workspace
        self._alarma = alarma
        self._ended: set[str] = set()

    def cuenta(self, diario: Diario) -> None:
        """Tell what waits for an operator, and once of each that it does not any more."""
        if self._alarma is None:
            return
        for order in diario.ordenes.values():
            self._order(order)
        now = self._workspace.clock.now()
        for warning in diario.advertencias.values():
            self._warning(warning, now)

    def mira(self, vistos: Iterable[Sequence[Dictamen]]) -> None:
        """Tell at once who shows what is not the institute's, or before its hour; ``vistos``: of each, what was said.

        That waits for no slot to end, and before the start there is none that would (MEX-I-1c, MOR-I-5b, GRO-3.2).
        """
        for seen in vistos:
            last = max((one for one in seen if one.determinado), key=lambda one: one.hora, default=None)
            if last is None:
                continue
            grave = last.falla and not GRAVES.isdisjoint(last.motivos)
            title = (
                f"El portal de {last.difusor} {'muestra lo que no debe' if grave else 'ya no muestra lo que no debía'}"
            )
            why = f"{textos.motivos_en_palabras(last.motivos)} (observaciones {textos.numeros(last.evidencia)})"
            text = f"{why}. Llame a su contacto técnico; para quitarlo ya: «pregon instituto difusor suspende»."
            self._says(f"ALTERADO_{last.difusor}", "alarma" if grave else "resuelta", title, text if grave else title)

    def no_se_cumple(self, order: OrdenDifusor, que_paso: str) -> None:
        """Tell that a confirmed order could not be carried out; it is tried again."""
        self._says(f"ORDEN_{order.id}", "alarma", f"La orden {order.id} no se pudo cumplir", que_paso)

    def _order(self, order: OrdenDifusor) -> None:
        code = f"ORDEN_{order.id}"
        if order.fase == "propuesta":
            head = f"Espera su decisión la orden {order.id}: {textos.ACCIONES[order.accion]} a {order.difusor}"
            self._says(code, "alarma", head, f"{order.porque} ({order.clausula}). Confírmela o descártela.")
        elif order.fase != "confirmada" and code not in self._ended:
            self._ended.add(code)
            self._says(code, "resuelta", f"La orden {order.id} está {order.fase}", order.motivo or order.porque)

    def _warning(self, warning: Advertencia, now: datetime) -> None:
        code = f"SIN_ENTREGA_{warning.id}"
        if code in self._ended:
            return
        done = all(one.acabado for one in warning.envios.values())
        if done or warning.llego:
            self._ended.add(code)
        if warning.llego:
            self._says(code, "resuelta", f"Llegó al difusor: {warning.titulo}", "Ya no hace falta llamar.")
        elif done or now - warning.hora >= SIN_ENTREGA:
            failed = [name for name in warning.envios if name in warning.directos]
            text = f"Llame por teléfono al difusor. No se pudo por: {', '.join(failed) or 'no tiene canal propio'}."
            self._says(code, "alarma", f"No llega al difusor: {warning.titulo}", text)

    def _says(self, codigo: str, severidad: Literal["alarma", "resuelta"], titulo: str, texto: str) -> None:
        if self._alarma is None:
            return
        self._alarma(
            Mensaje(
                codigo=codigo,
                severidad=severidad,
                titulo=titulo,
                texto=texto,
                hora=self._workspace.clock.now(),
                origen=self._workspace.convocatoria.instituto,
            )
        )
