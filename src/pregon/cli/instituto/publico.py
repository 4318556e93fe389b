"""``pregon instituto publica``: the pages for everybody, written once by hand; ``opera`` writes them all night."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from pregon.cli import salida
from pregon.cli.opciones import Espacio, Json

app = typer.Typer()


@app.command("publica")
@salida.command
def publica(
    carpeta: Espacio,
    en: Annotated[
        Path | None,
        typer.Option(
            "--en", help="Carpeta en que se escribe, en vez de la que dice la tabla «publico».", metavar="CARPETA"
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Escribe las páginas públicas: lista de difusores, cómo va cada uno y la noche hasta ahora."""
    import threading

    from pregon.instituto import workspace
    from pregon.instituto.opera.turno import Turno
    from pregon.instituto.publico.envio import envia
    from pregon.instituto.publico.fuente import ultimos_dictamenes
    from pregon.instituto.publico.sitio import ENLACE, Publicador

    opened = workspace.open_workspace(carpeta)
    publisher = Publicador(opened, carpeta=en)
    signed = Turno(opened, os.environ, threading.Event()).firmas()
    done = publisher.publica(signed, ultimos_dictamenes(opened))
    carried = () if en is not None else envia(opened, publisher.carpeta, os.environ)
    if as_json:
        salida.show_json(
            {
                "carpeta": str(publisher.carpeta / ENLACE),
                "version": done.version,
                "bytes": done.bytes,
                "difusores": len(done.publico.difusores),
                "cortes": len(done.publico.noche.cortes),
                "destinos": [{"url": url, "archivos": one.archivos, "bytes": one.bytes} for url, one in carried],
            }
        )
        return
    typer.echo(f"Publicado en {publisher.carpeta / ENLACE} (versión {done.version}, {done.bytes:,} bytes).")
    typer.echo(f"Difusores: {len(done.publico.difusores)}. Cortes: {len(done.publico.noche.cortes)}.")
    for url, one in carried:
        typer.echo(f"Llevado a {url}: {one.archivos} archivos, {one.bytes:,} bytes.")
