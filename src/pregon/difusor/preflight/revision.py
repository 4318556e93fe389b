"""What a difusor looks at before the night: a list of checks, each with what it measured and what it should be.

A check never stops the others and changes nothing. It says ``falla`` where the night would go wrong, ``aviso`` where an
administrator should decide, ``bien`` otherwise, and how to mend it.
"""

from __future__ import annotations

import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pregon.base.clock import SystemClock
from pregon.base.durable import Disk
from pregon.base.errors import PregonError
from pregon.convocatoria.comprobacion import Comprobacion, clausula_de
from pregon.difusor import pointer
from pregon.difusor.gemelos import TWINS
from pregon.difusor.historia.pronostico import forecast
from pregon.difusor.preflight import hora, iops, pagina, portador, programas, red, resumen, transferencia
from pregon.difusor.preflight.cabeceras import direccion
from pregon.difusor.preflight.equipo import RAIZ, leer
from pregon.difusor.preflight.minimos import compara, ofrece_dispensa
from pregon.difusor.reloj import offset_source, read_clock
from pregon.difusor.servidor.certificado import check_pair
from pregon.difusor.servidor.direccion import public_url

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

    from pregon.base.clock import Clock
    from pregon.convocatoria.comprobacion import Estado
    from pregon.difusor.libro import Libro
    from pregon.difusor.workspace import Workspace
    from pregon.sonda.sondeo import Sondeo

VISITANTES = 10_000
"""Visitors in the peak minute where the administrator says no number."""

POR_NUCLEO: Mapping[str, int] = {"caddy": 5_000, "apache": 12_000, "nginx": 45_000}
"""Answers of 40 kB, without TLS, for one second of processor (docs/rendimiento.md, ``servidores``)."""
HOLGURA = 0.4
"""Part of that which is counted on: TLS, thousands of connections, and a network card take the rest."""

PESO_SIN_CORTE = (60_000, 10)
"""Bytes and requests of a first visit where nothing is published yet: the most that a page of the portal may weigh
(docs/rendimiento.md, ``portal``)."""

A_LA_VEZ = 8
"""Checks that wait for somebody's answer, at once: all of them together take as long as the slowest."""
SEGUNDOS = 10.0
"""For a first visit, where the call has no limit of its own."""
_LOCAL = re.compile(rb"""(?:src|href)=["']([^"':?#]+\.(?:css|js|mjs|svg|png|webp|json))["'?#]""")


@dataclass(frozen=True)
class Visita:
    """What one first visit takes: bytes as they travel, and requests. ``real``: of the cut that is published."""

    bytes: int
    peticiones: int
    real: bool


@dataclass(frozen=True)
class Encargo:
    """What is looked at besides what is always. ``medir``: the disk, by reading it (some 64 MB for 2 seconds);
    ``transferencia``: a package, by reading it again from the origin; ``sondeos``: what was seen from outside;
    ``guarda``: this one is being kept; ``raiz``: whose ``/proc``, ``/sys`` and ``/etc``; ``tls``: authorities believed,
    other than the system's."""

    medir: bool = True
    transferencia: bool = False
    sondeos: tuple[Sondeo, ...] = ()
    guarda: bool = False
    raiz: Path = RAIZ
    tls: ssl.SSLContext | None = None


