"""A real OpenSSH server on loopback: its own keys, its own list of who may enter, its own settings.

It runs as whoever runs the tests: as root it lets any account of this machine in, as an ordinary user only itself.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import signal
import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Self

import asyncssh

from pregon.base.errors import ComprobacionError
from pregon.base.procesos import capture, start, wait_until
from pregon.base.red import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

    from pregon.base.procesos import Process

HOST = "127.0.0.1"
READY_S = 10.0
PRIVSEP = Path("/run/sshd")
"""Debian's sshd asks for it when it runs as root; its own service makes it."""


class Sshd:
    """One server. ``with Sshd(folder) as server:`` and then ``server.puerto``; all its files are below ``folder``.

    ``llave`` is a private key that enters as ``usuario``, ``publica`` its line for a list of authorised keys,
    ``anfitriones`` a ``known_hosts`` with the server's key. Whoever reaches it through a relay asks ``conocidos``.
    """

    def __init__(
        self,
        carpeta: Path,
        *,
        autorizadas: Sequence[str] | None = None,
        ajustes: Sequence[str] = (),
        sftp: str | None = "internal-sftp",
        configuracion: str | None = None,
    ) -> None:
        """Everything is written here; nothing runs until ``with`` or ``enciende``.

        ``autorizadas``: lines of authorized_keys, where ``{publica}`` stands for the key's own; None is the key alone,
        without limits. ``ajustes``: lines of sshd_config after ours (``Match``, ``ForceCommand``, ``ChrootDirectory``).
        ``sftp``: the command of the subsystem, None for none. ``configuracion``: a whole file instead of ours, where
        ``{puerto}``, ``{llave_servidor}`` and ``{autorizadas}`` are filled in.
        """
        carpeta.mkdir(parents=True, exist_ok=True)
        self.carpeta = carpeta
        self.usuario = getpass.getuser()
        self.puerto = free_port(HOST)
        self.llave = carpeta / "llave"
        self.llave_servidor = carpeta / "llave_servidor"
        self.anfitriones = carpeta / "known_hosts"
        self.autorizadas = carpeta / "authorized_keys"
        self.salida = carpeta / "sshd.log"
        self._config = carpeta / "sshd_config"
        self._ajustes = tuple(ajustes)
        self._sftp = sftp
        self._configuracion = configuracion
        self._process: Process | None = None
        self.publica = nueva_llave(self.llave)
        self._publica_servidor = nueva_llave(self.llave_servidor)
        self.autoriza(*(["{publica}"] if autorizadas is None else autorizadas))
        self.conocidos(self.anfitriones, self.puerto)

    def __enter__(self) -> Self:
        self.enciende()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.apaga()

    def autoriza(self, *lineas: str) -> None:
        """Who may enter from now on: lines of authorized_keys, ``{publica}`` standing for the key's own."""
        text = "".join(linea.replace("{publica}", self.publica) + "\n" for linea in lineas)
        self.autorizadas.write_text(text, encoding="utf-8")
        self.autorizadas.chmod(0o644)  # Accounts other than root read theirs too.

    def conocidos(self, ruta: Path, puerto: int) -> Path:
        """Write to ``ruta`` a known_hosts with the server's present key, as seen at ``puerto`` of loopback."""
        ruta.write_text(f"[{HOST}]:{puerto} {self._publica_servidor}\n", encoding="utf-8")
        return ruta

    def cambia_llave(self) -> None:
        """The server has another key from now on, as after an attack or a new machine; ``known_hosts`` stays."""
        running = self._process is not None
        self.apaga()
        self._publica_servidor = nueva_llave(self.llave_servidor)
        if running:
            self.enciende()

    def enciende(self) -> None:
        """Start it and wait until it answers.

        Raises:
            ComprobacionError: it did not start; the text has what it printed.
        """
        if os.geteuid() == 0:
            PRIVSEP.mkdir(mode=0o755, exist_ok=True)
        self._config.write_text(self._text(), encoding="utf-8")
        program = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin") or "sshd"
        self._process = start([program, "-D", "-e", "-f", self._config], output=self.salida)
        try:
            wait_until(self._answers, self._process, timeout=READY_S, what="sshd")
        except ComprobacionError:
            self.apaga()
            raise

    def apaga(self) -> None:
        """Stop it and every session, by their own process ids."""
        if self._process is None:
            return
        sessions = self.sesiones()
        self._process.stop()
        for pid in sessions:
            _kill(pid)
        self._process = None

    def corta(self) -> None:
        """End every session at once (SIGKILL) as a machine that dies; the server goes on listening."""
        for pid in self.sesiones():
            _kill(pid)

    def sesiones(self) -> list[int]:
        """Process ids of the sessions now: a child for each connection and what runs below it."""
        return [] if self._process is None else list(_below(self._process.pid))

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection((HOST, self.puerto), timeout=1) as link:
            return link.recv(4) == b"SSH-"
        return False

    def _text(self) -> str:
        if self._configuracion is not None:
            values = {"puerto": self.puerto, "llave_servidor": self.llave_servidor, "autorizadas": self.autorizadas}
            text = self._configuracion
            for name, value in values.items():
                text = text.replace("{" + name + "}", str(value))
            return text
        lines = [
            f"ListenAddress {HOST}",
            f"Port {self.puerto}",
            f"HostKey {self.llave_servidor}",
            f"AuthorizedKeysFile {self.autorizadas}",
            "PidFile none",
            "StrictModes no",  # The folder of a test is below /tmp, where everybody may write.
            "UsePAM no",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "PermitRootLogin prohibit-password",
            "MaxStartups 100",
            f"SetEnv HOME={self.carpeta}",  # bash under sshd reads the .bashrc of whoever runs the tests
            "LogLevel VERBOSE",
            *([f"Subsystem sftp {self._sftp}"] if self._sftp else []),
            *self._ajustes,
        ]
        return "\n".join(lines) + "\n"


def nueva_llave(ruta: Path, *, frase: str | None = None) -> str:
    """Write a new Ed25519 private key (0600) and give its public line. ``frase``: the passphrase that closes it."""
    ruta.unlink(missing_ok=True)
    if frase is not None:  # asyncssh would need bcrypt for it
        public = ruta.with_name(f"{ruta.name}.pub")
        if capture(["ssh-keygen", "-q", "-t", "ed25519", "-N", frase, "-f", ruta], timeout=READY_S) is None:
            raise AssertionError("ssh-keygen failed")
        return public.read_text(encoding="utf-8").strip()
    key = asyncssh.generate_private_key("ssh-ed25519")
    ruta.touch(mode=0o600)
    ruta.write_bytes(key.export_private_key("openssh"))
    return key.export_public_key("openssh").decode().strip()


@contextlib.contextmanager
def raiz_de_chroot() -> Iterator[Path]:
    """A folder that sshd accepts as ``ChrootDirectory``: root's, and not below /tmp, where everybody may write."""
    folder = Path(tempfile.mkdtemp(prefix="pregon-pruebas-", dir="/run"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _below(pid: int) -> Iterator[int]:
    with contextlib.suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split():
            yield int(child)
            yield from _below(int(child))


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
