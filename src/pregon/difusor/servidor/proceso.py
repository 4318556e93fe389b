"""The embedded web server: Caddy, from its wheel, as the public's server for one or more workspaces.

Public serving is never Python's job (design §3): this only writes its configuration, starts it, watches it and stops
it. Only the process that started it stops it; one left behind by a killed process is told to end through its own
admin socket, which only this user can reach.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pregon.base import procesos
from pregon.base.errors import ComprobacionError, EntradaError, PregonError
from pregon.base.locks import exclusive
from pregon.base.red import free_port
from pregon.difusor import pages
from pregon.difusor.servidor.caddy import ADMIN_SOCKET, render
from pregon.difusor.servidor.direccion import DIRECCION
from pregon.difusor.servidor.sitio import Site, site_of
from pregon.sonda.probe import Limits, probe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pregon.base.clock import Clock
    from pregon.base.durable import Disk
    from pregon.base.procesos import Process
    from pregon.difusor.workspace import Workspace

CADDYFILE = "Caddyfile"
CANDADO = "sirve.lock"

START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 15.0
ADMIN_TIMEOUT_S = 3.0


def find_caddy() -> Path:
    """The caddy program: beside this Python, where its wheel puts it, else on the PATH.

    Raises:
        EntradaError: it is not installed.
    """
    beside = Path(sys.executable).parent / "caddy"
    if os.access(beside, os.X_OK):
        return beside
    found = shutil.which("caddy")
    if found is None:
        raise EntradaError(
            "No se encontró el servidor web Caddy.",
            intacto="No se cambió nada.",
            que_hacer="Instale Pregón con su parte «difusor» (pip install 'pregon[difusor]').",
        )
    return Path(found)


class Server:
    """A running web server. ``urls`` are the portals' addresses, in the order of the workspaces."""

    def __init__(self, process: Process, urls: tuple[str, ...]) -> None:
        self._process = process
        self.urls = urls

    @property
    def pid(self) -> int:
        return self._process.pid

    def returncode(self) -> int | None:
        """Exit status of the web server, or None while it runs."""
        return self._process.returncode()


@contextlib.contextmanager
def serving(workspaces: Sequence[Workspace], *, disk: Disk, clock: Clock, port: int | None = None) -> Iterator[Server]:
    """Serve ``workspaces`` until the block ends; ``port`` replaces the one of every workspace's settings (0: free).

    Raises:
        InstanciaError: another process serves one of them.
        AjustesError: their settings do not fit together.
        ComprobacionError: the web server did not start; the text has the end of what it printed.
    """
    caddy = find_caddy()
    with contextlib.ExitStack() as stack:
        for workspace in workspaces:
            disk.make_folder(workspace.servidor)
            stack.enter_context(exclusive(workspace.servidor / CANDADO))
        sites = _sites(workspaces, port)
        urls = tuple(f"http://{site.escucha}{site.base}" for site in sites)
        home = workspaces[0].servidor
        _end_left_behind(home)
        for workspace in workspaces:
            pages.ensure(workspace, disk)
        disk.write(home / CADDYFILE, render(sites).encode())
        process = stack.enter_context(
            procesos.running(
                [caddy, "run", "--adapter", "caddyfile", "--config", CADDYFILE],
                output=home / "caddy.out",
                environment={"HOME": str(home), "XDG_DATA_HOME": str(home), "XDG_CONFIG_HOME": str(home)},
                folder=home,
            )
        )
        for url in urls:
            procesos.wait_until(partial(_answers, url, clock), process, timeout=START_TIMEOUT_S, what="El servidor web")
        for workspace, url in zip(workspaces, urls, strict=True):
            disk.write(workspace.servidor / DIRECCION, f"{url}\n".encode())
            stack.callback(disk.remove_tree, workspace.servidor / DIRECCION)
        yield Server(process, urls)


def _sites(workspaces: Sequence[Workspace], port: int | None) -> list[Site]:
    chosen: dict[str, int] = {}
    sites = []
    for workspace in workspaces:
        address, wanted = workspace.settings.servidor.direccion, workspace.settings.servidor.puerto
        if port is not None:
            wanted = port
        if wanted == 0:
            wanted = chosen.setdefault(address, chosen.get(address) or free_port(address))
        sites.append(site_of(workspace, wanted))
    return sites


def _answers(url: str, clock: Clock) -> bool:
    try:
        probe(url, clock=clock, limits=Limits(segundos=2.0))
    except PregonError:
        return False
    return True


def _end_left_behind(home: Path) -> None:
    """End the web server of a process that was killed: ask its admin socket, and wait until nobody answers there."""
    path = home / ADMIN_SOCKET
    if not path.exists():
        return
    import httpx2  # Rare; and whoever only receives imports this module too.

    folder = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
    try:
        # Through the descriptor, because the address of a socket holds about a hundred bytes.
        transport = httpx2.HTTPTransport(uds=f"/proc/self/fd/{folder}/{ADMIN_SOCKET}")
        with httpx2.Client(transport=transport, timeout=ADMIN_TIMEOUT_S, trust_env=False) as client:
            client.post("http://caddy/stop")
    except httpx2.HTTPError:
        return  # Nobody there: the socket's file is all that was left.
    finally:
        os.close(folder)
    if not procesos.wait_gone(path, timeout=STOP_TIMEOUT_S):
        raise ComprobacionError(
            "Quedó un servidor web anterior que no termina.",
            intacto="Sigue sirviendo lo publicado.",
            que_hacer=f"Revise {home / 'servidor.log'} y termínelo antes de repetir la orden.",
        )
