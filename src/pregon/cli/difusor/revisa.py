"""``pregon difusor revisa``: what to mend before the night."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from pregon.cli import salida
from pregon.cli.comprobaciones import show_checks
from pregon.cli.difusor.comun import Carpeta
from pregon.cli.opciones import Json

app = typer.Typer()


@app.command("revisa")
@salida.command
def revisa(
    folder: Carpeta,
    visitantes: Annotated[
        int | None, typer.Option(min=1, help="Visitantes que espera en el minuto de más visitas.", metavar="N")
    ] = None,
    sondeo: Annotated[
        list[Path] | None,
        typer.Option("--sondeo", help="Lo que el instituto vio desde fuera («pregon instituto sondea»).", metavar="F"),
    ] = None,
    sin_medir: Annotated[
        bool, typer.Option("--sin-medir", help="No mide el disco (lo lee al azar durante 2 segundos).")
    ] = False,
    transferencia: Annotated[
        bool, typer.Option("--transferencia", help="Lee otra vez del origen el último paquete, y mide cuánto tarda.")
    ] = False,
    guarda: Annotated[
        bool,
        typer.Option(
            "--guarda",
            help="Guarda el resultado en cumplimiento/revision.json, como constancia; las anteriores se quedan.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Revisa este difusor antes de la noche, contra lo que pide su convocatoria. Termina con 70 si algo falla."""
    from pregon.base.durable import Disk
    from pregon.difusor.libro import Libro
    from pregon.difusor.preflight import resumen
    from pregon.difusor.preflight.revision import VISITANTES, Encargo
    from pregon.difusor.preflight.revision import revisa as check
    from pregon.difusor.workspace import open_workspace
    from pregon.sonda.sondeo import lee

    seen = lee(sondeo or ())
    workspace = open_workspace(folder)
    clock = workspace.open_clock()
    libro = Libro(workspace.open_state(clock))
    found = check(
        workspace,
        libro,
        clock=clock,
        visitantes=visitantes or VISITANTES,
        nucleos=len(os.sched_getaffinity(0)),
        encargo=Encargo(medir=not sin_medir, transferencia=transferencia, sondeos=seen, guarda=guarda),
    )
    kept = resumen.guarda(workspace, found, clock.now(), disk=Disk()) if guarda else None
    show_checks(found, as_json=as_json, nota="" if kept is None else f"Guardada en {kept}.")
