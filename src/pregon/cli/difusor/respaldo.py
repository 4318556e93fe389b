"""``pregon difusor respalda``, ``restaura`` and ``migra``: to another machine, and to another version."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pregon.cli import salida
from pregon.cli.difusor.comun import Carpeta
from pregon.cli.opciones import Json

app = typer.Typer()


@app.command("respalda")
@salida.command
def respalda(
    folder: Carpeta,
    destino: Annotated[Path, typer.Option("--salida", metavar="ARCHIVO", help="Archivo nuevo .tar.zst o .tar.gz.")],
    sin_llaves: Annotated[
        bool, typer.Option("--sin-llaves", help="Deja fuera llaves/: claves privadas, secretos y cuentas.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Guarda el difusor en un archivo, aunque esté trabajando. Las bitácoras de acceso van aparte."""
    from pregon.base.durable import Disk
    from pregon.difusor.historia.respaldo import respalda as make
    from pregon.difusor.workspace import open_workspace

    workspace = open_workspace(folder)
    made = make(workspace, destino, disk=Disk(), now=workspace.open_clock().now(), llaves=not sin_llaves)
    if as_json:
        salida.show_json(
            {"salida": str(destino), "archivos": made.archivos, "bytes": made.bytes, "omitidos": list(made.omitidos)}
        )
        return
    typer.echo(f"{made.archivos} archivos ({made.bytes:,} bytes) en {destino}.")
    for name in made.omitidos:
        typer.echo(f"No se guardó {name}: no es un archivo normal.")
    if not sin_llaves:
        typer.echo("Lleva las claves privadas de este difusor: guárdelo donde solo usted lo lea.")


@app.command("restaura")
@salida.command
def restaura(
    respaldo: Annotated[Path, typer.Argument(help="Archivo que hizo «respalda».", metavar="ARCHIVO")],
    folder: Annotated[Path, typer.Argument(help="Carpeta que no exista todavía.", metavar="DIR")],
    as_json: Json = False,
) -> None:
    """Rehace un difusor con un respaldo: todo se comprueba antes de ponerlo en su lugar."""
    from pregon.base.durable import Disk
    from pregon.difusor.historia.respaldo import PERFIL
    from pregon.difusor.historia.restauracion import restaura as restore

    done = restore(respaldo, folder, disk=Disk())
    if as_json:
        salida.show_json(
            {
                "carpeta": str(folder),
                "archivos": done.archivos,
                "bytes": done.bytes,
                "publico": done.publico,
                "llave_nueva": done.llave_nueva,
                "falta_perfil": done.falta_perfil,
            }
        )
        return
    typer.echo(f"{done.archivos} archivos comprobados ({done.bytes:,} bytes) en {folder}.")
    if done.llave_nueva:
        typer.echo("Traía sus llaves aparte: se hizo otra para los acuses. Entregue llaves/acuse.pub.pem al instituto.")
    if done.falta_perfil is not None:
        typer.echo(f"Falta el perfil {done.falta_perfil}.")
        typer.echo(f'Póngalo ahí, o escriba en difusor.toml convocatoria = "{PERFIL}".')
    typer.echo("Arranque «opera» (o «recibe»): rehace lo público con los originales. Antes, apague el equipo anterior.")


@app.command("migra")
@salida.command
def migra(
    folder: Carpeta,
    version: Annotated[
        int | None,
        typer.Option("--a", metavar="N", help="Versión; la de este programa si no se dice."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Lleva la base de estado a otra versión: adelante, o atrás para volver al programa anterior."""
    from pregon.base import esquema, state
    from pregon.base.errors import EntradaError
    from pregon.base.locks import exclusive
    from pregon.difusor.workspace import open_workspace

    workspace = open_workspace(folder)
    if not workspace.estado.is_file():
        raise EntradaError(
            f"Este difusor todavía no tiene base de estado ({workspace.estado}).",
            intacto="No se cambió nada.",
            que_hacer="Se crea sola al arrancar «opera» o «recibe».",
        )
    with exclusive(workspace.candado):
        before, after = state.migrate(workspace.estado, esquema.VERSION if version is None else version)
    if as_json:
        salida.show_json({"antes": before, "version": after, "programa": esquema.VERSION})
        return
    if before == after:
        typer.echo(f"La base de estado ya está en la versión {after}.")
    else:
        typer.echo(f"Base de estado: de la versión {before} a la {after}.")
        typer.echo(f"La de antes queda en {workspace.estado}{state.ANTES}")
    if after < esquema.VERSION:
        typer.echo("Instale ahora el programa anterior: cualquier orden de éste la lleva otra vez adelante.")
