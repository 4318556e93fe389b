"""``pregon instituto``: keys, cuts, delivery, the registry of difusores, and the watch over them."""

from __future__ import annotations

import typer

from pregon.cli.instituto import (
    avisos,
    bitacora,
    corte,
    difusores,
    entrega,
    fichas,
    llaves,
    memorias,
    opera,
    proceso,
    publico,
    recupera,
    sondeo,
    soporte,
    tablero,
    verificador,
    vigila,
)

app = typer.Typer(help="El instituto: hace, firma y entrega cada corte.", no_args_is_help=True)
app.add_typer(corte.app)
app.add_typer(entrega.raiz)
app.add_typer(verificador.app)
app.add_typer(llaves.app, name="llaves")
app.add_typer(entrega.app, name="acuses")
app.add_typer(fichas.app, name="difusor")
app.add_typer(difusores.raiz)
app.add_typer(soporte.app, name="soporte")
app.add_typer(avisos.aviso, name="aviso")
app.add_typer(proceso.app, name="proceso")
app.add_typer(tablero.app, name="tablero")
app.add_typer(memorias.app, name="memorias")
app.add_typer(publico.app)
app.add_typer(sondeo.app)
app.add_typer(opera.app)
app.add_typer(vigila.app)
app.add_typer(recupera.app)
app.add_typer(bitacora.app, name="bitacora")
app.add_typer(bitacora.papeles)
