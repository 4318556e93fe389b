"""What a signed repository offers at one instant: the files that a reader of that timestamp needs, and no others.

For delivering, which needs no key and must not stop while the next cut is made: versioned metadata and the targets
they name never change, and ``timestamp.json`` is replaced whole. So whoever holds the bytes of one timestamp holds a
state that stays complete.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root, Snapshot, Targets, Timestamp

from pregon.base.errors import DiscoError, EntradaError
from pregon.paquete.names import CAMBIOS
from pregon.paquete.reading import EXTENSIONES
from pregon.trust import orden
from pregon.trust.papeles import DELEGATED, signed_files

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pregon.trust.verified import CutRef, TargetRef

TIMESTAMP = "metadata/timestamp.json"
CADENA_MAX = 144
"""Cuts that are ever chained by their changes: a whole night, every ten minutes. Beyond, the whole archive."""


@dataclass(frozen=True)
class Oferta:
    """The state that one timestamp leads to.

    ``metadatos``: paths relative to the repository of every root and of the current version of each other role, the
    timestamp left out. ``version`` is the timestamp's: a later state has a higher one.
    """

    version: int
    metadatos: tuple[str, ...]
    cortes: tuple[CutRef, ...]
    avisos: tuple[TargetRef, ...]


def read_offer(folder: Path, timestamp: bytes) -> Oferta:
    """The state of the repository in ``folder`` that ``timestamp`` (the bytes of that file) leads to.

    Signatures are not judged: it is our own, and whoever receives it verifies it all.

    Raises:
        EntradaError: a file that it leads to is not there.
        DiscoError: one cannot be read as metadata.
        TrustError: the list of cuts is not one.
    """
    named: list[str] = []

    def load(name: str, version: int, kind: type[Any]) -> Any:
        named.append(f"metadata/{version}.{name}.json")
        return _parse(folder / named[-1], None, kind)

    first: Timestamp = _parse(folder / TIMESTAMP, timestamp, Timestamp)
    snapshot: Snapshot = load("snapshot", first.snapshot_meta.version, Snapshot)
    roles: dict[str, Targets] = {
        name: load(name, snapshot.meta[f"{name}.json"].version, Targets) for name in ("targets", *DELEGATED)
    }
    number = 1
    while (folder / f"metadata/{number}.root.json").exists():
        load("root", number, Root)
        number += 1
    return Oferta(
        version=first.version,
        metadatos=tuple(sorted(named)),
        cortes=orden.list_cuts(signed_files(roles["cortes"])),
        avisos=tuple(file.target for file in signed_files(roles["avisos"])),
    )


def split_archives(archives: Sequence[TargetRef]) -> tuple[TargetRef | None, TargetRef | None]:
    """The whole archive and the archive of changes among the signed files of a cut."""
    known = [ref for ref in archives if ref.nombre.endswith(EXTENSIONES)]
    changes = next((ref for ref in known if ref.nombre.endswith(CAMBIOS)), None)
    whole = next((ref for ref in known if not ref.nombre.endswith(CAMBIOS)), None)
    return whole, changes


def _parse(path: Path, data: bytes | None, kind: type[Any]) -> Any:
    try:
        signed = Metadata.from_bytes(path.read_bytes() if data is None else data).signed
    except OSError as exc:
        raise EntradaError(
            f"No hay un repositorio firmado completo: falta {path}.",
            intacto="No se entregó nada.",
            que_hacer="Revise la carpeta, o cree el espacio con «pregon instituto inicia».",
        ) from exc
    except RepositoryError as exc:
        raise _damaged(path) from exc
    if not isinstance(signed, kind):
        raise _damaged(path)
    return signed


def _damaged(path: Path) -> DiscoError:
    return DiscoError(
        f"El archivo firmado {path} está dañado.",
        intacto="No se entregó nada; lo que los difusores ya publicaron sigue como estaba.",
        que_hacer="Recupere el repositorio de su respaldo o de un difusor («pregon instituto recupera»).",
    )
