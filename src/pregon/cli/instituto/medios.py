"""Options of the commands of keys: which media are on the table, how they open, and who orders it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pregon.cli import salida

if TYPE_CHECKING:
    from pregon.instituto.ceremonia.mesa import Mesa

Medios = Annotated[
    list[Path] | None, typer.Option("--medios", help="Carpetas de los medios presentes, con sus llaves.")
]
Archivos = Annotated[
    list[Path] | None,
    typer.Option(
        "--frase-archivo",
        help="Archivo con la frase de paso: uno para todos los medios, o uno por medio (primero los de --medios).",
    ),
]
MismoDisco = Annotated[
    bool, typer.Option("--permitir-mismo-disco", help="Sólo para ensayar: medios en el mismo disco. Queda registrado.")
]
Operador = Annotated[str, typer.Option("--operador", help="Quién ordena el acto.", envvar="USER")]


class SeveralMedia(salida.SeveralFiles):
    """A command whose options of media, files and people take several words each."""

    varios = ("--medios", "--nuevo", "--frase-archivo", "--presentes")


def mesa_of(
    medios: list[Path] | None, nuevos: list[Path] | None, archivos: list[Path] | None, permitir_mismo_disco: bool
) -> Mesa:
    """The media of a command, with where their passphrases come from.

    Raises:
        UsoError: another number of files of passphrases than of media.
    """
    from pregon.cli.frases import Frases
    from pregon.instituto.ceremonia.mesa import Mesa

    here, new = medios or [], nuevos or []
    return Mesa(tuple(here), Frases(archivos or [], [*here, *new], os.environ), tuple(new), permitir_mismo_disco)
