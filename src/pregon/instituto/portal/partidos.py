"""How a vote column is named and coloured on the pages.

What a column is (party, combination, independent) is ``prep.columns``' answer; here are the words and the colour class.
Colours are classes of the style sheet (``t-pan``); a party that the sheet does not know takes one of the neutral
``t-1`` … ``t-8`` by its order on the acta, so that two unknown parties of a contest do not look alike.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from markupsafe import Markup

from pregon.prep.columns import classify, members_of, party_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NOMBRES = {
    "PAN": "Partido Acción Nacional",
    "PRI": "Partido Revolucionario Institucional",
    "PRD": "Partido de la Revolución Democrática",
    "PT": "Partido del Trabajo",
    "PVEM": "Partido Verde Ecologista de México",
    "MC": "Movimiento Ciudadano",
    "MORENA": "Morena",
    "PES": "Partido Encuentro Solidario",
    "RSP": "Redes Sociales Progresistas",
    "FXM": "Fuerza por México",
    "NA": "Nueva Alianza",
}
_ALIANZA = ("NAP", "PNA", "NUEVA ALIANZA", "NUEVA_ALIANZA", "PANAL")
COLORES = {siglas: siglas.lower() for siglas in _NOMBRES} | dict.fromkeys(_ALIANZA, "na")
"""Colour of the style sheet by the letters shown: its variable (``--pan``); without it, one of the neutral ones."""
_COLORES_NEUTROS = 8
_FRANJAS = 6
"""The widest drawing of the style sheet, for so many parties or more."""
_INDEPENDIENTE = re.compile(r"(?:CAND_?IND|CI|CANDIDAT\w*/?A? INDEPENDIENTE)[_ -]?0*(?P<cual>\w*)")


@dataclass(frozen=True)
class Partido:
    """One actor: its column in the file, the letters shown, its whole name (or None) and its colour class.

    ``emblema``: class of the style sheet that draws its emblem, if the institute gave one. ``alianza``: the name of the
    coalition of a line, on the first of its parties.
    """

    clave: str
    siglas: str
    nombre: str | None
    color: str
    emblema: str = ""
    alianza: str | None = None


def franjas(partidos: Sequence[Partido]) -> Markup:
    """The colours of who contends, side by side: what is in the small drawing before their letters."""
    n = len(partidos)
    stripe = Markup('<rect class="{}" x="{}%" width="{}%" height="100%"/>')
    return Markup().join(stripe.format(one.color, i * 100 // n, (100 + n - 1) // n) for i, one in enumerate(partidos))


def ficha(partidos: Sequence[Partido], dentro: Markup | None = None) -> Markup:
    """That drawing: their colours or, in their place, ``dentro``, which draws the same."""
    width = f" f{min(len(partidos), _FRANJAS)}" if len(partidos) > 1 else ""
    drawing = Markup('<svg class="ficha{}" aria-hidden="true">{}</svg>')
    return drawing.format(width, franjas(partidos) if dentro is None else dentro)


@dataclass(frozen=True)
class Propio:
    """How an institute wants an actor shown (``aspecto``); None or empty keeps ours."""

    siglas: str | None = None
    nombre: str | None = None
    color: str | None = None
    emblema: str = ""


class Actores:
    """The vote columns of one contest, understood once, in the order of the acta.

    ``propios``: what the institute says of some of them, by ``party_key``.
    """

    def __init__(self, columns: Sequence[str], propios: Mapping[str, Propio] | None = None) -> None:
        self._propios = propios or {}
        contenders = classify(columns)[0]
        self.columnas = tuple(columns)
        self._singles = tuple(c.columna for c in contenders if c.clase in ("partido", "independiente"))
        self._members = {c.columna: c.miembros for c in contenders if c.miembros}
        self._apart = {c.columna: c.clase for c in contenders if c.clase in ("no_registradas", "nulos")}
        self._partidos = {key: self._describe(key) for key in self._singles}

    def no_registradas(self, key: str) -> bool:
        """Whether a column holds votes for people not registered."""
        return self._apart.get(key) == "no_registradas"

    def nulos(self, key: str) -> bool:
        """Whether a column holds null votes."""
        return self._apart.get(key) == "nulos"

    def contiende(self, key: str) -> bool:
        """Whether a column or candidatura is somebody's: neither null nor for people not registered."""
        return key not in self._apart

    def miembros(self, key: str) -> tuple[str, ...]:
        """The columns of the parties that a key joins; the key itself when it is one party or independent."""
        if key in self._partidos:
            return (key,)
        return self._members.get(key) or members_of(key, self._singles) or (key,)

    def partidos(self, key: str) -> tuple[Partido, ...]:
        """The actors that a key joins, described."""
        found = tuple(self._partidos.get(member) or self._describe(member) for member in self.miembros(key))
        own = self._propios.get(party_key(key)) if len(found) > 1 else None
        if own is None:
            return found
        if own.emblema:  # one for the coalition, in place of those of its parties
            found = (replace(found[0], emblema=own.emblema), *(replace(party, emblema="") for party in found[1:]))
        return (replace(found[0], alianza=own.nombre or own.siglas), *found[1:])

    def _describe(self, key: str) -> Partido:
        found, own = self._known(key), self._propios.get(party_key(key))
        if own is None:
            return found
        return replace(
            found,
            siglas=own.siglas or found.siglas,
            nombre=own.nombre or found.nombre,
            color=own.color or found.color,
            emblema=own.emblema,
        )

    def _known(self, key: str) -> Partido:
        independent = _INDEPENDIENTE.fullmatch(key)
        if independent is not None:
            which = independent["cual"]
            return Partido(key, f"Ind. {which}".strip(), f"Candidatura independiente {which}".strip(), "t-ind")
        siglas = party_key(key)
        if siglas in _ALIANZA:
            return Partido(key, siglas, _NOMBRES["NA"], "t-na")
        if siglas in _NOMBRES:
            return Partido(key, siglas, _NOMBRES[siglas], f"t-{siglas.lower()}")
        order = self._singles.index(key) if key in self._singles else len(self._singles)
        return Partido(key, siglas.replace("_", " "), None, f"t-{order % _COLORES_NEUTROS + 1}")
