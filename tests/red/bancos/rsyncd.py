"""Bench of rsync's own daemon: a module only to write, with a password."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from pregon.base.clock import SystemClock
from pregon.transport.lugar import Lugar
from pregon.transport.rsync.destino import RsyncDestination
from tests.red.bancos import BancoBase
from tests.red.enlace import Enlace
from tests.red.servidores.rsyncd import Modulo, Rsyncd

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.transport.destino import Destination

HALF = ".~tmp~"
"""Folder, beside each file, of what a cut delivery left of it."""


def half(ruta: str) -> str:
    """Where rsync keeps the half of ``ruta``."""
    folder, _, name = ruta.rpartition("/")
    return f"{folder}/{HALF}/{name}"


class Banco(BancoBase):
    """``rsync://instituto@127.0.0.1:puerto/entrada/repositorio``, through the link."""

    nombre = "rsyncd"
    enlace: Enlace

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        (folder / "modulo").mkdir()
        self.carpeta = folder / "modulo" / "repositorio"
        self.carpeta.mkdir()
        self.servidor = Rsyncd(folder / "servidor", Modulo("entrada", folder / "modulo"))
        (folder / "clave").write_text(f"{self.servidor.clave}\n", encoding="utf-8")
        (folder / "otra").write_text("otra clave\n", encoding="utf-8")

    def __enter__(self) -> Self:
        self.servidor.enciende()
        self.enlace = Enlace("127.0.0.1", self.servidor.puerto).__enter__()
        return self

    def __exit__(self, *details: object) -> None:
        self.enlace.__exit__(*details)
        self.servidor.apaga()

    def lugar(self, clave: str = "clave") -> Lugar:
        url = f"rsync://{self.servidor.usuario}@127.0.0.1:{self.enlace.puerto}/entrada/repositorio"
        return Lugar(url=url, secreto=f"archivo:{clave}")

    def destino(self, **changes: Any) -> Destination:
        return RsyncDestination(self.lugar(), folder=self.folder, clock=SystemClock(), **changes)

    def otras_credenciales(self) -> Destination | None:
        return RsyncDestination(self.lugar("otra"), folder=self.folder, clock=SystemClock())

    def sobra(self, ruta: str) -> str:
        return half(ruta)
