"""``pregon instituto unidad``: the unit of systemd that holds the night, and the steps that put it in place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from pregon.base.durable import Disk
    from pregon.instituto.workspace import Workspace

NOMBRE = "pregon-instituto@.service"
TABLERO = "pregon-tablero@.service"
PASOS = "pasos.sh"
WATCHDOG_S = 300
"""Silence after which it is started again: the loop looks every half second, and a signature takes seconds."""
ARRANQUE_S = 300
TERMINA_S = 300
"""A cut in hand has four minutes to be finished, and half of one to begin to travel."""

_UNIDAD = """\
# Hecho por «pregon instituto unidad». Una por espacio de trabajo: pregon-instituto@srv-prep es /srv/prep.
[Unit]
Description=Pregón: la noche del instituto en %f
Wants=network-online.target
After=network-online.target time-sync.target
RequiresMountsFor=%f
AssertPathExists=%f/instituto.toml
StartLimitIntervalSec=900
StartLimitBurst=30

[Service]
Type=notify
NotifyAccess=main
ExecStart={programa} instituto opera %f
ExecReload=/bin/kill -HUP $MAINPID
# 2 y 78: orden o ajustes equivocados; 75: la noche la lleva otro proceso u otro equipo. Repetir no sirve.
Restart=on-failure
RestartSec=5
RestartPreventExitStatus=2 75 78
TimeoutStartSec={arranque}
TimeoutStopSec={termina}
WatchdogSec={watchdog}
WatchdogSignal=SIGABRT
# Primero sólo al proceso principal: termina el corte en curso con sus ayudantes vivos.
KillMode=mixed
MemoryMax=80%
TasksMax=512
LimitNOFILE=8192
# Contraseñas por variable: sudo systemctl edit pregon-instituto@…, con EnvironmentFile=, legible sólo por root.
ReadWritePaths=%f{otras}
{comun}CapabilityBoundingSet=

[Install]
WantedBy=multi-user.target
"""


_DEL_TABLERO = """\
# Hecho por «pregon instituto unidad». El tablero es un proceso aparte: si falla, la noche sigue.
[Unit]
Description=Pregón: el tablero del instituto en %f
Wants=network-online.target
After=network-online.target time-sync.target
RequiresMountsFor=%f
AssertPathExists=%f/instituto.toml
StartLimitIntervalSec=900
StartLimitBurst=30

[Service]
Type=notify
NotifyAccess=main
ExecStart={programa} instituto tablero %f
# 2 y 78: orden o ajustes equivocados. Repetir no sirve.
Restart=on-failure
RestartSec=5
RestartPreventExitStatus=2 78
TimeoutStartSec={arranque}
TimeoutStopSec=30
WatchdogSec={watchdog}
WatchdogSignal=SIGABRT
# Lo que se pide desde él (una entrega) son procesos suyos: terminan con él.
KillMode=mixed
# Nunca le quita a la noche su memoria ni su procesador.
MemoryMax=30%
CPUWeight=20
TasksMax=256
LimitNOFILE=8192
ReadWritePaths=%f{otras}
{comun}CapabilityBoundingSet=

