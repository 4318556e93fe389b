"""``pregon difusor inicia``: makes the workspace."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pregon.cli import salida
from pregon.cli.difusor.comun import Carpeta
from pregon.cli.opciones import Json, root_bytes

app = typer.Typer()


@app.command("inicia")
@salida.command
def inicia(
    folder: Carpeta,
    convocatoria: Annotated[str, typer.Option(help="Id de la convocatoria, o ruta de un perfil .toml.")],
    origen: Annotated[
        str, typer.Option(help="«entrada» si el instituto deposita aquí; una carpeta; https://… o s3://…")
    ],
    raiz: Annotated[
        Path | None,
        typer.Option(help="El root.json del instituto, comprobado por otro medio. Sin ella, sólo si no firma."),
    ] = None,
    ambiente: Annotated[str, typer.Option(help="oficial o simulacro.")] = "oficial",
    ident: Annotated[str, typer.Option("--id", help="Id de este difusor: minúsculas, cifras y guiones.")] = "difusor",
    as_json: Json = False,
) -> None:
    """Crea la carpeta de trabajo de un difusor."""
    from pregon.base.durable import Disk
    from pregon.difusor.inicia import create, settings_text

    root = None
    if raiz is not None:
        root = root_bytes(
            raiz, intacto="No se creó nada.", que_hacer="Pida al instituto su root.json y dé su ruta con --raiz."
        )
    if convocatoria.endswith(".toml"):
        convocatoria = str(Path(convocatoria).absolute())
    if origen != "entrada" and "://" not in origen:
        origen = str(Path(origen).absolute())
    text = settings_text(convocatoria=convocatoria, ambiente=ambiente, ident=ident, origen=origen)
    workspace = create(folder, text, root=root, disk=Disk())
    if as_json:
        salida.show_json({"carpeta": str(workspace.folder), "convocatoria": workspace.convocatoria.id})
    else:
        typer.echo(f"Difusor creado en {workspace.folder}. Revise difusor.toml antes de la noche.")
