"""``pregon instituto tablero DIR``: attend the board of the night, and its accounts."""

from __future__ import annotations

import os
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pregon.cli import salida
from pregon.cli.opciones import Carpeta, Espacio, Json, one_of

if TYPE_CHECKING:
    from pregon.instituto.workspace import Workspace

app = typer.Typer(
    cls=Carpeta,
    help="El tablero de la noche: la pantalla del consejo, de los técnicos y de prensa, y quién entra a ella.",
    invoke_without_command=True,
)

Nombre = Annotated[str, typer.Argument(metavar="NOMBRE", help="La cuenta.", show_default=False)]


@app.callback()
@salida.command
def atiende(
    ctx: typer.Context,
    carpeta: Espacio,
    puerto: Annotated[
        int | None,
        typer.Option("--puerto", help="En lugar del que dice la tabla «tablero»; 0 toma uno libre.", min=0, max=65535),
    ] = None,
) -> None:
    """Atiende el tablero hasta que se le detenga; con «cuenta», «cuentas» o «quita» hace eso en su lugar.

    Es un proceso aparte: la noche («opera») sigue igual si se detiene. Si caen los dos, lo publicado sigue.
    """
    from pregon.instituto import workspace

    opened = ctx.obj = workspace.open_workspace(carpeta)
    if ctx.invoked_subcommand is not None:
        return
    from pregon.base.clock import SystemClock
    from pregon.base.servicio import Latido, Supervisor
    from pregon.cli.registro import log_as_service
    from pregon.cli.senales import stop_on_signal
    from pregon.instituto.tablero.cuentas import cuentas_de
    from pregon.instituto.tablero.servicio import atendiendo

    stop, supervisor = stop_on_signal(), Supervisor.of_environment()
    log_as_service()
    life = Latido(supervisor, SystemClock())
    with atendiendo(opened, environment=os.environ, puerto=puerto, vive=life.late) as board, life:
        typer.echo(f"LISTO {board.url}")
        if not cuentas_de(opened).todas():
            typer.echo("No hay cuentas: nadie puede entrar. Cree una con «tablero DIR cuenta NOMBRE».", err=True)
        supervisor.ready("Atiende el tablero.")
        stop.wait()
        supervisor.stopping()


@app.command("cuenta")
@salida.command
def cuenta(
    ctx: typer.Context,
    nombre: Nombre,
    rol: Annotated[
        str,
        typer.Option("--rol", help="«observador» mira; «operador» además entrega, advierte y anota; «titular» todo."),
    ],
    clave_de: Annotated[
        str | None,
        typer.Option(
            "--clave-de",
            metavar="archivo:RUTA|env:NOMBRE",
            help="De dónde se lee la contraseña. Sin esto se pregunta. Nunca va en la línea de órdenes.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Crea una cuenta, o le cambia la contraseña y el papel. Vale de inmediato, sin reiniciar nada."""
    from pregon.cli.frases import una_clave
    from pregon.instituto.tablero.cuentas import PAPELES, cuentas_de, papeles_hasta

    opened: Workspace = ctx.obj
    one_of(rol, PAPELES, que="el papel", intacto="No se cambió ninguna cuenta.")
    password = una_clave(clave_de, f"Contraseña de {nombre} para el tablero: ")
    accounts = cuentas_de(opened)
    new = accounts.pone(nombre, password, papeles_hasta(rol), ahora=opened.clock.now(), disk=opened.disk)
    opened.state().record("tablero_cuenta", cuenta=nombre, papel=rol, paso="creada" if new else "cambiada")
    if as_json:
        salida.show_json({"cuenta": nombre, "papel": rol, "nueva": new})
        return
    typer.echo(f"Cuenta «{nombre}» {'creada' if new else 'cambiada'}: {rol}.")


@app.command("cuentas")
@salida.command
def cuentas(ctx: typer.Context, as_json: Json = False) -> None:
    """Muestra las cuentas: papel y desde cuándo es su contraseña."""
    rows = _rows(ctx.obj)
    if as_json:
        salida.show_json({"cuentas": rows})
        return
    opened: Workspace = ctx.obj
    for one in rows:
        since = datetime.fromisoformat(one["desde"]).astimezone(opened.convocatoria.zona)
        typer.echo(f"{one['nombre']}  {one['papel']}  contraseña del {since:%d/%m/%Y, %H:%M}")
    if not rows:
        typer.echo("No hay cuentas: nadie puede entrar al tablero. Cree una con «cuenta NOMBRE --rol …».")


@app.command("quita")
@salida.command
def quita(ctx: typer.Context, nombre: Nombre, as_json: Json = False) -> None:
    """Quita una cuenta, con sus sesiones."""
    from pregon.instituto.tablero.cuentas import cuentas_de

    opened: Workspace = ctx.obj
    cuentas_de(opened).quita(nombre, disk=opened.disk)
    opened.state().record("tablero_cuenta", cuenta=nombre, paso="quitada")
    if as_json:
        salida.show_json({"cuentas": _rows(opened)})
        return
    typer.echo(f"Cuenta «{nombre}» quitada.")


def _rows(opened: Workspace) -> list[dict[str, Any]]:
    from pregon.instituto.tablero.acciones import papel_de
    from pregon.instituto.tablero.cuentas import cuentas_de

    known = sorted(cuentas_de(opened).todas().items())
    return [{"nombre": name, "papel": papel_de(one.roles), "desde": one.desde} for name, one in known]
