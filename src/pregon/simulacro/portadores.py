"""The carrier that a call asks for, in a simulacro: servers at the difusor's end, or the institute's own, on loopback.

* ``scp`` (GRO-2.1a) and ``sftp`` (MEX-II-3a): an OpenSSH server for each difusor, whose keys may only do what
  ``pregon difusor configura sshd`` lets them do: one writes in ``entrada/``, another reads ``acuses/``.
* ``rsync`` (DGO-II-net-c3, MOR-A1-3.4): to odd difusores a daemon of rsync, to even ones rsync over SSH where the call
  opens port 22 too.
* ``https`` (INE-II-a): the institute delivers to the folder of a web server of its own over TLS; the difusores read it.

All of it runs as whoever runs the simulacro, on free ports, and stops with it.
"""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import secrets
import shlex
import shutil
import socket
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pregon.base.errors import AjustesError, EntradaError
from pregon.base.procesos import running, wait_until
from pregon.base.red import answers_tcp, free_port
from pregon.difusor.configura.rsyncd import RECHAZA, USUARIO
from pregon.difusor.configura.sshd import orden_forzada
from pregon.difusor.servidor.proceso import find_caddy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pregon.base.durable import Disk
    from pregon.convocatoria.model import Convocatoria
    from pregon.difusor.configura.sshd import Protocolo

HOST = "127.0.0.1"
SSH = 22
READY_S = 20.0
PRIVSEP = Path("/run/sshd")
"""Debian's sshd asks for it when it runs as root; its own service makes it."""
ALMACEN = "almacen"
"""Name of the institute's own place, from which difusores read."""
FIJO_S, POR_DIFUSOR_S = 1.0, 0.5
"""Real seconds that an interval must last: rsync over SSH takes one on a busy machine, and links are not simulated."""
_SBIN = ("/usr/sbin", "/usr/local/sbin", "/sbin")
"""Debian keeps servers out of an ordinary user's PATH."""
_PROGRAMS = {
    "scp": ("sshd", "scp", "timeout"),
    "sftp": ("sshd",),
    "rsync": ("rsync",),
    "rsync+ssh": ("sshd", "ssh", "rsync", "rrsync", "timeout"),
    "https": (),
    "local": (),
}


@dataclass(frozen=True)
class Puerta:
    """How cuts reach one difusor: scheme of its carrier, and the text of both settings files.

    ``origen`` and ``acceso`` (whole lines of TOML) are ``difusor.toml``'s. ``destinos``: tables of ``instituto.toml``.
    """

    esquema: str
    origen: str
    acceso: str = ""
    destinos: str = ""


def esquema_de(convocatoria: Convocatoria, numero: int) -> str:
    """The scheme by which difusor ``numero`` (from 1) of that call gets its cuts."""
    carrier = convocatoria.transporte
    if carrier.protocolo == "rsync" and numero % 2 == 0 and SSH in carrier.puertos:
        return "rsync+ssh"
    return carrier.protocolo


def ritmo_maximo(convocatoria: Convocatoria, difusores: int) -> float:
    """How many simulated seconds may pass in a real one without what is signed expiring on its way.

    A signed timestamp holds for three intervals, and a delivery takes what it takes.
    """
    return convocatoria.intervalo_min * 60 / (FIJO_S + POR_DIFUSOR_S * difusores)


def programa(nombre: str) -> str | None:
    """Where a program of this machine is, servers of the administrator's among them; None where it is not."""
    return shutil.which(nombre, path=os.pathsep.join((os.environ.get("PATH", ""), *_SBIN)))


def comprueba(
    convocatorias: Sequence[Convocatoria], *, difusores: int, busca: Callable[[str], str | None] = programa
) -> None:
    """Refuse, before anything is made, calls whose carrier cannot be rehearsed on this machine.

    ``busca``: where a program is, None where it is not here.

    Raises:
        AjustesError: the call's carrier has no server that a simulacro starts (S3).
        EntradaError: programs are missing; the text names all of them.
    """
    used = {(call.id, esquema_de(call, number)) for call in convocatorias for number in range(1, difusores + 1)}
    for ident, scheme in sorted(used):
        if scheme not in _PROGRAMS:
            raise AjustesError(
                f"El simulacro no tiene un servidor {scheme} para {ident}.",
                intacto="No se creó nada.",
                que_hacer="Use --transporte ambos, que va por carpeta.",
            )
    missing = {name: ident for ident, scheme in sorted(used) for name in _PROGRAMS[scheme] if busca(name) is None}
    if missing:
        listed = ", ".join(f"{name} ({ident})" for name, ident in sorted(missing.items()))
        raise EntradaError(
            f"Faltan programas para llevar los cortes como pide la convocatoria: {listed}.",
            intacto="No se creó nada.",
            que_hacer="Instálelos (en Debian: openssh-server, openssh-client y rsync), o use --transporte ambos, que "
            "va por carpeta.",
        )


