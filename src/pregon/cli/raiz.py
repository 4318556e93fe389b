"""The root of the command tree: what typer says of itself in English, help and mistakes of use, is said in Spanish.

A mistake of use is told as any other failure (design §5): three sentences, or the keys of ``--json``, and status 2.
"""

from __future__ import annotations

import re
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from pregon.base.errors import UsoError
from pregon.cli.salida import show_error

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

OPCIONES, ORDEN = "[OPCIONES]", "ORDEN [ARGUMENTOS]..."
AYUDA = "Muestra esta ayuda y termina."

_ERRORES = (
    (r"Missing (?:argument|option|parameter) '(.+?)'\.", "Falta {0}."),
    (r"Missing command\.", "Falta la orden."),
    (r"No such option: (\S+) \(Possible options: (.+)\)", "No existe la opción {0}. ¿Quiso decir {1}?"),
    (r"No such option: (\S+)", "No existe la opción {0}."),
    (r"No such command '(.+)'\. Did you mean (.+)\?", "No existe la orden «{0}». ¿Quiso decir {1}?"),
    (r"No such command '(.+)'\.", "No existe la orden «{0}»."),
    (r"Got unexpected extra argument\(s\) \((.+)\)", "Sobra: {0}."),
    (r"Option '(.+)' requires an argument\.", "Falta el valor de {0}."),
    (r"Option '(.+)' does not take a value\.", "La opción {0} no lleva valor."),
)
"""What typer says of a mistake, whole, and how we say it."""
_VALOR = re.compile(r"Invalid value(?: for '(.+?)')?: (.+)", re.DOTALL)
_RAZONES = (
    (r"Input should be a valid integer.*", "hace falta un número entero"),
    (r"Input should be a valid number.*", "hace falta un número"),
    (r"Input should be greater than or equal to (\S+)", "debe ser {0} o más"),
    (r"Input should be less than or equal to (\S+)", "debe ser {0} o menos"),
    (r".*does not match the formats? .*|.*date.*format.*", "hace falta una fecha, como 2021-06-06"),
    (r"\w+ '(.+)' does not exist\.", "no existe {0}"),
    (r"\w+ '(.+)' is a file\.", "{0} no es una carpeta"),
    (r"\w+ '(.+)' is a directory\.", "{0} es una carpeta"),
    (r"\w+ '(.+)' is not readable\.", "no se puede leer {0}"),
    (r"\w+ '(.+)' is not writable\.", "no se puede escribir en {0}"),
)
_TIPOS = {"int": "ENTERO", "float": "NÚMERO", "Path": "RUTA", "datetime": "FECHA"}


class Raiz(TyperGroup):
    """The group of every command. typer's own words pass through it."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the program. Ends the process with its status, as typer does, unless ``standalone_mode`` is False."""
        words = sys.argv[1:] if args is None else list(args)
        if "--help" in words or self._shows_its_commands(words):
            habla_espanol(self)
        run = partial(super().main, words, prog_name, complete_var, False, windows_expand_args, **extra)
        if not standalone_mode:
            return run()
        try:
            status = run()
        except TyperException as error:
            status = _tell(error, as_json="--json" in words)
        except typer.Abort:
            sys.stderr.write("Interrumpido. No se hizo nada más.\n")
            status = 1
        sys.exit(status if isinstance(status, int) else 0)

    def _shows_its_commands(self, words: Sequence[str]) -> bool:
        """Whether ``words`` are a group alone, which shows its help."""
        command: Any = self
        for word in words:
            command = getattr(command, "commands", {}).get(word)
        return hasattr(command, "commands")


def habla_espanol(root: TyperGroup) -> None:
    """Put into Spanish what every help of ``root`` shows besides ours: headings, kinds of value, marks, ``--help``.

    Only where help is shown: what it changes takes as long to import as some whole command.
    """
    from typer import rich_utils
    from typer._click.formatting import HelpFormatter

    rich_utils.ARGUMENTS_PANEL_TITLE = "Argumentos"
    rich_utils.OPTIONS_PANEL_TITLE = "Opciones"
    rich_utils.COMMANDS_PANEL_TITLE = "Órdenes"
    rich_utils.DEFAULT_STRING = "[si no se dice: {}]"
    rich_utils.ENVVAR_STRING = "[variable de entorno: {}]"
    rich_utils.REQUIRED_LONG_STRING = "[hace falta]"

    class Uso(HelpFormatter):
        def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
            super().write_usage(prog, args, prefix or "Uso: ")

    root.context_class.formatter_class = Uso
    context = root.context_class(root)
    for command in _commands(root):
        command.options_metavar = OPCIONES
        if hasattr(command, "subcommand_metavar"):
            command.subcommand_metavar = ORDEN
        helps = command.get_help_option(context)
        if helps is not None:
            helps.help = AYUDA
        for each in command.get_params(context):
            kind = _kind(each)
            setattr(each, "display_type_rich", lambda *, ctx, kind=kind: kind)  # noqa: B010 - mypy admits no other way


def _commands(command: Any) -> Iterator[Any]:
    yield command
    for each in getattr(command, "commands", {}).values():
        yield from _commands(each)


def _kind(one: Any) -> str:
    """What kind of value a parameter takes; none for what takes none, and for an argument, whose name says it."""
    if getattr(one, "is_flag", False) or one.param_type_name == "argument":
        return ""
    if one.metavar is not None:
        return str(one.metavar)
    bare = one.bare_type()
    inner = bare.removeprefix("list[").removesuffix("]")
    return _TIPOS.get(inner, "TEXTO") + ("…" if inner != bare else "")


def _tell(error: TyperException, *, as_json: bool) -> int:
    """Tell a mistake of use; its exit status. A group alone has shown its help already."""
    if type(error).__name__ != "NoArgsIsHelpError":
        context = getattr(error, "ctx", None)
        helps = f"{context.command_path if context else 'pregon'} --help"
        told = UsoError(
            en_espanol(error.format_message()),
            intacto="No se hizo nada.",
            que_hacer=f"«{helps}» dice cómo se usa.",
        )
        show_error(told, as_json=as_json)
    return error.exit_code


def en_espanol(text: str) -> str:
    """What typer says of a mistake, in Spanish; as it is, where it is none of those known."""
    value = _VALOR.fullmatch(text)
    if value is not None:
        of = f" de {value[1]}" if value[1] else ""
        return f"No sirve el valor{of}: {_put(value[2], _RAZONES)}."
    return _put(text, _ERRORES)


def _put(text: str, table: Sequence[tuple[str, str]]) -> str:
    for pattern, words in table:
        found = re.fullmatch(pattern, text, re.DOTALL)
        if found is not None:
            return words.format(*(re.sub(r"'(.+?)'", r"«\1»", each) for each in found.groups()))
    return text.removesuffix(".")