[Install]
WantedBy=multi-user.target
"""


@dataclass(frozen=True)
class Unidad:
    """The unit, the steps as shell commands for root, the name of its instance, and what to mend before.

    ``tablero``: the unit of the board, where the settings have one.
    """

    archivo: Archivo
    pasos: tuple[Paso, ...]
    servicio: str
    avisos: tuple[str, ...]
    tablero: Archivo | None = None

    @property
    def archivos(self) -> tuple[Archivo, ...]:
        """Every unit."""
        return (self.archivo,) if self.tablero is None else (self.archivo, self.tablero)

    def script(self) -> str:
        """The steps as one script of ``sh`` that stops at the first failure; it runs from the folder of the unit."""
        lines = ["#!/bin/sh", "# pregon instituto unidad. Se ejecuta como root; puede repetirse.", "set -eu"]
        lines.append('cd "$(dirname "$0")"')
        for number, paso in enumerate(self.pasos, start=1):
            lines += ["", f"# {number}. {paso.que}", paso.orden]
        return "\n".join(lines) + "\n"

    def write(self, folder: Path, disk: Disk) -> tuple[Path, ...]:
        """Write the units and the script in ``folder``. Raises ``EscrituraError``, ``DiscoError``."""
        disk.make_folder(folder)
        units = [folder / one.nombre for one in self.archivos]
        for path, one in zip(units, self.archivos, strict=True):
            disk.write(path, one.texto.encode(), mode=one.modo)
        disk.write(folder / PASOS, self.script().encode(), mode=0o755)
        return (*units, folder / PASOS)


def unidad(workspace: Workspace, *, programa: Path | None = None) -> Unidad:
    """The unit for ``workspace``. ``programa``: the ``pregon`` that it runs (None: the one that is running).

    Raises:
        UsoError: a path that a unit cannot hold.
    """
    folder = ruta_sencilla(workspace.folder.absolute(), que="la carpeta del instituto")
    command = ruta_sencilla(programa or este_programa(), que="el programa")
    owner = duena_de(workspace.folder)
    account = CUENTA_PROPIA if owner == "root" else owner
    service = f"pregon-instituto@{escapada(folder)}.service"
    others = _other_folders(workspace)
    values = {
        "programa": command,
        "comun": COMUN.format(cuenta=account),
        "arranque": ARRANQUE_S,
        "termina": TERMINA_S,
        "watchdog": WATCHDOG_S,
        "otras": "".join(f" {one}" for one in others),
    }
    board = None
    if workspace.settings.tablero.puerto is not None:
        board = Archivo(TABLERO, f"{UNIDADES}/{TABLERO}", 0o644, _DEL_TABLERO.format(**values))
    services = (service,) if board is None else (service, f"pregon-tablero@{escapada(folder)}.service")
    names = (NOMBRE,) if board is None else (NOMBRE, TABLERO)
    return Unidad(
        Archivo(NOMBRE, f"{UNIDADES}/{NOMBRE}", 0o644, _UNIDAD.format(**values)),
        (
            Paso(
                "Una cuenta del sistema para Pregón, sin contraseña ni terminal.",
                f"id -u {account} >/dev/null 2>&1 || useradd --system --user-group --no-create-home "
                f"--home-dir {folder} --shell /usr/sbin/nologin {account}",
            ),
            Paso(
                "La carpeta, con sus llaves, es sólo de esa cuenta.",
                f"chown -R {account}:{account} {folder}\nchmod 0700 {folder} {folder}/llaves",
            ),
            *(Paso("La unidad.", f"install -D -o root -g root -m 0644 '{one}' '{UNIDADES}/{one}'") for one in names),
            Paso("Que systemd la lea.", "systemctl daemon-reload", servicio=True),
            *(
                Paso("Que empiece ahora y en cada arranque.", f"systemctl enable --now '{one}'", servicio=True)
                for one in services
            ),
        ),
        service,
        _warnings(workspace, folder),
        board,
    )


def _other_folders(workspace: Workspace) -> tuple[str, ...]:
    """Folders outside of the workspace that the settings name and that the night writes."""
    settings = workspace.settings
    public = settings.publico
    named = [*settings.bitacora.copias, settings.opera.lista, public.carpeta]
    named += [Path(one.ruta) for one in public.destino if one.esquema == "file"]
    return tuple(
        ruta_sencilla(one, que="una carpeta de instituto.toml")
        for one in named
        if one is not None and one.is_absolute()
    )


def _warnings(workspace: Workspace, folder: str) -> tuple[str, ...]:
    found = []
    if folder.startswith(NO_SE_VEN):
        found.append(f"{folder} está bajo una carpeta que la unidad no ve. Muévala, por ejemplo a /srv.")
    if workspace.settings.reloj_simulado is not None:
        found.append("El espacio tiene un reloj simulado; la unidad es para la noche de verdad.")
    return tuple(found)
