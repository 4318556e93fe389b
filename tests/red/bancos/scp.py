"""The old protocol of scp against an account whose key runs ``scp -r -d -t entrada`` and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pregon.base.clock import SystemClock
from pregon.transport.ssh.scp import ScpDestination
from tests.red.bancos.sftp import BancoSsh

if TYPE_CHECKING:
    from pathlib import Path

FORCED = 'command="cd {raiz} && scp -r -d -t entrada",restrict {publica}'


class Banco(BancoSsh):
    nombre = "scp"
    esquema = "scp"
    reanuda = False
    renombra = False

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.autorizadas = [FORCED.replace("{raiz}", str(folder))]
        self._spoilt = False

    def destino(self, **changes: Any) -> ScpDestination:
        lugar = changes.pop("lugar", None) or self.lugar()
        # Nobody can look there: a difusor that finds something wrong says so, and gets everything again.
        changes.setdefault("completo", self._spoilt)
        self._spoilt = False
        return ScpDestination(lugar, **{"folder": self.folder, "clock": SystemClock(), **changes})

    def sobra(self, ruta: str) -> str:
        return ruta

    def pon(self, ruta: str, data: bytes, *, edad_s: float = 0.0) -> None:
        super().pon(ruta, data, edad_s=edad_s)
        self._spoilt = True

    def vacia(self) -> None:
        super().vacia()
        self._spoilt = True
