"""The account by which the institute enters: what both ``sshd`` and ``rsyncd`` need of the system."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pregon.base.unidades import Paso, duena_de, ruta_sencilla
from pregon.difusor.configura.model import cuenta_valida

if TYPE_CHECKING:
    from pregon.difusor.workspace import Workspace

LLAVES = "/etc/ssh/pregon"
"""Folder of the lists of keys: root's, so that the account cannot change what its own keys may do."""
JAULAS = "/srv"
"""Where the account's own folder goes: root's all the way up, as sshd demands of a chroot."""


@dataclass(frozen=True)
class Cuenta:
    """The account and the folders it reaches.

    ``jaula`` is its home and belongs to root; ``entrada`` and ``acuses`` are the workspace's. ``duena`` owns the
    workspace: it runs the difusor.
    """

    nombre: str
    jaula: str
    entrada: str
    acuses: str
    duena: str

    @property
    def avisos(self) -> tuple[str, ...]:
        """What the administrator should know before going on."""
        if self.duena != "root":
            return ()
        return (
            (
                "La carpeta del difusor es de root: haga una cuenta propia para Pregón y déle esa carpeta (chown -R) "
                "antes de seguir; así lo que se recibe nunca se abre como root."
            ),
        )


def cuenta_de(workspace: Workspace, nombre: str) -> Cuenta:
    """The account ``nombre`` for ``workspace``; reads who owns its folder and changes nothing.

    Raises:
        UsoError: the name, or the path of the workspace, is not one that the system's files can hold.
    """
    owner = duena_de(workspace.folder)
    return Cuenta(
        cuenta_valida(nombre, difusor=owner),
        f"{JAULAS}/{nombre}",
        ruta_sencilla(workspace.entrada, que="la carpeta del difusor"),
        ruta_sencilla(workspace.acuses, que="la carpeta del difusor"),
        owner,
    )


def pasos_de_cuenta(cuenta: Cuenta, *, interprete: str, salvo: str | None = None) -> tuple[Paso, ...]:
    """Make the account and give it ``entrada/``. ``interprete``: its shell.

    ``salvo``: a file that says, where it is, that another service needs the shell that the account has: the calls of
    Durango and Morelos ask for SSH and for a daemon of rsync at once (DGO-II-net-c3, MOR-A1-3.4).

    The password is «*»: none will ever match, and unlike «!» it does not count as a locked account, which sshd refuses.
    """
    unless = "" if salvo is None else f"test -e {salvo} || "
    return (
        Paso(
            "Una cuenta del sistema, sin contraseña posible y con una carpeta que es de root.",
            f"id -u {cuenta.nombre} >/dev/null 2>&1 || useradd --system --user-group --no-create-home "
            f"--home-dir {cuenta.jaula} --shell {interprete} --password '*' {cuenta.nombre}\n"
            f"usermod --home {cuenta.jaula} {cuenta.nombre}\n"
            f"{unless}usermod --shell {interprete} {cuenta.nombre}\n"
            f"install -d -o root -g root -m 0755 {cuenta.jaula}",
        ),
        Paso(
            "En entrada/ esa cuenta escribe por su grupo; es del difusor, así que sólo él cambia quién entra en ella.",
            f"install -d -o {cuenta.duena} -g {cuenta.nombre} -m 0770 {cuenta.entrada}",
        ),
    )


def _mounts(cuenta: Cuenta) -> tuple[tuple[str, str], ...]:
    """Place and line of fstab of each folder shown inside the account's own."""
    return tuple(
        (f"{cuenta.jaula}/{name}", f"{source} {cuenta.jaula}/{name} none {options} 0 0")
        for name, source, options in (
            ("entrada", cuenta.entrada, "bind,nosuid,nodev,noexec"),
            ("acuses", cuenta.acuses, "bind,ro,nosuid,nodev,noexec"),
        )
    )


def paso_de_cuenta_libre(cuenta: Cuenta) -> Paso:
    """Two workspaces on one machine have two accounts: with one, both institutes would write in the same folder."""
    checks = [
        f"if grep -qsF ' {place} none ' /etc/fstab && ! grep -qsxF '{line}' /etc/fstab; then\n"
        f"  echo '{place} es ya de otro difusor: use otro nombre con --cuenta.' >&2\n"
        "  exit 1\n"
        "fi"
        for place, line in _mounts(cuenta)
    ]
    return Paso("Esa cuenta no debe ser la de otro difusor de este equipo.", "\n".join(checks))


def pasos_de_jaula(cuenta: Cuenta) -> tuple[Paso, ...]:
    """Show ``entrada/`` and, only to read, ``acuses/`` inside the account's folder, now and at each start."""
    lines = []
    for place, line in _mounts(cuenta):
        lines += [
            f"mountpoint -q {place} || install -d -o root -g root -m 0755 {place}",
            f"grep -qsxF '{line}' /etc/fstab || echo '{line}' >> /etc/fstab",
            f"mountpoint -q {place} || mount {place}",
        ]
    return (
        Paso(
            "Dentro de la carpeta de la cuenta se ven entrada/ y, sólo para leer, acuses/; nada más.", "\n".join(lines)
        ),
    )
