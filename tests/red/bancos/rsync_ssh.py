"""Bench of rsync over SSH: an account whose key may run ``rrsync -wo`` and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from pregon.base.clock import SystemClock
from pregon.transport.lugar import Lugar
from pregon.transport.rsync.destino import RsyncDestination
from tests.red.bancos import BancoBase
from tests.red.bancos.rsyncd import half
from tests.red.enlace import Enlace
from tests.red.servidores.sshd import Sshd, nueva_llave

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.transport.destino import Destination


class Banco(BancoBase):
    """``rsync+ssh://cuenta@127.0.0.1:puerto/repositorio``, through the link."""

    nombre = "rsync_ssh"
    enlace: Enlace
    rrsync = "rrsync -wo -munge -no-del -no-lock"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        (folder / "cuenta").mkdir()
        self.carpeta = folder / "cuenta" / "repositorio"
        self.carpeta.mkdir()
        line = f'restrict,command="{self.rrsync} {folder / "cuenta"}" {{publica}}'
        self.servidor = Sshd(folder / "servidor", autorizadas=[line], sftp=None)
        nueva_llave(folder / "otra_llave")
        (folder / "otros_anfitriones").touch()

    def __enter__(self) -> Self:
        self.servidor.enciende()
        self.enlace = Enlace("127.0.0.1", self.servidor.puerto).__enter__()
        self.servidor.conocidos(self.folder / "anfitriones", self.enlace.puerto)
        other = nueva_llave(self.folder / "otro_equipo")
        (self.folder / "otros_anfitriones").write_text(f"[127.0.0.1]:{self.enlace.puerto} {other}\n", encoding="utf-8")
        return self

    def __exit__(self, *details: object) -> None:
        self.enlace.__exit__(*details)
        self.servidor.apaga()

    def lugar(self, **changes: Any) -> Lugar:
        url = f"rsync+ssh://{self.servidor.usuario}@127.0.0.1:{self.enlace.puerto}/repositorio"
        keys = {"llave": self.servidor.llave, "anfitriones": "anfitriones", **changes}
        return Lugar.model_validate({"url": url, **keys})

    def destino(self, **changes: Any) -> Destination:
        return RsyncDestination(self.lugar(), folder=self.folder, clock=SystemClock(), **changes)

    def otra_llave_de_equipo(self) -> Destination | None:
        lugar = self.lugar(anfitriones="otros_anfitriones")
        return RsyncDestination(lugar, folder=self.folder, clock=SystemClock())

    def otras_credenciales(self) -> Destination | None:
        return RsyncDestination(self.lugar(llave="otra_llave"), folder=self.folder, clock=SystemClock())

    def sobra(self, ruta: str) -> str:
        return half(ruta)
