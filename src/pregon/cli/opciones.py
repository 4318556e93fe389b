"""Options and checks that several commands share, so that they mean and say the same in each."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from pregon.base.errors import EntradaError, UsoError
from pregon.base.razones import razon

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from pregon.paquete.manifest import Ambiente as Entorno

Json = Annotated[bool, typer.Option("--json", help="Escribe el resultado en JSON.")]
Espacio = Annotated[Path, typer.Argument(help="Carpeta del espacio de trabajo.", show_default=False)]
Ambiente = Annotated[str, typer.Option("--ambiente", help="«oficial» o «simulacro»; no cambia después.")]


class Carpeta(TyperGroup):
    """A group whose folder comes first. Without a command after it, its options may follow the folder as anywhere."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        ordered = next((word for word in args if word in self.commands), None)
        if ordered is not None and "--help" in args[args.index(ordered) :]:  # its help needs no folder
            self.commands[ordered].make_context(ordered, ["--help"], parent=ctx)
        ctx.allow_interspersed_args = ordered is None
        return super().parse_args(ctx, args)


def one_of(word: str, options: Sequence[str], *, que: str, intacto: str) -> None:
    """Check a word that a person chose. ``que``: what it should name, with its article («el papel»).

    Raises:
        UsoError: it is none of ``options``.
    """
    if word not in options:
        raise UsoError(
            f"No existe {que} «{word}».", intacto=intacto, que_hacer=f"Use {', '.join(options[:-1])} o {options[-1]}."
        )


def ambiente_of(word: str) -> Entorno:
    """The ambiente that ``--ambiente`` names.

    Raises:
        UsoError: there is none of that name.
    """
    one_of(word, ("oficial", "simulacro"), que="el ambiente", intacto="No se creó nada.")
    return "simulacro" if word == "simulacro" else "oficial"


def root_bytes(path: Path, *, intacto: str, que_hacer: str) -> bytes:
    """The root.json that ``--raiz`` names, not yet looked at.

    Raises:
        EntradaError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as exc:
        raise EntradaError(f"No se pudo leer {path}: {razon(exc)}.", intacto=intacto, que_hacer=que_hacer) from exc


def instant_of(text: str, zone: ZoneInfo, *, intacto: str) -> datetime:
    """The instant that a person wrote: ISO 8601, local to ``zone`` where it has no offset.

    Raises:
        UsoError: it is none.
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as exc:
        raise UsoError(
            f"«{text}» no es una hora ISO 8601.",
            intacto=intacto,
            que_hacer="Escríbala como 2021-06-06T22:40 (hora local) o con su desfase, 2021-06-06T22:40-05:00.",
        ) from exc
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=zone)
