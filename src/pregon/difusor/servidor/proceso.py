"""The embedded web server: Caddy, from its wheel, as the public's server for one or more workspaces.

Public serving is never Python's job (design §3): this only finds the program and keeps its supervisor for as long as
a block lasts (``supervisor.py``).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from pregon.base import procesos
from pregon.base.errors import ComprobacionError, EntradaError, PregonError
from pregon.difusor.servidor.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pregon.base.clock import Clock
    from pregon.base.durable import Disk
    from pregon.difusor.workspace import Workspace

BCRYPT_COST = 10
"""A tenth of a second for each guess; Caddy remembers who was right."""
HASH_TIMEOUT_S = 30.0
WATCH_S = 0.2
"""How soon whoever serves while it does something else hears that it is to end."""

Server = Supervisor
"""A running web server, as who serves sees it: ``urls``, ``pid``, ``returncode``."""


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


def password_hash(secret: str) -> str:
    """The bcrypt hash of a password, as Caddy, nginx and Apache understand it. The password goes by standard input.

    Raises:
        EntradaError: Caddy is not installed.
        ComprobacionError: it made none.
    """
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "huella")
        process = procesos.start(
            [find_caddy(), "hash-password", "--bcrypt-cost", str(BCRYPT_COST)], output=output, feeds=True
        )
        process.feed(f"{secret}\n".encode())
        status = process.wait(HASH_TIMEOUT_S)
        text = process.tail().strip()
    if status != 0 or not text.startswith("$2"):
        raise ComprobacionError(
            "El servidor web no dio la huella de la contraseña.",
            intacto="No se guardó nada.",
            que_hacer="Pruebe otra contraseña, sin caracteres especiales.",
        )
    return text


@contextlib.contextmanager
def serving(
    workspaces: Sequence[Workspace],
    *,
    disk: Disk,
    clock: Clock,
    port: int | None = None,
    tells: Callable[[str], None] = lambda _: None,
) -> Iterator[Supervisor]:
    """Serve ``workspaces`` until the block ends; ``port`` replaces the one of every workspace's settings (0: free).

    Raises:
        InstanciaError: another process serves one of them.
        AjustesError: their settings do not fit together.
        ComprobacionError: the web server did not start; the text has the end of what it printed.
    """
    server = Supervisor(workspaces, program=find_caddy(), disk=disk, clock=clock, port=port, tells=tells)
    try:
        server.start()
        yield server
    finally:
        server.close()


@contextlib.contextmanager
def attended(
    workspaces: Sequence[Workspace], *, disk: Disk, clock: Clock, tells: Callable[[str], None]
) -> Iterator[Supervisor]:
    """As ``serving``, and a thread brings the web server back where it dies and gives it the settings that change.

    Where it cannot live, ``tells`` hears why and the block goes on: receiving does not depend on it.

    Raises: as ``serving``.
    """
    ends = threading.Event()
    with serving(workspaces, disk=disk, clock=clock, tells=tells) as server:
        attends = threading.Thread(target=_attend, args=(server, ends, tells), name="servidor", daemon=True)
        attends.start()
        try:
            yield server
        finally:
            ends.set()
            attends.join()


def _attend(server: Supervisor, ends: threading.Event, tells: Callable[[str], None]) -> None:
    try:
        while not ends.is_set():
            server.watch(WATCH_S)
    except PregonError as exc:
        tells(f"{exc.que_paso} {exc.intacto} {exc.que_hacer}")
