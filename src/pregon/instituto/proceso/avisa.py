"""The due process of one night: close each slot once, warn, propose, carry out what was confirmed, and say who waits.

Everything is decided again from the journal each time, and each step is taken only if the journal does not have it: so
it may be killed anywhere, started twice, or called every minute.
"""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pregon.base import locks
from pregon.base.errors import InstanciaError, PregonError
from pregon.instituto.entrega.recibidos import Recibidos
from pregon.instituto.proceso import advertencias, ordenes, textos
from pregon.instituto.proceso.cuenta import cierra, suma, terminado, tolerancia
from pregon.instituto.proceso.diario import Diario, evento_de
from pregon.instituto.proceso.dichos import Dichos
from pregon.instituto.proceso.regla import GRAVES, paso, regla_de
from pregon.instituto.registro import orden
from pregon.instituto.registro.almacen import Registro

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pregon.convocatoria.solicitud.modelo import Contacto
    from pregon.instituto.monitor.modelo import Dictamen, Periodo
    from pregon.instituto.proceso.diario import AccionOrden, Advertencia, OrdenDifusor
    from pregon.instituto.proceso.modelo import Cierre, Cuenta, Paso
    from pregon.instituto.proceso.regla import AccionPerfil, Regla
    from pregon.instituto.registro.modelo import Inscrito
    from pregon.instituto.workspace import Workspace
    from pregon.notifica.mensaje import Mensaje

_logger = logging.getLogger(__name__)

CANDADO: Final = "proceso.lock"
CANDADO_ENVIOS: Final = "advertencias.lock"
TURNO_S: Final = 10.0
"""How long a step waits for another one: each takes a moment."""
CONTADOS: Final = frozenset({"activo", "suspendido"})
"""The states whose slots are closed: of the others nobody asks for a cut."""
HUELLAS_MAX: Final = 3
"""Dictámenes that a warning cites with their hash: the last ones of the slot."""
_ORDEN_DEL_PERFIL: Final[dict[AccionPerfil, AccionOrden]] = {
    "interrumpir": "suspender",
    # MEX-I-12, MOR-I-12: a block for a breach is no attack, and its notice must not say that it is one.
    "bloquear": "suspender",
    "baja": "baja",
}


@dataclass(frozen=True, kw_only=True)
class Renglon:
    """One difusor in the table: its state, its count, how its last slot ended, its warnings in force, its order."""

    difusor: str
    nombre: str
    estado: str
    cuenta: Cuenta
    ultimo: Cierre | None
    advertencias: tuple[Advertencia, ...]
    orden: OrdenDifusor | None


