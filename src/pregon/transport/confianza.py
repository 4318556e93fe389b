"""A difusor, its folder or its portal, read as the repository of its cuts: signatures, originals, notices."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pregon.base.errors import FormatoError
from pregon.transport.local import FolderSource
from pregon.trust.firmas import FIRMAS, MAX_BYTES, unpack

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pregon.trust.origen import RepositorySource

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


class PortalSource:
    """What is published at an address: a repository, or the portal of a difusor with the signatures that it shows.

    A portal's own files keep their paths; its metadata and notices are those of its ``firmas.json``.
    """

    def __init__(self, source: RepositorySource) -> None:
        self._source = source
        self._signed: Mapping[str, bytes] | None = None

    def stream(self, ruta: str, *, desde: int = 0) -> Iterator[bytes] | None:
        """The file; None where it is not there. Raises as ``source``; FormatoError: its signatures cannot be read."""
        if ruta.startswith(("metadata/", "targets/avisos/")):
            if self._signed is None:
                self._signed = self._read()
            if self._signed:
                data = self._signed.get(ruta)
                return None if data is None else iter((data[desde:],))
        return self._source.stream(ruta, desde=desde)

    def _read(self) -> dict[str, bytes]:
        data = bytearray()
        for piece in self._source.stream(FIRMAS) or ():
            data += piece
            if len(data) > MAX_BYTES:
                raise FormatoError(
                    f"{FIRMAS} pasa de {MAX_BYTES >> 20} MiB.",
                    intacto="No se cambió nada.",
                    que_hacer="Pruebe con la dirección de otro difusor.",
                )
        return unpack(bytes(data)) if data else {}
