"""``pregon difusor revisa``: what to mend before the night."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from pregon.cli import salida
from pregon.cli.difusor.comun import Carpeta
from pregon.cli.opciones import Json

app = typer.Typer()

SENALES = {"bien": "bien ", "aviso": "AVISO", "falla": "FALLA"}


@app.command("revisa")
@salida.command
def revisa(
    folder: Carpeta,
    visitantes: Annotated[
        int | None, typer.Option(min=1, help="Visitantes que espera en el minuto de más visitas.", metavar="N")
    ] = None,
    as_json: Json = False,
) -> None:
    """Revisa este difusor antes de la noche. Termina con 0 si nada falla y con 70 si algo falla."""
    from pregon.difusor.libro import Libro
    from pregon.difusor.preflight.revision import VISITANTES
    from pregon.difusor.preflight.revision import revisa as check
    from pregon.difusor.workspace import open_workspace

    workspace = open_workspace(folder)
    clock = workspace.open_clock()
    libro = Libro(workspace.open_state(clock))
    found = check(
        workspace, libro, clock=clock, visitantes=visitantes or VISITANTES, nucleos=len(os.sched_getaffinity(0))
    )
    failed = [one for one in found if one.estado == "falla"]
    if as_json:
        salida.show_json({"ok": not failed, "comprobaciones": [one.as_dict() for one in found]})
    else:
        for one in found:
            clause = f" ({one.clausula})" if one.clausula else ""
            typer.echo(f"{SENALES[one.estado]} {one.codigo}{clause}: {one.que}")
            typer.echo(f"      medido: {one.medido}\n      debe:   {one.minimo}")
            if one.arreglo:
                typer.echo(f"      qué hacer: {one.arreglo}")
        typer.echo(f"{len(found)} comprobaciones; fallan {len(failed)}.")
    if failed:
        raise typer.Exit(70)
