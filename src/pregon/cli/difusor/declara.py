"""``pregon difusor declara`` and ``dispensa``: what no program can see, said once and kept with its document."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from pregon.cli import salida
from pregon.cli.difusor.comun import Carpeta
from pregon.cli.opciones import Json

app = typer.Typer()

Texto = Annotated[str | None, typer.Option("--texto", help="Lo que se declara, con palabras.", metavar="T")]
Documento = Annotated[
    Path | None, typer.Option("--documento", help="El documento que lo prueba; se guarda una copia.", metavar="F")
]
DIA = ["%Y-%m-%d"]


@app.command("declara")
@salida.command
def declara(
    folder: Carpeta,
    clave: Annotated[str, typer.Argument(metavar="CLAVE", help="Qué se declara: carta, memoria, energia…")],
    texto: Texto = None,
    documento: Documento = None,
    quien: Annotated[str | None, typer.Option("--quien", help="Quién lo declara.", metavar="N")] = None,
    fecha: Annotated[
        datetime | None, typer.Option("--fecha", help="Día en que se hizo (AAAA-MM-DD); si no, hoy.", formats=DIA)
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Declara algo que ningún programa puede ver: un plan, un contrato, la carta firmada."""
    from pregon.base.durable import Disk
    from pregon.difusor.cumplimiento.declaraciones import Papel, claves
    from pregon.difusor.cumplimiento.declaraciones import declara as keep
    from pregon.difusor.workspace import open_workspace

    workspace = open_workspace(folder)
    paper = Papel(texto, documento, quien, None if fecha is None else fecha.date())
    made = keep(workspace, clave, paper, disk=Disk(), ahora=workspace.open_clock().now())
    clauses = claves(workspace.convocatoria.id)[clave]
    if as_json:
        salida.show_json({**made.model_dump(mode="json"), "clausulas": list(clauses)})
        return
    typer.echo(f"Declarado «{clave}» por {made.quien}, con fecha {made.fecha}. Cláusulas: {', '.join(clauses)}.")
    if made.documento is not None:
        typer.echo(f"Documento guardado: cumplimiento/documentos/{made.documento}")


@app.command("dispensa")
@salida.command
def dispensa(
    folder: Carpeta,
    clausula: Annotated[str, typer.Argument(metavar="CLAUSULA", help="Id de la cláusula, como GRO-2.3c.")],
    quien: Annotated[str, typer.Option("--quien", help="Quién del instituto lo decidió.", metavar="N")],
    fecha: Annotated[datetime, typer.Option("--fecha", help="Cuándo lo decidió (AAAA-MM-DD).", formats=DIA)],
    texto: Texto = None,
    documento: Documento = None,
    *,
    as_json: Json = False,
) -> None:
    """Anota que el instituto acepta una cláusula como está (GRO-2.6). No oculta que no se cumple."""
    from pregon.base.durable import Disk
    from pregon.difusor.cumplimiento.declaraciones import Papel
    from pregon.difusor.cumplimiento.declaraciones import dispensa as keep
    from pregon.difusor.workspace import open_workspace

    workspace = open_workspace(folder)
    paper = Papel(texto, documento, quien, fecha.date())
    made = keep(workspace, clausula, paper, disk=Disk(), ahora=workspace.open_clock().now())
    if as_json:
        salida.show_json(made.model_dump(mode="json"))
        return
    typer.echo(f"Dispensa de {clausula} anotada: la decidió {made.quien} el {made.fecha}.")
    if not workspace.convocatoria.minimos.dispensa:
        typer.echo("Esta convocatoria no prevé dispensas: el instituto la decide como caso no previsto.")
