"""From a difusor's settings to the measures of its logs: what the commands of ``pregon memoria`` share."""

from __future__ import annotations

import re
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from pregon.bitacoras.cuenta import Cuenta
    from pregon.bitacoras.formatos import Formato
    from pregon.bitacoras.lectura import Fuente
    from pregon.bitacoras.maestro import Maestro
    from pregon.bitacoras.medidas import Medidas
    from pregon.difusor.workspace import Workspace

INTACTO = "No se midió nada."


class Plan(NamedTuple):
    """What is read and how it is divided. ``fuentes`` may be none."""

    sitios: tuple[str, ...]
    fuentes: tuple[Fuente, ...]
    zona: ZoneInfo
    eleccion: tuple[date, date] | None
    base: tuple[date, date] | None
    contiendas: tuple[str, ...]
    geoip: Path | None


def measured(plan: Plan, now: datetime) -> Medidas:
    """Read the logs and measure them. Raises as ``measuring``."""
    with measuring(plan, now) as (_, found):
        return found


@contextmanager
def measuring(plan: Plan, now: datetime, **more: Any) -> Iterator[tuple[Cuenta, Medidas]]:
    """Read the logs and measure them; while it is open the tables of the run are there. ``more``: of its ``Corrida``.

    Raises:
        EntradaError, FormatoError: a log, or the file of places, cannot be read.
        UsoError: the days of the election and the ordinary ones overlap.
        AjustesError, ComprobacionError: the engine is not installed, or failed.
    """
    from pregon.bitacoras.cuenta import CONTIENDAS, Corrida, open_run
    from pregon.bitacoras.lugares import open_places
    from pregon.bitacoras.resumen import summarise
    from pregon.bitacoras.ventanas import windows

    spans = windows(len(plan.sitios), {"base": plan.base, "eleccion": plan.eleccion}, plan.zona)
    with ExitStack() as stack:
        places = None if plan.geoip is None else stack.enter_context(open_places(plan.geoip))
        races = tuple(dict.fromkeys((*plan.contiendas, *CONTIENDAS)))
        run = stack.enter_context(open_run(Corrida(spans, races, lugar_de=places, **more)))
        run.take(plan.fuentes)
        yield run, summarise(run, sitios=plan.sitios, zona=plan.zona, now=now)


def measured_by_spark(plan: Plan, maestro: Maestro, now: datetime) -> Medidas:
    """Have Spark read the logs and measure them.

    Raises:
        UsoError: a format that is not measured so. AjustesError: Spark is not installed or does not answer.
        ComprobacionError: it could not read them, or failed.
    """
    from pregon.bitacoras.cuenta import CONTIENDAS, Corrida
    from pregon.bitacoras.formatos import COMBINADO
    from pregon.bitacoras.lugares import open_places
    from pregon.bitacoras.reparto import open_run
    from pregon.bitacoras.resumen import summarise
    from pregon.bitacoras.ventanas import windows

    spans = windows(len(plan.sitios), {"base": plan.base, "eleccion": plan.eleccion}, plan.zona)
    with ExitStack() as stack:
        places = None if plan.geoip is None else stack.enter_context(open_places(plan.geoip))
        races = tuple(dict.fromkeys((*plan.contiendas, *CONTIENDAS)))
        run = stack.enter_context(open_run(maestro, Corrida(spans, races, lugar_de=places)))
        sets: dict[tuple[int, Formato], list[str]] = {}
        for one in plan.fuentes:
            sets.setdefault((one.sitio, one.formato or COMBINADO), []).append(as_uri(one.ruta))
        for (site, formato), rutas in sets.items():
            run.take(rutas, formato, sitio=site)
        return summarise(run, sitios=plan.sitios, zona=plan.zona, now=now)


def as_uri(path: Path | str) -> str:
    """A path as Spark names it: what is an address of a store stays one, and loses no slash on its way."""
    return re.sub(r"^([a-z0-9]{2,8}):/+", r"\1://", str(path))


def of_workspace(workspace: Workspace) -> Plan:
    """The logs of a difusor: those of its settings, or of its own web server where they name none of the PREP.

    Raises:
        EntradaError: a pattern of its settings names no file.
    """
    from pregon.bitacoras.ajustes import SITIOS, files_of
    from pregon.bitacoras.lectura import Fuente
    from pregon.difusor.memoria.noche import dias_pedidos
    from pregon.difusor.servidor.bitacora import log_files

    settings, call = workspace.settings, workspace.convocatoria
    fuentes = [
        Fuente(path, SITIOS.index(one.sitio), one.leido(), one.reenvio)
        for one in settings.bitacora
        for path in files_of(one.archivos, workspace.folder)
    ]
    if all(one.sitio != "prep" for one in settings.bitacora):
        fuentes += [Fuente(path, SITIOS.index("prep")) for path in log_files(workspace.servidor)]
    chosen = settings.memoria
    first, last = chosen.eleccion_desde, chosen.eleccion_hasta
    days = dias_pedidos(call) if first is None or last is None else (first, last)
    base = None if chosen.base_desde is None or chosen.base_hasta is None else (chosen.base_desde, chosen.base_hasta)
    geoip = None if chosen.geoip is None else workspace.folder / chosen.geoip
    return Plan(SITIOS, tuple(fuentes), call.zona, days, base, call.contiendas, geoip)
