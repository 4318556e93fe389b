"""The chain of a journal: each event carries a link that depends on everything written before it.

Each sum is the SHA-256, in hexadecimal, of one line of JSON in UTF-8 without spaces::

    huella  = ["pregon/suceso/1",<n>,<hora>,<tipo>,<dato>]
    eslabon = ["pregon/eslabon/1",<link of the one before>,<huella>]

``hora``, ``tipo`` and ``dato`` are the very texts that the database keeps, never written again from their values, and
they go as JSON strings, so that no text can be moved from one to the next. The link takes the event by its ``huella``,
so that the whole chain can be shown to somebody with only some of its events in clear. The first event follows
``GENESIS``. An event of before there was a chain has no link of its own; the first that has one follows the link that
the others would have, so that it ties them all. Anybody can repeat the sums with any JSON library.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

SUCESO = "pregon/suceso/1"
FORMATO = "pregon/eslabon/1"
"""First element of what is hashed: another way of linking will have another name."""
GENESIS = "0" * 64
"""What the first event follows."""


@dataclass(frozen=True)
class Apunte:
    """One event as the database keeps it: the texts letter by letter. ``eslabon`` None: of before the chain."""

    n: int
    hora: str
    tipo: str
    dato: str
    eslabon: str | None


@dataclass(frozen=True)
class Cabeza:
    """Where a chain ends: the number of its last event (0: none) and the link that the next must follow."""

    n: int = 0
    eslabon: str = GENESIS


def huella(n: int, hora: str, tipo: str, dato: str) -> str:
    """What identifies one event by itself: 64 hexadecimal digits."""
    return _sum([SUCESO, n, hora, tipo, dato])


def eslabon(anterior: str, n: int, hora: str, tipo: str, dato: str) -> str:
    """The link of an event: 64 hexadecimal digits. ``anterior`` is the link of the one before."""
    return enlaza(anterior, huella(n, hora, tipo, dato))


def enlaza(anterior: str, huella: str) -> str:
    """The link of an event of which only its ``huella`` is known."""
    return _sum([FORMATO, anterior, huella])


def sigue(cabeza: Cabeza, apuntes: Iterable[Apunte]) -> Cabeza:
    """Where the chain ends after ``apuntes``, in their order: every link is worked out, none is believed."""
    for apunte in apuntes:
        cabeza = Cabeza(apunte.n, eslabon(cabeza.eslabon, apunte.n, apunte.hora, apunte.tipo, apunte.dato))
    return cabeza


def _sum(line: list[str | int]) -> str:
    return hashlib.sha256(json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()
