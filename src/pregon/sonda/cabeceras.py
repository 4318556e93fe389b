"""What is wrong in the headers of a public page. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DEBIDAS = ("content-security-policy", "x-content-type-options", "referrer-policy")
_EDAD = re.compile(r"(?:^|[,\s])(?:s-maxage|max-age)=(\d+)")


def faltas(headers: Mapping[str, str], url: str, *, hsts: bool = True) -> Iterator[str]:
    """What is missing or told too much, in Spanish. ``headers``: names in lower case.

    ``hsts``: whether it must ask browsers to come back over TLS; a rehearsal must not bind a name for a year.
    """
    for name in DEBIDAS:
        if name not in headers:
            yield f"falta la cabecera {name}"
    if re.search(r"\d", headers.get("server", "")):
        yield "la cabecera server dice la versión"
    if hsts and url.startswith("https:") and "strict-transport-security" not in headers:
        yield "falta la cabecera strict-transport-security"


def se_guarda(headers: Mapping[str, str], segundos: float) -> str | None:
    """Why somebody could be shown this page for longer than ``segundos`` after it changed; None where nobody can."""
    said = headers.get("cache-control", "").lower()
    if "no-store" in said or "no-cache" in said:
        return None
    longest = max((int(found) for found in _EDAD.findall(said)), default=None)
    if longest is None:
        return "no dice cuánto se puede guardar (cache-control)"
    return f"se puede guardar {longest} s (cache-control)" if longest > segundos else None
