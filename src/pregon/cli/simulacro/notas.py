"""The marks of a night with faults, shown; and ``pregon simulacro informe``, which checks a signed report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pregon.cli import salida
from pregon.cli.opciones import Json

if TYPE_CHECKING:
    from pregon.simulacro.result import NightResult


@salida.command
def informe(
    carpeta: Annotated[Path, typer.Argument(help="La que escribió «simulacro --informe».", show_default=False)],
    raiz: Annotated[
        Path | None,
        typer.Option(
            "--raiz", help="root.json del instituto, obtenido por otra vía. Sin él, la copia que trae el informe."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Comprueba la firma de un informe de simulacro y que sus archivos son los que se firmaron."""
    from datetime import datetime

    from pregon.base.hashing import grupos, sha256_bytes
    from pregon.base.settings import read_toml_bytes
    from pregon.simulacro.notas.informe import RAIZ_COPIADA, revisa
    from pregon.simulacro.notas.notas import GRADOS

    said = revisa(carpeta, None if raiz is None else read_toml_bytes(raiz))
    if as_json:
        salida.show_json({**said, "raiz_propia": raiz is None})
        return
    made = datetime.fromisoformat(said["hecho"])
    typer.echo(
        f"Informe íntegro y firmado: {said['convocatoria']}, semilla {said['semilla']}, "
        f"hecho el {made:%d/%m/%Y a las %H:%M} UTC."
    )
    for name, grade in said["grados"].items():
        typer.echo(f"  {name}: {GRADOS.get(grade, grade)}")
    if raiz is None:
        typer.echo("Se comprobó con la raíz que trae el informe: compare su SHA-256, o dé la suya con --raiz.")
        typer.echo(f"  {grupos(sha256_bytes((carpeta / RAIZ_COPIADA).read_bytes()))}")


def tabla_de_notas(result: NightResult) -> None:
    """Show the faults, the grade of each difusor and every mark that is not met."""
    from rich.console import Console
    from rich.table import Table

    from pregon.simulacro.notas.notas import GRADOS

    marks, console = result.notas, Console()
    if marks is None:
        return
    if result.fallas:
        table = Table("N.º", "Falla", "A quién", "Corte", "Qué hizo", title="Fallas provocadas")
        for one in result.fallas:
            fault = one.falla
            done = one.detalle if one.aplicada else f"no consta que se aplicara. {one.detalle}"
            table.add_row(str(fault.n), fault.clase.replace("_", " "), fault.objetivo, str(fault.corte), done)
        console.print(table)
    table = Table("Difusor", "Grado", "Puntos", "Notas cumplidas", title="Preparación")
    for name in marks.difusores:
        own = marks.de(name)
        met = f"{sum(one.cumplio for one in own)} de {len(own)}"
        table.add_row(name, GRADOS[marks.grado(name)], str(marks.puntos(name)), met)
    console.print(table)
    for mark in marks.notas:
        if not mark.cumplio:
            clauses = ", ".join(mark.clausulas) or mark.asunto
            line = f"✗ {mark.difusor} ({clauses}): se esperaba «{mark.esperado}» y «{mark.ocurrido}». {mark.evidencia}"
            console.print(line, markup=False)
    for n in marks.por_aplicar:
        console.print(f"✗ La falla {n} no consta como aplicada: nada prueba.", markup=False)
