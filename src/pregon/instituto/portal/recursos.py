"""The assets of the portal: one style sheet and its ES modules, each with its hash in its name.

A name with its hash never changes content, so an edge or a browser may keep it for ever, and a page opened before a
switch still finds its own (design §2). Modules import each other as ``./other.js``; here that becomes the hashed name.
"""

from __future__ import annotations

import re
from importlib.resources import files
from typing import TYPE_CHECKING

from pregon.base.hashing import sha256_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

CARPETA = "assets/"
ESTILOS = (
    "tema",
    "base",
    "marco",
    "tiras",
    "tablas",
    "contiendas",
    "guia",
    "pantallas",
)
"""The parts of the style sheet, in the order in which they are put together: later ones override."""
GUIONES = ("corte",)
"""The modules that pages ask for; what these import comes with them."""

_HASH_DIGITS = 12
_IMPORT = re.compile(r'(?<=from ")\./([a-z-]+)\.js(?=")')
_HERE = "pregon.instituto.portal"


class Recursos:
    """Every asset, read once. ``contenidos``: bytes by route in the package. ``propios``: rules of an institute."""

    def __init__(self, propios: str = "") -> None:
        self.contenidos: dict[str, bytes] = {}
        parts = [(files(_HERE) / "estilos" / f"{name}.css").read_text(encoding="utf-8") for name in ESTILOS]
        self.hoja = self._keep("estilo.css", "".join([*parts, propios]).encode())
        self.icono = self._keep("icono.svg", (files(_HERE) / "icono.svg").read_bytes())
        made: dict[str, str] = {}
        for name in GUIONES:
            self._module(name, made)
        self.guiones: Mapping[str, str] = {name: made[name] for name in GUIONES}

    def _module(self, name: str, made: dict[str, str]) -> str:
        """The route of a module; those that it imports are made before it."""
        if name not in made:
            text = (files(_HERE) / "guiones" / f"{name}.js").read_text(encoding="utf-8")
            linked = _IMPORT.sub(lambda found: "./" + self._module(found[1], made).removeprefix(CARPETA), text)
            made[name] = self._keep(f"{name}.js", linked.encode())
        return made[name]

    def _keep(self, name: str, content: bytes) -> str:
        stem, _, suffix = name.rpartition(".")
        route = f"{CARPETA}{stem}.{sha256_bytes(content)[:_HASH_DIGITS]}.{suffix}"
        self.contenidos[route] = content
        return route
