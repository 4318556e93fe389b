"""Whether the page of a unit still says what it said: then it keeps its bytes (docs/adr/0006).

The only thing on it that may change without its figures changing is the strip that states the cut.
"""

from __future__ import annotations

import re

_CORTE = re.compile(rb'<p class="corte"[^>]*>.*?</p>', re.DOTALL)


def kept(new: bytes, previous: bytes | None) -> bytes:
    """``previous`` where ``new`` differs from it in nothing but the block that states the cut; else ``new``.

    Exactly one such block must be in each (text is escaped, so no name can pretend to be one): else it is ``new``.
    """
    if previous is None or new == previous:
        return new
    ours, theirs = _CORTE.split(new), _CORTE.split(previous)
    return previous if len(ours) == 2 and ours == theirs else new
