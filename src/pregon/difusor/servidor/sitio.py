"""One convocatoria on one address, and what every answer of it says: the same under Caddy, nginx and Apache."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pregon.base.errors import AjustesError
from pregon.difusor import pages
from pregon.difusor.pages import style_source
from pregon.trust.firmas import FIRMAS

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.difusor.servidor.ajustes import AccesoSimulacro
    from pregon.difusor.workspace import Workspace

INMUTABLE = "public, max-age=31536000, immutable"
"""``Cache-Control`` of what never changes under its name."""
RUTA_INMUTABLE = r"(datos/[0-9]{4}/.+|assets/[^/]+\.[0-9a-f]{8,64}\.[a-z0-9]+)"
"""The paths of a release (no first slash) that never change, where ``Site.inmutable``."""
NUNCA = ("Last-Modified", "Server")
"""Headers that no answer has (docs/adr/0003: nothing is decided by a date)."""
TIPOS = {
    "text/html; charset=utf-8": ("html", "htm"),
    "text/css; charset=utf-8": ("css",),
    "text/javascript; charset=utf-8": ("js", "mjs"),
    "application/json": ("json",),
    "application/geo+json": ("geojson",),
    "application/manifest+json": ("webmanifest",),
    "text/plain; charset=utf-8": ("txt",),
    "text/csv; charset=utf-8": ("csv",),
    "text/xml; charset=utf-8": ("xml",),
    "image/svg+xml": ("svg",),
    "image/png": ("png",),
    "image/jpeg": ("jpg", "jpeg"),
    "image/gif": ("gif",),
    "image/webp": ("webp",),
    "image/avif": ("avif",),
    "image/vnd.microsoft.icon": ("ico",),
    "font/woff2": ("woff2",),
    "font/woff": ("woff",),
    "application/pdf": ("pdf",),
    "application/zip": ("zip",),
    "application/x-7z-compressed": ("7z",),
    "application/wasm": ("wasm",),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ("xlsx",),
    "application/gzip": ("gz",),
}
"""What each suffix is said to be; nothing is said of the rest. The machine's own lists differ from one to another."""
SUYOS = (pages.AVISOS, FIRMAS)
"""What the institute says and signs: ``<base>avisos.json`` and ``<base>firmas.json`` answer those files of the server's
folder, where ``firmado``. The second is there only while results are (``difusor.firmas``)."""
HSTS = "max-age=31536000"
"""A year, of this name alone: what other names of the difusor do is not ours to promise."""
TLS_MINIMO: Literal["1.2"] = "1.2"
"""Where the call says nothing; INE-II-a-iii-1 says it for all."""


@dataclass(frozen=True)
class Tls:
    """What one site is encrypted with.

    ``certificado`` and ``clave`` are files (absolute), both None where an ACME authority gives them: then ``correo``,
    ``acme`` (its directory, None for the server's own choice) and ``acme_ca``. ``puerto_http``: redirects; 0: closed.
    """

    minimo: Literal["1.2", "1.3"]
    certificado: Path | None
    clave: Path | None
    correo: str | None
    acme: str | None
    acme_ca: Path | None
    puerto_http: int


@dataclass(frozen=True)
class Site:
    """One convocatoria on one address.

    ``escucha`` is ``host:port``; ``base`` the path of the portal with its slashes; ``nombre`` (letters, digits,
    hyphen) its log; ``inmutable`` whether hash-named assets and ``datos/NNNN`` never change; ``marcos`` the CSP
    ``frame-ancestors``; ``indexable`` False asks search engines to stay away; ``firmado`` whether there are notices to
    serve (``SUYOS``). ``nombres``: the host names that are its own, none for every name. ``tls`` None: plain HTTP.
    ``hsts``: asks browsers to come back over TLS. ``acceso``: who enters, None for everyone. ``personalizada``: whether
    the call allows a view of the difusor's own (``difusor/personalizada.py``).
    """

    nombre: str
    carpeta: Path
    escucha: str
    base: str
    inmutable: bool
    marcos: str
    indexable: bool
    firmado: bool = True
    nombres: tuple[str, ...] = ()
    tls: Tls | None = None
    hsts: bool = False
    acceso: AccesoSimulacro | None = None
    personalizada: bool = False

    @property
    def direccion(self) -> str:
        """The address where it listens, without brackets."""
        return self.escucha.rpartition(":")[0].strip("[]")

    @property
    def puerto(self) -> int:
        """The port where it listens."""
        return int(self.escucha.rpartition(":")[2])

    @property
    def url(self) -> str:
        """Where it answers, with a final slash: by its first name, or by the address where it listens."""
        scheme = "http" if self.tls is None else "https"
        place = f"{self.nombres[0]}:{self.puerto}" if self.nombres else self.escucha
        return f"{scheme}://{place}{self.base}"


