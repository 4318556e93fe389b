"""What every object says of itself, and what only the edge can say for it (docs/adr/0013).

An object of a store carries its type, its encoding and how long it may be kept. Everything else that our web servers
answer (CSP, HSTS, ``nosniff`` …) is the edge's to add: ``del_borde`` has the list.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pregon.difusor.objects import MAX_TWIN_BYTES, MIN_TWIN_BYTES, compressible
from pregon.difusor.servidor.sitio import INMUTABLE, RUTA_INMUTABLE, TIPOS, security_headers

if TYPE_CHECKING:
    from pregon.difusor.servidor.sitio import Site

GZIP = "gzip"
OTRO_TIPO = "application/octet-stream"
"""Of what ``TIPOS`` does not know: a store says some type always, and this one lets nothing be run."""
NUESTRA_S = 60
"""How long an edge keeps a page of ours (aviso, notices, 404): they change when nobody expects it."""

MUDABLE_MAX_S = 3600
"""The longest that an edge which nobody purges shows what is no longer so, however long the call's interval."""

_INMUTABLE = re.compile(RUTA_INMUTABLE)
_TIPO = {suffix: tipo for tipo, suffixes in TIPOS.items() for suffix in suffixes}


@dataclass(frozen=True)
class Reglas:
    """What decides the headers of a whole target.

    ``inmutable``: whether hash-named assets and ``datos/NNNN`` never change (``Site.inmutable``). ``intervalo_s``: how
    long an edge keeps what changes with each cut, if nobody purges it: the call's interval, an hour at most.
    ``gzip``: whether text is stored compressed.
    """

    inmutable: bool
    intervalo_s: int
    gzip: bool = True


def inmutable(ruta: str) -> bool:
    """Whether a path is of the kind that never changes once it is public."""
    return _INMUTABLE.fullmatch(ruta) is not None


def tipo_de(ruta: str) -> str:
    """``Content-Type``, the one that our web servers answer."""
    name = ruta.rsplit("/", 1)[-1]
    return _TIPO.get(name.rsplit(".", 1)[-1].lower(), OTRO_TIPO) if "." in name else OTRO_TIPO


def cache_de(ruta: str, reglas: Reglas) -> str:
    """``Cache-Control`` of a path of a release."""
    return INMUTABLE if reglas.inmutable and inmutable(ruta) else mudable(reglas.intervalo_s)


def mudable(segundos: int) -> str:
    """``Cache-Control`` of what changes: browsers ask each time; the edge keeps it until it is purged.

    Neither ``no-cache``, with which Varnish and CloudFront would keep nothing, nor ``must-revalidate``, with which an
    edge whose origin fails would answer an error instead of the last cut.
    """
    return f"public, max-age=0, s-maxage={min(segundos, MUDABLE_MAX_S)}"


def codificacion_de(ruta: str, bytes_: int, reglas: Reglas) -> str | None:
    """``Content-Encoding`` of an object: gzip where our servers would have a twin, by name and length alone."""
    return GZIP if reglas.gzip and compressible(ruta) and MIN_TWIN_BYTES <= bytes_ <= MAX_TWIN_BYTES else None


def del_borde(site: Site, publica: str) -> tuple[tuple[str, str], ...]:
    """Name and value of what the edge adds to every answer: what a web server of ours would, at that address."""
    return security_headers(replace(site, hsts=site.indexable and publica.startswith("https://")))
