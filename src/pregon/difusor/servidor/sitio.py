"""One convocatoria on one address, and what every answer of it says: the same under Caddy, nginx and Apache."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pregon.difusor.pages import style_source

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.difusor.workspace import Workspace

INMUTABLE = "public, max-age=31536000, immutable"
"""``Cache-Control`` of what never changes under its name."""
RUTA_INMUTABLE = r"(datos/[0-9]{4}/.+|assets/[^/]+\.[0-9a-f]{8,64}\.[a-z0-9]+)"
"""The paths of a release (no first slash) that never change, where ``Site.inmutable``."""
NUNCA = ("Last-Modified", "Server")
"""Headers that no answer has (docs/adr/0003: nothing is decided by a date)."""


@dataclass(frozen=True)
class Site:
    """One convocatoria on one address.

    ``escucha`` is ``host:port``; ``base`` the path of the portal with its slashes; ``nombre`` (letters, digits,
    hyphen) its log; ``inmutable`` whether hash-named assets and ``datos/NNNN`` never change; ``marcos`` the CSP
    ``frame-ancestors``; ``indexable`` False asks search engines to stay away.
    """

    nombre: str
    carpeta: Path
    escucha: str
    base: str
    inmutable: bool
    marcos: str
    indexable: bool


def site_of(workspace: Workspace, port: int) -> Site:
    """What the web server must know of one workspace."""
    settings, call = workspace.settings, workspace.convocatoria
    address = settings.servidor.direccion
    official = settings.ambiente == "oficial"
    return Site(
        nombre=re.sub(r"[^a-z0-9-]", "-", f"{settings.id}-{call.id}-{settings.ambiente}".lower()),
        carpeta=workspace.folder,
        escucha=f"[{address}]:{port}" if ":" in address else f"{address}:{port}",
        base=settings.servidor.base,
        # A simulacro repeats its numbers at the same address, and only Pregón's own packages are known to keep theirs.
        inmutable=official and workspace.firmado,
        marcos=call.frame_ancestors,
        indexable=official,
    )


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
        *(() if site.indexable else (("X-Robots-Tag", "noindex"),)),
    )
