"""Where the verifier reads from: the one seam that a carrier implements (``pregon.transport``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator


class RepositorySource(Protocol):
    """Reads the files of a repository (design §2). It is never trusted: size limits and checks are the verifier's."""

    def stream(self, ruta: str) -> Iterator[bytes] | None:
        """The bytes of ``ruta`` in pieces, or None when it is not there.

        ``ruta`` is relative to the repository: ``metadata/timestamp.json``, ``targets/cortes/0042/manifiesto.json``.

        Raises:
            RedError: the link or the other side failed, now or while the pieces are read.
        """
