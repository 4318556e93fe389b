"""What every command shares: one console, ``--json`` errors, exit statuses."""

from __future__ import annotations

import json
import sys
from functools import wraps
from typing import TYPE_CHECKING, Any, ClassVar, ParamSpec

import typer
from typer.core import TyperCommand

from pregon.base.errors import PregonError

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")


class SeveralFiles(TyperCommand):
    """A command some of whose options (``varios``) take every file up to the next option (design §4)."""

    varios: ClassVar[tuple[str, ...]] = ()

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Repeat the option before each of its files, which is the form that the parser knows."""
        expanded: list[str] = []
        option = ""
        for word in args:
            if word.startswith("-"):
                option = word if word in self.varios else ""
            if option and not word.startswith("-") and expanded[-1] != option:
                expanded.append(option)
            expanded.append(word)
        return super().parse_args(ctx, expanded)


def show_json(data: Any) -> None:
    """Print ``data`` as JSON on stdout: the command's result, for programs."""
    sys.stdout.write(json.dumps(data, ensure_ascii=False, indent=2) + "\n")


def show_error(error: PregonError, *, as_json: bool) -> None:
    """Print a failure on stderr: three sentences for a person, four keys for a program (design §5)."""
    if as_json:
        sys.stderr.write(json.dumps(error.as_dict(), ensure_ascii=False) + "\n")
        return
    sys.stderr.write(f"Error {error.codigo}: {error.que_paso}\n{error.intacto}\n{error.que_hacer}\n")


def command(function: Callable[P, None]) -> Callable[P, None]:
    """Wrap a command so that a ``PregonError`` becomes its text and its exit status.

    The wrapped function's ``as_json`` argument, if it has one, chooses the form of the error.
    """

    @wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except PregonError as error:
            show_error(error, as_json=bool(kwargs.get("as_json", False)))
            raise typer.Exit(error.salida) from error

    return wrapper
