"""What pages of other sites load from the portal: the script that sizes iframes and ``<pregon-resultados>``.

Their routes have no hash: a medium writes them once in its own page. What they share with the pages of the portal is
one source, published in both places: how a number and an hour are written, and how a file is asked for. Colours come
from the portal's style sheet, so that a party looks the same on both.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING

from pregon.instituto.portal.colores import variables
from pregon.instituto.portal.partidos import COLORES

if TYPE_CHECKING:
    from collections.abc import Mapping

CARPETA = "incrusta/"
GUIONES = ("altura", "pregon-resultados", "colores", "dibujo", "fuente")
"""The scripts: the first two are written in other pages; the second imports the rest, and the shared ones, which nobody
else should name."""
COMPARTIDOS = ("cifras", "origen", "reloj")
"""The modules that are also the portal's own. They import nothing."""

_TABLA = "const {} = {{}};"


def scripts(estilo: str, siglas: Mapping[str, str]) -> dict[str, bytes]:
    """Route and content of each script.

    Args:
        estilo: the styles whose colour variables (``--pan:#1b5fae``) the component takes, light and dark.
        siglas: colour by the letters shown of a party, where the institute gives its own: the name of its variable.
    """
    light, dark = variables(estilo)
    tables = {"CLAROS": light, "OSCUROS": dark, "SIGLAS": {**COLORES, **siglas}}
    own = files("pregon.instituto.portal") / "guiones"
    made = {f"{CARPETA}{name}.js": (own / f"{name}.js").read_bytes() for name in COMPARTIDOS}
    for name in GUIONES:
        text = (own / "incrusta" / f"{name}.js").read_text(encoding="utf-8")
        for table, values in tables.items():
            text = text.replace(_TABLA.format(table), f"const {table} = {json.dumps(values, ensure_ascii=False)};", 1)
        made[f"{CARPETA}{name}.js"] = text.encode()
    return made
