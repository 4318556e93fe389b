"""Changes one value of a JSON document: random bytes seldom leave one that is still JSON."""

from __future__ import annotations

import copy
import json
import random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2, 9999, 10000, 1 << 31, 1 << 53, (1 << 53) + 1, 1 << 64, 1.5, 1e400, -0.0,
    "", "0", "a", "\0", "\ud800", "\u202e", "ñ", "n\u0303", "../x", "/x", "a/../b", "con", "manifiesto.json", "C:x",
    "a" * 300,
    "2027-06-07T02:20:00+00:00", "2027-06-07T02:20:00Z", "2027-06-07T02:20:00", "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59", "2027-02-30T00:00:00Z", "2027-06-07T02:20:00.5Z", "2027-06-07", "oficial", "simulacro",
    "f" * 64, "F" * 64, [], {}, [[]], [None], {"": ""}, "horario", "anticipado", "cortes/0002/manifiesto.json",
    "cortes/0002/x.zip", "avisos/000001.json", "cortes/9999/a/b", "root", "targets", "snapshot.json",
    "pregon/paquete/1",
)  # fmt: skip
"""What borders are made of."""
_FREE = 0.35
"""How often libFuzzer changes the bytes as it likes."""
_MAX_CHANGES = 3


def muta(data: bytes, most: int, seed: int, free: Callable[[bytes, int], bytes], *, head: int = 0) -> bytes:
    """Another input: after ``head`` bytes that are not JSON, the document with one to three values changed.

    The same ``seed`` gives the same change. What is not JSON is changed freely.
    """
    chance = random.Random(seed)  # noqa: S311 - nothing secret
    if chance.random() < _FREE:
        return free(data, most)
    try:
        document = json.loads(data[head:])
    except (ValueError, RecursionError):
        return free(data, most)
    for _ in range(chance.randint(1, _MAX_CHANGES)):
        document = _changed(document, chance)
    indent = chance.choice((None, 1, 2))
    made = data[:head] + json.dumps(document, indent=indent, sort_keys=chance.random() < _FREE).encode()
    return made[:most]


def _changed(document: Any, chance: random.Random) -> Any:
    places = list(_places(document))
    if not places:
        return chance.choice(_VALUES)
    holder, key = chance.choice(places)
    other = chance.choice(places)
    match chance.randrange(6):
        case 0:
            del holder[key]
        case 1:
            holder[key] = copy.deepcopy(other[0][other[1]])
        case 2 if isinstance(holder, list):
            holder.insert(key, copy.deepcopy(holder[key]))
        case 2 if isinstance(key, str):
            holder[str(chance.choice(_VALUES))] = holder.pop(key)
        case 3 if type(holder[key]) is int:
            holder[key] += chance.choice((-1, 1, 1 << 32))
        case 4 if isinstance(holder[key], str):
            holder[key] = _text(holder[key], chance)
        case _:
            holder[key] = copy.deepcopy(chance.choice(_VALUES))
    return document


def _places(document: Any) -> Any:
    """Each value that is not the whole, as what holds it and where."""
    waiting = [document]
    while waiting:
        holder = waiting.pop()
        pairs = holder.items() if isinstance(holder, dict) else enumerate(holder) if isinstance(holder, list) else ()
        for key, value in pairs:
            yield holder, key
            waiting.append(value)


def _text(text: str, chance: random.Random) -> str:
    place = chance.randrange(len(text) + 1)
    piece = chance.choice(("", "/", "..", "\\", "\0", "\ud800", "ñ", ":", " ", "T", "-", "9", '"', text))
    return text[:place] + piece + text[place + chance.randrange(2) :]
