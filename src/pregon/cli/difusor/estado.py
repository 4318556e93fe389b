"""``pregon difusor estado``: what the public sees now."""

from __future__ import annotations

from typing import Any

import typer

from pregon.cli import salida
from pregon.cli.difusor.comun import Carpeta
from pregon.cli.opciones import Json

app = typer.Typer()

PRUEBAS = {
    "firma": "firma (lo firmó el instituto)",
    "suma": "suma (llegó completo, según las sumas del instituto; nada prueba de quién es)",
    "ninguna": "ninguna (se publica como llegó)",
}
"""What each ``prueba`` proves, for the administrator."""


@app.command("estado")
@salida.command
def estado(folder: Carpeta, as_json: Json = False) -> None:
    """Dice qué se muestra al público, desde cuándo, y cómo fue el último intento."""
    from pregon.difusor.libro import Libro
    from pregon.difusor.report import estado as report
    from pregon.difusor.workspace import open_workspace

    workspace = open_workspace(folder)
    clock = workspace.open_clock()
    data = report(workspace, Libro(workspace.open_state(clock)), clock.now())
    if as_json:
        salida.show_json(data)
        return
    cut = data["corte"]
    typer.echo(f"{data['convocatoria']} ({data['ambiente']}): {data['estado']} desde {data['desde'] or '—'}")
    typer.echo(f"Corte: {'ninguno' if cut is None else str(cut['numero']) + ' de ' + cut['hora_corte']}")
    if cut is not None:
        typer.echo(f"Prueba: {PRUEBAS[cut['prueba']]}")
    for url in data["urls"]:
        typer.echo(f"Dirección: {url}")
    for cloud in data["nube"]:
        typer.echo(f"Nube {cloud['nombre']}: {_shown(cloud)}")
    for warning in data["avisos"]:
        typer.echo(f"Aviso {warning['codigo']}: {warning['texto']}")


def _shown(cloud: dict[str, Any]) -> str:
    """What one target shows, since when, and what it must show instead."""
    what = "nada todavía" if cloud["muestra"] is None else f"{cloud['muestra']} desde {cloud['desde']}"
    if cloud["pendiente"] is None:
        return what
    return f"{what}; falta {cloud['pendiente']['que']} desde {cloud['pendiente']['desde']}"
