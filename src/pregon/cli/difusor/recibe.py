"""``pregon difusor recibe``: receives, verifies and publishes."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated

import typer

from pregon.cli import salida
from pregon.cli.difusor.comun import Carpeta, outcome_as_dict, tell_news
from pregon.cli.opciones import Json
from pregon.cli.senales import stop_on_signal

if TYPE_CHECKING:
    from pregon.base.errors import PregonError
    from pregon.difusor.nube.estado import EstadoNube
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
        if as_json:  # what happened is in the object; without a handler Python would write its words before it
            logging.getLogger("pregon").addHandler(logging.NullHandler())
        outcome = receive_once(workspace, disk=Disk())
        if outcome.error is not None:
            raise outcome.error
        _tell(outcome, as_json=as_json)
        if outcome.atrasadas:
            raise _left_behind(outcome.atrasadas)
        return
    receive_until(workspace, stop_on_signal(), disk=Disk(), tell=lambda outcome: tell_news(outcome, as_json=as_json))


def _left_behind(atrasadas: tuple[EstadoNube, ...]) -> PregonError:
    from pregon.base.errors import RedError

    said = "; ".join(
        f"«{each.nombre}» ({'no acabó a tiempo' if each.error is None else each.error.que_paso})" for each in atrasadas
    )
    return RedError(
        f"No todas las nubes muestran ya lo que se publica aquí: {said}",
        intacto="Lo publicado en este equipo y en las demás nubes sigue a la vista; en éstas, lo anterior.",
        que_hacer="Corrija lo que se dice y repita la orden: sube sólo lo que falta.",
    )


def _tell(outcome: Outcome, *, as_json: bool) -> None:
    if as_json:
        salida.show_json(outcome_as_dict(outcome))
    elif outcome.novedad is None:
        typer.echo(f"Sin novedad. {outcome.decision.motivo}")
    else:
        typer.echo(f"Corte {outcome.novedad} verificado. {outcome.decision.motivo}")
