"""A digest of totals in one written form, so that two programs can be compared without keeping either's answers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

Renglon: TypeAlias = tuple[str, Sequence[str | int], int, Iterable[int]]
"""Level, ids from the entidad down, counted actas, votes of each column."""


def huella(campos: Mapping[str, int | str], columnas: Iterable[str], renglones: Iterable[Renglon]) -> str:
    """SHA-256 of the 13 fields, the vote columns and the rows, in any order. Ids are taken as the numbers they are."""
    lines = [f"{name}={campos[name]}" for name in sorted(campos)]
    lines.append(",".join(columnas))
    lines += sorted(
        f"{level}|{'-'.join(str(int(part)) for part in place)}|{counted}|{','.join(map(str, votes))}"
        for level, place, counted, votes in renglones
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
