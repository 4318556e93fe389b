"""``configura systemd``: the units that hold the night, one for each convocatoria and one that serves them all.

``pregon-difusor@.service`` runs ``opera`` for the workspace whose path its name carries (``systemd-escape --path``);
``pregon-sirve.service`` runs ``sirve`` for all of them. They are apart so that stopping or upgrading the first leaves
the public with its last cut. Both belong to ``pregon.slice``.

What each may do is the least with which its tests pass; ``systemd-analyze security`` grades it (tests/difusor).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pregon.base.errors import UsoError
from pregon.base.unidades import (
    COMUN,
    CUENTA_PROPIA,
    NO_SE_VEN,
    UNIDADES,
    Archivo,
    Paso,
    duena_de,
    escapada,
    este_programa,
    ruta_sencilla,
)
from pregon.difusor.configura.model import Configuracion

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pregon.difusor.workspace import Workspace

WATCHDOG_S = 300
"""Silence after which ``opera`` is started again. The longest step that gives no sign is the sync of one cut: 550 MB at
2 MB/s take 275 seconds."""
ARRANQUE_S = 1800
"""Before it is ready a start may hash the whole public cut again, on a slow disk."""
TERMINA_S = 90
"""A pass has twenty seconds to end by itself and is cut then; the rest is for a disk that syncs slowly."""
PRIVILEGIADO = 1024
"""Ports below are root's."""

_OPERA = """\
# Hecho por «pregon difusor configura systemd». Una por convocatoria: pregon-difusor@srv-pregon es /srv/pregon.
[Unit]
Description=Pregón: recibe y publica los cortes de %f
Wants=network-online.target
After=network-online.target time-sync.target
RequiresMountsFor=%f
AssertPathExists=%f/difusor.toml
# Lo que falla se vuelve a iniciar; si falla treinta veces seguidas, se detiene y lo publicado sigue en línea.
StartLimitIntervalSec=900
StartLimitBurst=30

[Service]
Type=notify
NotifyAccess=main
ExecStart={programa} difusor opera %f
ExecReload=/bin/kill -HUP $MAINPID
# 2 y 78: orden o ajustes equivocados; repetir no sirve.
Restart=on-failure
RestartSec=10
RestartPreventExitStatus=2 78
TimeoutStartSec={arranque}
TimeoutStopSec={termina}
WatchdogSec={watchdog}
WatchdogSignal=SIGABRT
KillMode=mixed
# Si falta memoria, antes se pierde este proceso, que se repone solo, que el que sirve al público.
OOMScoreAdjust=300
MemoryMax=50%
TasksMax=128
LimitNOFILE=8192
Slice=pregon.slice
ReadWritePaths=%f
{extra}{comun}CapabilityBoundingSet=

[Install]
WantedBy=multi-user.target
"""

_SIRVE = """\
# Hecho por «pregon difusor configura systemd». Sirve al público; se recarga sin cortar descargas.
[Unit]
Description=Pregón: sirve al público los resultados preliminares
Wants=network-online.target
After=network-online.target
RequiresMountsFor={carpetas}
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart={programa} difusor sirve {carpetas}
ExecReload=/bin/kill -HUP $MAINPID
Restart=always
RestartSec=2
TimeoutStartSec=120
TimeoutStopSec=60
# Sólo a «sirve»: si muere, el servidor web sigue atendiendo, y el «sirve» que lo releva lo toma sin cortar nada.
KillMode=process
OOMScoreAdjust=-500
TasksMax=512
LimitNOFILE=65536
Slice=pregon.slice
ReadWritePaths={carpetas}
ProcSubset=pid
{comun}{capacidades}
[Install]
WantedBy=multi-user.target
"""

_CON_PUERTO = """\
# Un puerto menor que 1024: sólo para abrirlo, sin ser root.
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
AmbientCapabilities=CAP_NET_BIND_SERVICE
"""

_SLICE = """\
# Hecho por «pregon difusor configura systemd». Lo que Pregón puede tomar de este equipo entre todos sus procesos.
[Unit]
Description=Pregón

[Slice]
MemoryAccounting=yes
CPUAccounting=yes
MemoryHigh=80%
MemoryMax=90%
"""


def configura(workspaces: Sequence[Workspace], *, programa: Path | None = None) -> Configuracion:
    """The units for ``workspaces``. ``programa``: the ``pregon`` that they run (None: the one that is running).

    Raises:
        UsoError: a path that a unit cannot hold, or workspaces of different accounts.
    """
    folders = [ruta_sencilla(workspace.folder, que="la carpeta del difusor") for workspace in workspaces]
    command = ruta_sencilla(programa or este_programa(), que="el programa")
    if len(set(folders)) < len(folders):
        raise UsoError(
            "Una carpeta está dos veces.",
            intacto="No se escribió ni se cambió nada.",
            que_hacer="Dé cada carpeta una sola vez.",
        )
    owners = {duena_de(workspace.folder) for workspace in workspaces}
    account = _account(owners)
    common = COMUN.format(cuenta=account)
    low = sorted({port for workspace in workspaces for port in puertos(workspace) if 0 < port < PRIVILEGIADO})
    services = [f"pregon-difusor@{escapada(folder)}.service" for folder in folders]
    files = (
        Archivo(
            "pregon-difusor@.service",
            f"{UNIDADES}/pregon-difusor@.service",
            0o644,
            _OPERA.format(
                programa=command,
                comun=common,
                arranque=ARRANQUE_S,
                termina=TERMINA_S,
                watchdog=WATCHDOG_S,
                extra=_other_folders(workspaces),
            ),
        ),
        Archivo(
            "pregon-sirve.service",
            f"{UNIDADES}/pregon-sirve.service",
            0o644,
            _SIRVE.format(
                programa=command,
                carpetas=" ".join(folders),
                comun=common,
                capacidades=_CON_PUERTO if low else "CapabilityBoundingSet=\n",
            ),
        ),
        Archivo("pregon.slice", f"{UNIDADES}/pregon.slice", 0o644, _SLICE),
    )
    return Configuracion(
        "systemd",
        ", ".join(dict.fromkeys(workspace.convocatoria.id for workspace in workspaces)),
        files,
        _steps(files, folders, services, account),
        avisos=_warnings(workspaces, folders),
        notas=_notes(services, folders, low),
    )


