"""``pregon difusor panel``: the accounts of the status panel."""

from __future__ import annotations

from typing import Annotated

import typer

from pregon.cli import salida
from pregon.cli.difusor.comun import Carpeta
from pregon.cli.opciones import Json

app = typer.Typer()


@app.command("panel")
@salida.command
def panel(
    folder: Carpeta,
    cuenta: Annotated[
        str | None, typer.Option("--cuenta", help="Cuenta que se crea, o a la que se cambia la contraseña.")
    ] = None,
    clave_de: Annotated[
        str | None,
        typer.Option(
            "--clave-de",
            metavar="archivo:RUTA|env:NOMBRE",
            help="De dónde se lee la contraseña. Sin esto se pregunta. Nunca va en la línea de órdenes.",
        ),
    ] = None,
    quita: Annotated[str | None, typer.Option("--quita", help="Cuenta que se quita, con sus sesiones.")] = None,
    as_json: Json = False,
) -> None:
    """Crea, cambia o quita las cuentas del panel; sin opciones, las lista. Vale de inmediato, sin reiniciar nada."""
    from pregon.base.durable import Disk
    from pregon.base.errors import UsoError
    from pregon.base.fechas import instante
    from pregon.cli.frases import una_clave
    from pregon.difusor.panel.cuentas import MIRA, cuentas_de
    from pregon.difusor.workspace import open_workspace

    workspace = open_workspace(folder)
    accounts = cuentas_de(workspace)
    if cuenta is not None and quita is not None:
        raise UsoError(
            "«--cuenta» y «--quita» no van juntos.", intacto="No se cambió nada.", que_hacer="Dé una orden a la vez."
        )
    if quita is not None:
        accounts.quita(quita, disk=Disk())
    elif cuenta is not None:
        password = una_clave(clave_de, f"Contraseña de {cuenta} para el panel: ")
        accounts.pone(cuenta, password, (MIRA,), ahora=workspace.open_clock().now(), disk=Disk())
    listed = {name: each.desde for name, each in sorted(accounts.todas().items())}
    if as_json:
        salida.show_json({"cuentas": [{"nombre": name, "desde": since} for name, since in listed.items()]})
        return
    for name, since in listed.items():
        typer.echo(f"{name}  contraseña del {instante(since, workspace.convocatoria.zona)}")
    if not listed:
        typer.echo("No hay cuentas: nadie puede entrar al panel. Cree una con --cuenta NOMBRE.")
    if workspace.settings.panel.puerto is None:
        typer.echo("El panel está apagado: ponga «puerto» en [panel] de difusor.toml.")
