"""``pregon difusor personalizada``: a view of the difusor's own, where the call allows it and the institute did."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pregon.cli import salida
from pregon.cli.difusor.comun import Carpeta
from pregon.cli.opciones import Json

app = typer.Typer(
    help="La presentación personalizada que el instituto autorizó (GRO-1.3b, DGO-I-3b), en su propia dirección.",
    no_args_is_help=True,
)

Vista = Annotated[Path, typer.Argument(help="Carpeta con los archivos de la vista.", metavar="VISTA")]


@app.command("huella")
@salida.command
def huella(vista: Vista, as_json: Json = False) -> None:
    """Dice la huella de una vista: la que el instituto escribe en su autorización."""
    from pregon.difusor.personalizada import read_view

    found = read_view(vista.absolute())
    if as_json:
        salida.show_json({"huella": found.huella, "archivos": found.archivos})
    else:
        typer.echo(found.huella)


@app.command("instala")
@salida.command
def instala(
    folder: Carpeta,
    vista: Vista,
    autorizacion: Annotated[Path, typer.Option(help="Registro de la autorización (TOML).", metavar="ARCHIVO")],
    documento: Annotated[
        Path | None, typer.Option(help="El oficio del instituto, si la autorización lo cita.", metavar="ARCHIVO")
    ] = None,
    as_json: Json = False,
) -> None:
    """Instala la vista autorizada; se publica en «personalizada/» cuando haya un corte público."""
    from pregon.base.durable import Disk
    from pregon.difusor.personalizada import RUTA, install
    from pregon.difusor.servidor.direccion import public_url
    from pregon.difusor.workspace import open_workspace

    workspace = open_workspace(folder)
    now = workspace.open_clock().now()
    view = install(workspace, vista.absolute(), autorizacion, documento=documento, disk=Disk(), now=now)
    url = public_url(workspace)
    where = None if url is None else f"{url}{RUTA}/"
    if as_json:
        salida.show_json({"huella": view.huella, "archivos": len(view.archivos), "url": where})
    else:
        typer.echo(f"Vista instalada ({len(view.archivos)} archivos, huella {view.huella}).")
        typer.echo(
            f"Se mostrará en {where or RUTA + '/'} mientras haya un corte público y la autorización esté vigente."
        )


@app.command("retira")
@salida.command
def retira(folder: Carpeta, as_json: Json = False) -> None:
    """Quita del público la vista personalizada."""
    from pregon.base.durable import Disk
    from pregon.difusor.personalizada import withdraw
    from pregon.difusor.workspace import open_workspace

    done = withdraw(open_workspace(folder), Disk())
    if as_json:
        salida.show_json({"retirada": done})
    else:
        typer.echo("Vista retirada." if done else "No había ninguna vista instalada.")
