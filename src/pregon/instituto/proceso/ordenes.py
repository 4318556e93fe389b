"""Orders: proposed, confirmed or discarded by a person, carried out once whatever dies in between, and told.

Proposed, confirmed and carried out are three events. Who is stopped after a confirmation finds the order confirmed and
carries it out: ``registro.orden`` signs its notice once and changes the state, so that the link is off in the list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pregon.base.errors import EntradaError, UsoError
from pregon.instituto.proceso import advertencias, textos
from pregon.instituto.registro.almacen import Registro
from pregon.instituto.registro.estados import Mandato, transicion
from pregon.instituto.registro.orden import ordena
from pregon.trust.aviso import MOTIVO_MAX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pregon.base.estado import Estado as EstadoTrabajo
    from pregon.instituto.proceso.diario import AccionOrden, Diario, OrdenDifusor
    from pregon.instituto.registro.estados import Estado
    from pregon.instituto.registro.modelo import Inscrito
    from pregon.instituto.workspace import Workspace

LLEVA_A: Final[dict[AccionOrden, Estado]] = {
    "suspender": "suspendido",
    "baja": "baja",
    "regreso": "activo",
}
"""The state of the registry in which each order ends."""
PROGRAMA: Final = "pregon"
"""Who decides where the profile says that nobody is waited for, and what lapses by itself."""
INTACTO: Final = "La orden sigue como estaba y no se firmó nada."


def propone(
    state: EstadoTrabajo,
    diario: Diario,
    difusor: str,
    accion: AccionOrden,
    *,
    periodo: int | None,
    cuenta: int,
    porque: str,
    clausula: str,
    evidencia: Sequence[str],
    caduca: bool,
) -> OrdenDifusor:
    """Write that an order waits for a person."""
    ident = f"O{1 + len(diario.ordenes):04d}"
    state.record(
        "orden_propuesta",
        id=ident,
        difusor=difusor,
        accion=accion,
        periodo=periodo,
        cuenta=cuenta,
        porque=porque,
        clausula=clausula,
        evidencia=list(evidencia),
        caduca=caduca,
    )
    diario.lee(state)
    return diario.ordenes[ident]


def confirma(
    state: EstadoTrabajo, diario: Diario, ident: str, operador: str, *, texto: str | None = None
) -> OrdenDifusor:
    """Write that ``operador`` confirms a proposed order. ``texto``: what citizens will read, in place of the usual.

    Raises:
        EntradaError: there is no such order. UsoError: it does not wait for anybody, or nobody is named.
    """
    one = _waiting(diario, ident, operador)
    state.record("orden_confirmada", id=one.id, difusor=one.difusor, accion=one.accion, operador=operador, texto=texto)
    diario.lee(state)
    return diario.ordenes[ident]


def descarta(state: EstadoTrabajo, diario: Diario, ident: str, operador: str, *, motivo: str) -> OrdenDifusor:
    """Write that ``operador`` discards a proposed order, and why. Raises as ``confirma``; also without a reason."""
    one = _waiting(diario, ident, operador)
    if not motivo.strip():
        raise UsoError("Falta el motivo.", intacto=INTACTO, que_hacer="Repita la orden con --motivo.")
    state.record(
        "orden_descartada", id=one.id, difusor=one.difusor, accion=one.accion, operador=operador, motivo=motivo
    )
    diario.lee(state)
    return diario.ordenes[ident]


def cumple(workspace: Workspace, state: EstadoTrabajo, diario: Diario, one: OrdenDifusor) -> OrdenDifusor:
    """Carry out a confirmed order: its signed notice, the state, and the word of it to the difusor.

    Raises:
        UsoError: its state does not admit that any more; the order is discarded.
        EntradaError: a key is not at hand. InstanciaError: another process is signing. It stays confirmed.
    """
    registro, target = Registro(workspace), LLEVA_A[one.accion]
    known = registro.uno(one.difusor)
    if known.estado != target:
        mandate = Mandato(
            quien="programa" if one.operador == PROGRAMA else "operador",
            operador=one.operador,
            motivo=motivo_de(one),
            evidencia=one.evidencia or (f"orden {one.id}",),
        )
        try:
            known = ordena(
                workspace, one.difusor, target, mandate, texto=one.texto or textos.CIUDADANIA[one.accion]
            ).inscrito
        except UsoError as exc:
            state.record(
                "orden_descartada",
                id=one.id,
                difusor=one.difusor,
                accion=one.accion,
                operador=PROGRAMA,
                motivo=exc.que_paso,
            )
            diario.lee(state)
            raise
    if advertencias.de_orden(one) not in diario.advertencias:
        people = advertencias.cuantos(registro, one.difusor, workspace.clock.now())
        advertencias.redacta_orden(workspace, state, one, nombre=known.nombre, personas=people)
    state.record("orden_cumplida", id=one.id, difusor=one.difusor, accion=one.accion, aviso=known.historia[-1].aviso)
    diario.lee(state)
    return diario.ordenes[one.id]


def motivo_de(one: OrdenDifusor) -> str:
    """The reason as it is signed: with the id of the order, in one line that a notice admits."""
    words = " ".join(f"Orden {one.id}: {one.porque} ({one.clausula})".split())
    return words if len(words) <= MOTIVO_MAX else words[: MOTIVO_MAX - 1] + "…"


def sin_objeto(one: OrdenDifusor, inscrito: Inscrito) -> str | None:
    """Why a proposed order asks for nothing any more, None where it still does: its difusor is in another state."""
    target = LLEVA_A[one.accion]
    if inscrito.estado != target and transicion(inscrito.estado, target) is not None:
        return None
    return f"el difusor ya está «{inscrito.estado}»"


def _waiting(diario: Diario, ident: str, operador: str) -> OrdenDifusor:
    one = diario.ordenes.get(ident)
    if one is None:
        raise EntradaError(
            f"No hay ninguna orden «{ident}».",
            intacto=INTACTO,
            que_hacer="Vea las que esperan con «pregon instituto proceso DIR».",
        )
    if one.fase != "propuesta":
        raise UsoError(
            f"La orden {ident} ya está {one.fase}" + (f" por {one.operador}." if one.operador else "."),
            intacto=INTACTO,
            que_hacer="Vea las que esperan con «pregon instituto proceso DIR».",
        )
    if not operador.strip():
        raise UsoError("Falta quién lo decide.", intacto=INTACTO, que_hacer="Repita la orden con --operador.")
    return one
