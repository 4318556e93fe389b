"""The ``pregon`` command: a table of sub-commands, each in a module of its own, imported when it is called."""

from __future__ import annotations

import typer

from pregon import __version__
from pregon.cli import aforo, convocatoria, difusor, formatos, instituto, memoria, paquete, prep, simulacro
from pregon.cli.raiz import Raiz

app = typer.Typer(
    name="pregon",
    cls=Raiz,
    help="Pregón lleva los resultados preliminares (PREP) del instituto a cada difusor oficial, íntegros y con prueba.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(simulacro.app, name="simulacro")
app.add_typer(convocatoria.app, name="convocatoria")
app.add_typer(instituto.app, name="instituto")
app.add_typer(difusor.app, name="difusor")
app.add_typer(paquete.app, name="paquete")
app.add_typer(prep.app, name="prep")
app.add_typer(aforo.app, name="aforo")
app.add_typer(memoria.app, name="memoria")
app.command("formatos")(formatos.formatos)


@app.command()
def version() -> None:
    """Muestra la versión de Pregón."""
    typer.echo(__version__)


def main() -> None:
    """Entry point of the ``pregon`` program."""
    app()
