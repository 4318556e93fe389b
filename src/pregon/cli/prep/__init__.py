"""``pregon prep``: what a PREP file says, what is wrong with it, and invented ones."""

from __future__ import annotations

import typer

from pregon.cli.prep import totales
from pregon.cli.prep.genera import genera

app = typer.Typer(
    name="prep", help="Lee la base de datos por acta del PREP: totales y hallazgos.", no_args_is_help=True
)
app.add_typer(totales.app)
app.command("genera")(genera)
