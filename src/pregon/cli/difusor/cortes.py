"""``pregon difusor cortes``: the history of a difusor."""

from __future__ import annotations

import typer

from pregon.cli import salida
from pregon.cli.difusor.comun import Carpeta
from pregon.cli.opciones import Json

app = typer.Typer()


@app.command("cortes")
@salida.command
def cortes(folder: Carpeta, as_json: Json = False) -> None:
    """Lista los cortes aceptados."""
    from pregon.difusor.libro import Libro
    from pregon.difusor.report import cortes as report
    from pregon.difusor.workspace import open_workspace

    workspace = open_workspace(folder)
    data = report(Libro(workspace.open_state(workspace.open_clock())))
    if as_json:
        salida.show_json({"cortes": data})
        return
    for cut in data:
        mark = "  ← público" if cut["publicado"] else ""
        typer.echo(f"{cut['numero']:04d}  {cut['hora_corte']}  {cut['manifiesto_sha256']}  {cut['prueba']}{mark}")
