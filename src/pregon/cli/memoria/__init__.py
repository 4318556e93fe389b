"""``pregon memoria``: what the access logs say of the night, and the papers made of it."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from pregon.cli.memoria import conteo
from pregon.cli.memoria.documento import documento
from pregon.cli.memoria.medidas import medidas

AYUDA = "La memoria técnica: «pregon memoria CARPETA» la hace; las demás órdenes son partes de ella."


class _Memoria(TyperGroup):
    """What is no command is the folder of a difusor: ``pregon memoria DIR`` is ``pregon memoria documento DIR``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] != "--help":
            args = ["documento", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=_Memoria, help=AYUDA, no_args_is_help=True)
app.add_typer(conteo.app)
app.command("documento")(documento)
app.command("medidas")(medidas)


@app.callback()
def _group() -> None:
    """La memoria técnica: «pregon memoria CARPETA» la hace; las demás órdenes son partes de ella."""
