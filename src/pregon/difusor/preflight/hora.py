"""The hour and the log: whether this clock is right, who keeps it so, the hours of the zone, and who takes the log.

GRO-2.3f DGO-II-e MOR-A1-1.4 MEX-II-1d MEX-II-1e MEX-II-2c5.
"""

from __future__ import annotations

import contextlib
import importlib
import re
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import TZPATH

from pregon.base.procesos import capture
from pregon.convocatoria.comprobacion import Comprobacion, clausula_de

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pregon.convocatoria.comprobacion import Estado
    from pregon.convocatoria.model import Convocatoria
    from pregon.difusor.reloj import ClockReading
    from pregon.difusor.settings import Reloj

RAIZ = Path("/")
CHRONY_S = 3.0
NTP_UDP = 123
_CLIENTES = {
    "chronyd": "chrony",
    "ntpd": "ntpd",
    "ntpsec": "NTPsec",
    "openntpd": "OpenNTPD",
    "systemd-timesyn": "systemd-timesyncd",  # the kernel keeps 15 letters of a name
}
_AJUSTES = (
    "etc/chrony/chrony.conf",
    "etc/chrony.conf",
    "etc/chrony/conf.d",
    "etc/chrony/sources.d",
    "etc/ntp.conf",
    "etc/ntpsec/ntp.conf",
    "etc/openntpd/ntpd.conf",
    "etc/systemd/timesyncd.conf",
    "etc/systemd/timesyncd.conf.d",
)
_BITACORAS = {
    "rsyslogd": "rsyslog",
    "syslog-ng": "syslog-ng",
    "systemd-journal": "systemd-journald",
    "syslogd": "syslogd",
}
_SERVIDOR = re.compile(r"^[ \t]*(?:(?:server|pool|peer|servers)[ \t]+|(?:Fallback)?NTP=)(.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Hora:
    """What this machine says of its hour and its log.

    ``clientes``: the programs that keep the clock; ``servidores``: those that their settings name; ``alcanza``: how
    many of them answered lately (None: it does not say); ``tzdata``: version of the system's zones (None: it has none);
    ``bitacoras``: the programs that take the log; ``log``: whether something listens on ``/dev/log``.
    """

    clientes: tuple[str, ...]
    servidores: tuple[str, ...]
    alcanza: int | None
    tzdata: str | None
    bitacoras: tuple[str, ...]
    log: bool


def lee(raiz: Path = RAIZ, *, chronyc: tuple[str, ...] = ("chronyc",)) -> Hora:
    """Read it below ``raiz``; what its chronyd reaches is asked of it."""
    names = set(_running(raiz))
    clients = tuple(name for program, name in _CLIENTES.items() if program in names)
    return Hora(
        clientes=clients,
        servidores=tuple(dict.fromkeys(_servers(raiz))),
        alcanza=_reached([*chronyc, "-c", "sources"]) if "chrony" in clients else None,
        tzdata=_zones(raiz),
        bitacoras=tuple(name for program, name in _BITACORAS.items() if program in names),
        log=_listens(raiz / "dev/log"),
    )


def _running(raiz: Path) -> Iterator[str]:
    for path in (raiz / "proc").glob("[0-9]*/comm"):
        with contextlib.suppress(OSError, UnicodeDecodeError):
            yield path.read_text(encoding="utf-8").strip()


def _servers(raiz: Path) -> Iterator[str]:
    for name in _AJUSTES:
        path = raiz / name
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        for file in files:
            with contextlib.suppress(OSError, UnicodeDecodeError):
                for found in _SERVIDOR.findall(file.read_text(encoding="utf-8")):
                    words = found.split()
                    yield from words if "NTP=" in file.read_text(encoding="utf-8") else words[:1]


def _reached(command: list[str]) -> int | None:
    """How many sources of chronyd answered one of the last eight times (chronyc(1): the sixth field, in octal)."""
    text = capture(command, timeout=CHRONY_S)
    if text is None:
        return None
    rows = [line.split(",") for line in text.splitlines()]
    return sum(1 for row in rows if len(row) > 5 and row[0] != "#" and row[5] not in ("0", ""))


def _zones(raiz: Path) -> str | None:
    for folder in TZPATH:
        base = raiz / folder.lstrip("/")
        for name, pattern in (("tzdata.zi", r"# version (\S+)"), ("+VERSION", r"(\S+)")):
            with contextlib.suppress(OSError, UnicodeDecodeError), (base / name).open(encoding="utf-8") as file:
                found = re.match(pattern, file.readline())
                if found is not None:
                    return found[1]
        if (base / "America").is_dir():
            return ""
    return None


def _listens(path: Path) -> bool:
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, kind) as link:
            link.connect(str(path))
            return True
    return False


def compara(
    convocatoria: Convocatoria, hora: Hora, lectura: ClockReading, ajustes: Reloj, *, oficial: bool, contenedor: bool
) -> list[Comprobacion]:
    """RELOJ and TZDATA for every call; NTP and SYSLOG for those that ask for them.

    ``contenedor``: we run inside one: the host's client and log are not seen from here.
    """
    found = [_clock(convocatoria, lectura, ajustes, oficial=oficial), _zone_data(convocatoria, hora)]
    if convocatoria.ntp:
        found.append(_client(convocatoria, hora, lectura, contenedor=contenedor))
    if convocatoria.syslog:
        found.append(_log(convocatoria, hora, contenedor=contenedor))
    return found