def site_of(workspace: Workspace, port: int) -> Site:
    """What the web server must know of one workspace.

    Raises:
        AjustesError: an official night would be for some only, or shown in a frame of a rehearsal, or a simulacro that
            must not be for all would.
    """
    settings, call = workspace.settings, workspace.convocatoria
    ours = settings.servidor
    official = settings.ambiente == "oficial"
    tls = _tls(workspace)
    return Site(
        nombre=re.sub(r"[^a-z0-9-]", "-", f"{settings.id}-{call.id}-{settings.ambiente}".lower()),
        carpeta=workspace.folder,
        escucha=f"[{ours.direccion}]:{port}" if ":" in ours.direccion else f"{ours.direccion}:{port}",
        base=ours.base,
        # A simulacro repeats its numbers at the same address, and only Pregón's own packages are known to keep theirs.
        inmutable=official and workspace.firmado,
        marcos=_frames(workspace),
        indexable=official,
        firmado=workspace.firmado,
        nombres=ours.nombres,
        tls=tls,
        # Never of a simulacro: a browser would keep it for the night, and the night may be served without TLS.
        hsts=official and tls is not None and ours.hsts,
        acceso=_access(workspace),
        personalizada=call.personalizacion == "autorizada",
    )


def _frames(workspace: Workspace) -> str:
    """The CSP ``frame-ancestors``: of the call, and in a simulacro the page of this machine that shows it."""
    ours, allowed = workspace.settings.servidor.marco_simulacro, workspace.convocatoria.frame_ancestors
    if ours is None:
        return allowed
    if workspace.settings.ambiente == "oficial":
        raise AjustesError(
            "[servidor] marco_simulacro dejaría ver un portal oficial dentro de la página de un ensayo.",
            intacto="Lo publicado y lo que se sirve siguen como estaban.",
            que_hacer='Quite «marco_simulacro» de difusor.toml; sólo vale donde ambiente = "simulacro".',
        )
    return allowed if allowed == "*" else f"{allowed} {ours}"


def _tls(workspace: Workspace) -> Tls | None:
    ours = workspace.settings.servidor
    if ours.tls == "no":
        return None
    certificate, key, authority = (
        None if path is None else workspace.folder / path for path in (ours.certificado, ours.clave, ours.acme_ca)
    )
    return Tls(
        minimo=workspace.convocatoria.tls_min or TLS_MINIMO,
        certificado=certificate,
        clave=key,
        correo=ours.correo,
        acme=ours.acme,
        acme_ca=authority,
        puerto_http=ours.puerto_http,
    )


def _access(workspace: Workspace) -> AccesoSimulacro | None:
    access = workspace.settings.servidor.acceso
    if workspace.settings.ambiente == "oficial":
        if not access.vacio:
            raise AjustesError(
                "[servidor.acceso] restringiría una noche oficial, que es gratuita y sin registro (GRO-1.2).",
                intacto="Lo publicado y lo que se sirve siguen como estaban.",
                que_hacer='Quite [servidor.acceso] de difusor.toml; sólo vale donde ambiente = "simulacro".',
            )
        return None
    if access.vacio:
        if workspace.convocatoria.acceso_simulacro == "restringido":
            raise AjustesError(
                "El perfil pide que el simulacro no sea público (acceso_simulacro) y nada lo restringe.",
                intacto="No se sirvió nada del simulacro.",
                que_hacer="Dé usuarios o redes en [servidor.acceso] de difusor.toml («pregon difusor contrasena»).",
            )
        return None
    return access


def security_headers(site: Site) -> tuple[tuple[str, str], ...]:
    """Name and value of what every answer of a site carries, whatever its status."""
    policy = "; ".join(
        (
            "default-src 'self'",
            f"style-src 'self' {style_source()}",
            "img-src 'self' data:",
            "base-uri 'none'",
            "form-action 'self'",
            "object-src 'none'",
            f"frame-ancestors {site.marcos}",
        )
    )
    return (
        ("Content-Security-Policy", policy),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "strict-origin-when-cross-origin"),
        ("Access-Control-Allow-Origin", "*"),
        *((("Strict-Transport-Security", HSTS),) if site.hsts else ()),
        *(() if site.indexable else (("X-Robots-Tag", "noindex"),)),
    )
