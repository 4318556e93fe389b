"""``pregon difusor sirve`` and what belongs to it: the embedded web server, its access log, a password's hash."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pregon.cli import salida
from pregon.cli.difusor.comun import Carpeta
from pregon.cli.senales import event_on, stop_on_signal

if TYPE_CHECKING:
    from collections.abc import Sequence

app = typer.Typer()

TICK_S = 0.2
"""How soon an order by signal is heard."""


@app.command("sirve")
@salida.command
def sirve(
    folders: Annotated[
        list[Path] | None, typer.Argument(help="Carpetas de trabajo, una por convocatoria.", metavar="DIR...")
    ] = None,
    lista: Annotated[
        Path | None,
        typer.Option(help="Archivo con más carpetas, una por renglón; se relee cuando cambia.", metavar="ARCHIVO"),
    ] = None,
    puerto: Annotated[int | None, typer.Option(help="Puerto, en lugar del de difusor.toml (0: uno libre).")] = None,
) -> None:
    """Sirve al público lo publicado, con su propio servidor web, hasta que se le detenga.

    Si el servidor web se cae, lo inicia otra vez. SIGHUP, o un cambio en difusor.toml, en un certificado o en la lista,
    pone en servicio los ajustes nuevos sin cortar descargas. SIGUSR1 lo deja sirviendo solo, y el siguiente «sirve»
    lo toma sin interrupción: así se actualiza Pregón.
    """
    import signal

    from pregon.base.durable import Disk
    from pregon.base.errors import UsoError
    from pregon.base.servicio import Supervisor as Jefe
    from pregon.difusor.night import real_clock
    from pregon.difusor.servidor.proceso import find_caddy
    from pregon.difusor.servidor.supervisor import Supervisor
    from pregon.difusor.workspace import open_workspace

    def wanted() -> list[Path]:
        return list(dict.fromkeys(folder.absolute() for folder in (*(folders or ()), *_listed(lista))))

    chosen = wanted()
    if not chosen:
        raise UsoError("No se dijo qué servir.", intacto="No se cambió nada.", que_hacer="Dé una DIR o --lista.")
    stop = stop_on_signal()
    reload, leave = event_on(signal.SIGHUP), event_on(signal.SIGUSR1)
    boss, clock = Jefe.of_environment(), real_clock()
    server = Supervisor(
        [open_workspace(folder) for folder in chosen],
        program=find_caddy(),
        disk=Disk(),
        clock=clock,
        port=puerto,
        folders=wanted,
        tells=_say,
    )
    try:
        server.start()
        _ready(server.urls)
        boss.ready(f"Sirve {' '.join(server.urls)}")
        urls = server.urls
        while not (stop.is_set() or leave.is_set()):
            server.watch(TICK_S)
            if reload.is_set():
                reload.clear()
                boss.reloading(clock)
                done = server.reload()
                boss.ready(f"Sirve {' '.join(server.urls)}{'' if done else '. Los ajustes nuevos no valen.'}")
            if server.urls != urls:
                urls = server.urls
                _ready(urls)
        boss.stopping()
    finally:
        server.close(leave=leave.is_set())


def _listed(lista: Path | None) -> list[Path]:
    """The folders that the file names, one a line; relative ones count from the file."""
    from pregon.base.settings import read_toml_bytes

    if lista is None:
        return []
    lines = (line.strip() for line in read_toml_bytes(lista).decode(errors="replace").splitlines())
    return [lista.absolute().parent / line for line in lines if line and not line.startswith("#")]


def _ready(urls: Sequence[str]) -> None:
    for url in urls:
        sys.stdout.write(f"LISTO {url}\n")
    sys.stdout.flush()


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


@app.command("bitacora")
@salida.command
def bitacora(folder: Carpeta) -> None:
    """Da los accesos del servidor web propio en formato «combined», del más antiguo al más reciente.

    Los lee cualquier herramienta: pregon difusor bitacora DIR | goaccess --log-format=COMBINED -
    """
    from pregon.difusor.servidor.bitacora import Cuenta, combined
    from pregon.difusor.workspace import open_workspace

    workspace = open_workspace(folder)
    cuenta = Cuenta()
    try:
        for line in combined(workspace.servidor, cuenta):
            sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except BrokenPipeError:  # Who reads has seen enough.
        sys.stderr.close()
        return
    if cuenta.malas or cuenta.archivos:
        sys.stderr.write(
            f"Se omitieron {cuenta.malas} renglones ilegibles; {cuenta.archivos} archivos no se leyeron.\n"
        )


@app.command("contrasena")
@salida.command
def contrasena() -> None:
    """Pide una contraseña y da su huella, para la tabla «servidor.acceso.usuarios» de un simulacro restringido."""
    from pregon.difusor.servidor.proceso import password_hash

    if sys.stdin.isatty():
        secret = str(typer.prompt("Contraseña", hide_input=True, confirmation_prompt=True, err=True))
    else:
        secret = sys.stdin.readline().rstrip("\n")
    sys.stdout.write(f"{password_hash(secret)}\n")
