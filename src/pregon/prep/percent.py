"""Percentages: four decimals, the fourth truncated and never rounded (LEEME 2024 §b.7; real-data.md §2, rule 1)."""

from __future__ import annotations

import re

_PERCENT = re.compile(r"'?\s*(\d{1,6})(?:\.(\d*))?\s*%?\s*", re.ASCII)


def trunc4(numerator: int, denominator: int) -> str:
    """``100 * numerator / denominator`` cut at four decimals, always with four: ``62.9104``.

    Exact integer arithmetic. A denominator of zero gives ``0.0000``: at the first cuts nothing is counted yet.

    Raises:
        ValueError: a negative figure, which no count can be.
    """
    if numerator < 0 or denominator < 0:
        raise ValueError(f"trunc4 of negative figures: {numerator}/{denominator}")
    if denominator == 0:
        return "0.0000"
    whole, rest = divmod(numerator * 1_000_000 // denominator, 10_000)
    return f"{whole}.{rest:04d}"


def parse_percent(text: str) -> str | None:
    """A published percentage with exactly four decimals: ``67.29`` -> ``67.2900``; ``'99.5698%`` -> ``99.5698``.

    More decimals are cut. Returns None when the text is not a percentage.
    """
    match = _PERCENT.fullmatch(text)
    if match is None:
        return None
    whole, decimals = match.groups()
    return f"{int(whole)}.{(decimals or '')[:4].ljust(4, '0')}"
