"""What the whole preflight says together: the minimums of the call, and whether one was kept. And how it is kept.

GRO-1.5a GRO-4.0 GRO-4.2 DGO-I-5 MOR-I-6 MOR-A2-6 MEX-I-6 MEX-III-1 MEX-A1-6 INE-I-d-1 INE-IV-c.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pregon import __version__
from pregon.convocatoria.comprobacion import Comprobacion, clausula_de, peor
from pregon.difusor.cumplimiento.declaraciones import CARPETA, REVISION, REVISIONES
from pregon.difusor.cumplimiento.registros import lee_revision

if TYPE_CHECKING:
    from collections.abc import Sequence
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
_MEDIDO = re.compile(r" \(medido el (\d{4}-\d{2}-\d{2} \d{2}:\d{2}) UTC\)\Z")


def con_lo_medido(workspace: Workspace, hechas: Sequence[Comprobacion], ahora: datetime) -> list[Comprobacion]:
    """The same, where what nobody measured this time says what the last kept one measured, and when.

    A transfer of 550 MB or a look from outside is not repeated each time; what it found, good or bad, stands while it
    ``VALE`` and the minimum is the same.
    """
    kept = lee_revision(workspace.folder)
    before = {} if kept is None else {one["codigo"]: one for one in kept.comprobaciones if one["estado"] != "aviso"}
    found = []
    for one in hechas:
        known = before.get(one.codigo)
        if kept is None or known is None or one.medida or one.estado != "aviso" or known["minimo"] != one.minimo:
            found.append(one)
            continue
        told, when = str(known["medido"]), kept.hora
        if (dated := _MEDIDO.search(told)) is None:
            told += f" (medido el {when.astimezone(UTC):%Y-%m-%d %H:%M} UTC)"
        else:
            when = datetime.strptime(dated[1], "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
        fresh = timedelta() <= ahora - when <= VALE
        found.append(replace(one, medido=told, estado=known["estado"], arreglo=known["arreglo"]) if fresh else one)
    return found


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
    """Write ``cumplimiento/revision.json`` whole or not at all, and the same by its hour in ``revisiones/``; the path.

    Those of before stay there: each proves how the machine was on its day.

    Raises:
        EscrituraError, DiscoError: it cannot be written; the one of before stays.
    """
    folder = workspace.folder / CARPETA
    disk.make_folder(folder / REVISIONES, mode=0o700)
    path = folder / REVISION
    data = {
        "hora": ahora.isoformat(),
        "version": __version__,
        "comprobaciones": [one.as_dict() for one in hechas],
    }
    raw = (json.dumps(data, ensure_ascii=False, indent=2) + "\n").encode()
    disk.write(folder / REVISIONES / f"{ahora.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}.json", raw, mode=0o600)
    disk.write(path, raw, mode=0o600)
    return path
