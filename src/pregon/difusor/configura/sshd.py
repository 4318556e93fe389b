"""``configura sshd``: an account that can only deliver, by SFTP, by SCP or by rsync over SSH (GRO-2.1a, MEX-II-2c4).

Every way in is closed twice: the key's own line (``restrict``, ``from``, ``command``) and a ``Match`` block of sshd.

* ``sftp``: ``internal-sftp`` in a chroot that belongs to root, with the list of requests that a delivery needs: there
  is no program to run, no link to make and nothing outside ``entrada/`` and ``acuses/`` to see.
* ``scp``: the old protocol (also ``scp -O``). The forced command is the server's half, whatever the client asked for:
  one key writes in ``entrada/``, another reads ``acuses/``.
* ``rsync``: ``rrsync -wo`` for one key and ``rrsync -ro`` for the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from pregon.base.errors import UsoError
from pregon.base.unidades import Archivo, Paso
from pregon.difusor.configura.concesiones import de_la_cuenta
from pregon.difusor.configura.cuenta import LLAVES, cuenta_de, paso_de_cuenta_libre, pasos_de_cuenta, pasos_de_jaula
from pregon.difusor.configura.model import CUENTA, Configuracion, direcciones

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pregon.difusor.configura.cuenta import Cuenta
    from pregon.difusor.configura.llave import LlavePublica
    from pregon.difusor.workspace import Workspace

Protocolo = Literal["sftp", "scp", "rsync"]
PROTOCOLOS: tuple[Protocolo, ...] = get_args(Protocolo)

PEDIDOS = (
    "open",
    "close",
    "read",
    "write",
    "stat",
    "lstat",
    "fstat",
    "setstat",
    "fsetstat",
    "lsetstat",
    "opendir",
    "readdir",
    "realpath",
    "mkdir",
    "remove",
    "rename",
    "posix-rename",
    "fsync",
    "statvfs",
    "fstatvfs",
    "limits",
)
"""Requests of SFTP that a delivery needs. ``remove`` cleans what an earlier one left half done. Not there: links of any
kind, ``rmdir``, copies inside the server, and asking for accounts and homes."""

AJUSTES = "/etc/ssh/sshd_config"

PERMITE = {"sftp": "/usr/sbin/nologin", "scp": "/bin/sh", "rsync": "/bin/sh"}
"""The account's shell: none where the server itself speaks SFTP; for the others sshd starts the forced command with it,
and a plain ``sh`` reads no file of the account's (bash would: rrsync(1), «BASH SECURITY ISSUE»)."""


SIN_CANAL_S = 10
"""A connection that opens nothing (``ssh -N``) is closed after so long (OpenSSH 9.2)."""
QUIETA_S = 120
"""A session through which nothing passes is closed after so long; the sender itself gives up after 30 seconds.

OpenSSH 9.2 knows the setting and does not apply it inside ``Match`` (measured), so it is not all there is.
"""
SESION_S = 3600
"""Nothing of the account lives longer, with any OpenSSH: six times GRO-2.2b's ten minutes. Looked at every ten."""

SESIONES = {"sftp": 1, "scp": 3, "rsync": 3}
"""Sessions at once of one connection. scp opens one for each step; rsync the next step's while one still goes on."""


