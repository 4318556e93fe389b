"""The dark scheme obeys the reader: what a style sheet says for a dark device also holds where a reader chose it.

A sheet says its dark rules once, as any sheet does: ``@media (prefers-color-scheme:dark){…}``. Here each of those
blocks becomes two: the same one, which leaves alone whoever chose the light theme, and the same rules for whoever chose
the dark one (``guiones/ajustes.js`` puts ``data-tema`` on the root). ``light-dark()`` would need none of this, but
phones of 2023 do not know it. ``:where`` adds nothing to the weight of a selector: what came later still wins.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pregon.base.errors import AjustesError

if TYPE_CHECKING:
    from collections.abc import Iterator

_DARK = re.compile(r"@media\s*\(prefers-color-scheme:\s*dark\)\s*\{")
_RULE = re.compile(r"\s*([^{}]+?)\s*\{([^{}]*)\}")
_NOT_LIGHT = ":where(:not([data-tema=claro]))"
_DARK_CHOSEN = ":where([data-tema=oscuro])"


def obedient(sheet: str) -> str:
    """The style sheet with its dark blocks obeying the reader's choice; all else as it is.

    A dark block holds plain rules, none of them inside another ``@`` rule.

    Raises:
        AjustesError: a dark block that does not.
    """
    return "".join(_pieces(sheet))


def _pieces(sheet: str) -> Iterator[str]:
    done = 0
    while (found := _DARK.search(sheet, done)) is not None:
        yield sheet[done : found.start()]
        rules = []
        end = found.end()
        while (rule := _RULE.match(sheet, end)) is not None:
            rules.append((rule[1], rule[2]))
            end = rule.end()
        closing = re.compile(r"\s*\}").match(sheet, end)
        if closing is None:
            raise AjustesError(
                f"La hoja de estilo tiene un bloque oscuro con algo más que reglas: {sheet[end : end + 60].strip()!r}",
                intacto="No se hizo ninguna página.",
                que_hacer="Deje en «@media (prefers-color-scheme:dark)» sólo reglas, sin otras «@» ni comentarios.",
            )
        yield f"{found[0]}{_for(rules, _NOT_LIGHT)}}}\n{_for(rules, _DARK_CHOSEN)}"
        done = closing.end()
    yield sheet[done:]


def _for(rules: list[tuple[str, str]], root: str) -> str:
    return "".join(f"{_under(selectors, root)}{{{body}}}" for selectors, body in rules)


def _under(selectors: str, root: str) -> str:
    """The selectors, only where the root matches ``root``; commas inside of parentheses separate nothing."""
    parts = re.split(r",(?![^()]*\))", selectors)
    return ",".join(
        part.strip().replace(":root", f":root{root}", 1) if ":root" in part else f":where(:root{root}) {part.strip()}"
        for part in parts
    )
