"""A digest of totals in one written form, so that two programs can be compared without keeping either's answers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

Renglon: TypeAlias = tuple[str, Sequence[str | int], Iterable[tuple[str, int | str]]]
"""Level, ids from the entidad down, and the figures of the place, each by its name."""


def huella(campos: Mapping[str, int | str], renglones: Iterable[Renglon]) -> str:
    """SHA-256 of the 13 fields and the rows, in any order. Ids are taken as the numbers they are."""
    lines = [f"{name}={campos[name]}" for name in sorted(campos)]
    lines += sorted(
        f"{level}|{'-'.join(str(int(part)) for part in place)}|{','.join(f'{name}={n}' for name, n in sorted(figures))}"
        for level, place, figures in renglones
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
