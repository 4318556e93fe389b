"""The portal as whoever visits it for the first time meets it: for nothing, encrypted, and in how long.

GRO-1.2 GRO-2.4h DGO-I-2 MOR-I-2 MEX-I-2 INE-I-b INE-II-a-iii-1 INE-II-a-iii-3a.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pregon.base.errors import RedError
from pregon.base.razones import razon
from pregon.convocatoria.comprobacion import Comprobacion, clausula_de
from pregon.sonda.probe import Limits, probe
from pregon.sonda.tls import mira as mira_tls
from pregon.sonda.visita import visita

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator, Sequence

    from pregon.base.clock import Clock
    from pregon.convocatoria.comprobacion import Estado
    from pregon.difusor.workspace import Workspace
    from pregon.sonda.probe import Probe
    from pregon.sonda.sondeo import Sondeo
    from pregon.sonda.tls import Tls
    from pregon.sonda.visita import Visita

SEGUNDOS = 5.0
"""For the page alone; the whole visit has ``respuesta_max_s`` of the call, or this."""
HTTPS = 443
_NO_SE_CONOCE = "no se conoce la dirección pública"
_ESCRIBA = "Escriba «url» en [servidor], o inicie el servidor web y repita la orden."


@dataclass(frozen=True)
class Publica:
    """What the public address gave. ``problema``: why it gave no page; ``tls``: None without https, or why none."""

    url: str | None
    portada: Probe | None = None
    visita: Visita | None = None
    tls: Tls | str | None = None
    problema: str | None = None


def mira(
    url: str | None, *, clock: Clock, rutas: Sequence[str], segundos: float, tls: ssl.SSLContext | None = None
) -> Publica:
    """Ask for the page once, and then visit it. ``segundos``: the visit's; ``tls``: the authorities believed."""
    if url is None:
        return Publica(None)
    parts = urlsplit(url)
    spoken: Tls | str | None = None
    try:
        if parts.scheme == "https" and parts.hostname is not None:
            spoken = mira_tls(parts.hostname, parts.port or HTTPS, tls=tls, segundos=SEGUNDOS)
    except OSError as exc:
        text = f"{parts.netloc} no responde: {razon(exc)}"
        return Publica(url, tls=text, problema=text)
    try:
        cover = probe(url, clock=clock, limits=Limits(segundos=SEGUNDOS), tls=tls)
        return Publica(url, cover, visita(url, clock=clock, rutas=rutas, tls=tls, segundos=segundos), spoken)
    except RedError as exc:
        return Publica(url, tls=spoken, problema=exc.que_paso)


def compara(workspace: Workspace, vista: Publica, sondeos: Sequence[Sondeo]) -> Iterator[Comprobacion]:
    """SIN_COSTO, and TIEMPO_DE_PAGINA for a call with a limit; the slowest of here and of each look counts."""
    yield _free(workspace, vista)
    most = workspace.convocatoria.respuesta_max_s
    if most is not None:
        yield _time(workspace, vista, sondeos, most)


def _free(workspace: Workspace, seen: Publica) -> Comprobacion:
    state: Estado = "falla"
    mend = "Quite lo que pida cuenta, pago o registro delante del portal: es público y gratuito."
    if seen.url is None:
        told, state, mend = _NO_SE_CONOCE, "aviso", _ESCRIBA
    elif seen.portada is None:
        told, mend = seen.problema or "no responde", "Inicie el servidor web y repita la orden."
    elif seen.portada.status == HTTPStatus.OK:
        told, state = f"{seen.url} responde 200 a quien no se identifica", "bien"
    else:
        told = f"{seen.url} responde {seen.portada.status} a quien no se identifica"
        if workspace.settings.ambiente == "simulacro" and not workspace.settings.servidor.acceso.vacio:
            state, mend = "aviso", "El simulacro es restringido; quite [servidor.acceso] antes de la noche."
        elif 300 <= seen.portada.status < 400:
            where = seen.portada.headers.get("location", "")
            told += f" y lleva a {where[:200]}"
            mend = "Escriba en «url» la dirección que da la página, sin vueltas. " + mend
    return _check(workspace, "SIN_COSTO", "Cualquiera lee el portal sin costo ni cuenta", told, "200", state, mend)


def _time(workspace: Workspace, seen: Publica, looks: Sequence[Sondeo], most: int) -> Comprobacion:
    times = [(look.pagina.segundos, f"desde fuera ({look.hora:%Y-%m-%d})") for look in looks if look.pagina is not None]
    state: Estado = "falla"
    mend = "Revise el servidor web y el enlace, o ponga nginx o una CDN delante (docs/operacion/servidor.md)."
    if seen.visita is not None:
        times.append((seen.visita.segundos, "desde aquí"))
    if not times:
        told = seen.problema or _NO_SE_CONOCE
        if seen.url is None:
            state, mend = "aviso", _ESCRIBA
    else:
        told = "; ".join(f"{seconds:.2f} s {whence}" for seconds, whence in times)
        lost = () if seen.visita is None else seen.visita.fallas
        if seen.visita is not None:
            told += f"; {seen.visita.peticiones} peticiones y {seen.visita.bytes:,} bytes"
        if lost:
            told += f"; faltan: {'; '.join(lost[:3])}"
        elif max(seconds for seconds, _ in times) <= most:
            state = "bien"
    return _check(
        workspace, "TIEMPO_DE_PAGINA", "La primera visita termina a tiempo", told, f"a lo sumo {most} s", state, mend
    )


def _check(
    workspace: Workspace, codigo: str, que: str, medido: str, minimo: str, estado: Estado, arreglo: str
) -> Comprobacion:
    clause = clausula_de(workspace.convocatoria.id, codigo)
    return Comprobacion(codigo, clause, que, medido, minimo, estado, None if estado == "bien" else arreglo)
