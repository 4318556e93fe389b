"""The institute's notices: suspend a difusor, take one out that was attacked, reinstate it, announce a delay.

Each is signed with the key of the role avisos, added to ``repositorio/`` and written in the journal. It reaches the
difusores with the next delivery; the ones that read by themselves see it in their next look.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pregon.base.errors import EntradaError, UsoError
from pregon.instituto.firma import sign_notice
from pregon.paquete.manifest import parse_manifest
from pregon.trust.aviso import TODOS, Aviso, parse_aviso

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from pregon.instituto.workspace import Workspace
    from pregon.trust.repositorio import Repository

INTACTO = "No se firmó ningún aviso; el repositorio sigue como estaba."


@dataclass(frozen=True)
class Orden:
    """Who orders a notice and why. ``operador``: the person; ``motivo``: the reason, for the record."""

    motivo: str
    operador: str


def suspend(
    workspace: Workspace,
    difusor: str,
    orden: Orden,
    *,
    texto: str,
    ataque: bool = False,
    hasta: datetime | None = None,
    sin_registro: bool = False,
) -> Aviso:
    """Sign that ``difusor`` must not show results; with ``ataque``, that it is no valid difusor any more (MEX-I-13).

    Args:
        texto: what citizens read there.
        hasta: when the institute expects it to end; it ends only by ``reinstate``.
        sin_registro: although no ``[[destino]]`` of the settings is its own.

    Raises:
        EntradaError: no such difusor is registered, or the key is not at hand; nothing was signed.
        FormatoError: a text is not admitted; nothing was signed.
        InstanciaError: another process holds the workspace.
    """
    _check_registered(workspace, difusor, sin_registro=sin_registro)
    tipo: Literal["ataque", "suspension"] = "ataque" if ataque else "suspension"
    with workspace.signing() as repository:
        now = workspace.clock.now()
        notice = Aviso(repository.next_notice(), tipo, (difusor,), orden.motivo, texto, now, hasta)
        return _publish(workspace, repository, notice, orden.operador)


def reinstate(
    workspace: Workspace, difusor: str, orden: Orden, *, texto: str | None = None, sin_registro: bool = False
) -> Aviso:
    """Sign that ``difusor`` may show results again, once it has the newest cut.

    Raises:
        UsoError: no signed notice suspends it; nothing was signed.
        EntradaError, FormatoError, InstanciaError: as ``suspend``.
    """
    _check_registered(workspace, difusor, sin_registro=sin_registro)
    with workspace.signing() as repository:
        if not _suspended(repository, difusor):
            raise UsoError(
                f"Ningún aviso firmado suspende al difusor «{difusor}».",
                intacto=INTACTO,
                que_hacer="Revise el identificador; si el difusor se interrumpió solo, vuelve con el siguiente corte.",
            )
        now = workspace.clock.now()
        words = texto or "El instituto autoriza a este sitio a mostrar de nuevo los resultados."
        notice = Aviso(repository.next_notice(), "reinstalacion", (difusor,), orden.motivo, words, now)
        return _publish(workspace, repository, notice, orden.operador)


def announce_delay(
    workspace: Workspace, orden: Orden, *, texto: str, corte: int | None = None, hasta: datetime | None = None
) -> Aviso:
    """Sign, for every difusor, that the institute is late: their portals say it and keep the cut that they have.

    Args:
        corte: the cut that is late; the notice ends with it. Without it, with the next that is signed.
        hasta: when it ends in any case.

    Raises:
        UsoError: that cut is signed already, or the last one is: no other would end the notice. Nothing was signed.
        EntradaError, FormatoError, InstanciaError: as ``suspend``.
    """
    with workspace.signing() as repository:
        cuts = repository.cuts()
        if corte is not None and cuts and corte <= cuts[-1].corte:
            raise UsoError(
                f"El corte {corte:04d} ya está firmado: no puede anunciarse como retrasado.",
                intacto=INTACTO,
                que_hacer=f"El siguiente es el {cuts[-1].corte + 1:04d}; sin --corte se entiende el siguiente.",
            )
        last = repository.last_manifest()
        if last is not None and parse_manifest(last).ultimo:
            raise UsoError(
                "La publicación ya cerró: ningún corte puede retrasarse.",
                intacto=INTACTO,
                que_hacer="Si lo que falta es que un difusor muestre el corte de cierre, «pregon instituto entrega».",
            )
        now = workspace.clock.now()
        notice = Aviso(repository.next_notice(), "retraso", (TODOS,), orden.motivo, texto, now, hasta, corte)
        return _publish(workspace, repository, notice, orden.operador)


def _publish(workspace: Workspace, repository: Repository, notice: Aviso, operador: str) -> Aviso:
    number = sign_notice(workspace, repository, notice.to_bytes())
    workspace.state().record(
        "aviso",
        n=number,
        clase=notice.tipo,
        difusores=list(notice.difusores),
        motivo=notice.motivo,
        texto=notice.texto,
        operador=operador,
    )
    return notice


def _check_registered(workspace: Workspace, difusor: str, *, sin_registro: bool) -> None:
    if sin_registro or any(one.difusor == difusor for one in workspace.settings.destino):
        return
    raise EntradaError(
        f"No está registrado el difusor «{difusor}».",
        intacto=INTACTO,
        que_hacer="Revise las tablas [[destino]] de instituto.toml, o agregue --sin-registro si de verdad no está ahí.",
    )


def in_force(repository: Repository, difusor: str) -> Aviso | None:
    """The last signed notice that is about ``difusor`` alone: what its own verifier obeys; None where there is none."""
    return last_order((parse_aviso(data, n=number) for number, data in repository.notices()), difusor)


def last_order(avisos: Iterable[Aviso], difusor: str) -> Aviso | None:
    """As ``in_force``, of notices that were read already, by number."""
    last = None
    for notice in avisos:
        if notice.tipo != "retraso" and notice.names(difusor):
            last = notice
    return last


def _suspended(repository: Repository, difusor: str) -> bool:
    """Whether a signed notice suspends ``difusor``, by the numbers."""
    last = in_force(repository, difusor)
    return last is not None and last.tipo != "reinstalacion"
