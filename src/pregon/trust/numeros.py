"""Who says which number comes next, before anything is signed with it (ADR 0015).

On one machine the folder says it, and its lock lets one process write. Of two machines that sign the same repository
neither knows what the other has on its disk, so both ask a third: a number is taken before it is signed, its content
kept where both find it, and what was signed is kept there too before a reader can see it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Clase: TypeAlias = Literal["corte", "aviso"]


class Numeros(Protocol):
    """Gives the numbers of one repository to whoever may sign it now.

    Every method raises ``InstanciaError`` where that is another machine by now, and ``RedError`` where nobody answers:
    then nothing is to be signed, nor shown.
    """

    def version(self, rol: str, minimo: int) -> int:
        """The version with which the next document of ``rol`` is signed, ``minimo`` or more: never given twice."""

    def toma(self, clase: Clase, n: int, sha256: str, archivos: Mapping[str, Path]) -> None:
        """Take the number of a cut or of a notice for what ``sha256`` names, and keep its files, before signing it.

        ``archivos``: where each is now, by its path in the repository. The same content may take its number again.

        Raises:
            EquivocoError: that number is of another content.
        """

    def confirma(self, documentos: Mapping[str, bytes], timestamp: bytes | None = None) -> None:
        """Keep what was signed, by its path in the repository, before any reader sees it. All of it or nothing.

        ``timestamp``: the document that makes the others current; None while they are not.
        """


class NumerosDeCarpeta:
    """Those of a repository that one machine signs: what lies in its folder says it all."""

    def version(self, rol: str, minimo: int) -> int:
        """``minimo``: the one after the newest of the folder."""
        del rol
        return minimo

    def toma(self, clase: Clase, n: int, sha256: str, archivos: Mapping[str, Path]) -> None:
        """Nothing: the files lie where they will be read."""

    def confirma(self, documentos: Mapping[str, bytes], timestamp: bytes | None = None) -> None:
        """Nothing: the folder is where it is kept."""
