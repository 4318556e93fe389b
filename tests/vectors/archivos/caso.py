"""One hostile archive and its twin."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Caso:
    """``que`` tells a person what is wrong; ``razon`` is the code without ``ARCHIVO_``. ``gemelo`` is admitted."""

    id: str
    que: str
    razon: str
    hostil: bytes
    gemelo: bytes

    @property
    def codigo(self) -> str:
        return f"ARCHIVO_{self.razon}"

    @property
    def extension(self) -> str:
        return "7z" if self.gemelo[:2] == b"7z" else "zip"
