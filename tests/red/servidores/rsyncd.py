"""A real rsync daemon on loopback: its modules, who may use them and a password, as a difusor sets it up."""

from __future__ import annotations

import contextlib
import os
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from pregon.base.errors import ComprobacionError
from pregon.base.procesos import start, wait_until
from pregon.base.red import free_port

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

    from pregon.base.procesos import Process

HOST = "127.0.0.1"
READY_S = 10.0


@dataclass(frozen=True)
class Modulo:
    """One module. ``ajustes``: more lines of rsyncd.conf for it, by name; they win over the usual ones."""

    nombre: str
    carpeta: Path
    escribe: bool = True
    """Only to write; otherwise only to read."""
    ajustes: Mapping[str, str] = field(default_factory=dict)


class Rsyncd:
    """One daemon. ``with Rsyncd(folder, modulo) as server:`` and then ``server.puerto``; stopped by its own pid.

    As root it confines each session to the module's folder (chroot) and keeps root's rights there, so that the
    folders of a test need no other owner; as an ordinary user it runs without either.
    """

    def __init__(
        self, carpeta: Path, *modulos: Modulo, usuario: str = "instituto", clave: str | None = "una clave; con #"
    ) -> None:
        """Everything is written here; nothing runs until ``with``. ``clave`` None: no password is asked."""
        carpeta.mkdir(parents=True, exist_ok=True)
        self.puerto = free_port(HOST)
        self.usuario = usuario
        self.clave = clave
        self.salida = carpeta / "rsyncd.log"
        self.secretos = carpeta / "rsyncd.secrets"
        self._config = carpeta / "rsyncd.conf"
        self._carpeta = carpeta
        self._modulos = modulos
        self._process: Process | None = None

    def __enter__(self) -> Self:
        self.enciende()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.apaga()

    def enciende(self) -> None:
        """Start it and wait until it answers.

        Raises:
            ComprobacionError: it did not start; the text has what it printed.
        """
        self.secretos.unlink(missing_ok=True)
        self.secretos.touch(mode=0o600)
        self.secretos.write_text(f"{self.usuario}:{self.clave or ''}\n", encoding="utf-8")
        self._config.write_text(self._text(), encoding="utf-8")
        command = ["rsync", "--daemon", "--no-detach", f"--config={self._config}", f"--port={self.puerto}"]
        self._process = start([*command, f"--address={HOST}"], output=self.salida)
        try:
            wait_until(self._answers, self._process, timeout=READY_S, what="rsyncd")
        except ComprobacionError:
            self.apaga()
            raise

    def apaga(self) -> None:
        """Stop it, and its sessions with it: they are its process group."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection((HOST, self.puerto), timeout=1) as link:
            return link.recv(8) == b"@RSYNCD:"
        return False

    def _text(self) -> str:
        root = os.geteuid() == 0
        lines = [f"pid file = {self._carpeta / 'rsyncd.pid'}", "reverse lookup = no"]
        for modulo in self._modulos:
            values = {
                "path": str(modulo.carpeta),
                "list": "no",
                "read only": "no" if modulo.escribe else "yes",
                "write only": "yes" if modulo.escribe else "no",
                "use chroot": "yes" if root else "no",
                **({"uid": "root", "gid": "root"} if root else {}),
                **({"auth users": self.usuario, "secrets file": str(self.secretos)} if self.clave is not None else {}),
                "lock file": str(self._carpeta / f"{modulo.nombre}.lock"),
                **modulo.ajustes,
            }
            lines += ["", f"[{modulo.nombre}]", *(f"    {name} = {value}" for name, value in values.items())]
        return "\n".join(lines) + "\n"
