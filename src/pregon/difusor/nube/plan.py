"""What a target must hold, in the order in which it goes up, and what an edge must forget. Pure (docs/adr/0013)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from pregon.difusor.nube.cabeceras import NUESTRA_S, cache_de, codificacion_de, inmutable, mudable, tipo_de
from pregon.paquete.names import MANIFIESTO

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pregon.difusor.nube.cabeceras import Reglas
    from pregon.difusor.release import Plan

PORTADA = "index.html"
CORTE = "corte.json"
PRIVADO = "historico/"
"""Below the prefix, what is not public: the originals, which are not this room's to touch."""


class Fase(IntEnum):
    """What goes up together. Nothing of one begins before all of the one before is there, and is what was sent."""

    INMUTABLE = 0
    PAGINA = 1
    PORTADA = 2
    CORTE = 3


@dataclass(frozen=True)
class Objeto:
    """One object as it must be. ``clave``: its whole name in the bucket; ``ruta``: its path in the release.

    ``sha256`` and ``bytes`` are of the content as its reader sees it, whatever ``codificacion`` it is stored in.
    """

    clave: str
    ruta: str
    sha256: str
    bytes: int
    tipo: str
    cache: str
    codificacion: str | None
    fase: Fase

    @property
    def cabeceras(self) -> tuple[str, str, str | None]:
        """What its headers say: type, cache and encoding."""
        return self.tipo, self.cache, self.codificacion


def plan_of(what: Plan, tamanos: Mapping[str, int], reglas: Reglas, *, prefijo: str = "") -> tuple[Objeto, ...]:
    """Every object of a release, in the order in which they go up. ``tamanos``: bytes of each content by SHA-256.

    What never changes goes first, so that no page names what is not there; then all other files before the pages,
    deep pages before shallow ones; then the cover and the manifest; ``corte.json`` last.
    """
    made = [
        Objeto(
            clave=prefijo + ruta,
            ruta=ruta,
            sha256=sha256,
            bytes=tamanos[sha256],
            tipo=tipo_de(ruta),
            cache=cache_de(ruta, reglas),
            codificacion=codificacion_de(ruta, tamanos[sha256], reglas),
            fase=fase_de(ruta),
        )
        for ruta, sha256 in what.rutas.items()
        if not ruta.startswith(PRIVADO)
    ]
    return in_order(made)


def ours(ruta: str, sha256: str, size: int, reglas: Reglas, *, prefijo: str = "") -> Objeto:
    """A page of the difusor's own (aviso, notices, 404) at ``ruta``: kept by an edge for some seconds."""
    cache = mudable(min(NUESTRA_S, reglas.intervalo_s))
    coding = codificacion_de(ruta, size, reglas)
    return Objeto(prefijo + ruta, ruta, sha256, size, tipo_de(ruta), cache, coding, fase_de(ruta))


def in_order(objetos: Iterable[Objeto]) -> tuple[Objeto, ...]:
    """The same in the order in which they go up; two runs over the same release follow the same order."""
    return tuple(sorted(objetos, key=_turn))


def fase_de(ruta: str) -> Fase:
    """When a path goes up."""
    if ruta == CORTE:
        return Fase.CORTE
    if ruta in (PORTADA, MANIFIESTO):
        return Fase.PORTADA
    return Fase.INMUTABLE if inmutable(ruta) else Fase.PAGINA


def _turn(objeto: Objeto) -> tuple[int, bool, int, str]:
    ruta = objeto.ruta
    return objeto.fase, ruta.endswith(".html"), -ruta.count("/"), ruta


def mutable_paths(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    """The public paths whose answer changed, in order: all that an edge must forget, and nothing else.

    ``before`` and ``after``: path in the release to SHA-256, of what may change only; a path that is no longer there
    changed too. A folder's page is asked for in two ways, «/gub/» and «/gub/index.html».
    """
    changed = sorted(ruta for ruta in before.keys() | after.keys() if before.get(ruta) != after.get(ruta))
    return tuple(public for ruta in changed for public in publicas(ruta))


def publicas(ruta: str) -> tuple[str, ...]:
    """Every address (from «/» on) at which a path of a release answers."""
    if ruta == PORTADA or ruta.endswith("/" + PORTADA):
        return "/" + ruta.removesuffix(PORTADA), "/" + ruta
    return ("/" + ruta,)
