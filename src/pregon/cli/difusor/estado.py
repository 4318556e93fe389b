"""``pregon difusor estado``: what the public sees now."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import typer

from pregon.cli import salida
from pregon.cli.difusor.comun import Carpeta
from pregon.cli.opciones import Json

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

app = typer.Typer()

PRUEBAS = {
    "firma": "firma (lo firmó el instituto)",
    "suma": "suma (llegó completo, según las sumas del instituto; nada prueba de quién es)",
    "ninguna": "ninguna (se publica como llegó)",
}
"""What each ``prueba`` proves, for the administrator."""
RESULTADOS = {
    "aceptado": "llegó un corte y se aceptó",
    "sin_novedad": "sin novedad",
    "rechazado": "se rechazó lo que llegó",
    "fallo": "no se pudo recibir",
}
"""How each ``resultado`` of an attempt is said."""


@app.command("estado")
@salida.command
def estado(folder: Carpeta, as_json: Json = False) -> None:
    """Dice qué se muestra al público, desde cuándo, cómo fue el último intento, el reloj y el disco."""
    from pregon.difusor.libro import Libro
    from pregon.difusor.report import estado as report
    from pregon.difusor.workspace import open_workspace

    workspace = open_workspace(folder)
    clock = workspace.open_clock()
    libro = Libro(workspace.open_state(clock))
    data = report(workspace, libro, clock.now())
    if as_json:
        salida.show_json(data)
        return
    cut = data["corte"]
    zone = workspace.convocatoria.zona
    typer.echo(f"{data['convocatoria']} ({data['ambiente']}): {data['estado']} desde {_local(data['desde'], zone)}")
    shown = "ninguno" if cut is None else f"{cut['numero']} de {_local(cut['hora_corte'], zone)}"
    typer.echo(f"Corte: {shown}")
    if cut is not None:
        typer.echo(f"Prueba: {PRUEBAS[cut['prueba']]}")
    newest = libro.ultimo()
    if newest is not None and (cut is None or newest.corte > cut["numero"]):
        typer.echo(f"Verificado y no mostrado: {newest.corte} de {_local(newest.hora_corte.isoformat(), zone)}")
    typer.echo(f"Último intento: {_attempt(data['ultimo_intento'], zone)}")
    typer.echo(f"Reloj: {_clock(data['reloj'])}")
    typer.echo(f"Disco: {data['disco_libre'] / 1e9:,.1f} GB libres")
    for url in data["urls"]:
        typer.echo(f"Dirección: {url}")
    for cloud in data["nube"]:
        typer.echo(f"Nube {cloud['nombre']}: {_shown(cloud)}")
    for warning in data["avisos"]:
        typer.echo(f"Aviso {warning['codigo']}: {warning['texto']}")


def _local(instant: str | None, zone: ZoneInfo) -> str:
    """An instant in the convocatoria's hour, to the second, with its offset."""
    return "—" if instant is None else datetime.fromisoformat(instant).astimezone(zone).isoformat(timespec="seconds")


def _attempt(attempt: dict[str, Any], zone: ZoneInfo) -> str:
    if attempt["hora"] is None:
        return "ninguno todavía"
    how = RESULTADOS.get(attempt["resultado"], attempt["resultado"])
    code = "" if attempt["codigo"] is None else f" ({attempt['codigo']})"
    return f"{_local(attempt['hora'], zone)}, {how}{code}"


def _clock(clock: dict[str, Any]) -> str:
    offset = "sin medir" if clock["desfase_s"] is None else f"{clock['desfase_s']:+.3f} s"
    trust = "en hora" if clock["fiable"] else "no es confiable"
    return f"{trust} ({clock['fuente']}, {offset})"


def _shown(cloud: dict[str, Any]) -> str:
    """What one target shows, since when, and what it must show instead."""
    what = "nada todavía" if cloud["muestra"] is None else f"{cloud['muestra']} desde {cloud['desde']}"
    if cloud["pendiente"] is None:
        return what
    return f"{what}; falta {cloud['pendiente']['que']} desde {cloud['pendiente']['desde']}"
