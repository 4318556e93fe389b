"""What is true of a night, read from the record of its faults alone: what the verdicts and the count are judged by.

Nothing of the watch or of the due process is imported here, and nothing of what the fleet shows: two readings of one
record, made apart, must agree. GRO-3.3a is the rule that is read: three updates one after another.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pregon.simulacro.flota.fallas import Corte, Falla, Guion

Estado: TypeAlias = Literal["bien", "inaccesible", "atrasado", "alterado", "a_medias", "no_se_sabe"]
"""How a difusor is for its citizens, as far as the points that have a network can know.

``a_medias``: an old copy on the way to some, the newest for others: counted against nobody, and for nobody.
"""
Cierre: TypeAlias = Literal["cumplio", "fallo", "no_cuenta"]
TESTIGOS = 2
"""Points that must agree on a silence, where there are so many: one alone cannot tell it from its own broken way."""


SILENCIO = 3
"""Slots without a cut of the institute after which a notice on a portal is right."""


def estado(guion: Guion, difusor: str, hora: datetime) -> Estado:
    """How it is at that instant."""
    awake = _awake(guion, hora)
    if not awake:
        return "no_se_sabe"
    fault = guion.activa(difusor, hora)
    return "bien" if fault is None else _of(guion, fault, hora, awake)


def _awake(guion: Guion, hora: datetime) -> list[str]:
    return [punto for punto in guion.puntos if guion.con_red(punto, hora)]


def _of(guion: Guion, fault: Falla, hora: datetime, awake: list[str]) -> Estado:
    match fault.clase:
        case "muerto" | "mudo" | "reinicio" | "intermitente":
            return "inaccesible" if len(awake) >= min(TESTIGOS, len(guion.puntos)) else "no_se_sabe"
        case "lento":
            return "bien"
        case "tls":
            return "inaccesible"
        case "camino":
            return "bien" if set(awake) != {fault.punto} else "no_se_sabe"
        case "viejo" | "autoinforme":
            return _lag(guion, hora, guion.vigente(fault.desde, demora_s=guion.demoras_s[fault.difusor]))
        case "espera":
            return _lag(guion, hora, None)
        case "aviso":
            return "bien" if _silent(guion, hora) else _lag(guion, hora, None)
        case "cdn":
            if fault.punto not in awake:
                return "bien"
            seen = guion.vigente(hora, demora_s=guion.demoras_s[fault.difusor])
            older = None if seen is None or seen.numero == 1 else guion.cortes[seen.numero - 2]
            late = _lag(guion, hora, older)
            return "a_medias" if late == "atrasado" and len(awake) > 1 else late
        case "alterado":
            shown = hora >= guion.reloj.inicio and guion.vigente(hora, demora_s=guion.demoras_s[fault.difusor])
            return "alterado" if shown else "bien"
        case "anticipado" | "ajeno":
            return "alterado"


def _lag(guion: Guion, hora: datetime, shown: Corte | None) -> Estado:
    """Behind only where a newer cut was signed so long ago that there is no time left to show it."""
    due = guion.vigente(hora, demora_s=guion.reloj.tolerancia_s)
    late = due is not None and hora >= guion.reloj.inicio and (shown is None or shown.numero < due.numero)
    return "atrasado" if late else "bien"


def _silent(guion: Guion, hora: datetime) -> bool:
    """Whether the institute said nothing for so long that whoever shows a notice does as it must (GRO-3.3b).

    When it speaks again, there is the usual time to show what it says.
    """
    heard = [guion.reloj.inicio, *(cut.firmado for cut in guion.cortes if cut.firmado <= hora)]
    silence = timedelta(seconds=SILENCIO * guion.reloj.intervalo_s)
    if hora - heard[-1] >= silence:
        return True
    broken = len(heard) > 1 and heard[-1] - heard[-2] >= silence
    return broken and hora < heard[-1] + timedelta(seconds=guion.reloj.tolerancia_s)


def cierre(guion: Guion, difusor: str, periodo: int) -> Cierre:
    """How one slot ended for it: by the last look at which it was known how it was, once its time had run out."""
    late, clock = guion.firmas[periodo], guion.reloj
    if late is None or clock.intervalo_s - late < clock.tolerancia_s:
        return "no_cuenta"
    signed = clock.vence(periodo) + timedelta(seconds=late)
    due = signed + timedelta(seconds=clock.tolerancia_s)
    for hora in reversed(_looks(guion, signed, periodo)):
        now = estado(guion, difusor, hora)
        if hora >= due and now != "no_se_sabe":
            return _ENDS.get(now, "fallo")
        if hora < due and now == "bien" and _shows(guion, difusor, hora, periodo):
            return "cumplio"
    return "no_cuenta"


_ENDS: Mapping[Estado, Cierre] = {"bien": "cumplio", "a_medias": "no_cuenta"}


def _shows(guion: Guion, difusor: str, hora: datetime, periodo: int) -> bool:
    """Whether some point that has a network saw the cut of that slot then."""
    fault, own = guion.activa(difusor, hora), guion.demoras_s[difusor]
    cut = guion.vigente(hora, demora_s=own)
    if fault is not None and fault.clase in ("viejo", "autoinforme"):
        cut = guion.vigente(fault.desde, demora_s=own)
    if fault is not None and fault.clase in ("espera", "aviso"):
        return False
    if fault is not None and fault.clase == "cdn" and _awake(guion, hora) == [fault.punto]:
        return False
    return cut is not None and cut.periodo == periodo


def _looks(guion: Guion, desde: datetime, periodo: int) -> list[datetime]:
    """Those from an instant of a slot until its end."""
    return [hora for hora in guion.reloj.rondas if desde <= hora < guion.reloj.vence(periodo + 1)]


def _altered(guion: Guion, difusor: str, periodo: int) -> bool:
    """Whether other figures than the institute's were seen once the time of a failed slot had run out."""
    clock = guion.reloj
    due = clock.vence(periodo) + timedelta(seconds=(guion.firmas[periodo] or 0) + clock.tolerancia_s)
    return any(estado(guion, difusor, hora) == "alterado" for hora in _looks(guion, due, periodo))


def suspensiones(guion: Guion, *, fallos: int = 3, graves: bool = False) -> Mapping[str, int]:
    """Who is to be suspended, and at the end of which slot: the first time that it failed ``fallos`` in a row.

    A slot that counts for nobody neither adds nor forgives. ``graves``: altered figures once are enough, where the call
    speaks of any breach (MEX-I-12, MOR-I-12, DGO-I-12).
    """
    found: dict[str, int] = {}
    for name in guion.difusores:
        row = 0
        for slot in range(guion.reloj.periodos):
            end = cierre(guion, name, slot)
            row = 0 if end == "cumplio" else row + (end == "fallo")
            if row == fallos or (graves and end == "fallo" and _altered(guion, name, slot)):
                found[name] = slot
                break
    return found