def configura(
    workspace: Workspace,
    *,
    protocolo: str | None,
    desde: Sequence[str],
    llave: LlavePublica,
    llave_acuses: LlavePublica | None = None,
    nombre: str = CUENTA,
) -> Configuracion:
    """What to put in place so that the institute delivers by ``protocolo`` (None: the profile's) from ``desde``.

    Raises:
        UsoError: an option is wrong or missing; the call is one in which the difusor fetches.
    """
    call = workspace.convocatoria
    kind = _protocol(protocolo, call.transporte.protocolo)
    addresses = direcciones(
        desde,
        opcion="--desde",
        falta="Pida al instituto las direcciones desde las que entrega y dé una con cada --desde (GRO-2.4e).",
    )
    cuenta = cuenta_de(workspace, nombre)
    if llave_acuses is not None and llave_acuses.cuerpo == llave.cuerpo and kind != "sftp":
        raise UsoError(
            "La llave para leer acuses es la misma que la de entregar.",
            intacto="No se escribió ni se cambió nada.",
            que_hacer=f"Pida al instituto otra: con {kind}, cada llave sólo puede hacer una cosa.",
        )
    warnings = list(cuenta.avisos)
    reads = llave_acuses is not None or kind == "sftp"
    if not reads:
        warnings.append(
            f"Con {kind} cada llave hace una sola cosa: sin --llave-acuses el instituto no podrá leer acuses/ por "
            "aquí; los recibirá por HTTPS o los pedirá aparte."
        )
    name = "pregon" if nombre == CUENTA else f"pregon-{nombre}"
    keys = f"{nombre}.llaves"
    return Configuracion(
        "sshd",
        call.id,
        (
            Archivo(
                keys,
                f"{LLAVES}/{nombre}",
                0o644,
                _key_lines(kind, cuenta, addresses, llave=llave, acuses=llave_acuses),
            ),
            Archivo(f"{name}.conf", f"{AJUSTES}.d/{name}.conf", 0o644, _match(kind, cuenta, call.nombre)),
            Archivo(f"{name}.cron", f"/etc/cron.d/{name}", 0o644, _cron(nombre)),
        ),
        (
            *_program(kind),
            paso_de_cuenta_libre(cuenta),
            *pasos_de_cuenta(cuenta, interprete=PERMITE[kind]),
            *pasos_de_jaula(cuenta),
            Paso(
                "La lista de llaves es de root: la cuenta no puede cambiar lo que sus llaves permiten.",
                f"install -d -o root -g root -m 0755 {LLAVES}\n"
                f"install -o root -g root -m 0644 {keys} {LLAVES}/{nombre}",
            ),
            Paso(
                f"Cada diez minutos se termina lo que esa cuenta tenga abierto hace más de {SESION_S // 60} minutos.",
                "pkill --help 2>&1 | grep -q -e --older || echo 'Aviso: este pkill no conoce --older.' >&2\n"
                f"install -D -o root -g root -m 0644 {name}.cron /etc/cron.d/{name}",
            ),
            _install(name, nombre),
            Paso(
                "Que sshd lea sus ajustes; las sesiones abiertas siguen.",
                "systemctl reload ssh || systemctl reload sshd",
                servicio=True,
            ),
        ),
        concesiones=de_la_cuenta(call, nombre),
        avisos=tuple(warnings),
        notas=(
            f"Huella de la llave de entrega, para compararla por teléfono con el instituto: {llave.huella}",
            *(() if llave_acuses is None else (f"Huella de la llave que lee acuses: {llave_acuses.huella}",)),
            f"Para el instituto, al entregar: {_address(kind, nombre, acuses=False)}",
            *((f"Para leer acuses: {_address(kind, nombre, acuses=True)}",) if reads else ()),
            (
                "También déle la huella de este servidor, la que escribe "
                "«ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub», por un medio distinto."
            ),
        ),
    )


def _protocol(asked: str | None, called: str) -> Protocolo:
    word = called if asked is None else asked
    for known in PROTOCOLOS:
        if word == known:
            return known
    if asked is not None:
        raise UsoError(
            f"No existe el protocolo «{asked}».",
            intacto="No se escribió ni se cambió nada.",
            que_hacer="Use sftp, scp o rsync. FTP no se usa: en su lugar va sftp (MOR-A2-5, MEX-A1-5).",
        )
    raise UsoError(
        f"En esta convocatoria los cortes van por «{called}»: nadie entra a este servidor por SSH.",
        intacto="No se escribió ni se cambió nada.",
        que_hacer="Ponga la dirección del instituto en «origen» de difusor.toml; si de todos modos entregan por SSH, "
        "diga cómo con --protocolo.",
    )


def _address(kind: Protocolo, account: str, *, acuses: bool) -> str:
    # A key of rrsync starts inside its only folder; that of scp goes to its own whatever the address says.
    scheme, folder = ("rsync+ssh", "") if kind == "rsync" else (kind, "acuses" if acuses else "entrada")
    return f'url = "{scheme}://{account}@ESTE-SERVIDOR/{folder}"'


def _sftp() -> str:
    return f"internal-sftp -u 022 -p {','.join(PEDIDOS)}"


def orden_forzada(kind: Protocolo, *, acuses: bool) -> str:
    """The one thing that a key does, whatever its owner asks for."""
    if kind == "sftp":
        return _sftp()
    if kind == "scp":
        order = "scp -r -f acuses" if acuses else "scp -r -d -t entrada"
    else:
        # -munge: a link that arrives is stored so that nothing follows it. -no-lock: a delivery that was cut does not
        # keep the next one out; links, the reason for the lock, are munged.
        order = "rrsync -ro acuses" if acuses else "rrsync -wo -munge -no-del -no-lock entrada"
    return f"timeout -k 10 {SESION_S} {order}"


def _key_lines(
    kind: Protocolo,
    cuenta: Cuenta,
    addresses: Sequence[str],
    *,
    llave: LlavePublica,
    acuses: LlavePublica | None,
) -> str:
    lines = [f"# Quién entra como {cuenta.nombre}, desde dónde y a qué. Sin tty, sin túneles y sin otra orden."]
    pairs = [(llave, False)] if acuses is None else [(llave, False), (acuses, True)]
    for key, reads in pairs:
        order = orden_forzada(kind, acuses=reads)
        lines.append(f'restrict,from="{",".join(addresses)}",command="{order}" {key.linea}')
    return "\n".join(lines) + "\n"


