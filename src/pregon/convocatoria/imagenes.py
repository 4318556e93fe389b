"""Where the images of the actas are: a template of addresses on the institute's own site (INE-III-a-i, design §2).

Pregón never publishes nor copies an image; the portal gives the address of each one. Names between braces stand for
what the database says of the acta, percent-encoded where they are put.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pregon.convocatoria.direcciones import address_problems

if TYPE_CHECKING:
    from collections.abc import Iterator

CAMPOS = ("clave_acta", "clave_casilla", "sha", "entidad", "seccion")
"""What may stand between braces. ``entidad``: two digits; ``seccion``: four; the others, as in the database."""
_IDENTIFY = ("clave_acta", "clave_casilla", "sha")
_FIELD = re.compile(r"\{([^{}]*)\}")
_BRACE = re.compile("[{}]")


def template_problems(template: str) -> Iterator[str]:
    """Everything wrong with a template, in Spanish; nothing when it is good."""
    rest = _FIELD.sub("0", template)
    yield from address_problems(_BRACE.sub("0", rest), "están las imágenes")
    if "{" in template.partition("//")[2].partition("/")[0]:
        yield "el nombre del sitio va escrito, sin llaves"
    fields = _FIELD.findall(template)
    for name in dict.fromkeys(fields):
        if name not in CAMPOS:
            yield f"«{name}» no es un dato del acta: use {', '.join(CAMPOS)}"
    if _BRACE.search(rest):
        yield "hay una llave sin su pareja"
    elif not set(fields) & set(_IDENTIFY):
        yield f"no distingue un acta de otra: falta, entre llaves, uno de {', '.join(_IDENTIFY)}"
