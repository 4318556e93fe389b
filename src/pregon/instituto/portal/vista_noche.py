"""«La noche hasta ahora»: how the capture and each contender went, cut by cut."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class VistaNoche:
    """The page of a contest's night."""

    ruta: str
    resumen: str
