"""Where the images of the actas are: a template of addresses on the institute's own site (INE-III-a-i, design §2).

Pregón never publishes nor copies an image; the portal gives the address of each one. Names between braces stand for
what the database says of the acta, percent-encoded where they are put.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

CAMPOS = ("clave_acta", "clave_casilla", "sha", "entidad", "seccion")
"""What may stand between braces. ``entidad``: two digits; ``seccion``: four; the others, as in the database."""
_IDENTIFY = ("clave_acta", "clave_casilla", "sha")
_FIELD = re.compile(r"\{([^{}]*)\}")
_HOST = re.compile(r"(?=.{4,253}\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+\Z")
_PLAIN = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&()*+,;=%{}]*\Z")


def template_problems(template: str) -> Iterator[str]:
    """Everything wrong with a template, in Spanish; nothing when it is good."""
    if not _PLAIN.match(template):
        yield "sólo admite los caracteres de una dirección, sin espacios, comillas, acentos ni «#»"
    try:
        parts = urlsplit(_FIELD.sub("0", template))
        host, _ = parts.hostname, parts.port
    except ValueError:
        yield "no es una dirección"
        return
    if parts.scheme != "https":
        yield "debe empezar con https://"
    if "@" in parts.netloc:
        yield "no debe llevar usuario ni contraseña"
    if not host:
        yield "no dice en qué sitio están las imágenes"
    elif not _HOST.match(host):
        yield f"«{host}» no es el nombre de un sitio"
    if "{" in template.partition("//")[2].partition("/")[0]:
        yield "el nombre del sitio va escrito, sin llaves"
    fields = _FIELD.findall(template)
    for name in dict.fromkeys(fields):
        if name not in CAMPOS:
            yield f"«{name}» no es un dato del acta: use {', '.join(CAMPOS)}"
    if set("{}") & set(_FIELD.sub("", template)):
        yield "hay una llave sin su pareja"
    elif not set(fields) & set(_IDENTIFY):
        yield f"no distingue un acta de otra: falta, entre llaves, uno de {', '.join(_IDENTIFY)}"
