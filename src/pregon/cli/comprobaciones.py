"""How the commands ``revisa`` show their checks, and end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from pregon.cli import salida

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pregon.convocatoria.comprobacion import Comprobacion

SENALES = {"bien": "bien ", "aviso": "AVISO", "falla": "FALLA"}
FALLA = 70
"""Exit status where something fails."""


def show_checks(found: Sequence[Comprobacion], *, as_json: bool, nota: str = "") -> None:
    """Each check with what to do, then how many fail, and ``nota``; ends with ``FALLA`` where any does."""
    failed = sum(one.estado == "falla" for one in found)
    if as_json:
        salida.show_json({"ok": not failed, "comprobaciones": [one.as_dict() for one in found]})
    else:
        for one in found:
            clause = f" ({one.clausula})" if one.clausula else ""
            typer.echo(f"{SENALES[one.estado]} {one.codigo}{clause}: {one.que}")
            typer.echo(f"      medido: {one.medido}\n      debe:   {one.minimo}")
            if one.arreglo:
                typer.echo(f"      qué hacer: {one.arreglo}")
        typer.echo(f"{len(found)} comprobaciones; fallan {failed}.")
        if nota:
            typer.echo(nota)
    if failed:
        raise typer.Exit(FALLA)
