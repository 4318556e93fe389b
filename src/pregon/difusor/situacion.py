"""Everything that ``decide`` needs to know, gathered from the profile and from our memory. Nothing outside is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pregon.difusor import pointer
from pregon.difusor.avisos import reason
from pregon.difusor.decide import CorteListo, Situacion, Tiempos
from pregon.difusor.interrupcion import Periodos

if TYPE_CHECKING:
    from datetime import datetime

    from pregon.difusor.libro import Libro
    from pregon.difusor.workspace import Workspace


def situation_of(workspace: Workspace, libro: Libro, now: datetime) -> Situacion:
    """Everything that ``decide`` needs to know at ``now``, from the profile and from our memory."""
    call, reading, newest = workspace.convocatoria, libro.reloj, libro.ultimo()
    rule, interruption = Periodos.of(call) if workspace.firmado else None, libro.interrupcion
    limit = workspace.settings.reloj.max_desfase_s
    public = pointer.read(workspace)
    return Situacion(
        now=now,
        tiempos=Tiempos(call.inicio, call.permanencia_hasta, call.proximo_margen_s),
        reloj_fiable=reading is not None and reading.fiable(now=now, max_desfase_s=limit),
        testigo=libro.testigo,
        corte=None if newest is None else CorteListo(newest.corte, newest.ultimo, newest.proximo),
        # The page aviso too: only a suspension after the start shows it.
        ya_publico=libro.publicado is not None
        or public == pointer.AVISO
        or pointer.release_number(public or "") is not None,
        suspendido=interruption is not None,
        causa=reason(interruption),
        vence=None if rule is None else rule.runs_out(libro.testigo, newest),
    )