def revisa(
    workspace: Workspace,
    libro: Libro,
    *,
    clock: Clock,
    visitantes: int,
    nucleos: int,
    encargo: Encargo | None = None,
) -> list[Comprobacion]:
    """Every check of today. ``visitantes``: in the peak minute; ``nucleos``: of this machine.

    Raises:
        DiscoError: the state database is damaged.
    """
    order = encargo or Encargo()
    call, now = workspace.convocatoria, clock.now()
    watch = SystemClock()  # What is measured here lasts what it lasts, also in a simulacro.
    url = public_url(workspace)
    with ThreadPoolExecutor(A_LA_VEZ) as pool:
        headers = pool.submit(lambda: list(direccion(workspace, clock)))
        page = pool.submit(
            pagina.mira,
            url,
            clock=watch,
            rutas=_visited(workspace)[1:],
            segundos=float(call.respuesta_max_s or SEGUNDOS),
            tls=order.tls,
        )
        host = None if url is None else urlsplit(url).hostname
        names = pool.submit(lambda: () if host is None else red.direcciones_de(host))
        reading = pool.submit(read_clock, workspace.settings.reloj, clock, offset_source(workspace.settings.reloj))
        versions = pool.submit(programas.lee)
        hour = pool.submit(hora.lee, order.raiz)
        listening = red.escuchas(order.raiz)
        carrier = pool.submit(portador.portador, workspace, listening, watch)
        cloud = pool.submit(lambda: list(portador.nube(workspace)))
        machine = leer(workspace.folder, raiz=order.raiz)
        found = [
            puntero(workspace),
            capacidad(workspace, visita(workspace), visitantes=visitantes, nucleos=nucleos),
            certificado(workspace, now),
            disco(workspace, libro, now),
            *headers.result(),
        ]
        seen = page.result()
    reads = iops.mide(workspace.folder, clock=watch, disk=Disk()) if order.medir and call.minimos.iops else None
    measured = transferencia.del_origen(workspace, libro, watch) if order.transferencia else None
    inside = machine.contenedor
    infrastructure = [
        *programas.compara(call, versions.result(), contenedor=inside),
        *red.ip_publica(call, host, names.result(), order.sondeos),
        *red.puertos(call, listening, order.sondeos),
        *red.tls(call, url, seen.tls),
        *hora.compara(
            call,
            hour.result(),
            reading.result(),
            workspace.settings.reloj,
            oficial=workspace.settings.ambiente == "oficial",
            contenedor=inside,
        ),
        *transferencia.compara(workspace, measured or transferencia.de_lo_recibido(workspace, libro), order.sondeos),
    ]
    found += [
        *compara(call, machine, libre=shutil.disk_usage(workspace.folder).free, lectura=reads),
        *(ofrece_dispensa(call, one) for one in infrastructure),
        *pagina.compara(workspace, seen, order.sondeos),
        carrier.result(),
        *cloud.result(),
    ]
    found = resumen.con_lo_medido(workspace, found, now)
    return [*found, resumen.minimos(call.id, found), resumen.guardada(workspace, now, se_guarda=order.guarda)]


def puntero(workspace: Workspace) -> Comprobacion:
    """That ``puntero`` names a release that is there, and ``publico`` leads to the same one."""
    name = pointer.read(workspace)
    there = name is not None and (workspace.cortes / name / "index.html").is_file()
    agrees = pointer.link_agrees(workspace)
    return Comprobacion(
        "PUNTERO",
        None,
        "El puntero y el enlace llevan a la misma publicación, y está",
        f"puntero: {name or 'ninguno'}; enlace: {'el mismo' if agrees else 'otro'}; portada: {'sí' if there else 'no'}",
        "los dos a la misma, con portada",
        "bien" if there and agrees else "falla",
        None if there and agrees else "Inicie «pregon difusor recibe --una-vez»: al comenzar los repone.",
    )


def visita(workspace: Workspace) -> Visita:
    """What the first visit to the published cover takes: the page, what it names beside it, ``corte.json`` and the data
    that is told once for each contest, each in its smallest coding."""
    wanted = _visited(workspace)
    if not wanted:
        return Visita(*PESO_SIN_CORTE, real=False)
    release = workspace.cortes / (pointer.read(workspace) or "")
    sizes = [size for ruta in wanted if (size := _sent(release, ruta)) is not None]
    return Visita(sum(sizes), len(sizes), real=True)


def _visited(workspace: Workspace) -> tuple[str, ...]:
    """What a first visit to the published cut asks for, the cover first; empty where none is published."""
    name = pointer.read(workspace)
    if name is None or pointer.release_number(name) is None:
        return ()
    release = workspace.cortes / name
    try:
        cover = (release / "index.html").read_bytes()
    except OSError:
        return ()
    here = [
        str(path.relative_to(release))
        for path in (*(release / "assets").glob("*"), *(release / "datos" / name).glob("*/entidad.json"))
    ]
    return de_primera_visita(here, cover, name)


def de_primera_visita(rutas: Iterable[str], portada: bytes, corte: str) -> tuple[str, ...]:
    """What a browser that knows nothing asks for when it opens the cover, each once; of what the cover names, all.

    ``rutas``: what the release has; ``portada``: the text of its cover; ``corte``: the folder of its own data.
    """
    named = [found.decode("utf-8", "replace") for found in _LOCAL.findall(portada)]
    there = tuple(rutas)
    # A module names others: all those that the cover could load count.
    modules = [ruta for ruta in there if re.fullmatch(r"assets/[^/]+\.(mjs|js|css)", ruta)]
    data = [ruta for ruta in there if re.fullmatch(rf"datos/{re.escape(corte)}/[^/]+/entidad\.json", ruta)]
    return tuple(dict.fromkeys(("index.html", "corte.json", *named, *modules, *data)))


