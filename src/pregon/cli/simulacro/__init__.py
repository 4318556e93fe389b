"""``pregon simulacro``: a whole night on this machine."""

from __future__ import annotations

from pregon.cli.simulacro.modelo import modelo
from pregon.cli.simulacro.noche import app
from pregon.cli.simulacro.noches import graba, repite
from pregon.cli.simulacro.notas import informe
from pregon.cli.simulacro.vigilancia import vigilancia

__all__ = ["app"]

app.command("vigilancia")(vigilancia)
app.command("graba")(graba)
app.command("repite")(repite)
app.command("modelo")(modelo)
app.command("informe")(informe)
