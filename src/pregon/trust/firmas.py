"""``firmas.json``: what an institute signed, as a difusor verified it, in one file beside the results that it shows.

``{formato: "pregon/firmas/1", documentos: {path in the repository: base64}}``: the metadata (roots, targets, cortes,
avisos, snapshot, timestamp) and the notices. With it, and with the files that a portal shows of its newest cut, the
institute makes its repository again where its machine is lost (``instituto.relevo.recupera``). Who reads it verifies
every signature: nothing in it is believed.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

from pregon.base.errors import FormatoError
from pregon.base.jsonio import canonical_json

if TYPE_CHECKING:
    from collections.abc import Mapping

FIRMAS = "firmas.json"
FORMATO = "pregon/firmas/1"
MAX_BYTES = 64 << 20
"""Most that a reader takes: of a night of 150 cuts it has some 200 kB."""


def pack(documentos: Mapping[str, bytes]) -> bytes:
    """The bytes of ``firmas.json``: the same documents always give the same."""
    told = {ruta: base64.b64encode(data).decode("ascii") for ruta, data in documentos.items()}
    return canonical_json({"formato": FORMATO, "documentos": told})


def unpack(data: bytes) -> dict[str, bytes]:
    """The documents that ``firmas.json`` has, by their path in the repository.

    Raises:
        FormatoError: it is not such a file.
    """
    try:
        found = json.loads(data)
        if found["formato"] == FORMATO:
            return {str(ruta): base64.b64decode(text, validate=True) for ruta, text in found["documentos"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    raise FormatoError(
        f"{FIRMAS} no está escrito como lo escribe un difusor.",
        intacto="No se cambió nada.",
        que_hacer="Pruebe con la dirección de otro difusor.",
    )
