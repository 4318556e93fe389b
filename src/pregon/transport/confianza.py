"""The folder of a difusor read as the repository that its cuts came from: signatures, originals, notices."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pregon.transport.local import FolderSource

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_VERSIONED = re.compile(r"metadata/([0-9]+)\.([a-z]+)\.json")
_TARGET = re.compile(r"targets/cortes/([0-9]{4})/([^/]+)")


class StateSource:
    """The metadata that a difusor keeps (``confianza/tuf``), read as the repository that they came from."""

    def __init__(self, folder: Path) -> None:
        self._source = FolderSource(folder)

    def stream(self, ruta: str, *, desde: int = 0) -> Iterator[bytes] | None:
        """The last verified document of that role, whatever number is asked; each root by its own."""
        named = _VERSIONED.fullmatch(ruta)
        if named is None:
            return self._source.stream(ruta.removeprefix("metadata/"), desde=desde)
        kept = f"root_history/{named[1]}.root.json" if named[2] == "root" else f"{named[2]}.json"
        return self._source.stream(kept, desde=desde)


class WorkspaceSource:
    """All that a difusor's folder holds of a repository: ``confianza/tuf``, ``historico/`` and ``avisos/``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._state = StateSource(folder / "confianza" / "tuf")
        self._source = FolderSource(folder)

    def stream(self, ruta: str, *, desde: int = 0) -> Iterator[bytes] | None:
        """The file, from wherever it was kept; None where it was not."""
        if ruta.startswith("metadata/"):
            return self._state.stream(ruta, desde=desde)
        named = _TARGET.fullmatch(ruta)
        if named is None:
            return self._source.stream(ruta.removeprefix("targets/"), desde=desde)
        corte, name = named.groups()
        chained = sorted(self._folder.glob(f"historico/*/cadena/{corte}"))
        for place in (f"historico/{corte}", *(path.relative_to(self._folder).as_posix() for path in chained)):
            found = self._source.stream(f"{place}/{name}", desde=desde)
            if found is not None:
                return found
        return None
