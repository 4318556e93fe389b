"""One round: to every node, the newest cut that is signed when its turn comes.

For each node, in a thread of its own (``reparto``) and holding the node's own lock:

1. Its acuses are collected, where its table says from where. That they do not come stops nothing.
2. The newest state of the repository is fixed (``vista``).
3. ``plan`` decides from what its acuses say that it has.
4. The carrier delivers; when it fails by the link, the next attempt begins again at 1, at the next of its ports.

The signing of cuts goes on meanwhile: nothing here holds the workspace.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pregon.base import locks
from pregon.base.errors import EntradaError, PregonError
from pregon.instituto.entrega.memoria import ENTREGADO, Memoria
from pregon.instituto.entrega.plan import plan
from pregon.instituto.entrega.recibidos import Recibidos
from pregon.instituto.entrega.reparto import Encargo, Reglas, Reparto, order
from pregon.instituto.entrega.vista import CARPETA, vistas
from pregon.transport.abre import open_acuses, open_destination
from pregon.transport.caudal import Caudal

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from pregon.base.clock import Clock
    from pregon.base.estado import Estado
    from pregon.instituto.entrega.destinos import Destino
    from pregon.instituto.entrega.plan import Forma, Plan
    from pregon.instituto.entrega.reparto import Resultado
    from pregon.instituto.entrega.vista import Vistas
    from pregon.instituto.workspace import Workspace
    from pregon.transport.destino import Destination
    from pregon.transport.lugar import Lugar
    from pregon.trust.oferta import Oferta


class Abridor(Protocol):
    """Opens a place to push into: ``transport.abre.open_destination``."""

    def __call__(
        self,
        lugar: Lugar,
        *,
        folder: Path,
        clock: Clock,
        environment: Mapping[str, str],
        puertos: Sequence[int] = (),
        completo: bool = False,
    ) -> Destination: ...


@dataclass(frozen=True)
class Hecho:
    """A delivery that went well: what was planned, and bytes that the carrier says it put."""

    plan: Plan
    bytes: int


@dataclass(frozen=True)
class Linea:
    """One line of the report. ``codigo``: ENTREGADO, or that of the error, whose texts are in ``error``."""

    difusor: str
    nodo: str
    corte: int | None
    forma: Forma | None
    bytes: int
    segundos: float
    intentos: int
    codigo: str
    error: PregonError | None = None


@dataclass
class Corrida:
    """Deliveries of one workspace. ``caudal`` and ``reglas`` None: as its settings say."""

    workspace: Workspace
    environment: Mapping[str, str]
    caudal: Caudal | None = None
    reglas: Reglas | None = None
    abre: Abridor = open_destination
    completo: bool = False
    """Send the whole archive even where changes would do."""

    def run(
        self, difusores: Collection[str] = (), *, al_terminar: Callable[[Linea], None] = lambda _: None
    ) -> tuple[Linea, ...]:
        """Deliver to every node of ``difusores`` (empty: to all that are not paused); one line for each, in turn.

        A node named in ``difusores`` gets it although it is paused. What a node did is in its line, never raised.

        Raises:
            EntradaError: there is no such difusor, or nobody to deliver to.
            DiscoError, EscrituraError: the workspace itself cannot be used.
        """
        workspace = self.workspace
        chosen = self._chosen(difusores)
        settings, clock = workspace.settings.entrega, workspace.clock
        caudal = self.caudal or Caudal(clock, settings.bytes_s, a_la_vez=settings.a_la_vez)
        rules = self.reglas or Reglas(settings.a_la_vez, settings.intentos, settings.plazo_s)
        around = _Entorno(Recibidos(workspace), Memoria(workspace.state()), workspace.state())
        by_name = {one.nombre: one for one in chosen}
        lines: dict[str, Linea] = {}

        def ended(result: Resultado[Hecho]) -> None:
            line = lines[result.nombre] = _line(by_name[result.nombre], result)
            made = None if result.valor is None else result.valor.plan
            around.memoria.note(result.nombre, codigo=line.codigo, plan=made, now=clock.now())
            around.state.record(
                "entrega",
                destino=result.nombre,
                difusor=line.difusor,
                nodo=line.nodo,
                corte=line.corte,
                forma=line.forma,
                bytes=line.bytes,
                segundos=round(line.segundos, 3),
                intentos=line.intentos,
                codigo=line.codigo,
                que_paso=None if line.error is None else line.error.que_paso,
            )
            al_terminar(line)

        with vistas(workspace) as states:
            newest = states.newest().oferta
            number = newest.cortes[-1].corte if newest.cortes else 0
            failed = {name for name in by_name if around.memoria.last(name).codigo not in (None, ENTREGADO)}
            # By difusor, so that the nodes of one go together; then node by node, those that failed at the end.
            turn = order(tuple(dict.fromkeys(one.difusor for one in chosen)), vuelta=number)
            names = order(
                [one.nombre for difusor in turn for one in chosen if one.difusor == difusor], vuelta=0, fallaron=failed
            )
            errands = (self._errand(by_name[name], states, around) for name in names)
            Reparto[Hecho](clock, caudal, rules).run(errands, al_terminar=ended)
        return tuple(lines[name] for name in names)

    def _chosen(self, difusores: Collection[str]) -> tuple[Destino, ...]:
        every = self.workspace.settings.destino
        absent = set(difusores) - {one.difusor for one in every}
        if absent:
            raise EntradaError(
                f"No está registrado el difusor {', '.join(sorted(absent))}.",
                intacto="No se entregó nada.",
                que_hacer="Revise las tablas [[destino]] de instituto.toml.",
            )
        chosen = tuple(
            one for one in every if one.empuja and (one.difusor in difusores if difusores else not one.pausado)
        )
        if not chosen:
            raise EntradaError(
                "No hay a quién entregar: ninguna tabla [[destino]] tiene «url» y está activa.",
                intacto="No se entregó nada.",
                que_hacer="Escriba los destinos en instituto.toml (docs/operacion/entrega.md) o use --destino CARPETA.",
            )
        return chosen

    def _errand(self, destino: Destino, states: Vistas, around: _Entorno) -> Encargo[Hecho]:
        def attempt(number: int, caudal: Caudal) -> Hecho:
            workspace = self.workspace
            with locks.exclusive(workspace.folder / CARPETA / f"{destino.difusor}.{destino.nodo}.candado"):
                self._collect(destino, around)  # 1
                state = states.newest()  # 2
                has, spoilt = _has(destino, around, state.oferta)
                newest = state.oferta.cortes[-1].corte if state.oferta.cortes else None
                stuck = around.memoria.stuck(destino.nombre, tiene=has, corte=newest)
                made = plan(  # 3
                    state.oferta,
                    tiene=has,
                    historial=workspace.convocatoria.historial.conservar,
                    todo=destino.almacen,
                    completo=self.completo or spoilt or stuck,
                )
                places = destino.lugares
                place = self.abre(
                    places[number % len(places)],
                    folder=workspace.folder,
                    clock=workspace.clock,
                    environment=self.environment,
                    puertos=destino.puertos,
                    completo=self.completo or spoilt,
                )
                # What may wait is another delivery: a carrier may send the files of all its steps side by side.
                sent = [place.deliver(envio, caudal) for envio in state.envios(made)]  # 4
                return Hecho(made, sum(one.bytes for one in sent))

        return Encargo(destino.nombre, attempt)

    def _collect(self, destino: Destino, around: _Entorno) -> None:
        place = destino.lugar_acuses
        if place is None:
            return
        try:
            box = open_acuses(
                place,
                folder=self.workspace.folder,
                clock=self.workspace.clock,
                environment=self.environment,
                puertos=destino.puertos,
            )
            around.recibidos.collect(destino, box)
        except PregonError as exc:
            # Without its acuses more is sent, or the same failure shows in the delivery: nothing depends on them.
            around.state.record(
                "sin_acuses", difusor=destino.difusor, nodo=destino.nodo, codigo=exc.codigo, que_paso=exc.que_paso
            )


@dataclass(frozen=True)
class _Entorno:
    """What all the deliveries of a round look at and write in."""

    recibidos: Recibidos
    memoria: Memoria
    state: Estado


def _has(destino: Destino, around: _Entorno, oferta: Oferta) -> tuple[int | None, bool]:
    """The cut that a node surely has, and whether it said that what came could not be used."""
    try:
        known = around.recibidos.situation(destino, {cut.corte: cut.manifiesto.sha256 for cut in oferta.cortes})
    except PregonError:
        return None, False  # Somebody changed what we keep: the whole archive needs no memory.
    if known.recibidos or known.rechazo is not None or not destino.cadena_sin_acuse:
        return known.tiene, known.inservible
    return around.memoria.last(destino.nombre).corte, False


def _line(destino: Destino, result: Resultado[Hecho]) -> Linea:
    done = result.valor
    return Linea(
        difusor=destino.difusor,
        nodo=destino.nodo,
        corte=None if done is None else done.plan.corte,
        forma=None if done is None else done.plan.forma,
        bytes=max(result.bytes, 0 if done is None else done.bytes),
        segundos=result.segundos,
        intentos=result.intentos,
        codigo=ENTREGADO if result.error is None else result.error.codigo,
        error=result.error,
    )
