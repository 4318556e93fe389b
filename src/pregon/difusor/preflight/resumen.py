"""What the whole preflight says together: the minimums of the call, and whether one was kept. And how it is kept.

GRO-1.5a GRO-4.0 GRO-4.2 DGO-I-5 MOR-I-6 MOR-A2-6 MEX-I-6 MEX-III-1 MEX-A1-6 INE-I-d-1 INE-IV-c.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

from pregon import __version__
from pregon.difusor.cumplimiento.declaraciones import CARPETA, REVISION
from pregon.difusor.cumplimiento.registros import lee_revision
from pregon.difusor.preflight.comprobacion import Comprobacion, clausula_de, peor

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from pregon.base.durable import Disk
    from pregon.difusor.workspace import Workspace

DE_LA_NOCHE = frozenset(
    {
        "PUNTERO",
        "CAPACIDAD",
        "CERTIFICADO",
        "DISCO",
        "DIRECCION",
        "SIN_COSTO",
        "TZDATA",
        "PORTADOR",
        "REVISION_GUARDADA",
    }
)
"""Checks of how the difusor is today; the others are of what it must have, and they are the minimums."""
VALE = timedelta(days=30)
"""How long a kept one tells of the machine as it is: from a rehearsal to its night."""


def minimos(convocatoria: str, hechas: Sequence[Comprobacion]) -> Comprobacion:
    """MINIMOS: the worst of every minimum that was looked at, and which those are."""
    asked = [one for one in hechas if one.codigo not in DE_LA_NOCHE]
    state = peor(asked)
    bad = [one.codigo for one in asked if one.estado == "falla"]
    unsure = [one.codigo for one in asked if one.estado == "aviso"]
    told = f"{len(asked) - len(bad) - len(unsure)} de {len(asked)} se cumplen"
    told += f"; no alcanzan: {', '.join(bad)}" if bad else ""
    told += f"; por confirmar: {', '.join(unsure)}" if unsure else ""
    if not asked:
        told = "la convocatoria no pide mínimos de equipo ni de red"
    return Comprobacion(
        "MINIMOS",
        clausula_de(convocatoria, "MINIMOS"),
        "El equipo y la red tienen lo mínimo de la convocatoria",
        told,
        "todos",
        state,
        None if state == "bien" else "Atienda cada una; arriba dice cómo.",
    )


def guardada(workspace: Workspace, ahora: datetime, *, se_guarda: bool) -> Comprobacion:
    """REVISION_GUARDADA: that a preflight is kept since the last change of settings; this one, if it is being kept."""
    kept = lee_revision(workspace.folder)
    mend: str | None = "Repita esta orden con --guarda."
    if se_guarda:
        told, state, mend = f"ésta, del {ahora:%Y-%m-%d %H:%M} UTC", "bien", None
    elif kept is None:
        told, state = "ninguna", "aviso"
    else:
        told, state = f"la del {kept.hora:%Y-%m-%d %H:%M} UTC, con Pregón {kept.version}", "bien"
        if kept.version != __version__ or ahora - kept.hora > VALE:
            state = "aviso"
        else:
            mend = None
    return Comprobacion(
        "REVISION_GUARDADA",
        clausula_de(workspace.convocatoria.id, "REVISION_GUARDADA"),
        "Hay una revisión guardada de este equipo",
        told,
        f"una de esta versión, de hace {VALE.days} días o menos",
        "bien" if state == "bien" else "aviso",
        mend,
    )


def guarda(workspace: Workspace, hechas: Sequence[Comprobacion], ahora: datetime, *, disk: Disk) -> Path:
    """Write ``cumplimiento/revision.json`` whole or not at all; the path.

    Raises:
        EscrituraError, DiscoError: it cannot be written; the one of before stays.
    """
    folder = workspace.folder / CARPETA
    disk.make_folder(folder, mode=0o700)
    path = folder / REVISION
    data = {
        "hora": ahora.isoformat(),
        "version": __version__,
        "comprobaciones": [one.as_dict() for one in hechas],
    }
    disk.write(path, (json.dumps(data, ensure_ascii=False, indent=2) + "\n").encode(), mode=0o600)
    return path
