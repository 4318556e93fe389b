"""``bitacoras``: all the measures of an access log of election night, against GoAccess; and three times as large.

Both read the same «combined» file. GoAccess writes its JSON report, with everything that it counts by default. Hits,
bytes, statuses and malformed lines must be equal. The larger log is ours alone: it tells whether the time grows as the
log does, and whether the memory does not.
"""

from __future__ import annotations

import json
import resource
import shutil
from typing import TYPE_CHECKING

from bench.informe import MIB, Limite
from bench.procesos import corre, cronometra
from bench.registros import escribe

if TYPE_CHECKING:
    from pathlib import Path

    from bench.informe import Informe

LINEAS = 10_000_000
VECES = 3
PAR = Limite(maximo=0.2)
MEMORIA = Limite(maximo=1024)
LINEAL = Limite(maximo=1.25)
"""Time per line of the large log over that of the small one."""
_OURS = "bench.hijos.bitacoras"
_GOACCESS = ("goaccess", "--log-format=COMBINED", "--no-global-config", "--no-progress")


def mide(informe: Informe, folder: Path, lineas: int = LINEAS) -> None:
    """Run it and print."""
    if shutil.which("goaccess") is None:
        raise SystemExit("falta el programa goaccess: scripts/instala-debian.sh pruebas")
    folder.mkdir(parents=True, exist_ok=True)
    log, report = folder / "acceso.log", folder / "goaccess.json"
    escribe(log, lineas)
    informe.titulo("bitacoras", f"todas las medidas de {lineas:,} renglones ({log.stat().st_size / 1e6:,.0f} MB)")
    before = _processor()
    ours = [corre(_OURS, log)]
    between = _processor()
    peer = cronometra([*_GOACCESS, "-o", report, log], folder)
    after = _processor()
    ours.append(corre(_OURS, log))
    told = ours[0].salida
    general = json.loads(report.read_bytes())
    informe.igual(
        "hits, bytes y renglones malos", cierto=_general(general) == (told["hits"], told["bytes"], told["malos"])
    )
    informe.igual("respuestas por estado", cierto=_statuses(general) == told["estados"])
    seconds = [run.total for run in ours]
    informe.razon("nuestro / GoAccess, proceso entero", seconds, [peer], PAR)
    informe.cifra("nuestro / GoAccess, procesador (razón)", (between - before) / (after - between))
    informe.segundos("nuestro, proceso entero", seconds)
    informe.segundos("GoAccess, proceso entero", [peer])
    _memory(informe, log, lineas)
    log.unlink()
    escribe(log, lineas * VECES)
    large = corre(_OURS, log)
    informe.cifra(
        f"tiempo por renglón, {lineas * VECES:,} / {lineas:,} (razón)",
        large.trabajo / VECES / min(run.trabajo for run in ours),
        LINEAL,
    )
    informe.segundos(f"nuestro, {lineas * VECES:,} renglones", [large.total])
    _memory(informe, log, lineas * VECES)
    shutil.rmtree(folder)


def _processor() -> float:
    """Seconds of processor of the children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _memory(informe: Informe, log: Path, lineas: int) -> None:
    memory = corre(_OURS, log, memoria=True).memoria
    if memory is not None:
        informe.cifra(
            f"memoria, {lineas:,} renglones: suma de PSS", memory.pss / MIB, MEMORIA, decimales=0, unidad=" MiB"
        )


def _general(report: dict[str, dict[str, int]]) -> tuple[int, int, int]:
    general = report["general"]
    return general["valid_requests"], general["bandwidth"], general["failed_requests"]


def _statuses(report: dict[str, dict[str, list[dict[str, list[dict[str, object]]]]]]) -> dict[str, int]:
    rows = [row for family in report["status_codes"]["data"] for row in family["items"]]
    return {str(row["data"]).split()[0]: row["hits"]["count"] for row in rows}  # type: ignore[call-overload,misc]