def puertos(workspace: Workspace) -> tuple[int, ...]:
    """Every port that its web server opens."""
    server = workspace.settings.servidor
    return (server.puerto,) if server.tls == "no" else (server.puerto, server.puerto_http)


def _account(owners: set[str]) -> str:
    if len(owners) > 1:
        raise UsoError(
            f"Las carpetas son de cuentas distintas: {', '.join(sorted(owners))}.",
            intacto="No se escribió ni se cambió nada.",
            que_hacer="Dé todas las carpetas a la misma cuenta (chown -R) y repita la orden.",
        )
    owner = owners.pop()
    return CUENTA_PROPIA if owner == "root" else owner


def _other_folders(workspaces: Sequence[Workspace]) -> str:
    """Folders outside of a workspace that its settings name and that ``opera`` writes."""
    copies = [workspace.settings.acuses.copia for workspace in workspaces]
    outside = [ruta_sencilla(copy, que="«copia» de [acuses]") for copy in copies if copy and copy.is_absolute()]
    return f"# Donde se copian los acuses.\nReadWritePaths={' '.join(dict.fromkeys(outside))}\n" if outside else ""


def _steps(files: Sequence[Archivo], folders: Sequence[str], services: Sequence[str], account: str) -> tuple[Paso, ...]:
    home = folders[0]
    names = " ".join(f"'{service}'" for service in services)
    return (
        Paso(
            "Una cuenta del sistema para Pregón, sin contraseña ni terminal.",
            f"id -u {account} >/dev/null 2>&1 || useradd --system --user-group --no-create-home --home-dir {home} "
            f"--shell /usr/sbin/nologin {account}",
        ),
        Paso(
            "Las carpetas de trabajo son de esa cuenta. Lo que ya es suyo no se toca: entrada/ puede tener otro grupo.",
            "\n".join(
                f'[ "$(stat -c %U {folder})" = {account} ] || chown -R {account}:{account} {folder}'
                for folder in folders
            ),
        ),
        Paso(
            "Las unidades.",
            "\n".join(f"install -D -o root -g root -m 0644 '{one.nombre}' '{one.destino}'" for one in files),
        ),
        Paso(
            "En sistemas con SELinux: nombres de lo publicado, también para nginx o Apache.",
            "if command -v selinuxenabled >/dev/null 2>&1 && selinuxenabled; then\n"
            "  command -v semanage >/dev/null 2>&1 || "
            "{ echo 'Falta semanage: dnf install policycoreutils-python-utils' >&2; exit 1; }\n"
            + "\n".join(
                f"  for parte in '/(cortes|objetos|servidor)(/.*)?' '/(puntero|publico)'; do\n"
                f'    semanage fcontext -a -t httpd_sys_content_t "{folder}$parte" 2>/dev/null || '
                f'semanage fcontext -m -t httpd_sys_content_t "{folder}$parte"\n'
                f"  done\n  restorecon -RF {folder}"
                for folder in folders
            )
            + "\n  [ ! -d /opt/pregon ] || restorecon -RF /opt/pregon\nfi",
        ),
        Paso("Que systemd las lea.", "systemctl daemon-reload", servicio=True),
        Paso(
            "Que empiecen ahora y en cada arranque del equipo.",
            f"systemctl enable pregon-sirve.service {names}\nsystemctl start pregon-sirve.service {names}",
            servicio=True,
        ),
    )


def _warnings(workspaces: Sequence[Workspace], folders: Sequence[str]) -> tuple[str, ...]:
    found = [
        f"{folder} está bajo una carpeta personal: las unidades no la verán. Muévala, por ejemplo a /srv."
        for folder in folders
        if folder.startswith(NO_SE_VEN)
    ]
    for workspace in workspaces:
        settings = workspace.settings
        if settings.servidor.puerto == 0:
            found.append(f"{workspace.folder}: puerto = 0 cambia de puerto en cada arranque; escriba uno fijo.")
        if settings.reloj.simulado is not None:
            found.append(f"{workspace.folder}: tiene un reloj simulado; las unidades son para la noche de verdad.")
    return tuple(found)


def _notes(services: Sequence[str], folders: Sequence[str], low: Sequence[int]) -> tuple[str, ...]:
    first = services[0]
    ports = f" Abre {', '.join(map(str, low))} sin ser root (CAP_NET_BIND_SERVICE)." if low else ""
    return (
        f"Recibe y publica: {', '.join(services)}. Sirve al público: pregon-sirve.service.{ports}",
        f"Qué hay en línea: systemctl status '{first}'. Registro: journalctl -u '{first}'.",
        (
            f"Tras editar {folders[0]}/difusor.toml: systemctl reload '{first}' pregon-sirve (si algo está mal, siguen "
            "los ajustes anteriores y lo dice)."
        ),
    )
