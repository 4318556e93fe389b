"""Acuses that a difusor leaves in a folder: its own ``acuses/``, a mount of it, or a copy on a USB stick."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from pregon.base.errors import RedError
from pregon.base.razones import razon
from pregon.transport.local import FolderSource

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

NOMBRE = re.compile(r"[0-9]{6}-(?:[0-9]{4}|----)-[a-z]{1,20}\.json")
"""The name of an acuse (``difusor.acuse``); anything else in the folder is left out."""
MAX_BYTES = 64 << 10
MAX_ACUSES = 50_000


class FolderAcuses:
    """The acuses of one folder; implements ``destino.AcuseBox``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._source = FolderSource(folder, depth=1)

    def collect(self, known: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """As ``AcuseBox``. A link, and what is not a regular file, is refused and not followed."""
        try:
            names = sorted(entry.name for entry in os.scandir(self._folder) if NOMBRE.fullmatch(entry.name))
        except OSError as exc:
            raise RedError(
                f"No se pudo leer la carpeta de acuses {self._folder}: {razon(exc)}.",
                intacto="Los acuses que ya se tenían siguen como estaban.",
                que_hacer="Revise que la carpeta esté montada y que este usuario pueda leerla.",
            ) from exc
        for name in names[:MAX_ACUSES]:
            if name in known:
                continue
            chunks = self._source.stream(name)
            data = b""
            for chunk in chunks or ():
                data += chunk
                if len(data) > MAX_BYTES:
                    break
            if chunks is not None and len(data) <= MAX_BYTES:
                yield name, data
