"""The two ways in to an rsync at the other end: over SSH, or its own daemon. Each gives what its command line needs.

Both live in a private folder (0700) that is gone afterwards, and name its files without a path: what a person wrote in
the settings (spaces, ``%``) never passes through the parsers of ssh or of rsync.
"""

from __future__ import annotations

import contextlib
import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pregon.base.errors import ComprobacionError, DestinoError, RedError
from pregon.base.procesos import start
from pregon.transport.rsync.fallas import failure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from pregon.transport.lugar import Lugar

PORT_SSH = 22
PORT_DAEMON = 873
"""MOR-A1-3.4. The alternative 2873 is the call's (DGO-II-net-c3): whoever opens the place passes it."""

OUTPUT_MAX = 1 << 20
"""Bytes that a program may print: part of it comes from the other end."""

CLOSE_S = 5.0
"""For an orderly end of the SSH connection."""

_SOCKET = "s"
_NADA = "No se envió ni se leyó nada: lo que hay allá sigue como estaba."

SSH_FIXED = (
    *("-F", "none", "-a", "-x", "-T"),
    *("-o", "BatchMode=yes"),
    *("-o", "StrictHostKeyChecking=yes"),
    *("-o", "UserKnownHostsFile=anfitriones"),
    *("-o", "GlobalKnownHostsFile=none"),
    *("-o", "UpdateHostKeys=no"),
    *("-o", "VerifyHostKeyDNS=no"),
    *("-o", "IdentitiesOnly=yes"),
    *("-o", "IdentityAgent=none"),
    *("-o", "PreferredAuthentications=publickey"),
    *("-o", "ClearAllForwardings=yes"),
    *("-o", "ForwardAgent=no"),
    *("-o", "PermitLocalCommand=no"),
    *("-o", "Compression=no"),
    *("-o", "ConnectionAttempts=1"),
)
"""Nothing of the user's or the machine's own settings: the key and the list of hosts that the place names."""

SSH_MUX = f"ssh -F none -a -x -T -S {_SOCKET} -o ControlMaster=no -o BatchMode=yes -o ProxyCommand=false"
"""A session of the open connection; where that is gone it fails instead of opening another."""


@dataclass(frozen=True)
class Plazos:
    """Limits in seconds. The programs count whole ones: a fraction is rounded up."""

    connect_s: float
    stall_s: float

    @property
    def connect(self) -> int:
        return max(1, math.ceil(self.connect_s))

    @property
    def stall(self) -> int:
        return max(1, math.ceil(self.stall_s))


@dataclass(frozen=True)
class Entrada:
    """An open way in: how rsync names the folder there, and the options that lead to it."""

    remoto: str
    opciones: tuple[str, ...]


class Puerta(Protocol):
    """How to reach one place."""

    def entradas(self, work: Path) -> Iterator[AbstractContextManager[Entrada]]:
        """One way in for each port to try, in order; ``work`` is the private folder."""


def child_environment(work: Path) -> dict[str, str]:
    """All that a child of ours sees: no agent, no ``RSYNC_*``, no aliases of popt in somebody's home; English."""
    return {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(work), "LC_ALL": "C"}


