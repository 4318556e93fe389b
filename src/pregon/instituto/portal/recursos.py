"""The assets of the portal: one style sheet and its ES modules, each with its hash in its name.

A name with its hash never changes content, so an edge or a browser may keep it for ever, and a page opened before a
switch still finds its own (design §2). Modules import each other as ``./other.js``; here that becomes the hashed name.
"""

from __future__ import annotations

import re
from importlib.resources import files
from typing import TYPE_CHECKING

from pregon.base.hashing import sha256_bytes
from pregon.instituto.portal import ajenos
from pregon.instituto.portal.aspecto import Aspecto
from pregon.instituto.portal.colores import theme
from pregon.instituto.portal.oscuro import obedient

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
    "ajenos",
    "textos",
    "consulta",
    "ajustes",
    "secciones",
    "noche",
    "estadistica",
    "pantallas",
)
"""The parts of the style sheet, in the order in which they are put together: later ones override."""
GUIONES = ("corte", "consulta", "incrusta")
"""The modules that pages ask for; what these import comes with them. Nobody needs one to read: ``ajustes`` asks for
those of its page once it is painted.

``ajustes`` is none: every page runs it before it is painted (``Recursos.ajustes``).
"""

_HASH_DIGITS = 12
_IMPORT = re.compile(r'(?:(?<=from ")|(?<=import\("))\./([a-z-]+)\.js(?=")')
_HERE = "pregon.instituto.portal"


class Recursos:
    """Every asset, read once. ``contenidos``: bytes by route in the package. ``aspecto``: the institute's own.

    ``ajenos``: the scripts that pages of other sites load. ``logo``: route of the institute's logo, if it gave one.
    """

    def __init__(self, aspecto: Aspecto | None = None) -> None:
        aspecto = aspecto or Aspecto()
        self.contenidos: dict[str, bytes] = {}
        images = {stem: self._keep(f"{stem}.{image.tipo}", image.contenido) for stem, image in aspecto.archivos.items()}
        self.logo = images.get("logo")
        propios = aspecto.estilo({stem: route.removeprefix(CARPETA) for stem, route in images.items()})
        parts = [(files(_HERE) / "estilos" / f"{name}.css").read_text(encoding="utf-8") for name in ESTILOS]
        whole = "".join([*parts, propios])
        self.hoja = self._keep("estilo.css", obedient(whole).encode())
        self.ajenos = ajenos.scripts(theme() + propios, aspecto.siglas)
        self.icono = self._keep("icono.svg", (files(_HERE) / "icono.svg").read_bytes())
        self.ajustes = self._keep("ajustes.js", (files(_HERE) / "guiones" / "ajustes.js").read_bytes())
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