def _match(kind: Protocolo, cuenta: Cuenta, title: str) -> str:
    body = [
        "AuthenticationMethods publickey",
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        "HostbasedAuthentication no",
        f"AuthorizedKeysFile {LLAVES}/{cuenta.nombre}",
        "AuthorizedKeysCommand none",
        "TrustedUserCAKeys none",
        "MaxAuthTries 3",
        f"MaxSessions {SESIONES[kind]}",
        "DisableForwarding yes",
        "AllowTcpForwarding no",
        "AllowStreamLocalForwarding no",
        "AllowAgentForwarding no",
        "X11Forwarding no",
        "PermitTunnel no",
        "PermitListen none",
        "PermitOpen none",
        "GatewayPorts no",
        "PermitTTY no",
        "PermitUserRC no",
        "ClientAliveInterval 10",
        "ClientAliveCountMax 3",
        f"UnusedConnectionTimeout {SIN_CANAL_S}",
        f"ChannelTimeout session:*={QUIETA_S}",
        "LogLevel VERBOSE",
        *([f"ChrootDirectory {cuenta.jaula}", f"ForceCommand {_sftp()}"] if kind == "sftp" else []),
    ]
    first, last = _marks(cuenta.nombre)
    lines = [
        first,
        f"# La cuenta por la que el instituto deposita los cortes ({' '.join(title.split())}).",
        "# Hecho por «pregon difusor configura sshd».",
        f"Match User {cuenta.nombre}",
        *(f"    {line}" for line in body),
        "Match all",
        last,
    ]
    return "\n".join(lines) + "\n"


def _cron(account: str) -> str:
    return (
        "# Hecho por «pregon difusor configura sshd»: nadie deja una sesión abierta.\n"
        "PATH=/usr/sbin:/usr/bin:/sbin:/bin\n"
        f"*/10 * * * * root pkill -u {account} --older {SESION_S}\n"
    )


def _program(kind: Protocolo) -> tuple[Paso, ...]:
    if kind == "sftp":
        return ()
    if kind == "scp":
        return (Paso("scp debe estar en este equipo.", "command -v scp >/dev/null"),)
    return (
        Paso(
            "rrsync debe estar en este equipo y conocer -munge (rsync 3.2.4 o posterior).",
            "rrsync -help | grep -q -e -munge || "
            "{ echo 'Falta rrsync de rsync 3.2.4 o posterior; use --protocolo sftp.' >&2; exit 1; }",
        ),
    )


def _install(name: str, account: str) -> Paso:
    """Put the block where this sshd reads it, without what it does not know; take it out where the whole does not hold.

    OpenSSH before 8.2 (CentOS 8, GRO-2.3a) has no ``Include``; before 9.2 it has no limits of idleness. Settings that
    do not hold would keep sshd from starting again, with the administrator outside.
    """
    file = f"{name}.conf"
    first, last = _marks(account)
    return Paso(
        "El bloque de sshd, y que el conjunto valga. OpenSSH anterior a 9.2 no tiene los límites de inactividad: "
        "se quitan. El anterior a 8.2 no lee sshd_config.d: el bloque va al final de sshd_config.",
        f"listo=$(mktemp)\n"
        f'cp {file} "$listo"\n'
        "if ! sshd -T 2>/dev/null | grep -qi '^unusedconnectiontimeout '; then\n"
        "  sed -i -e '/UnusedConnectionTimeout/d' -e '/ChannelTimeout/d' \"$listo\"\n"
        "  echo 'Aviso: este sshd no cierra solo las conexiones ociosas (OpenSSH 9.2 o posterior sí).' >&2\n"
        "fi\n"
        f"cp -p {AJUSTES} {AJUSTES}.antes-de-pregon\n"
        f"if grep -Eqi '^[[:space:]]*Include[[:space:]].*sshd_config\\.d' {AJUSTES}; then\n"
        f'  install -D -o root -g root -m 0644 "$listo" {AJUSTES}.d/{file}\n'
        "else\n"
        f"  sed -i '/^{first}$/,/^{last}$/d' {AJUSTES}\n"
        f'  cat "$listo" >> {AJUSTES}\n'
        "fi\n"
        'rm -f "$listo"\n'
        f"if ! sshd -t || ! sshd -T -C user={account},host=instituto,addr=192.0.2.1 | "
        "grep -qix 'disableforwarding yes'; then\n"
        f"  rm -f {AJUSTES}.d/{file}\n"
        f"  cp -p {AJUSTES}.antes-de-pregon {AJUSTES}\n"
        "  echo 'Los ajustes de sshd no valen con el bloque: se quitó. Revise lo que sshd dijo arriba.' >&2\n"
        "  exit 1\n"
        "fi",
    )


def _marks(account: str) -> tuple[str, str]:
    """The lines around our block, by which it is found where it shares a file with others."""
    return f"# Pregón: comienza {account}", f"# Pregón: termina {account}"
