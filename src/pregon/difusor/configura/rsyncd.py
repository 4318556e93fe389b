"""``configura rsyncd``: a daemon of rsync with two modules, one only to write and one only to read (DGO-II-net-c3).

The daemon starts as root for its port (873) and its chroot; what it serves runs as the institute's account, inside the
module's own folder. It is not encrypted: the packages are public and signed, and the password never travels (challenge
and response), but whoever is on the way sees what passes before it is public. SSH says the same in secret.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pregon.base.unidades import Archivo, Paso
from pregon.difusor.configura.concesiones import de_la_cuenta
from pregon.difusor.configura.cuenta import LLAVES, cuenta_de, pasos_de_cuenta
from pregon.difusor.configura.model import CUENTA, Configuracion, direcciones

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pregon.difusor.configura.cuenta import Cuenta
    from pregon.difusor.workspace import Workspace

CARPETA = "/etc/pregon"
SSH = 22
PUERTO = 873
"""The port of rsync, where the call lists none but SSH's."""

USUARIO = "instituto"
"""The name that goes with the password; it is no account of the system."""

RECHAZA = (
    "delete*",
    "remove-*",
    "backup*",
    "append*",
    "devices",
    "specials",
    "copy-devices",
    "write-devices",
    "hard-links",
    "link-dest",
    "compare-dest",
    "copy-dest",
    "owner",
    "group",
    "acls",
    "xattrs",
    "fake-super",
    "log-file*",
)
"""Options that a delivery does not need. Links stay, since ``-a`` brings them, and are munged as they arrive."""

MAX_CONEXIONES = 8
INACTIVO_S = 60
"""Seconds without a byte after which the daemon ends a transfer."""


def configura(workspace: Workspace, *, desde: Sequence[str], nombre: str = CUENTA) -> Configuracion:
    """What to put in place so that the institute delivers to a daemon of rsync from ``desde``.

    Raises:
        UsoError: an option is wrong or missing.
    """
    call = workspace.convocatoria
    addresses = direcciones(
        desde,
        opcion="--desde",
        falta="Pida al instituto las direcciones desde las que entrega y dé una con cada --desde (DGO-II-net-c3).",
    )
    cuenta = cuenta_de(workspace, nombre)
    name = "rsyncd" if nombre == CUENTA else f"rsyncd-{nombre}"
    unit = f"pregon-{name}@.service"
    ports = tuple(port for port in call.transporte.puertos if port != SSH) or (PUERTO,)
    services = " ".join(f"pregon-{name}@{port}.service" for port in ports)
    secrets = f"{CARPETA}/{name}.secretos"
    return Configuracion(
        "rsyncd",
        call.id,
        (
            Archivo(f"{name}.conf", f"{CARPETA}/{name}.conf", 0o644, _conf(cuenta, addresses, name)),
            Archivo(unit, f"/etc/systemd/system/{unit}", 0o644, _unit(cuenta, name, call.nombre)),
        ),
        (
            Paso(
                "rsync debe estar en este equipo.",
                "command -v rsync >/dev/null",
            ),
            Paso(
                "Esos ajustes no deben ser los de otro difusor de este equipo.",
                f"if test -e {CARPETA}/{name}.conf && "
                f"! grep -qxF '    path = {cuenta.entrada}' {CARPETA}/{name}.conf; then\n"
                f"  echo '{CARPETA}/{name}.conf es ya de otro difusor: use otro nombre con --cuenta.' >&2\n"
                "  exit 1\n"
                "fi",
            ),
            *pasos_de_cuenta(cuenta, interprete="/usr/sbin/nologin", salvo=f"{LLAVES}/{nombre}"),
            Paso(
                "La contraseña nace aquí y sólo root la lee; désela al instituto por un medio aparte.",
                f"install -d -o root -g root -m 0755 {CARPETA}\n"
                f"test -s {secrets} || ( umask 077; "
                f"printf '{USUARIO}:%s\\n' \"$(head -c 24 /dev/urandom | base64 | tr -d '/+=')\" > {secrets} )\n"
                f"chmod 0600 {secrets}",
            ),
            Paso(
                "Los ajustes del servicio.",
                f"install -o root -g root -m 0644 {name}.conf {CARPETA}/{name}.conf\n"
                f"install -D -o root -g root -m 0644 {unit} /etc/systemd/system/{unit}",
            ),
            Paso(
                "Que el servicio arranque ahora y con el equipo.",
                f"systemctl daemon-reload\nsystemctl enable --now {services}\nsystemctl restart {services}",
                servicio=True,
            ),
        ),
        concesiones=de_la_cuenta(call, nombre),
        avisos=(
            *cuenta.avisos,
            (
                "El servicio de rsync no cifra: la contraseña no viaja y los cortes son públicos y van firmados, pero "
                "quien esté en el camino puede verlos antes que el público. Si la convocatoria también admite SSH, use "
                "«configura sshd --protocolo rsync»; si no, ponga stunnel delante de este puerto."
            ),
        ),
        notas=(
            *(
                f'Para el instituto: url = "rsync://{USUARIO}@ESTE-SERVIDOR{"" if port == PUERTO else f":{port}"}'
                '/entrada"; los acuses, en el módulo /acuses.'
                for port in ports
            ),
            f"La contraseña está en {secrets}, después de los dos puntos.",
        ),
    )


