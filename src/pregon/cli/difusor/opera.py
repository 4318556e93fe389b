"""``pregon difusor opera``: the night as a service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pregon.cli import salida
from pregon.cli.difusor.comun import Carpeta, tell_news
from pregon.cli.opciones import Json
from pregon.cli.senales import event_on, stop_on_signal

if TYPE_CHECKING:
    from contextlib import ExitStack

    from pregon.difusor.workspace import Workspace

app = typer.Typer()


@app.command("opera")
@salida.command
def opera(
    folder: Carpeta,
    con_servidor: Annotated[
        bool,
        typer.Option("--con-servidor", help="También sirve al público, si nadie lo hace ya: en una sola terminal."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Sostiene la noche: recibe, publica, se vigila y atiende el panel, hasta que se le detenga.

    SIGHUP vuelve a leer difusor.toml entre dos pasadas; si los ajustes nuevos no valen, siguen los anteriores.
    """
    import contextlib
    import faulthandler
    import signal

    from pregon.base.servicio import Supervisor, return_large_blocks
    from pregon.cli.registro import log_as_service
    from pregon.difusor.opera import opera as hold
    from pregon.difusor.workspace import open_workspace

    stop, relee = stop_on_signal(), event_on(signal.SIGHUP)
    faulthandler.enable()  # What WatchdogSignal=SIGABRT ends says where it was.
    return_large_blocks()
    workspace = open_workspace(folder)
    log_as_service()
    with contextlib.ExitStack() as stack:
        if con_servidor:
            _serve(workspace, stack)
        hold(
            workspace,
            stop=stop,
            relee=relee,
            supervisor=Supervisor.of_environment(),
            tell=lambda outcome: tell_news(outcome, as_json=as_json),
        )


def _serve(workspace: Workspace, stack: ExitStack) -> None:
    """Serve until ``stack`` is left; a web server that another process runs is left to it."""
    from pregon.base.durable import Disk
    from pregon.base.errors import InstanciaError
    from pregon.difusor.night import real_clock
    from pregon.difusor.servidor.proceso import attended

    try:
        server = stack.enter_context(attended([workspace], disk=Disk(), clock=real_clock(), tells=typer.echo))
    except InstanciaError:
        typer.echo("Otro proceso ya sirve esta carpeta: se deja como está.")
        return
    for url in server.urls:
        typer.echo(f"LISTO {url}")
