"""A difusor as it is seen from outside: ports, TLS, headers and the time of a first page. It only looks.

GRO-2.4c GRO-2.4d GRO-2.4e DGO-II-net-c2 DGO-II-net-c3 MOR-A1-3.3 MOR-A1-3.4 MEX-II-2c1 MEX-II-2c2 INE-II-a-iv-2.
"""

from __future__ import annotations

import errno
import json
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from pregon.base.errors import PregonError, UsoError
from pregon.base.razones import razon
from pregon.sonda.cabeceras import faltas
from pregon.sonda.probe import MAX_STAMP_BYTES, Limits, probe
from pregon.sonda.sondeo import Puerto, Sondeo, Subida
from pregon.sonda.tls import mira
from pregon.sonda.visita import visita

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator, Sequence

    from pregon.base.clock import Clock
    from pregon.convocatoria.model import Convocatoria
    from pregon.sonda.probe import Probe
    from pregon.sonda.tls import Tls
    from pregon.sonda.visita import Visita

CONEXION_S = 3.0
"""A firewall that drops what it does not want answers nothing: longer than any link of the country takes to answer."""
RESPUESTA_S = 10.0
A_LA_VEZ = 8
ANCHO_BYTES = 40_000_000
"""The smallest package of the texts (GRO-2.2c, INE-II-a-ii-3b)."""
ANCHO_S = 15.0
MINIMO = 1 << 20
"""The last file may go over by so much: asked for less, not even a first piece of it would count."""
AJENOS = (21, 23, 25, 445, 2019, 2375, 3306, 3389, 5432, 5900, 6379, 9000)
"""Closed for everybody on a machine that publishes: FTP, telnet, mail, shared folders and desktops, databases, and the
administration of Docker and of the web server. No call names them; MEX-II-2c1 and GRO-2.4c ask for «limitations»."""
_NADA = "No se preguntó nada a nadie."


def sondea(
    objetivo: str,
    convocatoria: Convocatoria,
    *,
    clock: Clock,
    autorizado: bool = False,
    ancho: bool = False,
    ajenos: Sequence[int] = AJENOS,
    tls: ssl.SSLContext | None = None,
) -> Sondeo:
    """Look once at a difusor. ``objetivo``: its name or address, or the URL of its portal.

    ``autorizado``: this machine's address is one of those that the difusor lets in, so the restricted ports must be
    open; otherwise they must be closed. ``ancho``: read the data that it publishes, to know at what rate it sends, up
    to ``ANCHO_BYTES`` and ``ANCHO_S``; never on the night. ``ajenos``: other ports that must be closed. ``tls``: the
    authorities that are believed, other than the system's.

    Raises:
        UsoError: that is neither a host nor an address of http or https; its name does not resolve.
    """
    host, url, asked = _target(objetivo, convocatoria)
    addresses = _addresses(host)
    ports = _ports(host, convocatoria, asked, autorizado=autorizado, ajenos=ajenos)
    secure: Tls | None = None
    answer: Probe | None = None
    visit: Visita | None = None
    sent: Subida | None = None
    problem: str | None = None
    parts = urlsplit(url)
    try:
        if parts.scheme == "https":
            secure = mira(host, parts.port or 443, tls=tls)
        answer = probe(url, clock=clock, limits=Limits(segundos=RESPUESTA_S), tls=tls)
        visit = visita(url, clock=clock, tls=tls)
        sent = _sent(url, clock, tls) if ancho else None
    except PregonError as error:
        problem = error.que_paso
    except OSError as error:
        problem = f"No respondió {url}: {razon(error)}"
    return Sondeo(
        hora=clock.now(),
        convocatoria=convocatoria.id,
        anfitrion=host,
        autorizado=autorizado,
        direcciones=addresses,
        puertos=ports,
        url=url,
        tls=secure,
        estado=None if answer is None else answer.status,
        cabeceras=() if answer is None else tuple(faltas(answer.headers, url)),
        pagina=visit,
        subida=sent,
        problema=problem,
    )


def fallas(sondeo: Sondeo, convocatoria: Convocatoria) -> tuple[str, ...]:
    """What is not as it must be, each in one sentence."""
    return tuple(_failures(sondeo, convocatoria))


