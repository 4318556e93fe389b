"""The three web servers over one workspace, asked the same: ``sirviendo(name, workspace, folder)`` gives an address."""

from __future__ import annotations

import contextlib
import os
import shutil
from typing import TYPE_CHECKING

from pregon.base.durable import Disk
from pregon.base.red import free_port
from pregon.difusor import pages
from pregon.difusor.night import real_clock
from pregon.difusor.servidor import apache, nginx
from pregon.difusor.servidor.proceso import serving
from pregon.difusor.servidor.sitio import site_of
from tests.red.servidores.apache import USUARIO, Apache
from tests.red.servidores.nginx import NginxCon

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pregon.difusor.configura.web import Programa
    from pregon.difusor.workspace import Workspace

SERVIDORES: tuple[Programa, ...] = ("caddy", "nginx", "apache")


@contextlib.contextmanager
def sirviendo(name: str, workspace: Workspace, folder: Path, *, brotli: bool = True) -> Iterator[str]:
    """The portal's address under one of ``SERVIDORES``, whose own files go to ``folder``.

    ``brotli``: whether nginx has the module of br.
    """
    if name == "caddy":
        with serving([workspace], disk=Disk(), clock=real_clock(), port=0) as server:
            yield server.urls[0]
        return
    port = free_port(workspace.settings.servidor.direccion)
    site = site_of(workspace, port)
    folder.mkdir(parents=True, exist_ok=True)
    pages.ensure(workspace, Disk())
    lend(workspace)
    if name == "nginx":
        if brotli:
            (folder / nginx.BROTLI).write_text("brotli_static on;\n")
        text = nginx.render([site], carpeta=str(folder), bitacoras=str(folder))
        with NginxCon(folder, text, [port], modulos=["http_brotli_static"] if brotli else []):
            yield site.url
    else:
        ports = [int(line.rpartition(":")[2]) for line in apache.listens([site])]
        with Apache(folder, apache.render([site], carpeta=str(folder), bitacoras=str(folder)), ports):
            yield site.url


def lend(workspace: Workspace) -> None:
    """Let the web server's account read releases through their group, as the printed steps do (GRO-1.7c, MOR-I-5b)."""
    if os.geteuid() == 0:
        for folder in (workspace.cortes, workspace.objetos):
            shutil.chown(folder, group=USUARIO)
