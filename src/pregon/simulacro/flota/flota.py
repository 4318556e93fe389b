"""How the fleet looks from outside: what one difusor shows to one vantage point at one instant. Pure.

The servers of the real night (``servidor``) and the observations made without them (``mirada``) both ask here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from datetime import datetime

    from pregon.simulacro.flota.fallas import Guion

Trato: TypeAlias = Literal["responde", "calla", "espera", "tarda", "sin_tls"]
"""How who asks is treated: answered, refused, left without an answer, answered late, or shown a false certificate."""
Portada: TypeAlias = Literal["resultados", "espera", "aviso"]


@dataclass(frozen=True, kw_only=True)
class Aspecto:
    """What is shown. ``corte``: of the results; ``ajeno``: they are not the institute's. ``alterada``: a path of it."""

    trato: Trato = "responde"
    portada: Portada = "resultados"
    corte: int | None = None
    alterada: str | None = None
    ajeno: bool = False


def reporta(guion: Guion, difusor: str, hora: datetime) -> int | None:
    """The cut that its own reports say is visible at ``hora``: what it shows, and the newest where it lies."""
    fault = guion.activa(difusor, hora)
    newest = guion.vigente(hora, demora_s=guion.demoras_s[difusor])
    if fault is not None and fault.clase not in ("autoinforme", "camino", "cdn", "alterado", "ajeno"):
        newest = guion.vigente(fault.desde, demora_s=guion.demoras_s[difusor])
    return None if newest is None else newest.numero


def aspecto(guion: Guion, difusor: str, punto: str, hora: datetime) -> Aspecto:  # noqa: C901 (a table of the classes)
    """What ``difusor`` shows to ``punto`` at ``hora``.

    ``punto``: one of the night's; any other name is somebody of whom the record says nothing.
    """
    own = guion.demoras_s[difusor]
    fault = guion.activa(difusor, hora)
    if not guion.con_red(punto, hora):
        return Aspecto(trato="calla")
    newest = guion.vigente(hora, demora_s=own)
    number = None if newest is None or hora < guion.reloj.inicio else newest.numero
    well = Aspecto(portada="espera" if number is None else "resultados", corte=number)
    if fault is None or (fault.punto is not None and fault.punto != punto):
        return well
    match fault.clase:
        case "muerto" | "intermitente" | "reinicio" | "camino":
            return Aspecto(trato="calla")
        case "mudo":
            return Aspecto(trato="espera")
        case "lento":
            return Aspecto(trato="tarda", portada=well.portada, corte=number)
        case "tls":
            return Aspecto(trato="sin_tls", portada=well.portada, corte=number)
        case "viejo" | "autoinforme":
            stuck = guion.vigente(fault.desde, demora_s=own)
            if stuck is None or hora < guion.reloj.inicio:
                return Aspecto(portada="espera")
            return Aspecto(corte=stuck.numero)
        case "cdn":
            return Aspecto(corte=number - 1) if number is not None and number > 1 else Aspecto(portada="espera")
        case "espera":
            return Aspecto(portada="espera")
        case "aviso":
            return Aspecto(portada="aviso")
        case "anticipado":
            return Aspecto(corte=1)
        case "ajeno":
            return Aspecto(corte=(number or 0) + 1, ajeno=True)
        case "alterado":
            if number is None or fault.ruta is None:
                return well
            return Aspecto(corte=number, alterada=fault.ruta.format(corte=number))
