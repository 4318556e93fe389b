"""Addresses of the institute's own site that a profile gives and the portal links to: whole, safe and by https."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

_HOST = re.compile(r"(?=.{4,253}\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+\Z")
_PLAIN = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&()*+,;=%]*\Z")


def address_problems(address: str, que: str) -> Iterator[str]:
    """Everything wrong with an address, in Spanish; nothing when it is good.

    ``que``: what is there, with its verb: «está el verificador». The part after «#» is the portal's, so it has none.
    """
    if not _PLAIN.match(address):
        yield "sólo admite los caracteres de una dirección, sin espacios, comillas, acentos ni «#»"
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        yield "no es una dirección"
        return
    if parts.scheme != "https":
        yield "debe empezar con https://"
    if "@" in parts.netloc:
        yield "no debe llevar usuario ni contraseña"
    if not host:
        yield f"no dice en qué sitio {que}"
    elif not _HOST.match(host):
        yield f"«{host}» no es el nombre de un sitio"
