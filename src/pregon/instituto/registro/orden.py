"""An order on a difusor, whole: what it asks for is there, its notice is signed, its state changes. In that order.

A process that dies after the signature finds the notice signed when the order is given again, does not sign another
one, and changes the state: one order, one notice. What the difusores obey is the signature; the state follows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pregon.base import locks
from pregon.base.errors import FindingsError, UsoError
from pregon.convocatoria.solicitud import formulario
from pregon.instituto import avisos
from pregon.instituto.registro import estados
from pregon.instituto.registro.almacen import Registro
from pregon.instituto.registro.estados import Mandato

if TYPE_CHECKING:
    from datetime import datetime

    from pregon.instituto.registro.estados import Estado, Firma
    from pregon.instituto.registro.modelo import Inscrito
    from pregon.instituto.workspace import Workspace
    from pregon.trust.aviso import Aviso

CANDADO: Final = "ordenes.lock"
TURNO_S: Final = 30.0
"""How long an order waits for another one, which may be waiting to sign: what it looks at must still be so then."""
_TEXTOS: dict[Firma, str] = {
    "suspension": "El instituto interrumpió la publicación de resultados en este sitio.",
    "ataque": "Este sitio sufrió un ataque y dejó de ser un difusor oficial.",
    "reinstalacion": "El instituto autoriza a este sitio a mostrar de nuevo los resultados.",
}
"""What citizens read where whoever orders writes nothing else."""


@dataclass(frozen=True)
class Hecho:
    """What came of an order: the difusor as it is now, and the notice of it; None where it asks for none."""

    inscrito: Inscrito
    aviso: Aviso | None


def ordena(
    workspace: Workspace,
    ident: str,
    nuevo: Estado,
    mandato: Mandato,
    *,
    texto: str | None = None,
    hasta: datetime | None = None,
    orden: str | None = None,
) -> Hecho:
    """Take a registered difusor to another state, with its notice.

    ``texto``: what citizens read there; ``hasta``: when it is expected to end (``avisos.suspend``); ``orden``: the
    transition that whoever asks has in mind, where two lead to the same state.

    Raises:
        EntradaError: it is not registered, or the key that signs notices is not at hand.
        UsoError: there is no such transition, it lacks what it asks for, or permanence is not over.
        FormatoError: a text is not admitted; nothing was signed.
        InstanciaError: another process holds what is signed, or gives another order all that time.
    """
    registro = Registro(workspace)
    with locks.turn(workspace.folder / CANDADO, seconds=TURNO_S):
        arrow = estados.exige(ident, registro.uno(ident).estado, nuevo, mandato, orden=orden)
        if nuevo == "concluido":
            _check_permanence(workspace, mandato)
        notice = None
        if arrow.firma is not None:
            notice = _notice(workspace, ident, arrow.firma, mandato, texto, hasta)
        return Hecho(registro.pasa(ident, nuevo, mandato, aviso=None if notice is None else notice.n), notice)


def admite(workspace: Workspace, ident: str, mandato: Mandato, *, aunque_falte: bool = False) -> Hecho:
    """Admit an applicant whose form is complete; ``aunque_falte``: also one that is not, with the reason (GRO-2.6).

    Raises:
        FindingsError: something is missing; the text lists it.
        EntradaError, UsoError: as ``ordena``; also where the key of the registry is not at hand.
    """
    missing = formulario.faltantes(Registro(workspace).ficha(ident), workspace.convocatoria)
    if missing and not (aunque_falte and mandato.motivo.strip()):
        raise FindingsError(
            f"A la ficha de «{ident}» le falta:\n  " + "\n  ".join(missing),
            intacto=estados.INTACTO,
            que_hacer="Complétela con «difusor cambia», o admítalo con --aunque-falte y --motivo; queda anotado.",
        )
    return ordena(workspace, ident, "admitido", mandato, orden="admite")


def empieza(workspace: Workspace, *, registro: Registro | None = None) -> tuple[Inscrito, ...]:
    """From the start of the publication, have every admitted difusor be active; those that became so now.

    What a person did not note before (``difusor activa``), the hour does: otherwise who never shows anything would
    never be counted. Before the start, and called again, it does nothing.
    """
    if workspace.clock.now() < workspace.convocatoria.inicio:
        return ()
    known = registro or Registro(workspace)
    order = Mandato(quien="programa", motivo="Llegó la hora de inicio de la publicación")
    return tuple(known.pasa(one.id, "activo", order) for one in known.todos() if one.estado == "admitido")


def _notice(
    workspace: Workspace, ident: str, firma: Firma, mandato: Mandato, texto: str | None, hasta: datetime | None
) -> Aviso | None:
    """The notice of the order: the one in force if it says the same, else a new one.

    A reinstatement of who was never suspended by a signature needs none: its portal was not covered.
    """
    current = avisos.in_force(workspace.repository(), ident)
    if current is not None and current.tipo == firma:
        return current
    order = avisos.Orden(mandato.motivo, mandato.operador or "pregon")
    words = texto or _TEXTOS[firma]
    if firma == "reinstalacion":
        return current and avisos.reinstate(workspace, ident, order, texto=words, sin_registro=True)
    return avisos.suspend(
        workspace, ident, order, texto=words, ataque=firma == "ataque", hasta=hasta, sin_registro=True
    )


def _check_permanence(workspace: Workspace, mandato: Mandato) -> None:
    until = workspace.convocatoria.permanencia_hasta
    over = until is not None and workspace.clock.now() > until
    if over or (mandato.quien == "operador" and mandato.motivo.strip()):
        return
    raise UsoError(
        "La permanencia no ha terminado."
        if until is not None
        else "La convocatoria no dice hasta cuándo es la permanencia: lo decide una persona.",
        intacto=estados.INTACTO,
        que_hacer="Espere a que termine, o ordénelo con --motivo y --operador.",
    )