class Proceso:
    """The due process of one workspace. For one thread; other processes may use it meanwhile."""

    def __init__(
        self,
        workspace: Workspace,
        *,
        alarma: Callable[[Mensaje], None] | None = None,
        huellas: Callable[[tuple[int, ...]], Sequence[str]] | None = None,
    ) -> None:
        """``alarma`` tells the operators (``Mensajero.manda``); ``huellas``: lines for observations, with hashes."""
        self._workspace = workspace
        self._state = workspace.state()
        self._registro = Registro(workspace)
        self._regla = regla_de(workspace.convocatoria, puntos=1 + len(workspace.settings.monitor.remoto))
        self._tolerancia = tolerancia(workspace.convocatoria)
        self._dichos = Dichos(workspace, alarma)
        self._huellas = huellas
        self._diario = Diario()

    @property
    def regla(self) -> Regla:
        """The rule of the call."""
        return self._regla

    @property
    def diario(self) -> Diario:
        """What the journal says, brought up to date."""
        self._diario.lee(self._state)
        return self._diario

    def cierra(self, periodos: Sequence[Periodo], dictamenes: Iterable[Dictamen]) -> tuple[Paso, ...]:
        """Close every slot that ended, once for each difusor, and take the step that the rule asks for.

        From the start on, who is still «admitido» is made «activo» first: no forgotten order keeps anybody out of the
        count.

        Args:
            periodos: the slots of the night in their order, those that did not end included.
            dictamenes: those of the slots that are not closed yet; others do no harm.

        Returns:
            The steps of what was closed now, «nada» left out.

        Raises:
            InstanciaError: another process is at it. DiscoError: the journal cannot be written.
        """
        by_difusor: dict[str, list[Dictamen]] = {}
        for one in dictamenes:
            by_difusor.setdefault(one.difusor, []).append(one)
        ended = self._ended(periodos)
        steps: list[Paso] = []
        with self._turn():
            orden.empieza(self._workspace, registro=self._registro)
            for inscrito in self._registro.todos():
                seen = by_difusor.get(inscrito.id, [])
                if inscrito.estado in CONTADOS:
                    for slot in ended:
                        self._close(inscrito, slot, seen, steps)
                last = self._diario.ultimos.get(inscrito.id)
                if last is not None and last.hora > inscrito.desde:
                    # Once more, for whoever died after closing the slot and before this.
                    self._follow(inscrito, last, seen)
        self._dichos.mira(by_difusor.values())
        return tuple(steps)

    def atiende(self) -> int:
        """Carry out what was confirmed, deliver what waits and try again what failed; how many were delivered.

        To be called every minute, and after ``cierra``. What cannot be done now is done the next time.
        """
        with self._turn():
            known = {one.id: one for one in self._registro.todos()}
            for order in tuple(self._diario.ordenes.values()):
                if order.fase == "confirmada":
                    self._carry_out(order)
                elif order.fase == "propuesta" and order.difusor in known:
                    why = ordenes.sin_objeto(order, known[order.difusor])
                    if why is not None:
                        self._lapse(order, why)
        taken = self._deliver()
        self._dichos.cuenta(self._diario)
        return taken

    def confirma(self, ident: str, operador: str, *, texto: str | None = None) -> OrdenDifusor:
        """An operator confirms an order; it is carried out at once, or by ``atiende`` where somebody else is signing.

        Raises:
            EntradaError: there is no such order, or a key is not at hand (the order stays confirmed).
            UsoError: it does not wait for anybody, nobody is named, or the state of the difusor does not admit it.
        """
        with self._turn():
            order = ordenes.confirma(self._state, self._diario, ident, operador, texto=texto)
            try:
                return ordenes.cumple(self._workspace, self._state, self._diario, order)
            except InstanciaError:
                return order

    def descarta(self, ident: str, operador: str, *, motivo: str) -> OrdenDifusor:
        """An operator discards an order, and why. Raises as ``confirma``."""
        with self._turn():
            return ordenes.descarta(self._state, self._diario, ident, operador, motivo=motivo)

    def tabla(self) -> tuple[Renglon, ...]:
        """Every difusor of the registry, in its order."""
        book = self.diario
        return tuple(
            Renglon(
                difusor=one.id,
                nombre=one.nombre,
                estado=one.estado,
                cuenta=book.cuenta(one.id),
                ultimo=book.ultimos.get(one.id),
                advertencias=book.de_la_racha(one.id),
                orden=book.orden_en_pie(one.id),
            )
            for one in self._registro.todos()
        )

    def sin_dos_canales(self) -> tuple[str, ...]:
        """The difusores that a warning would not reach by two kinds of channel, one of them the difusor's own.

        To be seen to before the night.
        """
        lacking = []
        for one in self._registro.vigilables():
            mailed = advertencias.cuantos(self._registro, one.id, self._workspace.clock.now())
            ways = advertencias.vias(self._workspace, one.id, mailed)
            if len(advertencias.clases(ways)) < advertencias.CANALES_MIN or not any(way.directa for way in ways):
                lacking.append(one.id)
        return tuple(lacking)

    # Closing a slot.

    def _ended(self, periodos: Sequence[Periodo]) -> tuple[Periodo, ...]:
        now, order = self._workspace.clock.now(), sorted(periodos, key=lambda one: one.indice)
        following = (*order[1:], None)
        return tuple(one for one, after in zip(order, following, strict=False) if terminado(one, after, now))

    def _close(self, inscrito: Inscrito, slot: Periodo, seen: Sequence[Dictamen], steps: list[Paso]) -> None:
        # A slot in which its state changed is not one of which it was asked for a cut from the beginning.
        if self._diario.cerrado(inscrito.id, slot.indice) or slot.vence < inscrito.obligado_desde:
            return
        closed = cierra(inscrito.id, slot, seen, tolerancia=self._tolerancia)
        count = suma(self._diario.cuenta(inscrito.id), closed).seguidas
        self._state.record("periodo", **evento_de(closed), seguidas=count, clausula=self._regla.clausula)
        self._diario.lee(self._state)
        step = self._follow(inscrito, closed, seen)
        if step.accion != "nada":
            steps.append(step)

    def _follow(self, inscrito: Inscrito, closed: Cierre, seen: Sequence[Dictamen]) -> Paso:
        """Take the step that the rule asks for after ``closed``, unless the journal has it already."""
        count = self._diario.cuenta(inscrito.id)
        step = paso(self._regla, count, closed, estado=inscrito.estado, verificado=self._verified(inscrito, closed))
        self._outdated(inscrito, closed)
        if step.accion == "advertir" or (step.accion == "proponer" and self._below_limit(count)):
            self._warn(inscrito, closed, count, seen)
        if step.accion in ("proponer", "ordenar"):
            self._propose(step, closed, count)
        elif step.accion == "proponer_regreso" and not self._asked(closed):
            self._write(step, closed, "regreso", caduca=True)
        return step

    def _below_limit(self, count: Cuenta) -> bool:
        return self._regla.propone_en is None or count.seguidas < self._regla.propone_en

    def _warn(self, inscrito: Inscrito, closed: Cierre, count: Cuenta, seen: Sequence[Dictamen]) -> None:
        if advertencias.identificador(inscrito.id, closed.periodo) in self._diario.advertencias:
            return
        advertencias.redacta(
            self._workspace,
            self._state,
            closed,
            count.seguidas,
            self._regla,
            nombre=inscrito.nombre,
            personas=advertencias.cuantos(self._registro, inscrito.id, self._workspace.clock.now()),
            huellas=self._proofs(closed, seen),
        )
        self._diario.lee(self._state)

    def _propose(self, step: Paso, closed: Cierre, count: Cuenta) -> None:
        standing = self._diario.orden_en_pie(closed.difusor)
        if standing is None and not self._asked(closed):
            grave = bool(GRAVES.intersection(closed.motivos)) and self._regla.grave_basta
            standing = self._write(step, closed, _ORDEN_DEL_PERFIL[self._regla.accion], caduca=not grave)
        if step.accion != "ordenar" or standing is None or standing.fase != "propuesta":
            return
        # Nobody is taken away by a program without having been told in time to mend it: then a person decides.
        warned = self._diario.de_la_racha(count.difusor)
        if len(warned) >= count.seguidas - 1 and all(one.llego_antes(closed.hora) for one in warned):
            ordenes.confirma(self._state, self._diario, standing.id, ordenes.PROGRAMA)

    def _write(self, step: Paso, closed: Cierre, accion: AccionOrden, *, caduca: bool) -> OrdenDifusor:
        count = self._diario.cuenta(closed.difusor)
        slots = tuple(f"periodo {one.periodo}: observaciones {textos.numeros(one.evidencia)}" for one in count.cierres)
        warned = tuple(
            f"advertencia {one.id}: {'aceptada por ' + ', '.join(one.aceptadas) if one.aceptadas else 'sin entregar'}"
            for one in self._diario.de_la_racha(closed.difusor)
        )
        return ordenes.propone(
            self._state,
            self._diario,
            closed.difusor,
            accion,
            periodo=closed.periodo,
            cuenta=step.cuenta,
            porque="; ".join(filter(None, (step.porque, textos.motivos_en_palabras(closed.motivos)))),
            clausula=step.clausula,
            evidencia=(*slots, *warned)
            or (f"periodo {closed.periodo}: observaciones {textos.numeros(closed.evidencia)}",),
            caduca=caduca,
        )

    def _asked(self, closed: Cierre) -> bool:
        """Whether an order waits already, or that very slot led to one."""
        standing = self._diario.orden_en_pie(closed.difusor)
        return standing is not None or self._diario.ordenada_por(closed.difusor, closed.periodo)

    def _outdated(self, inscrito: Inscrito, closed: Cierre) -> None:
        """Let lapse the order that a later slot left without a reason, while nobody had confirmed it."""
        order = self._diario.orden_en_pie(inscrito.id)
        if order is None or order.fase != "propuesta" or not order.caduca or order.periodo == closed.periodo:
            return
        ends = "fallo" if order.accion == "regreso" else "cumplio"
        if closed.resultado == ends:
            self._lapse(order, f"{closed.porque} {closed.periodo}")

    def _lapse(self, order: OrdenDifusor, why: str) -> None:
        ordenes.descarta(self._state, self._diario, order.id, ordenes.PROGRAMA, motivo=why)

    def _verified(self, inscrito: Inscrito, closed: Cierre) -> int | None:
        """The newest cut that every node of a suspended difusor surely has: its acuses, signed by them, say so."""
        if inscrito.estado != "suspendido" or closed.resultado != "cumplio":
            return None
        received = Recibidos(self._workspace)
        nodes = [one for one in self._workspace.settings.destino if one.difusor == inscrito.id]
        try:
            signed = {one.corte: one.manifiesto.sha256 for one in self._workspace.repository().cuts()}
            has = [received.situation(one, signed).tiene for one in nodes]
        except PregonError as exc:
            # What was kept of it was changed, which «acuses estado» tells: here nothing is believed.
            _logger.warning("no se pudieron leer los acuses de %s: %s", inscrito.id, exc.que_paso)
            return None
        return None if None in has else min((one for one in has if one is not None), default=None)

    def _proofs(self, closed: Cierre, seen: Sequence[Dictamen]) -> tuple[str, ...]:
        cited = [one for one in seen if one.falla and set(one.evidencia) & set(closed.evidencia)][-HUELLAS_MAX:]
        lines = tuple(
            f"{textos.hora_local(one.hora, self._workspace.convocatoria)}: {one.veredicto}, "
            f"observaciones {textos.numeros(one.evidencia)}, dictamen con SHA-256 {textos.huella(one)}"
            for one in cited
        )
        return (*lines, *(self._huellas(closed.evidencia) if self._huellas is not None else ()))

    # Carrying out and telling.

    def _carry_out(self, order: OrdenDifusor) -> None:
        try:
            ordenes.cumple(self._workspace, self._state, self._diario, order)
        except PregonError as exc:
            _logger.warning("la orden %s no se pudo cumplir todavía: %s", order.id, exc.que_paso)
            self._dichos.no_se_cumple(order, exc.que_paso)

    def _deliver(self) -> int:
        try:
            with locks.exclusive(self._workspace.folder / CANDADO_ENVIOS):
                self._diario.lee(self._state)
                return advertencias.envia(self._workspace, self._state, self._diario, self._contacts)
        except InstanciaError:
            return 0  # Somebody else is delivering the same ones.

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        with locks.turn(self._workspace.folder / CANDADO, seconds=TURNO_S):
            self._diario.lee(self._state)
            yield

    def _contacts(self, difusor: str) -> Sequence[Contacto]:
        return self._registro.contactos(difusor, self._workspace.clock.now())
