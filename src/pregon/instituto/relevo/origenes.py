"""Where a lost repository may still be: a difusor's folder, its portal, what was sent to it, any copy.

Nothing read here is believed: whoever asks verifies signatures and hashes.
"""

from __future__ import annotations

import contextlib
import functools
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from pregon.base.errors import EntradaError, PregonError, UsoError
from pregon.base.settings import spanish_problems
from pregon.paquete.manifest import MANIFEST_MAX_BYTES, parse_manifest
from pregon.paquete.names import MANIFIESTO
from pregon.transport.confianza import PortalSource, WorkspaceSource
from pregon.transport.local import FolderSource
from pregon.transport.web import WebSource

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

    @functools.cached_property
    def mostrado(self) -> int | None:
        """The cut that a portal says to show, asked once and not verified; None of any other place."""
        if self.carpeta is not None:
            return None
        data = b""
        with contextlib.suppress(PregonError):
            for piece in self.repositorio.stream(MANIFIESTO) or ():
                data += piece
                if len(data) > MANIFEST_MAX_BYTES:
                    return None
            return parse_manifest(data).corte
        return None


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
                    corte = int(ruta.split("/")[2])
                    if place.carpeta is not None or place.mostrado == corte:
                        found = place.portal(corte).stream(MANIFIESTO, desde=desde)
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
    _check_address(place)
    if place.startswith(("http://", "https://")):
        base = place.rstrip("/").removesuffix("/metadata")
        return Origen(place, PortalSource(stack.enter_context(WebSource(base, clock=clock))))
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


def _check_address(place: str) -> None:
    """Addresses go to the journal: none has a password, and each is one that somebody could read."""
    scheme, there, rest = place.partition("://")
    if not there or scheme == "file":
        return
    from pregon.transport.lugar import Lugar

    problems: Sequence[str] = ()
    if scheme not in ("http", "https", "s3"):
        problems = (f"por {scheme}:// no se lee",)
    else:
        try:
            Lugar(url=f"https://{rest}" if scheme == "http" else place)
        except ValidationError as exc:
            problems = spanish_problems(exc)
    if problems:
        raise UsoError(
            f"No sirve una de las direcciones que se dieron con --desde: {'; '.join(problems)}.",
            intacto="No se cambió nada.",
            que_hacer="Dé la dirección pública de un difusor. Lo que está en otro equipo, cópielo con «rsync» o "
            "«sftp -r» y dé la copia.",
        )
