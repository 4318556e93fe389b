"""SQL text from files, portable between engines."""

from __future__ import annotations

import re
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


def read_sql(package: str, name: str, **lists: Sequence[str]) -> str:
    """The text of ``name`` in ``package``; each line that holds ``$word`` comes once for every item of that list.

    Files with a variable number of columns stay plain SQL this way: a line ``cast(sum($voto) as bigint) as $voto,``
    with ``voto=["v001", "v002"]`` gives two lines.

    Raises:
        ValueError: an item is not a plain lower-case name. Text from outside never enters SQL.
    """
    for items in lists.values():
        for item in items:
            if not _NAME.fullmatch(item):
                raise ValueError(f"not a plain SQL name: {item!r}")
    lines: list[str] = []
    for line in resources.files(package).joinpath(name).read_text(encoding="utf-8").splitlines():
        word = next((word for word in lists if f"${word}" in line), None)
        lines.extend([line] if word is None else [line.replace(f"${word}", item) for item in lists[word]])
    return "\n".join(lines) + "\n"
