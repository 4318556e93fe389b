"""The static page «Compruebe un sitio», for the institute's own host: it verifies any difusor in the visitor's browser.

Everything is in one folder and nothing comes from elsewhere. What it trusts, the published root, is written into it:
whoever serves the page is trusted for that, and the page shows the root's fingerprint to be compared with the sheet.
"""

from __future__ import annotations

import base64
import json
from importlib.resources import files
from typing import TYPE_CHECKING

from pregon.base.errors import UsoError
from pregon.trust.cliente import root_identity

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.base.durable import Disk
    from pregon.trust.verified import Identity

PAGINA = "index.html"
METADATOS = "repositorio/metadata/"
"""Where the page looks for the signatures unless it is told: beside itself."""
POLITICA = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' https: http:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
"""What the institute's server should send; the page says it too, but for what only a header can say."""

_FIJOS = ("verificador.css", "verificador.js", "documentos.js", "firmas.js", "lectura.js", "resultado.js")


def contents(root: bytes, repositorio: str | None = None) -> dict[str, bytes]:
    """The files of the page, by name. ``repositorio``: address of the institute's repository, absolute or relative.

    Raises:
        FirmaError: ``root`` is not a root of Pregón.
        UsoError: an address that is not of the web.
    """
    root_identity(root)
    where = METADATOS if repositorio is None else _metadata(repositorio)
    here = files("pregon.instituto.verificador")
    made = {name: (here / name).read_bytes() for name in _FIJOS}
    made[PAGINA] = (here / "pagina.html").read_bytes()
    constants = {"RAIZ": base64.b64encode(root).decode("ascii"), "REPOSITORIO": where}
    lines = [f"export const {name} = {json.dumps(value)};\n" for name, value in constants.items()]
    made["raiz.js"] = "".join(["// What this page trusts, and where the signatures are.\n", *lines]).encode()
    return made


def write(folder: Path, root: bytes, *, repositorio: str | None, disk: Disk) -> Identity:
    """Write the page in ``folder``, its ``index.html`` last; whose root it trusts.

    Raises:
        FirmaError, UsoError: as ``contents``; nothing was written.
        DiscoError, EscrituraError: could not write.
    """
    made = contents(root, repositorio)
    disk.make_folder(folder)
    for name in sorted(made, key=lambda name: name == PAGINA):
        disk.write(folder / name, made[name])
    return root_identity(root)


def _metadata(repositorio: str) -> str:
    scheme, colon, _ = repositorio.partition("://")
    if colon and scheme not in ("http", "https"):
        raise UsoError(
            f"«{repositorio}» no es una dirección que un navegador pueda leer.",
            intacto="No se escribió nada.",
            que_hacer="Dé una dirección con https, o una relativa a la página.",
        )
    base = repositorio.rstrip("/").removesuffix("/metadata")
    return f"{base}/metadata/"
