"""Where the verifiers read from: the seams that a carrier implements (``pregon.transport``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator


class RepositorySource(Protocol):
    """Reads the files of a repository (design §2). It is never trusted: size limits and checks are the verifier's."""

    def stream(self, ruta: str, *, desde: int = 0) -> Iterator[bytes] | None:
        """The bytes of ``ruta`` in pieces, from the offset ``desde`` on, or None when it is not there.

        ``ruta`` is relative to the repository: ``metadata/timestamp.json``, ``targets/cortes/0042/manifiesto.json``.
        Of a file that is not longer than ``desde`` no piece comes.

        Raises:
            RedError: the link or the other side failed, now or while the pieces are read.
        """


def skipped(pieces: Iterator[bytes], desde: int) -> Iterator[bytes]:
    """``pieces`` without their first ``desde`` bytes: for a source that can only be read from the beginning."""
    for piece in pieces:
        if desde < len(piece):
            yield piece[desde:]
        desde = max(0, desde - len(piece))


@dataclass(frozen=True)
class Visto:
    """An entry of a foreign folder as it is now. ``huella`` changes whenever its content may have: compare, no more.

    ``tipo`` is «archivo», «enlace» or «especial»; ``hora_ns`` its modification time in nanoseconds since 1970.
    """

    ruta: str
    tipo: str
    bytes: int
    hora_ns: int
    huella: tuple[int, ...]


class ForeignSource(RepositorySource, Protocol):
    """A folder in which an institute without Pregón leaves its files; it may be writing there now."""

    def entries(self) -> tuple[Visto, ...]:
        """Everything there but folders, by path; what cannot be a file of a package too, told by its ``tipo``.

        Raises:
            RedError: the folder cannot be read, or holds too much.
        """
