"""``pregon difusor diagnostico``: the bundle that is mailed to the institute."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pregon.cli import salida
from pregon.cli.difusor.comun import Carpeta

app = typer.Typer()


@app.command("diagnostico")
@salida.command
def diagnostico(
    folder: Carpeta,
    archivo: Annotated[
        Path | None,
        typer.Option("--salida", help="Archivo .zip que se escribe; «-», la salida estándar. Sin esto, uno aquí."),
    ] = None,
    horas: Annotated[float, typer.Option(help="Horas de bitácora que se incluyen.", min=0.1, max=24 * 366)] = 24.0,
) -> None:
    """Reúne en un .zip lo que el soporte necesita, sin secretos, direcciones ni datos de visitantes."""
    import os
    import sys

    from pregon.base.durable import Disk
    from pregon.difusor.diagnostico.paquete import paquete
    from pregon.difusor.workspace import open_workspace

    workspace = open_workspace(folder)
    clock = workspace.open_clock()
    data = paquete(workspace, clock, os.environ, horas=horas)
    if archivo == Path("-"):
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
        return
    target = archivo or Path(f"diagnostico-{workspace.settings.id}-{clock.now():%Y%m%d-%H%M%S}.zip")
    Disk().write(target.absolute(), data, mode=0o600)
    typer.echo(f"{target}  {len(data):,} bytes. Revíselo y envíelo al soporte del instituto.")
