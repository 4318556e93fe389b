"""``pregon difusor recibe``: receives, verifies and publishes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pregon.cli import salida
from pregon.cli.difusor.comun import Carpeta, outcome_as_dict, stop_on_signal, tell_news
from pregon.cli.opciones import Json

if TYPE_CHECKING:
    from pregon.difusor.receive import Outcome

app = typer.Typer()


@app.command("recibe")
@salida.command
def recibe(
    folder: Carpeta,
    una_vez: Annotated[
        bool, typer.Option("--una-vez", help="Una sola pasada; su estado de salida dice qué pasó.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Recibe, verifica y publica los cortes, hasta que se le detenga."""
    from pregon.base.durable import Disk
    from pregon.difusor.night import receive_once, receive_until
    from pregon.difusor.workspace import open_workspace

    workspace = open_workspace(folder)
    if una_vez:
        outcome = receive_once(workspace, disk=Disk())
        if outcome.error is not None:
            raise outcome.error
        _tell(outcome, as_json=as_json)
        return
    receive_until(workspace, stop_on_signal(), disk=Disk(), tell=lambda outcome: tell_news(outcome, as_json=as_json))


def _tell(outcome: Outcome, *, as_json: bool) -> None:
    if as_json:
        salida.show_json(outcome_as_dict(outcome))
    elif outcome.novedad is None:
        typer.echo(f"Sin novedad. {outcome.decision.motivo}")
    else:
        typer.echo(f"Corte {outcome.novedad} verificado. {outcome.decision.motivo}")