def _failures(sondeo: Sondeo, convocatoria: Convocatoria) -> Iterator[str]:
    for one in sondeo.puertos:
        if not one.bien:
            yield f"el puerto {one.puerto} está {one.esta} y debe estar {one.debe}"
    if sondeo.problema is not None:
        yield sondeo.problema
    if sondeo.estado is not None and sondeo.estado != HTTPStatus.OK:
        yield f"la portada responde {sondeo.estado}"
    yield from sondeo.cabeceras
    if sondeo.tls is not None:
        if sondeo.tls.problema is not None:
            yield f"el certificado no se puede creer: {sondeo.tls.problema}"
        old = sondeo.tls.menor_que(convocatoria.tls_min or "1.2")
        if old:
            yield f"acepta TLS {', '.join(old)}"
    most = convocatoria.respuesta_max_s
    if sondeo.pagina is not None:
        if most is not None and sondeo.pagina.segundos > most:
            yield f"la primera página tardó {sondeo.pagina.segundos:.1f} s; se admiten {most}"
        yield from sondeo.pagina.fallas


def _target(objetivo: str, call: Convocatoria) -> tuple[str, str, int | None]:
    """Host, address of the portal, and the port that the address itself names."""
    if "://" not in objetivo:
        host = objetivo.strip("[]")
        shown = f"[{host}]" if ":" in host else host
        scheme = "http" if call.puertos_publicos == (80,) else "https"
        objetivo = f"{scheme}://{shown}/"
    try:
        parts = urlsplit(objetivo)
        name, port = parts.hostname, parts.port
    except ValueError:
        parts, name, port = urlsplit(""), None, None
    if not name or parts.scheme not in ("http", "https") or re.search(r"\s", objetivo):
        raise UsoError(
            f"«{objetivo}» no es un equipo ni una dirección http o https.",
            intacto=_NADA,
            que_hacer="Escriba el nombre del equipo, como prep.diario.mx, o la dirección de su portal.",
        )
    return name, objetivo if parts.path else objetivo + "/", port


def _addresses(host: str) -> tuple[str, ...]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        raise UsoError(
            f"El nombre «{host}» no lleva a ninguna dirección.",
            intacto=_NADA,
            que_hacer="Revise que esté bien escrito y que su DNS responda desde este equipo.",
        ) from exc
    return tuple(dict.fromkeys(str(one[4][0]) for one in found))


def _ports(
    host: str, call: Convocatoria, asked: int | None, *, autorizado: bool, ajenos: Sequence[int]
) -> tuple[Puerto, ...]:
    public = dict.fromkeys(call.puertos_publicos or ((asked,) if asked else ()))
    inside = [port for port in call.puertos_restringidos if port not in public]
    # One address lets the carrier in by any of its ports: which one is the difusor's choice (DGO-II-net-c3).
    ours = {port for port in inside if autorizado}
    wanted = [
        *public,
        *inside,
        *(port for port in ajenos if port not in public and port not in inside and port != asked),
    ]
    with ThreadPoolExecutor(A_LA_VEZ) as pool:
        opened = dict(zip(wanted, pool.map(lambda port: _open(host, port), wanted), strict=True))
    answers = any(opened[port] for port in ours)
    return tuple(
        Puerto(
            port,
            "abierto" if port in public or (port in ours and (opened[port] or not answers)) else "cerrado",
            "abierto" if opened[port] else "cerrado",
            publico=port in public,
        )
        for port in wanted
    )


def _open(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=CONEXION_S):
            return True
    except OSError as exc:
        if exc.errno in (errno.EMFILE, errno.ENFILE):
            raise
        return False


def _sent(url: str, clock: Clock, tls: ssl.SSLContext | None) -> Subida | None:
    """Read what the cut that is shown lets people download, over and over; None where there is nothing yet."""
    stamp = probe(
        urljoin(url, "corte.json"), clock=clock, limits=Limits(RESPUESTA_S, MAX_STAMP_BYTES), keep_body=True, tls=tls
    )
    try:
        files = [str(ruta) for ruta in json.loads(stamp.cuerpo or b"{}")["base_de_datos"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    total, start = 0, clock.monotonic()
    while files:
        before = total
        for ruta in files:
            left = ANCHO_S - (clock.monotonic() - start)
            if total >= ANCHO_BYTES or left <= 0:
                return Subida(total, clock.monotonic() - start)
            answer = probe(
                urljoin(url, ruta), clock=clock, limits=Limits(left, max(ANCHO_BYTES - total, MINIMO)), tls=tls
            )
            total += answer.largo if answer.status == HTTPStatus.OK else 0
        if total == before:
            break
    return None