def _check(
    call: Convocatoria, codigo: str, que: str, medido: str, minimo: str, estado: Estado, arreglo: str
) -> Comprobacion:
    return Comprobacion(
        codigo, clausula_de(call.id, codigo), que, medido, minimo, estado, None if estado == "bien" else arreglo
    )


def _clock(call: Convocatoria, reading: ClockReading, settings: Reloj, *, oficial: bool) -> Comprobacion:
    off, most = reading.desfase_s, settings.max_desfase_s
    source = {"ntp": f"según {settings.servidor}", "chrony": "según chrony", "simulado": "según los ajustes"}
    asked = bool(call.ntp and oficial)
    if off is None:
        state: Estado = "falla" if asked and settings.fuente != "ninguna" else "aviso"
        told = "no se mide" if settings.fuente == "ninguna" else f"no se pudo medir {source[settings.fuente]}"
    else:
        state = "bien" if abs(off) <= most else "falla"
        told = f"{off:+.3f} s {source.get(settings.fuente, '')}".strip()
    mend = "Inicie chrony y permita la salida por UDP 123; en [reloj] diga de quién se mide."
    if off is not None:
        mend = "Corrija la hora («chronyc makestep») y revise por qué se adelantó o se atrasó."
    return _check(call, "RELOJ", "El reloj de este equipo está en hora", told, f"a lo sumo {most:g} s", state, mend)


def _zone_data(call: Convocatoria, hora: Hora) -> Comprobacion:
    """The profile itself is refused where both disagree about its hours: what is told here is which is older."""
    ours = importlib.import_module("tzdata").IANA_VERSION
    state: Estado
    if hora.tzdata is None:
        told, state = f"el sistema no tiene; vale la de Pregón ({ours})", "bien"
    elif not hora.tzdata:
        told, state = "el sistema no dice su versión; las horas de la convocatoria coinciden", "bien"
    else:
        # Mexico left summer time by 2022f: from there on, every version tells the hours of a Mexican call alike.
        told = f"{hora.tzdata}; las horas de la convocatoria coinciden con las de Pregón ({ours})"
        state = "bien" if hora.tzdata >= SIN_HORARIO_DE_VERANO else "aviso"
    return _check(
        call,
        "TZDATA",
        f"Los husos horarios de este equipo dan las horas de {call.zona_horaria}",
        told,
        f"{SIN_HORARIO_DE_VERANO} o posterior",
        state,
        "Actualice el paquete tzdata del sistema: los demás programas de este equipo pueden ir una hora adelante.",
    )


SIN_HORARIO_DE_VERANO = "2022f"
"""The version of the zones in which Mexico no longer changes its hour."""


def _client(call: Convocatoria, hora: Hora, reading: ClockReading, *, contenedor: bool) -> Comprobacion:
    wanted = call.ntp_servidor
    needs_out = NTP_UDP in call.puertos_salida
    parts = [", ".join(hora.clientes) or "ninguno en marcha"]
    state: Estado = "bien"
    mend = ""
    if hora.servidores:
        parts.append(f"pregunta a {', '.join(hora.servidores[:4])}")
    if hora.alcanza is not None:
        parts.append(f"le responden {hora.alcanza}")
    if not hora.clientes:
        state = "aviso" if contenedor else "falla"
        mend = (
            "El cliente corre fuera del contenedor: revíselo en el equipo."
            if contenedor
            else "Instale e inicie chrony («apt install chrony», «dnf install chrony»)."
        )
        if contenedor and reading.desfase_s is not None and reading.fuente == "ntp":
            state, mend = "bien", ""
            parts = ["fuera del contenedor; desde aquí responde un servidor NTP"]
    elif hora.alcanza == 0 or (needs_out and hora.alcanza is None and reading.desfase_s is None):
        state = "falla" if hora.alcanza == 0 else "aviso"
        mend = "Permita la salida por UDP 123: ningún servidor NTP le responde."
    elif wanted is not None and not any(_same(wanted, server) for server in hora.servidores):
        state = "aviso"
        mend = f"Agregue «pool {wanted} iburst» a sus ajustes: es el que la convocatoria nombra."
    least = "un cliente NTP en marcha"
    least += f", que pregunte a {wanted}" if wanted else ""
    least += ", con salida por UDP 123" if needs_out else ""
    return _check(call, "NTP", "Un cliente NTP mantiene la hora", "; ".join(parts), least, state, mend)


def _same(wanted: str, server: str) -> bool:
    """Distributions ask the pool by a name of their own below it: ``2.debian.pool.ntp.org``."""
    return server == wanted or server.endswith(f".{wanted}")


def _log(call: Convocatoria, hora: Hora, *, contenedor: bool) -> Comprobacion:
    told = ", ".join(hora.bitacoras) or "ningún programa a la vista"
    told += "; /dev/log recibe" if hora.log else "; nadie escucha en /dev/log"
    return _check(
        call,
        "SYSLOG",
        "Un syslog recibe las bitácoras del sistema",
        told,
        "un syslog en marcha",
        "bien" if hora.log else "aviso" if contenedor else "falla",
        "Desde el contenedor no se ve el equipo: revise ahí que rsyslog o systemd-journald estén en marcha."
        if contenedor
        else "Instale e inicie rsyslog («apt install rsyslog», «dnf install rsyslog»).",
    )
