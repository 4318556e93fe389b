"""What every unit of systemd of ours has: its bounds, its program, its account, and the name of its instance.

Nothing here touches the system: an administrator reads the files, then puts them in place. Names and paths become part
of a shell script and of the settings of root's own services, so they are checked here, once, and only plain ones pass.
"""

from __future__ import annotations

import pwd
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from pregon.base.errors import UsoError

CUENTA_PROPIA = "pregon"
"""The account that runs both units where the workspaces are still root's."""
PROGRAMA = Path("/opt/pregon/actual/bin/pregon")
"""Where docs/operacion/instalacion.md puts the program: «actual» is a link to one version's folder."""
NO_SE_VEN = ("/home/", "/root/", "/run/user/", "/tmp/", "/var/tmp/")  # noqa: S108 (named, not used)
"""What ``ProtectHome`` and ``PrivateTmp`` hide."""
UNIDADES = "/etc/systemd/system"
NADA = "No se escribió ni se cambió nada."
_RUTA = re.compile(r"(/[A-Za-z0-9._-]+)+\Z")

COMUN = """\
User={cuenta}
UMask=0027

# Sólo se escribe en la carpeta de trabajo; del resto del equipo, poco se ve y nada se cambia.
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
DevicePolicy=closed
PrivateIPC=yes
PrivateMounts=yes
ProtectProc=invisible
ProtectClock=yes
ProtectHostname=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
NoNewPrivileges=yes
RemoveIPC=yes
KeyringMode=private
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
"""
"""The bounds of each service; ``{cuenta}``: who runs it."""


@dataclass(frozen=True)
class Archivo:
    """A file for the system: its name beside the script, where the steps put it, its mode and its text."""

    nombre: str
    destino: str
    modo: int
    texto: str


@dataclass(frozen=True)
class Paso:
    """One thing to do, in words and as shell commands for root; it may be repeated without harm.

    ``servicio``: it talks to the system's service manager (systemd), so it is the last and only there can it run.
    """

    que: str
    orden: str
    servicio: bool = False


def ruta_sencilla(path: Path, *, que: str) -> str:
    """``path`` (absolute) as it may stand in a script, in fstab and in sshd_config without quoting.

    Raises:
        UsoError: it has spaces, quotes, «%» or any other sign than letters without accents, figures, «._-».
    """
    text = str(path)
    if _RUTA.match(text) is None or any(part in (".", "..") for part in path.parts):
        raise UsoError(
            f"La ruta de {que}, «{text}», lleva signos que no admiten los archivos del sistema.",
            intacto=NADA,
            que_hacer="Use una carpeta cuya ruta sólo lleve letras sin acento, cifras, punto, guion y guion bajo.",
        )
    return text


def duena_de(folder: Path) -> str:
    """The account that owns a folder, by name, or by number where it has none."""
    uid = folder.stat().st_uid
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def este_programa() -> Path:
    """The ``pregon`` of this Python; the one of ``PROGRAMA`` where both are the same, so that an upgrade reaches it."""
    ours = Path(sys.executable).absolute().parent / "pregon"
    try:
        same = PROGRAMA.samefile(ours)
    except OSError:
        same = False
    return PROGRAMA if same else ours


def escapada(folder: str) -> str:
    """A path as the name of an instance: ``systemd-escape --path``. ``folder`` is one of ``ruta_sencilla``."""
    text = folder.strip("/")
    return "".join(
        "-" if char == "/" else char if char.isalnum() or char in "_:" or (char == "." and at > 0) else _hex(char)
        for at, char in enumerate(text)
    )


def _hex(char: str) -> str:
    return f"\\x{ord(char):02x}"