def _conf(cuenta: Cuenta, addresses: Sequence[str], name: str) -> str:
    shared = [
        "list = no",
        f"uid = {cuenta.nombre}",
        f"gid = {cuenta.nombre}",
        "use chroot = yes",
        "numeric ids = yes",
        "munge symlinks = yes",
        f"auth users = {USUARIO}",
        f"secrets file = {CARPETA}/{name}.secretos",
        "strict modes = yes",
        f"hosts allow = {' '.join(addresses)}",
        "hosts deny = *",
        f"max connections = {MAX_CONEXIONES}",
        f"refuse options = {' '.join(RECHAZA)}",
    ]
    entrada = [
        f"path = {cuenta.entrada}",
        "read only = no",
        "write only = yes",
        *shared,
        f"lock file = /run/pregon-{name}-entrada.lock",
        "incoming chmod = D2755,F644",
    ]
    acuses = [
        f"path = {cuenta.acuses}",
        "read only = yes",
        "write only = no",
        *shared,
        f"lock file = /run/pregon-{name}-acuses.lock",
    ]
    lines = [
        "# Por aquí deposita el instituto. Hecho por «pregon difusor configura rsyncd».",
        "# El puerto lo da quien lo arranca: pregon-…@873.service, y @2873 donde se pida (DGO-II-net-c3).",
        "reverse lookup = no",
        "max verbosity = 1",
        f"timeout = {INACTIVO_S}",
        "transfer logging = yes",
        "",
        "[entrada]",
        *(f"    {line}" for line in entrada),
        "",
        "[acuses]",
        *(f"    {line}" for line in acuses),
    ]
    return "\n".join(lines) + "\n"


def _unit(cuenta: Cuenta, name: str, title: str) -> str:
    return (
        "[Unit]\n"
        f"Description=rsync para depositar cortes en el puerto %i ({' '.join(title.split())})\n"
        "After=network-online.target\n"
        "Wants=network-online.target\n"
        "\n"
        "[Service]\n"
        f"ExecStart=/usr/bin/rsync --daemon --no-detach --config={CARPETA}/{name}.conf --port=%i\n"
        "Restart=on-failure\n"
        "NoNewPrivileges=yes\n"
        "CapabilityBoundingSet=CAP_NET_BIND_SERVICE CAP_SYS_CHROOT CAP_SETUID CAP_SETGID CAP_DAC_READ_SEARCH\n"
        "ProtectSystem=strict\n"
        f"ReadWritePaths={cuenta.entrada} /run\n"
        "PrivateDevices=yes\n"
        "PrivateTmp=yes\n"
        "\n"
        "[Install]\n"
        "WantedBy=multi-user.target\n"
    )
