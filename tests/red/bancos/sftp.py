"""SFTP to a real OpenSSH server."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pregon.base.clock import SystemClock
from pregon.transport.destino import PART
from pregon.transport.lugar import Lugar
from pregon.transport.ssh.sftp import SftpDestination
from tests.red.bancos import BancoBase
from tests.red.enlace import Enlace
from tests.red.servidores.sshd import HOST, Sshd, nueva_llave

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pregon.transport.destino import Destination


class BancoSsh(BancoBase):
    """What every carrier over SSH needs: the server, the relay before it, a key and the list of host keys."""

    esquema: ClassVar[str]
    autorizadas: Sequence[str] | None = None
    """Lines of authorized_keys; ``{carpeta}`` is the folder, ``{publica}`` the key."""

    enlace: Enlace

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.carpeta = folder / "entrada"
        self.carpeta.mkdir()
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        lines = self.autorizadas
        if lines is not None:
            lines = [line.replace("{carpeta}", str(self.carpeta)) for line in lines]
        self.servidor = self._stack.enter_context(Sshd(self.folder / "sshd", autorizadas=lines))
        self.enlace = self._stack.enter_context(Enlace(HOST, self.servidor.puerto))
        self.servidor.conocidos(self.folder / "known_hosts", self.enlace.puerto)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def lugar(self, *, carpeta: Path | None = None, **changes: Any) -> Lugar:
        """The place as the settings would write it, through the relay."""
        values = {
            "url": f"{self.esquema}://{self.servidor.usuario}@{HOST}:{self.enlace.puerto}{carpeta or self.carpeta}",
            "llave": self.servidor.llave,
            "anfitriones": self.folder / "known_hosts",
        }
        return Lugar(**{**values, **changes})

    def otra_llave_de_equipo(self) -> Destination | None:
        other = nueva_llave(self.folder / "llave_de_otro")
        path = self.folder / "otros_known_hosts"
        path.write_text(f"[{HOST}]:{self.enlace.puerto} {other}\n", encoding="utf-8")
        return self.destino(lugar=self.lugar(anfitriones=path))

    def otras_credenciales(self) -> Destination | None:
        nueva_llave(self.folder / "otra_llave")
        return self.destino(lugar=self.lugar(llave=self.folder / "otra_llave"))


class Banco(BancoSsh):
    nombre = "sftp"
    esquema = "sftp"

    def destino(self, **changes: Any) -> SftpDestination:
        lugar = changes.pop("lugar", None) or self.lugar()
        return SftpDestination(lugar, **{"folder": self.folder, "clock": SystemClock(), **changes})

    def sobra(self, ruta: str) -> str:
        return f"{ruta}.0123abcd{PART}"