@contextlib.contextmanager
def abiertas(
    convocatoria: Convocatoria, difusores: Mapping[str, Path], *, repositorio: Path, folder: Path, disk: Disk
) -> Iterator[dict[str, Puerta]]:
    """Start what carries cuts to ``difusores`` (id to workspace folder, in order); they stop when the block ends.

    Everything that the servers need is written below ``folder``. The difusores need not exist yet. ``repositorio``: the
    institute's, which a call by ``local`` reads in place.

    Raises:
        ComprobacionError: a server did not start; the text has the end of what it printed.
        EntradaError: a program is not there.
    """
    disk.make_folder(folder)
    with contextlib.ExitStack() as stack:
        doors = _Puertas(folder, disk, stack)
        opened = {}
        for number, (ident, workspace) in enumerate(difusores.items(), start=1):
            scheme = esquema_de(convocatoria, number)
            opened[ident] = (
                Puerta(scheme, str(repositorio)) if scheme == "local" else doors.abre(ident, workspace, scheme)
            )
        yield opened


class _Puertas:
    """Opens one door at a time; ``stack`` closes them."""

    def __init__(self, folder: Path, disk: Disk, stack: contextlib.ExitStack) -> None:
        self._folder = folder
        self._disk = disk
        self._stack = stack
        self._public: tuple[str, Path] | None = None

    def abre(self, ident: str, workspace: Path, scheme: str) -> Puerta:
        """The door of one difusor."""
        if scheme == "https":
            return self._https(ident, workspace)
        folder = self._folder / ident
        self._disk.make_folder(folder)
        table = self._rsyncd(folder, workspace) if scheme == "rsync" else self._sshd(folder, workspace, scheme)
        return Puerta(scheme, "entrada", destinos=_table({"difusor": ident, **table, **_signs(workspace)}))

    def _sshd(self, folder: Path, workspace: Path, scheme: str) -> dict[str, str]:
        kind: Protocolo = "rsync" if scheme == "rsync+ssh" else "scp" if scheme == "scp" else "sftp"
        port, user = free_port(HOST), pwd.getpwuid(os.geteuid()).pw_name
        host_key, entrega, lee = (folder / name for name in ("servidor", "entrega", "acuses"))
        server, delivers, reads = (self._key(path) for path in (host_key, entrega, lee))
        lines = []
        for public, acuses in ((delivers, False), (reads, True)):
            order = orden_forzada(kind, acuses=acuses)
            # A key of the account begins in its home, the folder that has entrada/ and acuses/; here, the workspace.
            order = order if kind == "sftp" else f"cd {shlex.quote(str(workspace))} && {order}"
            lines.append(f'restrict,command="{order.replace(chr(34), chr(92) + chr(34))}" {public}\n')
        self._disk.write(folder / "authorized_keys", "".join(lines).encode())
        self._disk.write(folder / "known_hosts", f"[{HOST}]:{port} {server}\n".encode())
        settings = [
            f"ListenAddress {HOST}",
            f"Port {port}",
            f'HostKey "{host_key}"',
            f'AuthorizedKeysFile "{folder / "authorized_keys"}"',
            "PidFile none",
            "StrictModes no",  # The folder of a simulacro is below /tmp, where everybody may write.
            "UsePAM no",
            "AuthenticationMethods publickey",
            "PermitRootLogin forced-commands-only",
            "DisableForwarding yes",
            "PermitTTY no",
            "PermitUserRC no",
            f'SetEnv HOME="{folder}"',  # bash under sshd would read the .bashrc of whoever runs the simulacro
            "LogLevel VERBOSE",
            "Subsystem sftp internal-sftp",
        ]
        self._disk.write(folder / "sshd_config", "\n".join([*settings, ""]).encode())
        if os.geteuid() == 0:
            PRIVSEP.mkdir(mode=0o755, exist_ok=True)
        self._start(["sshd", "-D", "-e", "-f", str(folder / "sshd_config")], folder / "sshd.log", port, b"SSH-")
        base = f"{scheme}://{user}@{HOST}:{port}"
        inside = {"sftp": str(workspace), "scp": "", "rsync": None}[kind]
        return {
            "url": f"{base}/" if inside is None else f"{base}{inside}/entrada",
            "acuses": f"{base}/" if inside is None else f"{base}{inside}/acuses",
            "llave": str(entrega),
            "llave_acuses_lectura": str(lee),
            "anfitriones": str(folder / "known_hosts"),
        }

    def _key(self, path: Path) -> str:
        """Write a new Ed25519 private key (0600); its public line."""
        import asyncssh

        key = asyncssh.generate_private_key("ssh-ed25519")
        self._disk.write(path, key.export_private_key("openssh"), mode=0o600)
        return str(key.export_public_key("openssh").decode().strip())

    def _rsyncd(self, folder: Path, workspace: Path) -> dict[str, str]:
        port, password = free_port(HOST), secrets.token_hex(16)
        secret = folder / "rsyncd.secretos"
        self._disk.write(secret, f"{USUARIO}:{password}\n".encode(), mode=0o600)
        self._disk.write(folder / "clave", f"{password}\n".encode(), mode=0o600)
        shared = ["list = no", f"auth users = {USUARIO}", f"secrets file = {secret}", "munge symlinks = yes"]
        shared.append(f"refuse options = {' '.join(RECHAZA)}")
        # Only root may confine a session to the module's folder, and then says whose the files are.
        shared += ["use chroot = yes", "uid = root", "gid = root"] if os.geteuid() == 0 else ["use chroot = no"]
        lines = ["reverse lookup = no", "transfer logging = yes", f"log file = {folder / 'rsyncd.log'}"]
        for module, reads in (("entrada", False), ("acuses", True)):
            mine = [
                f"path = {workspace / module}",
                f"read only = {'yes' if reads else 'no'}",
                f"write only = {'no' if reads else 'yes'}",
                f"lock file = {folder / module}.lock",
                *shared,
            ]
            lines += [f"[{module}]", *(f"    {line}" for line in mine)]
        config = folder / "rsyncd.conf"
        self._disk.write(config, "\n".join([*lines, ""]).encode())
        command = ["rsync", "--daemon", "--no-detach", f"--config={config}", f"--port={port}", f"--address={HOST}"]
        self._start(command, folder / "rsyncd.salida", port, b"@RSYNCD:")
        base = f"rsync://{USUARIO}@{HOST}:{port}"
        return {"url": f"{base}/entrada", "acuses": f"{base}/acuses", "secreto": f"archivo:{folder / 'clave'}"}

    def _https(self, ident: str, workspace: Path) -> Puerta:
        first = self._public is None
        origin, authority = self._public = self._public or self._web()
        public = self._folder / ALMACEN / "publica"
        table = _table({"difusor": ALMACEN, "url": str(public)}, todo=True) if first else ""
        reader = _table({"difusor": ident, **_signs(workspace)})
        return Puerta("https", origin, f"[acceso]\nca = {json.dumps(str(authority))}\n", table + reader)

    def _web(self) -> tuple[str, Path]:
        """The institute's own web server, with a certificate of its own authority; its address and that authority."""
        folder = self._folder / ALMACEN
        public = folder / "publica"
        self._disk.make_folder(public)
        port = free_port(HOST)
        text = f"""{{
	admin off
	persist_config off
	skip_install_trust
	auto_https disable_redirects
	default_sni {HOST}
	log {{
		level WARN
	}}
	storage file_system {json.dumps(str(folder / "caddy"))}
}}
https://{HOST}:{port} {{
	bind {HOST}
	tls internal
	root * {json.dumps(str(public))}
	log {{
		output file {json.dumps(str(folder / "accesos.log"))}
	}}
	file_server
}}
"""
        config = folder / "Caddyfile"
        self._disk.write(config, text.encode())
        authority = folder / "caddy/pki/authorities/local/root.crt"
        command = [str(find_caddy()), "run", "--config", str(config), "--adapter", "caddyfile"]
        server = self._stack.enter_context(running(command, output=folder / "caddy.log"))
        wait_until(
            lambda: authority.is_file() and answers_tcp(HOST, port),
            server,
            timeout=READY_S,
            what="El servidor web del instituto",
        )
        return f"https://{HOST}:{port}", authority

    def _start(self, command: list[str], output: Path, port: int, greeting: bytes) -> None:
        """Start a server of ``_PROGRAMS`` and wait until it greets."""
        found = programa(command[0]) or command[0]
        server = self._stack.enter_context(running([found, *command[1:]], output=output))
        wait_until(partial(_greets, port, greeting), server, timeout=READY_S, what=command[0])


def _signs(workspace: Path) -> dict[str, str]:
    """The key with which that difusor's acuses verify."""
    return {"clave_acuses": str(workspace / "llaves" / "acuse.pub.pem")}


def _greets(port: int, greeting: bytes) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1) as link:
        return link.recv(len(greeting)) == greeting
    return False


def _table(values: Mapping[str, str], *, todo: bool = False) -> str:
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in values.items()]
    return "\n".join(["[[destino]]", *lines, *(["todo = true"] if todo else []), "", ""])
