"""What of a difusor anybody may know: who it is, its state and how it came to it. Its form is ``solicitud.modelo``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from pregon.instituto.registro.estados import Estado, Quien


@dataclass(frozen=True, kw_only=True)
class Paso:
    """One change of state: ``aviso`` is the number of the signed notice, None where none was signed."""

    de: Estado | None
    a: Estado
    hora: datetime
    quien: Quien
    operador: str
    motivo: str
    evidencia: tuple[str, ...] = ()
    aviso: int | None = None


@dataclass(frozen=True, kw_only=True)
class Inscrito:
    """What of a difusor is not confidential. ``n``: its place in the registry. ``historia``: its states, oldest first.

    ``logo``: name of the file in the public list, None where there is none that a browser draws.
    """

    n: int
    id: str
    nombre: str
    url: str
    estado: Estado
    historia: tuple[Paso, ...]
    logo: str | None = None

    @property
    def desde(self) -> datetime:
        """Since when it is in its state."""
        return self.historia[-1].hora

    @property
    def obligado_desde(self) -> datetime:
        """Since when cuts are asked of it: who was made active by the hour of the start, since it was admitted."""
        last = self.historia[-1]
        return self.historia[-2].hora if last.de == "admitido" and last.quien == "programa" else last.hora

    @property
    def alta(self) -> datetime:
        """When it was registered: from then its availability counts (INE-IV-a)."""
        return self.historia[0].hora
