"""``pregon instituto revisa``: whether the night can begin (INE-VI-a-ii-1). All is tried, so that nothing is assumed.

It delivers what is signed, waits for the acuses, looks at each portal, and makes a whole cut of yesterday's files with
keys that are thrown away. The only thing that it signs is the dry cut, and only when it is given its files.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pregon.base.clock import SystemClock
from pregon.instituto.opera import revisa_equipo, revisa_gente, revisa_nodos
from pregon.instituto.opera.ensayo import corte_en_seco
from pregon.instituto.opera.revisa_nodos import ESPERA_S
from pregon.instituto.opera.turno import Turno

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pregon.base.clock import Clock
    from pregon.convocatoria.comprobacion import Comprobacion
    from pregon.instituto.workspace import Workspace


@dataclass(frozen=True)
class Encargo:
    """What is looked at with. ``ayer``: acta files of a rehearsal; ``en_seco``: those of the dry cut, to be signed now.

    ``espera_s``: how long the acuses of the newest cut are waited for.
    """

    ayer: tuple[Path, ...] = ()
    en_seco: tuple[Path, ...] = ()
    espera_s: float = ESPERA_S


def revisa(
    workspace: Workspace, encargo: Encargo, environment: Mapping[str, str], *, real: Clock | None = None
) -> list[Comprobacion]:
    """Every check, those of this machine first. What fails is a check that says so.

    Raises:
        UsoError, FindingsError: ``en_seco`` cannot be what it should be; nothing was signed.
        EntradaError, DiscoError: the workspace itself cannot be read.
    """
    watch = real or SystemClock()
    if encargo.en_seco:
        corte_en_seco(workspace, encargo.en_seco)
    found = revisa_equipo.todo(workspace, encargo.ayer, environment)
    if any(one.codigo == revisa_equipo.ESTADO and one.estado == "falla" for one in found):
        return found  # Neither the registry nor the acuses can be read, and nothing may be delivered.
    found += revisa_nodos.alcanzados(workspace, environment)
    signed = Turno(workspace, environment, threading.Event()).firmas()
    found += revisa_nodos.en_seco(workspace, signed, environment, espera_s=encargo.espera_s, real=watch)
    found.append(revisa_nodos.puntos(workspace))
    found += revisa_nodos.portales(workspace, signed, environment, real=watch)
    found += revisa_gente.todo(workspace, environment)
    return found
