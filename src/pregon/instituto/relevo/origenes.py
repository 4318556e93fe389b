"""Where a lost repository may still be: a difusor's folder, its portal, what was sent to it, any copy.

Nothing read here is believed: whoever asks verifies signatures and hashes.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pregon.base.errors import EntradaError, PregonError
from pregon.paquete.names import MANIFIESTO
from pregon.transport.confianza import WorkspaceSource
from pregon.transport.local import FolderSource
from pregon.transport.web import WebSource
from pregon.trust.orden import cut_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pregon.base.clock import Clock
    from pregon.trust.origen import RepositorySource

CONFIANZA = "confianza"
"""The folder by which that of a difusor is known."""


@dataclass(frozen=True)
class Origen:
    """One place. ``carpeta``: of a difusor, where it lies; None for what is read as a repository or as a portal."""

    nombre: str
    repositorio: RepositorySource
    carpeta: Path | None = None

    def portal(self, corte: int) -> RepositorySource:
        """What it shows of a cut: the files of the package by their own paths."""
        return self.repositorio if self.carpeta is None else FolderSource(self.carpeta / "cortes" / f"{corte:04d}")


class Juntos:
    """Signatures of one place, and files of any: a repository that several hold between them."""

    def __init__(self, firmas: Origen, todos: Sequence[Origen]) -> None:
        self._signatures = firmas
        self._all = (firmas, *(one for one in todos if one is not firmas))

    def stream(self, ruta: str, *, desde: int = 0) -> Iterator[bytes] | None:
        """The file from the first place that has it; the manifest of a cut, also as a portal shows it."""
        if ruta.startswith("metadata/"):
            return self._signatures.repositorio.stream(ruta, desde=desde)
        for place in self._all:
            with contextlib.suppress(PregonError):
                found = place.repositorio.stream(ruta, desde=desde)
                if found is None and ruta.endswith(f"/{MANIFIESTO}"):
                    found = place.portal(int(ruta.split("/")[2])).stream(MANIFIESTO, desde=desde)
                if found is not None:
                    return found
        return None


def open_origins(places: Sequence[str], clock: Clock, stack: contextlib.ExitStack) -> tuple[Origen, ...]:
    """Each place opened: ``https://…`` (or ``http://…``), ``s3://…``, ``file:///…`` or a path.

    Raises:
        EntradaError: a folder that is not there.
        AjustesError, UsoError: an address that nobody can read.
    """
    return tuple(_open(place, clock, stack) for place in places)


def _open(place: str, clock: Clock, stack: contextlib.ExitStack) -> Origen:
    if place.startswith(("http://", "https://")):
        base = place.rstrip("/").removesuffix("/metadata")
        return Origen(place, stack.enter_context(WebSource(base, clock=clock)))
    if "://" in place and not place.startswith("file://"):
        from pregon.transport.abre import open_source
        from pregon.transport.lugar import Lugar

        return Origen(place, open_source(Lugar(url=place), folder=Path.cwd(), clock=clock, environment=os.environ))
    path = Path(place.removeprefix("file://"))
    if not path.is_dir():
        raise EntradaError(
            f"No existe la carpeta {path}.",
            intacto="No se cambió nada.",
            que_hacer="Revise la ruta que dio con --desde.",
        )
    if (path / CONFIANZA).is_dir():
        return Origen(place, WorkspaceSource(path), path)
    return Origen(place, FolderSource(path))


def manifest_path(corte: int) -> str:
    """Where the manifest of a cut lies in a repository."""
    return f"targets/{cut_folder(corte)}/{MANIFIESTO}"
