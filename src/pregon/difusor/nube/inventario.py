"""What a target has, as far as we know: kept beside the workspace's state, and checked against the store's own list.

Losing it costs one look at each object, never a wrong page: nothing is believed of an object but what the store says
of it. One file for each target, ``nube/<nombre>.json``, replaced whole.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pregon.difusor.nube.cabeceras import inmutable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pregon.base.durable import Disk
    from pregon.difusor.nube.plan import Objeto

CARPETA = "nube"
FORMATO = "pregon/nube/1"
MAX_BYTES = 256 << 20
"""A national night has some ten megabytes of it."""

Cabeceras = tuple[str, str, str | None]


@dataclass(frozen=True)
class Hay:
    """One object that is there. ``sha256``: of its content; ``bytes`` and ``etag``: of what is stored."""

    sha256: str
    cabeceras: Cabeceras
    bytes: int
    etag: str

    def es(self, objeto: Objeto) -> bool:
        """Whether it is that one already."""
        return self.sha256 == objeto.sha256 and self.cabeceras == objeto.cabeceras


@dataclass
class Inventario:
    """The objects of one target. ``a_medias``: a run began and is not known to have ended.

    ``muestra``: what the store shows whole: a release's name, or ``aviso``; None where it is not known.
    ``por_purgar``: public paths whose change no edge is known to have heard of.
    """

    destino: str
    objetos: dict[str, Hay] = field(default_factory=dict)
    a_medias: bool = True
    muestra: str | None = None
    por_purgar: set[str] = field(default_factory=set)
    nuevo: bool = True
    """Nothing was remembered."""

    def falta(self, objetos: Iterable[Objeto]) -> list[Objeto]:
        """Those that are not there, or are otherwise, in the same order."""
        there = self.objetos
        return [one for one in objetos if (hay := there.get(one.ruta)) is None or not hay.es(one)]

    def mudables(self) -> dict[str, str]:
        """Path and SHA-256 of what may change."""
        return {ruta: hay.sha256 for ruta, hay in self.objetos.items() if not inmutable(ruta)}

    def anota(self, objeto: Objeto, size: int, etag: str) -> None:
        """Remember that it is there now."""
        self.objetos[objeto.ruta] = Hay(objeto.sha256, objeto.cabeceras, size, etag)

    def to_bytes(self) -> bytes:
        """The file."""
        kinds: dict[Cabeceras, int] = {}
        rows = {
            ruta: (hay.sha256, kinds.setdefault(hay.cabeceras, len(kinds)), hay.bytes, hay.etag)
            for ruta, hay in self.objetos.items()
        }
        data = {
            "formato": FORMATO,
            "destino": self.destino,
            "a_medias": self.a_medias,
            "muestra": self.muestra,
            "por_purgar": sorted(self.por_purgar),
            "cabeceras": list(kinds),
            "objetos": rows,
        }
        return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()

    def guarda(self, path: Path, disk: Disk) -> None:
        """Keep it; durable on return.

        Raises:
            DiscoError, EscrituraError: it cannot be written; the one before stays.
        """
        disk.make_folder(path.parent, mode=0o700)
        disk.write(path, self.to_bytes(), mode=0o600)


def abre(path: Path, destino: str) -> Inventario:
    """What is kept of ``destino`` (its address); empty where there is nothing, or nothing that is understood."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        return _parsed(json.loads(raw), destino)
    except (OSError, ValueError, KeyError, TypeError, IndexError, RecursionError):
        return Inventario(destino)


def _parsed(data: Mapping[str, Any], destino: str) -> Inventario:
    if data["formato"] != FORMATO or data["destino"] != destino:
        raise ValueError("de otro destino")
    kinds = [
        (str(tipo), str(cache), None if coding is None else str(coding)) for tipo, cache, coding in data["cabeceras"]
    ]
    shown = data["muestra"]
    return Inventario(
        destino=destino,
        objetos={
            ruta: Hay(str(sha256), kinds[kind], int(size), str(etag))
            for ruta, (sha256, kind, size, etag) in data["objetos"].items()
        },
        a_medias=bool(data["a_medias"]),
        muestra=None if shown is None else str(shown),
        por_purgar=set(map(str, data["por_purgar"])),
        nuevo=False,
    )
