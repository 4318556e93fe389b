"""Public paths as caches name them, and how few words can say many of them. Pure."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from pregon.base.errors import PurgaError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

PORTADA = "index.html"
INMUTABLES = ("datos", "assets")
"""Folders whose content keeps for ever at the edge: no wildcard covers them (docs/adr/0013)."""
_SAFE = "/~!$&'()+,;=:@-._"
"""What travels as it is. «*» does not: for a cache it means «whatever begins so»."""

T = TypeVar("T")


def limpia(rutas: Iterable[str]) -> tuple[str, ...]:
    """The paths as a browser asks for them, each once, in the same order; the page of a folder by both its names.

    Raises:
        PurgaError: one is not the path of a file or folder of the portal.
    """
    found: dict[str, None] = {}
    for ruta in rutas:
        if not ruta.startswith("/") or "//" in ruta or any(part in (".", "..") for part in ruta.split("/")):
            raise PurgaError(
                f"No se purgó nada: {ruta!r} no es una dirección del portal.",
                intacto="Lo que muestra el CDN sigue como estaba.",
                que_hacer="Es un error del programa: repórtelo con este mensaje.",
            )
        asked = quote(ruta, safe=_SAFE)
        for name in (asked, _twin(asked)):
            found.setdefault(name)
    return tuple(found)


def _twin(ruta: str) -> str:
    """The other name of a folder's page; the same where there is none."""
    if ruta.endswith("/"):
        return ruta + PORTADA
    return ruta.removesuffix(PORTADA) if ruta.endswith("/" + PORTADA) else ruta


def comodines(rutas: Sequence[str], *, pocas: int, maximo: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The paths one by one, and the wildcards (``/gub/*``) that stand for the rest, largest folder first.

    Up to ``pocas`` paths there is no wildcard; above, the folders at the root that have most of them, ``maximo`` at
    most and only as many as needed. What is in the root itself, in ``datos`` or in ``assets`` is never in one: a
    wildcard forgets everything below, and what never changes must stay.
    """
    sizes = Counter(top for ruta in rutas if (top := _top(ruta)))
    chosen: list[str] = []
    left = len(rutas)
    for top, size in sorted(sizes.items(), key=lambda item: (-item[1], item[0])):
        if left <= pocas or len(chosen) == maximo or size == 1:
            break
        chosen.append(top)
        left -= size - 1
    alone = tuple(ruta for ruta in rutas if _top(ruta) not in chosen)
    return alone, tuple(f"/{top}/*" for top in chosen)


def _top(ruta: str) -> str | None:
    """The folder at the root that a path is in, where a wildcard may cover it."""
    first, inside, _ = ruta[1:].partition("/")
    return first if inside and first not in INMUTABLES else None


def lotes(cosas: Iterable[T], largo: int) -> Iterator[tuple[T, ...]]:
    """The same things in groups of ``largo`` at most."""
    every = iter(cosas)
    while group := tuple(islice(every, largo)):
        yield group
