"""``pregon difusor rehace``: an empty folder becomes the difusor that it was, from the bucket."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from pregon.cli import salida
from pregon.cli.difusor.comun import Carpeta
from pregon.cli.opciones import Json

app = typer.Typer()


@app.command("rehace")
@salida.command
def rehace(
    folder: Carpeta,
    desde: Annotated[str, typer.Option("--desde", metavar="NOMBRE", help="La tabla «nube» con historial = true.")],
    ajustes: Annotated[
        Path | None,
        typer.Option(metavar="ARCHIVO", help="difusor.toml que se copia a la carpeta, si ahí no hay ninguno."),
    ] = None,
    todo: Annotated[
        bool, typer.Option("--todo", help="Trae ahora todo el historial; si no, lo más viejo vuelve con «opera».")
    ] = False,
    as_json: Json = False,
) -> None:
    """Rehace un difusor en una carpeta vacía con lo que guardó en la nube; nunca publica un corte anterior al visto."""
    from pregon.base.durable import Disk
    from pregon.difusor.nube.rehace import rehace as make

    made = make(folder, desde, disk=Disk(), environment=os.environ, todo=todo, ajustes=ajustes)
    if as_json:
        salida.show_json(
            {
                "carpeta": str(folder),
                "copia": made.copia,
                "creada": made.creada,
                "cortes": made.cortes,
                "publico": made.publico,
                "bytes": made.bytes,
                "por_traer": made.por_traer,
                "notas": list(made.notas),
            }
        )
        return
    typer.echo(f"Difusor rehecho en {folder} con la copia {made.copia}, de {made.creada}: {made.cortes} cortes.")
    typer.echo(f"Público ahora: {made.publico}. Se trajeron {made.bytes:,} bytes.")
    if made.por_traer:
        typer.echo(f"Los originales de {made.por_traer} cortes siguen en la nube: «opera» los trae mientras trabaja.")
    for note in made.notas:
        typer.echo(f"Atención: {note}")
