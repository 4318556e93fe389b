"""Serves the portal of a past cut for audit: another port, this machine alone as a rule, the embedded web server.

Every answer says that it is not what is public (``X-Pregon-Auditoria``, ``X-Robots-Tag: noindex``, never cached); the
bytes are those that were public. What is public, its server and its log are not touched.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import signal
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pregon.base import procesos
from pregon.base.errors import AjustesError, PregonError
from pregon.base.red import free_port
from pregon.difusor.historia.auditoria import CUARTOS, embargado
from pregon.difusor.servidor.proceso import find_caddy
from pregon.difusor.servidor.sitio import NUNCA, security_headers, site_of
from pregon.sonda.probe import Limits, probe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pregon.base.clock import Clock
    from pregon.base.durable import Disk
    from pregon.base.procesos import Process
    from pregon.difusor.historia.auditoria import Auditoria
    from pregon.difusor.workspace import Workspace

CUARTO = "sirve"
LOCAL = "127.0.0.1"
BITACORA = "auditoria.log"
"""Beside the public log, and never mixed with it: the memoria counts the public's visits."""
CABECERA = "X-Pregon-Auditoria"
START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 15.0
_PID = f"{CUARTO}.pid"
_NOT_IN_A_CADDYFILE = '{}"`\\\n\r\t'


@dataclass(frozen=True)
class Pasado:
    """The portal of a past cut while it is served: its address, and the web server's process."""

    url: str
    proceso: Process


@contextlib.contextmanager
def sirviendo(
    workspace: Workspace,
    audit: Auditoria,
    number: int,
    *,
    disk: Disk,
    clock: Clock,
    direccion: str = LOCAL,
    puerto: int = 0,
) -> Iterator[Pasado]:
    """Serve the portal of a past cut at ``direccion`` until the block ends; ``puerto`` 0: a free one.

    Raises:
        ComprobacionError: the cut is not public yet and other machines would reach it (GRO-1.1a); it is not sound; or
            the server did not start.
        EntradaError: it was not accepted.
        AjustesError: the address is not one, the folder's name does not fit, or a simulacro is not for everyone.
        InstanciaError: another process serves a past cut.
    """
    if not _loopback(direccion):
        if not audit.es_publico(audit.cut(number)):
            raise embargado(number, "sirve a otros equipos")
        if workspace.settings.ambiente == "simulacro" and workspace.convocatoria.acceso_simulacro == "restringido":
            raise AjustesError(
                "El simulacro de esta convocatoria es de acceso restringido y la auditoría no pregunta quién entra.",
                intacto="No se sirvió nada.",
                que_hacer="Quite --direccion: el corte se muestra solo en este equipo.",
            )
    caddy = find_caddy()
    with audit.tree(number, CUARTO) as (_, root):
        room = root.parent
        note = workspace.folder / CUARTOS / _PID
        _end_left_behind(note, room)
        port = puerto or free_port(direccion)
        config = room / "Caddyfile"
        disk.write(config, _caddyfile(workspace, root, number, direccion, port).encode())
        url = f"http://[{direccion}]:{port}/" if ":" in direccion else f"http://{direccion}:{port}/"
        home = {name: str(room) for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")}
        with procesos.running(
            [caddy, "run", "--adapter", "caddyfile", "--config", config], output=room / "caddy.out", environment=home
        ) as process:
            disk.write(note, f"{process.pid}\n".encode())
            try:
                procesos.wait_until(
                    partial(_answers, url, clock), process, timeout=START_TIMEOUT_S, what="El servidor de la auditoría"
                )
                yield Pasado(url, process)
            finally:
                disk.remove_tree(note)


def _loopback(direccion: str) -> bool:
    try:
        return ipaddress.ip_address(direccion).is_loopback
    except ValueError as exc:
        raise AjustesError(
            f"«{direccion}» no es una dirección de este equipo.",
            intacto="No se sirvió nada.",
            que_hacer="Dé una dirección IP, como 127.0.0.1, o quite --direccion.",
        ) from exc


def _caddyfile(workspace: Workspace, root: Path, number: int, direccion: str, port: int) -> str:
    log = workspace.servidor / BITACORA
    for path in (root, log):
        if any(char in str(path) for char in _NOT_IN_A_CADDYFILE):
            raise AjustesError(
                f"La carpeta {path} tiene un carácter que el servidor web no admite (llaves, comillas…).",
                intacto="No se sirvió nada.",
                que_hacer="Mueva el espacio de trabajo a una carpeta con un nombre simple.",
            )
    headers = dict(security_headers(site_of(workspace, port)))
    headers.pop("Strict-Transport-Security", None)
    headers |= {CABECERA: f"corte {number}", "X-Robots-Tag": "noindex", "Cache-Control": "no-store"}
    lines = [*(f'{name} "{value}"' for name, value in headers.items()), *(f"-{name}" for name in NUNCA), "defer"]
    header = "".join(f"\t\t{line}\n" for line in lines)
    return f"""{{
	admin off
	auto_https off
	persist_config off
	grace_period 3s
}}
http://:{port} {{
	bind {direccion}
	log {{
		output file "{log}" {{
			roll_size 100MiB
			roll_keep 3
		}}
		format json
	}}
	header {{
{header}	}}
	@metodo not method GET HEAD
	header @metodo Allow "GET, HEAD"
	route {{
		error @metodo 405
		root * "{root}"
		file_server
	}}
}}
"""


def _answers(url: str, clock: Clock) -> bool:
    try:
        probe(url, clock=clock, limits=Limits(segundos=2.0))
    except PregonError:
        return False
    return True


def _end_left_behind(note: Path, room: Path) -> None:
    """End the server of an audit that was killed: the process that its note names, if it still is that one."""
    try:
        pid = int(note.read_text())
        descriptor = os.pidfd_open(pid)
    except (OSError, ValueError):
        return
    try:
        with contextlib.suppress(OSError):
            if str(room / "Caddyfile").encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
                signal.pidfd_send_signal(descriptor, signal.SIGTERM)
                procesos.ended(descriptor, STOP_TIMEOUT_S)
    finally:
        os.close(descriptor)
