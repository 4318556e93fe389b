"""``pregon instituto verificador``: the page «Compruebe un sitio», for the institute's host."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pregon.cli import salida
from pregon.cli.opciones import Json, root_bytes

app = typer.Typer()


@app.command("verificador")
@salida.command
def verificador(
    salida_dir: Annotated[Path, typer.Option("--salida", help="Carpeta en la que se escribe la página.")],
    raiz: Annotated[Path, typer.Option("--raiz", help="El root.json publicado, en que la página confiará.")],
    repositorio: Annotated[
        str | None,
        typer.Option("--repositorio", help="Dirección del repositorio firmado. Sin ella, junto a la página."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Escribe la página «Compruebe un sitio», para el servidor del instituto."""
    from pregon.base.durable import Disk
    from pregon.instituto import verificador as pagina

    root = root_bytes(
        raiz,
        intacto="No se escribió nada.",
        que_hacer="Dé con --raiz el root.json del espacio de trabajo del instituto.",
    )
    identity = pagina.write(salida_dir, root, repositorio=repositorio, disk=Disk())
    if as_json:
        salida.show_json(
            {
                "carpeta": str(salida_dir),
                "convocatoria": identity.convocatoria,
                "instituto": identity.instituto,
                "ambiente": identity.ambiente,
                "politica": pagina.POLITICA,
            }
        )
        return
    typer.echo(f"Página escrita en {salida_dir}, para {identity.convocatoria} ({identity.ambiente}).")
    typer.echo(
        "Publique después del inicio, y nunca antes, la carpeta metadata/ del repositorio donde la página la busca."
    )
    typer.echo(f"Sírvala con https y con esta cabecera:\n  Content-Security-Policy: {pagina.POLITICA}")