def _sent(release: Path, ruta: str) -> int | None:
    if ".." in ruta.split("/") or ruta.startswith("/"):
        return None
    path = release / ruta
    found = [one.stat().st_size for suffix in ("", *TWINS) if (one := path.with_name(path.name + suffix)).is_file()]
    return min(found) if found and path.is_file() else None


def capacidad(workspace: Workspace, what: Visita, *, visitantes: int, nucleos: int) -> Comprobacion:
    """Which web server carries the peak: the embedded one where it does, else nginx, else more machines."""
    needed = visitantes * what.peticiones / 60
    megabits = visitantes * what.bytes * 8 / 60 / 1e6
    room = {name: rate * nucleos * HOLGURA for name, rate in POR_NUCLEO.items()}
    state: Estado = "bien"
    mend = None
    if needed > room["nginx"]:
        state = "falla"
        mend = (
            "Un solo equipo no alcanza: reparta entre varios nodos o ponga una red de distribución (CDN) delante, "
            "además de nginx."
        )
    elif needed > room["caddy"]:
        state = "aviso"
        mend = (
            "El servidor incluido no alcanza con holgura. Use nginx: «pregon difusor configura nginx "
            f"{workspace.folder} --salida nginx» y después, como root, «sh nginx/pasos.sh»."
        )
    whose = "del corte publicado" if what.real else "supuestos: todavía no hay corte publicado"
    return Comprobacion(
        "CAPACIDAD",
        clausula_de(workspace.convocatoria.id, "CAPACIDAD"),
        f"El servidor web alcanza para {visitantes:,} visitantes en el minuto de más visitas",
        f"{needed:,.0f} peticiones/s y {megabits:,.0f} Mbit/s ({what.peticiones} peticiones y {what.bytes:,} bytes por "
        f"visita, {whose})",
        f"con {nucleos} núcleos, Caddy {room['caddy']:,.0f}, Apache {room['apache']:,.0f}, nginx {room['nginx']:,.0f} "
        "peticiones/s",
        state,
        mend,
    )


def certificado(workspace: Workspace, now: datetime) -> Comprobacion:
    """That the certificate serves its names now, through the night and until the portal may be taken down."""
    ours, call = workspace.settings.servidor, workspace.convocatoria
    official = workspace.settings.ambiente == "oficial"
    what, least = "El certificado es de sus nombres y está vigente", "vigente hasta que termine la difusión"
    clause = "INE-II-a-iii-1" if call.id == "ine-2021" else None
    if ours.tls == "automatico":
        text = "lo pide y lo renueva el servidor incluido"
        return Comprobacion("CERTIFICADO", clause, what, text, least, "bien")
    if ours.certificado is None or ours.clave is None:
        return Comprobacion(
            "CERTIFICADO",
            clause,
            what,
            "sin TLS en [servidor]",
            least,
            "aviso" if official else "bien",
            "Si otro equipo no pone el TLS delante de éste, escriba tls, certificado y clave en [servidor]."
            if official
            else None,
        )
    mend = "Renueve el certificado y deje los archivos en su lugar: el servidor incluido los lee de nuevo."
    state: Estado = "bien"
    text = "vigente hasta el final"
    try:
        for moment, bad in (
            (now, "falla"),
            (max(now, call.fin_actualizacion), "falla"),
            (max(now, call.permanencia_hasta or now), "aviso"),
        ):
            problem = check_pair(
                workspace.folder / ours.certificado, workspace.folder / ours.clave, ours.nombres, moment
            )
            if problem is not None:
                state, text = "falla" if bad == "falla" else "aviso", problem
                break
    except PregonError as error:
        state, text, mend = "falla", error.que_paso, error.que_hacer
    return Comprobacion("CERTIFICADO", clause, what, text, least, state, None if state == "bien" else mend)


def disco(workspace: Workspace, libro: Libro, now: datetime) -> Comprobacion:
    """That what is free is enough for the cuts that may still come."""
    found = forecast(workspace, libro, now)
    return Comprobacion(
        "DISCO",
        clausula_de(workspace.convocatoria.id, "DISCO"),
        "El disco alcanza para los cortes que faltan",
        found.texto,
        f"{found.falta / 1e6:,.0f} MB libres",
        "bien" if found.cabe else "falla",
        None if found.cabe else "Libere espacio o pase el espacio de trabajo a un disco mayor antes de la noche.",
    )
