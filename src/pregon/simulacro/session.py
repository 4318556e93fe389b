"""One simulacro from request to result: plan, temporary folder, leader, clean-up."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast, get_args

from pregon.base.durable import Disk
from pregon.base.errors import UsoError
from pregon.instituto.autorizaciones import load
from pregon.simulacro.night import Carrier, Leader, Night
from pregon.simulacro.prepare import real_night, synthetic_night

if TYPE_CHECKING:
    from collections.abc import Callable

    from pregon.simulacro.result import NightResult


@dataclass(frozen=True)
class Request:
    """What was asked for: as the options of ``pregon simulacro`` (design §4)."""

    convocatoria: str | None
    noche: Path | None
    cortes: int | None
    difusores: int
    acelerar: float
    semilla: int
    transporte: Carrier
    autorizaciones: Path | None = None


def carrier_named(name: str) -> Carrier:
    """The carrier of that name.

    Raises:
        UsoError: there is none.
    """
    known = get_args(Carrier)
    if name not in known:
        raise UsoError(
            f"No existe el transporte «{name}».",
            intacto="No se creó nada.",
            que_hacer=f"Use uno de: {', '.join(known)}.",
        )
    return cast("Carrier", name)


def run(
    request: Request,
    *,
    say: Callable[[str], None],
    ready: Callable[[str], None],
    hold: Callable[[], None] | None = None,
) -> NightResult:
    """Run the night in a temporary folder. ``ready`` gets each portal's URL; ``hold`` keeps everything serving.

    The folder is removed where everything held; otherwise it stays for whoever investigates, and ``say`` tells where.

    Raises:
        PregonError: the night could not be prepared, its authorisations cannot be read, or a process failed.
    """
    if request.autorizaciones is not None:
        load(request.autorizaciones)
    disk = Disk()
    folder = Path(tempfile.mkdtemp(prefix="pregon-simulacro-"))
    keep = True
    try:
        if request.noche is None:
            profile, plan = synthetic_night(
                folder / "fuentes",
                convocatoria=request.convocatoria,
                cortes=request.cortes,
                semilla=request.semilla,
                disk=disk,
            )
        else:
            profile, plan = real_night(request.noche, convocatoria=request.convocatoria, cortes=request.cortes)
        say(f"{profile.nombre}: {len(plan.cortes)} cortes, {request.difusores} difusores, x{request.acelerar:g}")
        night = Night(
            convocatoria=profile,
            plan=plan,
            difusores=request.difusores,
            acelerar=request.acelerar,
            semilla=request.semilla,
            transporte=request.transporte,
            autorizaciones=None if request.autorizaciones is None else request.autorizaciones.read_bytes(),
        )
        with Leader(night, folder, say=say, disk=disk).run() as result:
            keep = not result.ok
            for difusor in result.difusores:
                ready(difusor.url)
            if hold is not None:
                hold()
            return result
    finally:
        if keep:
            say(f"Los archivos del simulacro quedan en {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
