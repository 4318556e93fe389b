"""``pregon difusor``: receive, serve, hold the night and report, for one workspace or several."""

from __future__ import annotations

import typer

from pregon.cli.difusor import (
    configura,
    cortes,
    declara,
    diagnostico,
    estado,
    inicia,
    opera,
    panel,
    personalizada,
    recibe,
    rehace,
    respaldo,
    revisa,
    sirve,
)

app = typer.Typer(help="El difusor: recibe, verifica, publica, sirve e informa.", no_args_is_help=True)
for module in (inicia, opera, recibe, sirve, estado, cortes, panel, diagnostico, respaldo, rehace, revisa, declara):
    app.add_typer(module.app)
app.add_typer(configura.app, name="configura")
app.add_typer(personalizada.app, name="personalizada")
