"""What the service of a difusor is made of, by ``difusor.toml`` and the call: places, and what goes between them.

Pure; ``diagrama`` draws it. No account, secret, inner address or key of anybody is in it: it goes to the institute on
paper.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from pregon.convocatoria.model import Convocatoria
    from pregon.difusor.nube.ajustes import AjustesNube
    from pregon.difusor.settings import DifusorSettings

Columna: TypeAlias = Literal["instituto", "recepcion", "publicacion", "orilla", "ciudadania"]
COLUMNAS: tuple[Columna, ...] = ("instituto", "recepcion", "publicacion", "orilla", "ciudadania")
ENCABEZADOS = {
    "instituto": "Instituto",
    "recepcion": "Recepción",
    "publicacion": "Publicación",
    "orilla": "Orilla (CDN)",
    "ciudadania": "Ciudadanía",
}
_CARRIER = {"scp": "SCP", "sftp": "SFTP", "rsync": "rsync", "https": "HTTPS", "s3": "S3", "local": "carpeta"}
_EDGE = {
    "cloudfront": "Amazon CloudFront",
    "cloudflare": "Cloudflare",
    "fastly": "Fastly",
    "varnish": "Varnish",
    "nginx": "nginx",
}
_CLOCK = {"chrony": "chrony", "ntp": "NTP", "ninguna": "sin medir", "simulado": "simulado"}


@dataclass(frozen=True, kw_only=True)
class Elemento:
    """One place. ``lineas``: what it does and what it has, in words."""

    clave: str
    columna: Columna
    nombre: str
    lineas: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Flecha:
    """What goes from one place to another, and over what."""

    de: str
    a: str
    texto: str


@dataclass(frozen=True, kw_only=True)
class Servicio:
    """The whole: each arrow joins two of ``elementos``."""

    elementos: tuple[Elemento, ...]
    flechas: tuple[Flecha, ...]


def describe(ajustes: DifusorSettings, convocatoria: Convocatoria) -> Servicio:
    """The service that these settings make, for the diagram that the INE asks for (INE-V-a-i)."""
    parts = [_instituto(convocatoria), _recepcion(ajustes, convocatoria), _web(ajustes)]
    arrows = [_entrega(ajustes, convocatoria), Flecha(de="recepcion", a="web", texto="archivos")]
    if ajustes.acuses.envia is not None:
        arrows.append(Flecha(de="recepcion", a="instituto", texto="acuses, HTTPS"))
    shown = [] if _solo_aqui(ajustes) else [("web", "HTTP" if ajustes.servidor.tls == "no" else "HTTPS")]
    shown += [(_nube(target, parts, arrows), "HTTPS") for target in ajustes.nube]
    parts.append(
        Elemento(clave="personas", columna="ciudadania", nombre="Navegadores", lineas=("cualquier origen", "sin costo"))
    )
    arrows += [Flecha(de=where, a="personas", texto=over) for where, over in shown]
    return Servicio(elementos=tuple(parts), flechas=tuple(arrows))


def _instituto(call: Convocatoria) -> Elemento:
    lines = [f"{call.instituto_nombre or call.instituto}", f"un corte cada {call.intervalo_min} min"]
    if call.verificacion == "firma":
        lines.append("cada corte, firmado")
    return Elemento(clave="instituto", columna="instituto", nombre="Origen de los cortes", lineas=tuple(lines))


def _recepcion(settings: DifusorSettings, call: Convocatoria) -> Elemento:
    checks = {"firma": "verifica firmas y huellas", "suma": "verifica sumas", "ninguna": "no hay qué verificar"}
    kept = "guarda todos los paquetes" if call.historial.conservar == "completo" else "guarda lo recibido"
    clock = f"reloj: {_CLOCK[settings.reloj.fuente]}, desfase máximo {settings.reloj.max_desfase_s:g} s"
    lines = (checks[call.verificacion], "descomprime y sustituye de una vez", kept, clock)
    name = f"Equipo «{settings.nodo}»"
    return Elemento(clave="recepcion", columna="recepcion", nombre=name, lineas=lines)


def _entrega(settings: DifusorSettings, call: Convocatoria) -> Flecha:
    if settings.en_red:
        over = _CARRIER[urlsplit(settings.origen).scheme]
        return Flecha(de="instituto", a="recepcion", texto=f"{over}, TLS 1.2 o mayor")
    ports = ", ".join(str(port) for port in call.transporte.puertos)
    over = _CARRIER[call.transporte.protocolo]
    return Flecha(de="instituto", a="recepcion", texto=f"{over}, TCP {ports}" if ports else over)


def _web(settings: DifusorSettings) -> Elemento:
    server = settings.servidor
    tls = {"no": "sin TLS propio", "archivo": "TLS, certificado propio", "automatico": "TLS, certificado ACME"}
    lines = ["sólo para este equipo"] if _solo_aqui(settings) else [_nombre_publico(settings), tls[server.tls]]
    if server.tls != "no" and server.puerto_http:
        lines.append(f"TCP {server.puerto_http} lleva a HTTPS")
    return Elemento(clave="web", columna="publicacion", nombre="Servidor web", lineas=tuple(lines))


def _nombre_publico(settings: DifusorSettings) -> str:
    """The name by which browsers reach the web server; its port where it has none yet."""
    server = settings.servidor
    url = server.url or (f"https://{server.nombres[0]}{server.base}" if server.nombres else "")
    return urlsplit(url).hostname or (f"TCP {server.puerto}" if server.puerto else "HTTP")


def _solo_aqui(settings: DifusorSettings) -> bool:
    """Whether citizens come to a store or its edge alone: the web server answers this machine and nobody else."""
    return bool(settings.nube) and settings.servidor.direccion in ("127.0.0.1", "::1", "localhost")


def _nube(target: AjustesNube, parts: list[Elemento], arrows: list[Flecha]) -> str:
    """Add a store, and the edge that shows it; which of them browsers come to."""
    store = f"deposito-{target.nombre}"
    where = "Amazon S3" if target.extremo is None else "S3 compatible"
    lines = [f"{where}, región {target.region}", "objetos por su huella"]
    if target.codificacion == "gzip":
        lines.append("texto comprimido (gzip)")
    if target.historial:
        lines.append("historial en prefijo privado")
    parts.append(
        Elemento(clave=store, columna="publicacion", nombre=f"Depósito «{target.nombre}»", lineas=tuple(lines))
    )
    arrows.append(Flecha(de="recepcion", a=store, texto="HTTPS, cada corte"))
    if target.purga.tipo == "ninguna" and target.publica is None:
        return store
    edge = f"orilla-{target.nombre}"
    purge = "sin purga" if target.purga.tipo == "ninguna" else "purga automática en cada corte"
    shown = (purge,) if target.publica is None else (str(urlsplit(target.publica).hostname), purge)
    parts.append(Elemento(clave=edge, columna="orilla", nombre=_EDGE.get(target.purga.tipo, "CDN"), lineas=shown))
    arrows.append(Flecha(de=store, a=edge, texto="HTTPS"))
    return edge
