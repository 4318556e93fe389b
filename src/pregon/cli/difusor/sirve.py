"""``pregon difusor sirve``: the embedded web server, for one workspace or several."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from pregon.cli import salida
from pregon.cli.difusor.comun import stop_on_signal

app = typer.Typer()


@app.command("sirve")
@salida.command
def sirve(
    folders: Annotated[list[Path], typer.Argument(help="Carpetas de trabajo, una por convocatoria.", metavar="DIR...")],
    puerto: Annotated[int | None, typer.Option(help="Puerto, en lugar del de difusor.toml (0: uno libre).")] = None,
) -> None:
    """Sirve al público lo publicado, con su propio servidor web, hasta que se le detenga."""
    from pregon.base.durable import Disk
    from pregon.base.errors import ComprobacionError
    from pregon.difusor.night import real_clock
    from pregon.difusor.servidor.proceso import serving
    from pregon.difusor.workspace import open_workspace

    workspaces = [open_workspace(folder) for folder in folders]
    stop = stop_on_signal()
    with serving(workspaces, disk=Disk(), clock=real_clock(), port=puerto) as server:
        for url in server.urls:
            sys.stdout.write(f"LISTO {url}\n")
        sys.stdout.flush()
        while not stop.wait(0.2):
            status = server.returncode()
            if status is not None:
                raise ComprobacionError(
                    f"El servidor web terminó por su cuenta (estado {status}).",
                    intacto="Lo publicado sigue en disco, completo; ahora nadie lo sirve.",
                    que_hacer=f"Revise {workspaces[0].servidor / 'servidor.log'} y repita la orden.",
                )
