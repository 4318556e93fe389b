"""Instants as signed documents write them, read strictly: every reader, in any language, sees the same one."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)")


def parse_instant(text: object) -> datetime:
    """The aware instant that a signed document says: ISO 8601 to the second or finer, with its offset.

    Raises:
        ValueError: it is not one, or it has no date in UTC.
    """
    if not isinstance(text, str) or not _INSTANT.fullmatch(text):
        raise ValueError("not an instant with its offset")
    instant = datetime.fromisoformat(text)
    try:
        instant.astimezone(UTC)  # the first and the last day of the calendar may have no date there
    except OverflowError as exc:
        raise ValueError("an instant that has no date in UTC") from exc
    return instant
