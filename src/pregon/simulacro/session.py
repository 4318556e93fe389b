"""One simulacro from request to result: plan, temporary folder, leader, clean-up."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast, get_args

from pregon.base.durable import Disk
from pregon.base.errors import UsoError
from pregon.convocatoria.perfiles import load as load_profile
from pregon.instituto.autorizaciones import load
from pregon.simulacro import portadores
from pregon.simulacro.fallas import postgres
from pregon.simulacro.fallas.noche import LeaderConFallas
from pregon.simulacro.fallas.plan import cortes_para_todas, resuelve, todas
from pregon.simulacro.fallas.plan import lee as lee_fallas
from pregon.simulacro.grabacion import Grabacion, lee
from pregon.simulacro.night import Carrier, Leader, Night
from pregon.simulacro.notas import informe
from pregon.simulacro.prepare import DEFAULT_CONVOCATORIA, DEFAULT_CUTS, real_night, synthetic_night

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pregon.convocatoria.secciones import Simulacro
    from pregon.simulacro.fallas.plan import Falla, PlanFallas
    from pregon.simulacro.result import NightResult
    from pregon.simulacro.vivo.servicio import Vista


@dataclass(frozen=True)
class Request:
    """What was asked for: as the options of ``pregon simulacro`` (design §4).

    ``grabada``: a recorded night, in place of ``noche``; ``inicio``: when it starts now, None for when it did.
    ``fallas``: a plan of faults, or one of each kind. ``informe``: the folder, still to be made, of the signed report.
    ``vivo``: the port of the live view (0: a free one), None for none. ``siguen``: another night comes to it
    after this one.
    """

    convocatoria: str | None
    noche: Path | None
    cortes: int | None
    difusores: int
    acelerar: float
    semilla: int
    transporte: Carrier
    autorizaciones: Path | None = None
    grabada: Path | None = None
    inicio: datetime | None = None
    fallas: Path | Literal["todas"] | None = None
    informe: Path | None = None
    vivo: int | None = None
    siguen: bool = False

    @property
    def calificada(self) -> bool:
        """Whether the night gets marks."""
        return self.fallas is not None or self.informe is not None


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


def check_carriers(convocatorias: Sequence[str | None], difusores: int) -> None:
    """Refuse calls whose own carrier this machine cannot rehearse; None is the one that goes without saying.

    Raises:
        EntradaError, AjustesError: as ``portadores.comprueba``.
    """
    portadores.comprueba([load_profile(one or DEFAULT_CONVOCATORIA) for one in convocatorias], difusores=difusores)


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
        PregonError: the night could not be prepared, its authorisations cannot be read, a port cannot be opened, or a
            process failed.
    """
    if request.autorizaciones is not None:
        load(request.autorizaciones)
    disk = Disk()
    request, faults = _with_faults(request)
    view = _view(request)
    folder = Path(tempfile.mkdtemp(prefix="pregon-simulacro-"))
    keep = False
    try:
        source, officials = _source(request, folder / "fuentes", disk)
        profile, plan = source.convocatoria, source.plan
        pace = request.acelerar
        if request.transporte == "convocatoria":
            portadores.comprueba([profile], difusores=request.difusores)
            pace = min(pace, portadores.ritmo_maximo(profile, request.difusores))
        say(f"{profile.nombre}: {len(plan.cortes)} cortes, {request.difusores} difusores, x{pace:g}")
        night = Night(
            convocatoria=profile,
            plan=plan,
            difusores=request.difusores,
            acelerar=pace,
            semilla=request.semilla,
            transporte=request.transporte,
            autorizaciones=source.autorizaciones,
            marco=None if view is None else view.origen,
        )
        leader = Leader(night, folder, say=say, disk=disk)
        placed = _placed(faults, request, source) if request.calificada else ()
        if request.calificada:
            leader = LeaderConFallas(night, placed, folder, say=say, disk=disk, simulacros=officials)
        keep = True
        with contextlib.ExitStack() as stack:
            if view is not None:
                view.escribe(folder, source, placed, request, abierta=hold is not None, disk=disk)
                stack.enter_context(view.atendida(folder))
                say(f"En vivo: {view.url}")
            result = stack.enter_context(leader.run())
            if request.informe is not None:
                made = informe.escribe(
                    result, profile, folder / "instituto", request.informe, hecho=datetime.now(UTC), disk=disk
                )
                say(f"Informe firmado en {request.informe}; SHA-256 de {informe.JSON}: {made}")
            keep = not result.ok
            if view is not None:
                view.concluye(folder, result, disk=disk)
            for difusor in result.difusores:
                ready(difusor.url)
            if hold is not None:
                hold()
            return result
    except KeyboardInterrupt:
        keep = False  # Whoever ends a night half way has nothing to look for in its files.
        raise
    finally:
        if keep:
            say(f"Los archivos del simulacro quedan en {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def _view(request: Request) -> Vista | None:
    """The live view that was asked for, on a port that can be opened; None where nobody looks.

    Raises:
        AjustesError: it cannot be opened.
    """
    if request.vivo is None:
        return None
    from pregon.simulacro.vivo.servicio import Vista  # It brings a web server; most rehearsals have no view.

    return Vista.en(request.vivo)


def _with_faults(request: Request) -> tuple[Request, PlanFallas | None]:
    """The request with room for its faults, and the plan of faults that it names; nothing is made yet.

    Raises:
        UsoError: another carrier was asked for: under faults, each difusor has a messenger of ours.
        EntradaError, AjustesError, EscrituraError: the plan cannot be read, or the report not be written, or what two
            machines of an institute share is not installed.
    """
    if not request.calificada:
        return request, None
    if request.transporte != "entrada":
        raise UsoError(
            f"Una noche con fallas o con informe se entrega en «entrada», y no por «{request.transporte}».",
            intacto="No se creó nada.",
            que_hacer="Quite --transporte.",
        )
    if request.informe is not None:
        informe.exige(request.informe)
    faults = lee_fallas(request.fallas) if isinstance(request.fallas, Path) else None
    if request.fallas == "todas" or (faults and any(one.clase == "instituto_relevado" for one in faults.falla)):
        postgres.exige()
    synthetic = request.noche is None and request.grabada is None
    if request.fallas == "todas" and request.cortes is None and synthetic:
        request = replace(request, cortes=max(DEFAULT_CUTS, cortes_para_todas(request.difusores)))
    return request, faults


def _placed(faults: PlanFallas | None, request: Request, source: Grabacion) -> tuple[Falla, ...]:
    """The faults of this night, each with its target."""
    cuts, interval = len(source.plan.cortes), source.convocatoria.intervalo_min
    if request.fallas == "todas":
        return todas(difusores=request.difusores, cortes=cuts, semilla=request.semilla, intervalo_min=interval)
    if faults is None:
        return ()
    return resuelve(faults, difusores=request.difusores, cortes=cuts, semilla=request.semilla, intervalo_min=interval)


def _source(request: Request, folder: Path, disk: Disk) -> tuple[Grabacion, tuple[Simulacro, ...]]:
    """The night asked for, its files in ``folder`` where they are made or come out of a recording; official days."""
    if request.grabada is not None:
        recorded = lee(request.grabada, folder, disk=disk).primeros(request.cortes)
        if request.autorizaciones is not None:
            recorded = replace(recorded, autorizaciones=request.autorizaciones.read_bytes())
        # The night moves to another day; the official simulacros of its call do not.
        days = recorded.convocatoria.simulacros
        return (recorded if request.inicio is None else recorded.desde(request.inicio)), days
    given = None if request.autorizaciones is None else request.autorizaciones.read_bytes()
    if request.noche is not None:
        night = real_night(request.noche, convocatoria=request.convocatoria, cortes=request.cortes)
    else:
        night = synthetic_night(
            folder, convocatoria=request.convocatoria, cortes=request.cortes, semilla=request.semilla, disk=disk
        )
    return Grabacion(*night, given), night[0].simulacros
