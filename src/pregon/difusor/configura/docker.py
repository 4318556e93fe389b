"""``configura docker``: two containers over one workspace, as ``compose.yaml`` (DGO-II-c, MOR-A1-1.2).

The text is a function of where the workspace is and of its ports. The ``compose.yaml`` of the repository is the one for
a volume of its own (``compose``), and a test holds it to that. Each container is another user than root, on a system
that is only to read, without capabilities; the image is built by the ``Dockerfile``, from locked hashes.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pregon.base.unidades import Archivo, Paso, ruta_sencilla
from pregon.difusor.configura.model import Configuracion
from pregon.difusor.configura.systemd import PRIVILEGIADO, TERMINA_S, puertos

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pregon.difusor.workspace import Workspace

DENTRO = "/srv/pregon"
"""Where the workspace is inside of a container."""
VOLUMEN = "pregon"
USUARIO = 10001
"""Number of the account inside, which owns the workspace."""
PUERTOS = ((80, 8080), (443, 8443))
"""Outside and inside: inside nobody is root, so no port is below 1024."""
SALUD_SIRVE = (
    f"import ssl, urllib.request as u; u.urlopen(open('{DENTRO}/servidor/direccion').read().strip(), timeout=10, "
    "context=ssl._create_unverified_context())"
)
"""Health of who serves: its own address answers. Its certificate is for its public name, so it is not judged here."""

_TEXTO = """\
# {quien}
# Un difusor en dos contenedores sobre la misma carpeta: «opera» recibe y publica, «sirve» atiende al público. Detener o
# actualizar opera no corta el servicio. docs/operacion/instalacion.md. El reloj es el del equipo anfitrión: téngalo en
# hora con chrony, y ponga [reloj] fuente = "ntp" en difusor.toml.
name: pregon

x-comun: &comun
  image: pregon
  restart: unless-stopped
  init: true
  user: "{usuario}"
  read_only: true
  cap_drop: ["ALL"]
  security_opt: ["no-new-privileges:true"]
  tmpfs: ["/tmp:mode=1777,size=64m,nosuid,nodev,noexec"]
  volumes: ["{origen}:{dentro}"]
  logging:
    driver: json-file
    options: {{max-size: "20m", max-file: "10"}}

services:
  opera:
    <<: *comun
    build: .
    command: ["opera", "{dentro}"]
    env_file: [{{"path": "secretos.env", "required": false}}]
    stop_grace_period: {espera}s
    mem_limit: 4g
    pids_limit: 128

  sirve:
    <<: *comun
    command: ["sirve", "{dentro}"]
    stop_grace_period: 60s
    pids_limit: 512
    ulimits: {{nofile: 65536}}
    ports: [{puertos}]
    healthcheck:
      test: ["CMD", "python3", "-c", "{salud}"]
      interval: 30s
      timeout: 20s
      start_period: 1m
      retries: 3
{volumen}"""


def compose(
    *,
    origen: str = VOLUMEN,
    usuario: str = f"{USUARIO}:{USUARIO}",
    ports: Sequence[tuple[int, int]] = PUERTOS,
    quien: str = "Hecho por Pregón; lo mismo que escribe «pregon difusor configura docker», con un volumen propio.",
) -> str:
    """The ``compose.yaml``: ``origen`` is the volume or the folder that is the workspace, ``ports`` outside and inside.

    The order of ``docker compose``'s own health check for ``opera`` is the image's.
    """
    volume = f"\nvolumes:\n  {origen}: {{}}\n" if not origen.startswith("/") else ""
    shown = ", ".join(f'"{outside}:{inside}"' for outside, inside in ports)
    return _TEXTO.format(
        quien=quien,
        usuario=usuario,
        origen=origen,
        dentro=DENTRO,
        espera=TERMINA_S,
        puertos=shown,
        salud=SALUD_SIRVE,
        volumen=volume,
    )


def configura(workspace: Workspace) -> Configuracion:
    """The ``compose.yaml`` for a workspace that is already on this machine.

    Raises:
        UsoError: a path that the file cannot hold.
    """
    folder = ruta_sencilla(workspace.folder, que="la carpeta del difusor")
    status = workspace.folder.stat()
    owner = f"{status.st_uid}:{status.st_gid}" if status.st_uid else f"{USUARIO}:{USUARIO}"
    inside = [port for port in puertos(workspace) if port]
    usual = {8080: 80, 8443: 443}
    ports = [(usual.get(port, port), port) for port in inside]
    text = compose(origen=folder, usuario=owner, ports=ports, quien="Hecho por «pregon difusor configura docker».")
    chown = (
        Paso("La carpeta es de la cuenta de los contenedores.", f"chown -R {owner} {folder}"),
    ) if not status.st_uid else ()  # fmt: skip
    return Configuracion(
        "docker",
        workspace.convocatoria.id,
        (Archivo("compose.yaml", "/opt/pregon/compose.yaml", 0o644, text),),
        (
            Paso("Docker con compose debe estar en este equipo.", "docker compose version >/dev/null"),
            *chown,
            Paso(
                "Junto al código de Pregón (Dockerfile, requirements, src), de donde se construye la imagen.",
                "install -D -o root -g root -m 0644 compose.yaml /opt/pregon/compose.yaml",
            ),
            Paso(
                "Que empiecen, ahora y en cada arranque del equipo.",
                "docker compose -f /opt/pregon/compose.yaml up --detach --build",
                servicio=True,
            ),
        ),
        avisos=_warnings(workspace, inside),
        notas=(
            "Qué hay en línea: docker compose exec opera pregon difusor estado /srv/pregon",
            "Tras editar difusor.toml: docker compose kill -s HUP opera sirve",
        ),
    )


def _warnings(workspace: Workspace, inside: Sequence[int]) -> tuple[str, ...]:
    settings = workspace.settings
    found = []
    if settings.servidor.direccion in ("127.0.0.1", "::1", "localhost"):
        found.append('[servidor] direccion = "127.0.0.1" sólo se ve dentro del contenedor: escriba "0.0.0.0".')
    if not inside or min(inside) < PRIVILEGIADO:
        found.append("[servidor] puerto debe ser fijo y no menor que 1024: dentro del contenedor nadie es root.")
    if settings.reloj.fuente == "chrony":
        found.append('[reloj] fuente = "chrony" no se ve desde un contenedor: escriba "ntp" y su servidor.')
    if settings.convocatoria.endswith(".toml") and Path(settings.convocatoria).is_absolute():
        found.append("La convocatoria está fuera de la carpeta: copie ahí su perfil y nómbrelo sin ruta.")
    if not settings.en_red and settings.origin_folder(workspace.folder).is_absolute() and not str(
        settings.origin_folder(workspace.folder)
    ).startswith(f"{workspace.folder}/"):  # fmt: skip
        found.append("El origen está fuera de la carpeta: el contenedor no lo verá.")
    return tuple(found)
