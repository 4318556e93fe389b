"""The ways to a cut that its signed list offers, and what came by the one that was taken. Values; nothing is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pregon.trust.oferta import CADENA_MAX, split_archives

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.trust.verified import CutRef, TargetRef, VerifiedManifest


@dataclass(frozen=True)
class Eslabon:
    """The archive that one way takes of one cut. ``corte`` None: of the newest, whose manifest is known."""

    archivo: TargetRef
    corte: CutRef | None = None

    @property
    def archivos(self) -> tuple[TargetRef, ...]:
        """Everything of this link that must come."""
        return (self.archivo,) if self.corte is None else (self.corte.manifiesto, self.archivo)


Camino = tuple[Eslabon, ...]
"""One way to a cut, oldest link first."""


@dataclass(frozen=True)
class Recibido:
    """What came for a cut, in staging: links by the way that was taken, oldest first; empty: nothing was needed.

    ``nuevos``: SHA-256 of the contents that the store did not have.
    """

    folder: Path
    caminos: tuple[Camino, ...] = ()
    nuevos: frozenset[str] = frozenset()

    def staged(self, target: TargetRef) -> Path:
        """Where a file of a link is."""
        return self.folder / target.sha256


def ways(verified: VerifiedManifest) -> tuple[Camino, ...]:
    """The ways that the signed list offers from the last accepted cut to ``verified``, the lightest first. Pure."""
    whole, changes = split_archives(verified.archives)
    found: list[Camino] = [] if whole is None else [(Eslabon(whole),)]
    if changes is not None and verified.tramo is not None and len(verified.tramo) < CADENA_MAX:
        between = [(split_archives(cut.archives)[1], cut) for cut in verified.tramo]
        links = [Eslabon(archive, cut) for archive, cut in between if archive is not None]
        if len(links) == len(between):
            found.append((*links, Eslabon(changes)))
    return tuple(sorted(found, key=lambda way: sum(ref.bytes for link in way for ref in link.archivos)))
