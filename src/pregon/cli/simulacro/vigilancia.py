"""``pregon simulacro vigilancia``: nights of faults, and whether the watch says of them what is true."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pregon.cli import salida
from pregon.cli.opciones import Json

if TYPE_CHECKING:
    from pregon.simulacro.flota.noche import Resultado

MOSTRADAS = 20


@salida.command
def vigilancia(
    semilla: Annotated[int, typer.Option(help="Semilla de la primera noche: la misma, la misma noche.")] = 1,
    noches: Annotated[int, typer.Option(min=1, max=10_000, help="Cuántas noches, cada una con su semilla.")] = 1,
    difusores: Annotated[int, typer.Option(min=3, max=200, help="Cuántos difusores simulados.")] = 60,
    convocatoria: Annotated[str, typer.Option(help="Perfil de la convocatoria.")] = "gro-2021",
    periodos: Annotated[int, typer.Option(min=1, max=72, help="Cuántos periodos dura cada noche.")] = 9,
    cada: Annotated[int, typer.Option(min=10, max=600, help="Segundos de la noche entre miradas.")] = 60,
    red: Annotated[
        bool, typer.Option("--red", help="Por HTTPS, con conexiones reales dentro de este equipo; tarda minutos.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Ensaya el monitor y el debido proceso con fallas al azar, y los compara con lo que de verdad pasó.

    Lo cierto se lee sólo del registro de las fallas. Sale con 0 si cada dictamen, cada periodo y cada suspensión es lo
    que debía ser.
    """
    from pregon.convocatoria import perfiles
    from pregon.simulacro.flota.ensayo import Pedido, ensaya, to_json

    request = Pedido(semilla=semilla, noches=noches, difusores=difusores, periodos=periodos, cada_s=cada, red=red)
    results: list[Resultado] = []
    for result in ensaya(request, perfiles.load(convocatoria)):
        results.append(result)
        typer.echo(_line(result), err=as_json)
        for one in result.discrepancias[:MOSTRADAS]:
            typer.echo(f"  ✗ {one.difusor} {one.hora:%H:%M:%S}: dijo {one.dicho}; era {one.cierto}", err=as_json)
    if as_json:
        salida.show_json([to_json(result) for result in results])
    out = sum(len(result.suspensiones) for result in results)
    false = sum(len(result.falsas) for result in results)
    missing = sum(len(result.faltantes) for result in results)
    typer.echo(
        f"Noches: {noches}. Suspensiones propuestas: {out}; falsas: {false}; que faltaron: {missing}.", err=as_json
    )
    if not all(result.ok for result in results):
        raise typer.Exit(70)


def _line(result: Resultado) -> str:
    mark = "✓" if result.ok else "✗"
    return (
        f"{mark} semilla {result.guion.semilla}: {len(result.guion.fallas)} fallas, {result.dictamenes:,} dictámenes, "
        f"{len(result.suspensiones)} suspensiones, {len(result.falsas)} falsas, {len(result.faltantes)} faltantes"
    )