@dataclass(frozen=True)
class PuertaSsh:
    """One SSH connection, which every session of rsync shares: a handshake is several round trips."""

    lugar: Lugar
    llave: Path
    anfitriones: Path
    puertos: Sequence[int]
    plazos: Plazos

    def entradas(self, work: Path) -> Iterator[AbstractContextManager[Entrada]]:
        """As ``Puerta``.

        Raises:
            DestinoError: the key or the list of hosts is not there.
        """
        for name, path in (("llave", self.llave), ("anfitriones", self.anfitriones)):
            if not path.is_file():
                raise DestinoError(
                    f"No se puede entrar a {self.lugar.sin_secretos}: no existe {path}.",
                    intacto=_NADA,
                    que_hacer=f"Corrija «{name}» en los ajustes de ese lugar.",
                )
            (work / name).symlink_to(path.absolute())
        for puerto in self.puertos:
            yield self._connected(work, puerto)

    @contextlib.contextmanager
    def _connected(self, work: Path, puerto: int) -> Iterator[Entrada]:
        # -f: it goes to the background once the account is in, and its status says whether. ControlPersist: if we are
        # killed, it ends by itself soon after its last session.
        alive = max(1, self.plazos.stall // 3)
        command = [
            *("ssh", "-f", "-N", "-M", "-S", _SOCKET, *SSH_FIXED, "-i", "llave"),
            *("-o", f"ControlPersist={self.plazos.stall}"),
            *("-o", f"ConnectTimeout={self.plazos.connect}"),
            *("-o", f"ServerAliveInterval={alive}", "-o", "ServerAliveCountMax=3"),
            *("-p", str(puerto), "-l", self.lugar.partes.username or "", "--", self.lugar.partes.hostname or ""),
        ]
        output = work / "ssh.txt"
        output.unlink(missing_ok=True)
        master = start(command, output=output, environment=child_environment(work), folder=work, inherits=False)
        try:
            try:
                status = master.wait(2 * self.plazos.connect_s)
            except ComprobacionError as exc:
                raise RedError(
                    f"No se pudo entrar a {self.lugar.sin_secretos}: no terminó de contestar en "
                    f"{2 * self.plazos.connect_s:g} s.",
                    intacto=_NADA,
                    que_hacer="Se intentará de nuevo; si se repite, revise la red y el equipo del difusor.",
                ) from exc
            if status != 0:
                raise failure(self.lugar.sin_secretos, status, master.tail())
            yield Entrada(f"pregon:{remote_folder(self.lugar)}", ("-e", SSH_MUX))
        finally:
            master.stop()
            if (work / _SOCKET).exists():
                closing = ["ssh", "-F", "none", "-S", _SOCKET, "-O", "exit", "pregon"]
                end = start(closing, output=output, environment=child_environment(work), folder=work, inherits=False)
                with contextlib.suppress(ComprobacionError):
                    end.wait(CLOSE_S)
                end.stop()


@dataclass(frozen=True)
class PuertaServicio:
    """A daemon of rsync. It has no encryption: whatever it takes is signed, whatever it gives is checked."""

    lugar: Lugar
    clave: str | None
    puertos: Sequence[int]
    plazos: Plazos

    def entradas(self, work: Path) -> Iterator[AbstractContextManager[Entrada]]:
        """As ``Puerta``. Nothing is asked here: the connection is each session's own."""
        for puerto in self.puertos:
            yield self._named(work, puerto)

    @contextlib.contextmanager
    def _named(self, work: Path, puerto: int) -> Iterator[Entrada]:
        parts = self.lugar.partes
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        user = f"{parts.username}@" if parts.username else ""
        remoto = f"rsync://{user}{host}:{puerto}/{self.lugar.ruta.strip('/')}/"
        opciones = ["--no-motd", f"--contimeout={self.plazos.connect}"]
        if self.clave is not None:
            # The only way that is seen neither in the list of processes nor in their environments. It goes with the
            # folder; nobody else can enter that.
            secret = work / "clave"
            secret.touch(mode=0o600)
            secret.write_text(f"{self.clave}\n", encoding="utf-8")
            opciones.append(f"--password-file={secret}")
        yield Entrada(remoto, tuple(opciones))


def puerta(lugar: Lugar, folder: Path, clave: str | None, puertos: Sequence[int], plazos: Plazos) -> Puerta:
    """The way in that the address names. ``puertos``: others to try, in order, where nobody takes its own."""
    ssh = lugar.esquema == "rsync+ssh"
    own = lugar.partes.port or (PORT_SSH if ssh else PORT_DAEMON)
    ports = tuple(dict.fromkeys((own, *puertos)))
    if not ssh:
        return PuertaServicio(lugar, clave, ports, plazos)
    # The settings are not valid without both.
    return PuertaSsh(lugar, folder / (lugar.llave or ""), folder / (lugar.anfitriones or ""), ports, plazos)


def remote_folder(lugar: Lugar) -> str:
    """The folder of an address as rsync over SSH takes it: with its final slash, so that what goes lands inside."""
    return f"{lugar.carpeta.rstrip('/')}/"
