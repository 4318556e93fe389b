"""One way of writing JSON, so that the same data are the same bytes everywhere."""

from __future__ import annotations

import json
from typing import Any


def canonical_json(data: Any) -> bytes:
    """UTF-8, sorted keys, two-space indent, final newline: what we sign, hash and publish (design §7)."""
    return (json.dumps(data, ensure_ascii=False, sort_keys=True, indent=2) + "\n").encode()


def compact_json(data: Any) -> bytes:
    """UTF-8, keys in the order given, no spaces, final newline: data files read by programs."""
    return (json.dumps(data, ensure_ascii=False, separators=(",", ":")) + "\n").encode()
